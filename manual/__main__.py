"""Write the pages: `python -m manual FOLDER`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent


def main(folder: Path) -> None:
    """Write every page into *folder*, each as NAME.SECTION."""
    from chroot_tool import __version__

    from . import commands, documents, roff

    pages = [(name, 1, body) for name, body in commands.pages()]
    pages += [(page.name, page.number, documents.body(page)) for page in documents.PAGES]
    folder.mkdir(parents=True, exist_ok=True)
    every = [(name, number) for name, number, _ in pages]
    for name, number, body in pages:
        text = roff.page(
            name, number, date=_date(), source=f"chroot\\-tool {__version__}",
            body=[*body, *roff.section("SEE ALSO", _others(name, every))],
        )  # fmt: skip
        (folder / f"{name}.{number}").write_text(text)


def _date() -> str:
    """Return when it was last changed: two builds of the same are to be the same."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or (ROOT / "CHANGELOG.md").stat().st_mtime
    return time.strftime("%Y-%m-%d", time.gmtime(float(epoch)))


def _others(name: str, every: list[tuple[str, int]]) -> list[str]:
    """Return the pages to go to: from the first to all files, from a command to the first."""
    from . import roff

    wanted = [one for one in every if one[0] != name and (one[1] != 1 or one[0] == every[0][0])]
    return roff.lines(", ".join(f"{roff.bold(roff.text(n))}({s})" for n, s in wanted))


def _find_ourselves() -> None:
    """Have chroot_tool be what lies here, whatever is installed.

    In a source distribution `.pkg` has no links to the folders.
    """
    sys.path.insert(0, str(ROOT / ".pkg"))
    import chroot_tool

    if not (ROOT / ".pkg/chroot_tool/app").exists():
        chroot_tool.__path__.append(str(ROOT))


if __name__ == "__main__":
    _find_ourselves()
    main(Path(sys.argv[1]))
