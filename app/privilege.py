"""Root's privilege for somebody who is not root: by which program it is had, and what is run so."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_started: tuple[str, ...] = ()


def be_started_by(command: tuple[str, ...]) -> None:
    """Have *command*, a command line without its words, be what starts chroot-tool once more."""
    global _started
    _started = command


def started() -> tuple[str, ...]:
    """Return the command line that starts chroot-tool once more, () where nobody has said it."""
    return _started


def program() -> tuple[str, ...]:
    """Return what is run with privilege: the one program that a rule has to name, where there is.

    That is `chroot-tool.sh` of a checkout, the command that a package or `deploy` has installed.
    """
    script = os.path.abspath(_started[-1]) if _started else ""
    directory, _, name = script.rpartition("/")
    if name == "start.py":
        above = directory.rpartition("/")[0]
        if directory.endswith("/.pkg"):
            return (f"{above}/chroot-tool.sh",)
        # As `core/remote/put_there.py` lays it out: TOP/lib/chroot-tool/VERSION/start.py.
        top = above.rpartition("/")[0].rpartition("/")[0]
        return (f"{top}/bin/chroot-tool",)
    if name not in ("", "__main__.py", "chroot_tool") and os.access(script, os.X_OK):
        return (script,)
    return (sys.executable, "-I", "-m", __name__.partition(".")[0])


def executed() -> Iterator[str]:
    """Give the paths of all that root executes where `program` is run: files and whole trees."""
    yield from (one for one in program() if one.startswith("/"))
    yield sys.executable
    package = __file__.rpartition("/app/")[0]
    yield package
    top, _, inside = package.rpartition("/.pkg/")
    if inside:
        yield f"{top}/pyproject.toml"  # of which chroot-tool.sh installs what is missing
        yield f"{top}/.pkg"
        yield f"{top}/.venv"
    yield from (one for one in sys.path if one.startswith("/"))
