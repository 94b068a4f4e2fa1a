"""Make the pictures of README.md anew: `./dev screenshots [NAME…]`."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from .scenes import SCENES, Scene, same_everywhere

HERE = Path(__file__).absolute().parent
PICTURES = (
    "main-dark-120x40", "main-light-120x40", "main-dark-80x24", "wide-160x50",
    "high-contrast-120x40", "monochrome-80x24", "ascii-160x50",
    "first-run-80x24", "commands-80x24",
    "mounts-120x40", "processes-120x40", "log-120x40", "tree-80x24",
    "jobs-120x40", "failure-80x24",
    "panel-120x40", "throw-away-120x40", "create-120x40", "create-archive-80x24",
    "snapshots-80x24", "doctor-80x24", "clone-80x24", "delete-80x24", "busy-80x24", "run-80x24",
    "binds-120x40", "three-hosts-120x40", "hosts-80x24",
    "many-hosts-120x40",
)  # fmt: skip
_ELSEWHERE = re.compile(r',\s*url\("https?://[^;]*')
"""Where Rich's SVG would fetch its font: a picture fetches nothing, any monospace font will do."""
_TEXT = re.compile(r'x="([\d.]+)" (y="[\d.]+") textLength="([\d.]+)"([^>]*)>((?:&#160;)+)([^<]*)<')
_BLANK = "&#160;"
_COLUMN = 12.2
"""The width of a column in Rich's pictures."""


def _begun(text: re.Match[str]) -> str:
    """Have a text begin where its first letter is: not all viewers draw blanks before it."""
    x, y, length, more, blanks, left = text.groups()
    room = len(blanks) // len(_BLANK) * _COLUMN
    if not left:
        return text.group()
    return f'x="{float(x) + room:g}" {y} textLength="{float(length) - room:g}"{more}>{left}<'


async def picture(scene: Scene) -> str:
    """Return the scene as SVG."""
    app = scene.app()
    async with app.run_test(size=scene.size) as pilot:
        await scene.prepare(pilot)
        svg = _ELSEWHERE.sub("", app.export_screenshot(title="chroot-tool"))
    return _TEXT.sub(_begun, svg)


def main(names: list[str]) -> int:
    """Write screenshots/NAME.svg for each of *names*, for all PICTURES where there are none."""
    known = {scene.name: scene for scene in SCENES}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no such scene: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    for name in names or PICTURES:
        with same_everywhere():
            text = asyncio.run(picture(known[name]))
        (HERE / f"{name}.svg").write_text(text, encoding="utf-8")
        print(f"screenshots/{name}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
