"""The way down two trees at once, with a bounded number of open directories.

A level that was closed is opened again as the parent of the one below it, and known by device and
inode: whoever moves a directory of the source meanwhile, to lead the walk elsewhere, ends it.
"""

from __future__ import annotations

import os

from ..errors import ChrootError
from ..kernel.syscalls import RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV, openat2

_ENTER = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_LEVELS = 50
_PIECE = 4000
"""Bytes of a path that are looked up at once; the kernel takes 4095."""


class Level:
    """A directory of the source and its copy; what is left to be done in it."""

    __slots__ = ("flags", "identities", "name", "pending", "source", "target")

    def __init__(self, source: int, target: int, name: str) -> None:
        self.source = source
        """Descriptor; -1 while it is closed, as *target*."""
        self.target = target
        self.name = name
        self.flags = 0
        self.identities = (identity(source), identity(target))
        self.pending: list[str] = []
        """Names of the directories in it that are still to be entered."""

    def close(self) -> None:
        """Close both descriptors, for a while or for good."""
        for fd in (self.source, self.target):
            if fd >= 0:
                os.close(fd)
        self.source = self.target = -1


def identity(fd: int) -> tuple[int, int]:
    """Return device and inode of what *fd* is open on."""
    status = os.fstat(fd)
    return status.st_dev, status.st_ino


class Levels:
    """The stack of levels, the top first. Closes all that it opened, and the two of the top not."""

    def __init__(self, source: int, target: int) -> None:
        self._stack = [Level(source, target, "")]

    def __bool__(self) -> bool:
        return bool(self._stack)

    @property
    def deepest(self) -> Level:
        """The level that is being worked on; it is open."""
        return self._stack[-1]

    def path(self, name: str = "") -> str:
        """Return the path of the deepest level, or of *name* in it, from the top."""
        names = [level.name for level in self._stack[1:]]
        return "/".join([*names, name] if name else names)

    def enter(self, name: str) -> Level:
        """Go into *name*, a directory in both trees. Raises OSError where it can't be opened."""
        above = self.deepest
        source = openat2(above.source, name, _DIRECTORY, _ENTER)
        try:
            os.mkdir(name, 0o700, dir_fd=above.target)
            target = os.open(name, _DIRECTORY, dir_fd=above.target)
        except BaseException:
            os.close(source)
            raise
        if len(self._stack) > _OPEN_LEVELS:
            self._stack[-_OPEN_LEVELS].close()
        level = Level(source, target, name)
        self._stack.append(level)
        return level

    def leave(self) -> None:
        """Go back up. Raises ChrootError where the directory above was exchanged meanwhile."""
        level = self._stack.pop()
        try:
            if self._stack and self._stack[-1].source < 0:
                _reopen(self._stack[-1], level)
        finally:
            if self._stack:
                level.close()

    def close(self) -> None:
        """Close what is still open."""
        for level in self._stack[1:]:
            level.close()


def _reopen(above: Level, level: Level) -> None:
    source = target = -1
    try:
        source = os.open("..", _DIRECTORY, dir_fd=level.source)
        target = os.open("..", _DIRECTORY, dir_fd=level.target)
        if (identity(source), identity(target)) != above.identities:
            raise _moved(level)
    except BaseException as error:
        for fd in (source, target):
            if fd >= 0:
                os.close(fd)
        if isinstance(error, FileNotFoundError):  # out of the bare view: it has no way up
            raise _moved(level) from error
        raise
    above.source, above.target = source, target


def _moved(level: Level) -> ChrootError:
    return ChrootError(f"{level.name} was moved while it was being copied", "do it again")


def open_below(top: int, path: str, flags: int) -> int:
    """Open *path* below the directory *top*, however long it is; no link on it is followed."""
    here = os.dup(top)
    try:
        while len(os.fsencode(path)) > _PIECE:
            cut = path.rindex("/", 0, _PIECE // 4)  # a character may have four bytes
            deeper = openat2(here, path[:cut], os.O_PATH | os.O_DIRECTORY, RESOLVE_NO_SYMLINKS)
            os.close(here)
            here, path = deeper, path[cut + 1 :]
        return openat2(here, path or ".", flags, RESOLVE_NO_SYMLINKS)
    finally:
        os.close(here)
