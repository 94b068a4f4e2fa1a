"""Completing paths as they are typed, on the host and inside a chroot, and saying what is there.

Bounded: a directory of a million entries is looked at only so far. Names that could not be shown as
they are (control characters, bytes that are not UTF-8, bidi marks) are not offered.
"""

from __future__ import annotations

import os
import stat

from ..config.bind import normalise_target
from ..kernel import answering
from ..kernel.answering import NotAnswering
from ..text import safe, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ..kernel.mount_table import MountTable
    from ..kernel.rootpath import Root

    T = TypeVar("T")

MOST = 200
"""Paths that are offered at most."""
_LOOKED_AT = 20_000
"""Entries of a directory that are looked at."""
_COUNTED = 1000


def on_host(text: str) -> tuple[str, ...]:
    """Return the paths on the host that the absolute path *text* can be the start of, sorted.

    Directories end in a slash. Nothing is raised: what cannot be read has no completions.
    """
    table = answering.table()
    if table is None:
        return _complete(text, _open_on_host, os.path.isdir)

    def is_directory(path: str) -> bool:
        return _see(table, path, lambda: os.path.isdir(path), True)  # as a mount point mostly is

    def complete() -> tuple[str, ...]:
        return _complete(text, _open_on_host, is_directory)

    return _see(table, text, complete, ())


def _see(table: MountTable, path: str, call: Callable[[], T], else_: T) -> T:
    try:
        return answering.see(table, path, call, seconds=answering.LOOK)
    except NotAnswering:
        return else_


def inside(root: Root, text: str) -> tuple[str, ...]:
    """The same in *root*: no link leads out of it."""

    def is_directory(path: str) -> bool:
        try:
            there = root.stat(path)
        except NotAnswering:
            return True
        return there is not None and stat.S_ISDIR(there.st_mode)

    return _complete(text, lambda path: root.open(path, os.O_RDONLY | os.O_DIRECTORY), is_directory)


def _open_on_host(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _complete(
    text: str, open_directory: Callable[[str], int], is_directory: Callable[[str], bool]
) -> tuple[str, ...]:
    if not text.startswith("/") or "\0" in text:
        return ()
    folder, _, start = text.rpartition("/")
    try:
        fd = open_directory(folder or "/")
    except OSError:
        return ()
    try:
        names = _starting(fd, start)
    except OSError:
        return ()
    finally:
        os.close(fd)
    paths = [f"{folder}/{name}" for name in names]
    return tuple(f"{path}/" if is_directory(path) else path for path in paths)


def _starting(fd: int, start: str) -> list[str]:
    """Return the first names in a directory that begin with *start*; hidden ones if it does so."""
    found = []
    with os.scandir(fd) as entries:
        for entry, _ in zip(entries, range(_LOOKED_AT), strict=False):
            name = entry.name
            hidden = name.startswith(".") and not start
            if name.startswith(start) and not hidden and safe(name) == name:
                found.append(name)
    return sorted(found)[:MOST]


def missing(source: str) -> str:
    """Say in a few words what is wrong with the source of a bind, "" where it is there."""
    try:
        there = answering.look(source, lambda: os.path.lexists(source), seconds=answering.LOOK)
    except NotAnswering as error:
        return f"{error.strerror}: `on` would wait, and give up"
    except OSError as error:  # no descriptor is left to read the mount table by, say
        return f"cannot be looked at: {error.strerror}"
    return "" if there else "is not on the host, so `on` fails: make it, or tick optional"


def inspect(root: Root, target: str, table: MountTable) -> str:
    """Say in a few words what is at *target* in *root* now: foreign text, unsafe as it is.

    Raises UsageError where *target* can be none.
    """
    from .status import shown

    target = normalise_target(target)
    try:
        physical = root.resolve(target)
    except OSError as error:
        return f"cannot be reached: {error.strerror}"
    link = f"a link to {physical}: " if physical != target else ""
    there = table.at(root.path + physical)
    if there:
        return f"{link}mounted: {shown(there[-1])}"
    try:
        found = root.stat(physical, follow=False)
    except NotAnswering as error:
        return f"{link}{error.strerror}"
    if found is None:
        return f"{link}does not exist, will be made"
    if stat.S_ISDIR(found.st_mode):
        return link + _directory(root, physical)
    if stat.S_ISREG(found.st_mode):
        count = found.st_size
        return f"{link}a file of {count} bytes" if count < 1000 else f"{link}a file, {size(count)}"
    return f"{link}neither a file nor a directory"


def _directory(root: Root, path: str) -> str:
    try:
        fd = root.open(path, os.O_RDONLY | os.O_DIRECTORY, follow=False)
    except OSError as error:
        return f"a directory that cannot be read: {error.strerror}"
    try:
        with os.scandir(fd) as entries:
            count = sum(1 for _ in zip(entries, range(_COUNTED + 1), strict=False))
    finally:
        os.close(fd)
    if not count:
        return "an empty directory"
    if count > _COUNTED:
        return f"a directory with more than {_COUNTED} entries"
    return f"a directory with {count} " + ("entry" if count == 1 else "entries")
