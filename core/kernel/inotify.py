"""Told by the kernel when something is made, removed or written in a few directories (inotify(7)).

Watched are directories only, never what is below them, and links are not followed: a chroot's
content can neither multiply the watches nor send one elsewhere.
"""

from __future__ import annotations

import os
import struct

from . import syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# linux/inotify.h
_IN_CLOSE_WRITE = 0x08
_IN_MOVED_FROM = 0x40
_IN_MOVED_TO = 0x80
_IN_CREATE = 0x100
_IN_DELETE = 0x200
_IN_MOVE_SELF = 0x800
_IN_Q_OVERFLOW = 0x4000
_IN_IGNORED = 0x8000
_IN_ONLYDIR = 0x01000000
_IN_DONT_FOLLOW = 0x02000000
_MASK = (
    _IN_CLOSE_WRITE | _IN_MOVED_FROM | _IN_MOVED_TO | _IN_CREATE | _IN_DELETE
    | _IN_MOVE_SELF | _IN_ONLYDIR | _IN_DONT_FOLLOW
)  # fmt: skip
_HEADER = struct.Struct("=iIII")


class DirectoryWatch:
    """Watches a set of directories. `fileno()` is readable when `changed()` has something.

    The kernel gives each user a few of these, and others may have all: then it tells nothing until
    `begin` gets one.
    """

    def __init__(self) -> None:
        self._fd = -1
        self._paths: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self.begin()

    def begin(self) -> bool:
        """Get one, and tell whether one was left. What was added before is to be added anew."""
        try:
            self._fd = syscalls.inotify_init()
        except OSError:
            return False
        return True

    @property
    def tells(self) -> bool:
        """Whether it has one: else who wants to know looks now and then."""
        return self._fd >= 0

    def fileno(self) -> int:
        """Return the descriptor to wait for, where it `tells`; else -1."""
        return self._fd

    def add(self, paths: Iterable[str]) -> None:
        """Watch each of *paths*, again too; what is no directory or is too many is left out."""
        for path in paths if self.tells else ():
            try:
                number = syscalls.inotify_add_watch(self._fd, path, _MASK)
            except OSError:  # gone, no directory, or over the user's limit of watches
                number = None
            # What is watched goes by another name now, or is another than before.
            if self._numbers.get(path, number) != number:
                self._forget(self._numbers[path])
            if number is not None and self._paths.get(number, path) != path:
                self._forget(number)
            if number is not None:
                self._paths[number] = path
                self._numbers[path] = number

    def changed(self) -> set[str] | None:
        """Return in which directories something happened; None where news were lost."""
        found: set[str] = set()
        lost = False
        while self.tells:
            try:
                data = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                return None if lost else found
            offset = 0
            while offset < len(data):
                number, mask, _, length = _HEADER.unpack_from(data, offset)
                offset += _HEADER.size + length
                lost = lost or bool(mask & _IN_Q_OVERFLOW)
                path = self._paths.get(number)
                if path is not None:
                    found.add(path)
                if mask & (_IN_IGNORED | _IN_MOVE_SELF):
                    self._forget(number)
        return found

    def _forget(self, number: int) -> None:
        path = self._paths.pop(number, None)
        if path is not None:
            self._numbers.pop(path, None)

    def follows(self, path: str) -> bool:
        """Tell whether the kernel tells of *path*: no more once that is gone or was renamed."""
        return path in self._numbers

    def close(self) -> None:
        """Stop watching."""
        if self.tells:
            os.close(self._fd)
