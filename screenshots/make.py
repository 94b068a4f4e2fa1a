"""Make the pictures of README.md anew: `./dev screenshots [NAME…]`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from .scenes import SCENES, Scene, same_everywhere

HERE = Path(__file__).absolute().parent


async def picture(scene: Scene) -> str:
    """Return the scene as SVG."""
    app = scene.app()
    async with app.run_test(size=scene.size) as pilot:
        await scene.prepare(pilot)
        return app.export_screenshot(title="chroot-tool")


def main(names: list[str]) -> int:
    """Write screenshots/NAME.svg for each of *names*, for all scenes where there are none."""
    known = {scene.name: scene for scene in SCENES}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no such scene: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    for name in names or known:
        with same_everywhere():
            text = asyncio.run(picture(known[name]))
        (HERE / f"{name}.svg").write_text(text, encoding="utf-8")
        print(f"screenshots/{name}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
