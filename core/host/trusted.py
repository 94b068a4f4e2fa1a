"""Whether root alone can write what root is to execute: files, and trees with all in them."""

from __future__ import annotations

import os
import stat
import sys

from ..kernel.ownership import foreign, walk
from ..kernel.rootpath import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..kernel.ownership import Foreign

    Seen = set[tuple[int, int]]


def executed(program: Iterable[str]) -> Iterator[str]:
    """Give the paths of all that root executes where *program* is run, which starts chroot-tool.

    That is files and whole trees: the words of *program* that are paths, and what this one runs by.
    """
    yield from (one for one in program if one.startswith("/"))
    yield sys.executable
    package = __file__.rpartition("/core/")[0]
    yield package
    top, _, inside = package.rpartition("/.pkg/")
    if inside:
        yield f"{top}/pyproject.toml"  # of which chroot-tool.sh installs what is missing
        yield f"{top}/.pkg"
        yield f"{top}/.venv"
    yield from (one for one in sys.path if one.startswith("/"))


def writable_by_others(paths: Iterable[str]) -> Foreign | None:
    """Return the first thing that somebody else than root can write, None where there is none.

    Looked at are the ways to *paths*, which are absolute, what links lead to, and everything below
    those that are directories. What is not there is passed over. Raises OSError.
    """
    seen: Seen = set()
    with Root("/") as root:
        for path in paths:
            if found := _look(root, path, seen):
                return found
    return None


def _look(root: Root, path: str, seen: Seen) -> Foreign | None:
    with walk(root, path) as way:
        if way.foreign or way.rest:
            return way.foreign
        status = os.fstat(way.fd)
        if (status.st_dev, status.st_ino) in seen:
            return None
        seen.add((status.st_dev, status.st_ino))
        return _below(root, way.path, seen) if stat.S_ISDIR(status.st_mode) else None


def _below(root: Root, directory: str, seen: Seen) -> Foreign | None:
    """Look at what is in a directory that nobody else can write, and so can't exchange either."""
    with os.scandir(directory) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            found = foreign(status, entry.path)
            if found is None and stat.S_ISDIR(status.st_mode):
                found = _below(root, entry.path, seen)
            elif found is None and stat.S_ISLNK(status.st_mode):
                found = _look(root, entry.path, seen)
            if found is not None:
                return found
    return None
