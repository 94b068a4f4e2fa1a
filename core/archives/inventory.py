"""What is in a tree, looked at before it is packed: how much, and what tar has no words for.

The walk never follows a link: every directory is opened by openat2 from the root, one path each,
so that no depth of directories costs descriptors. The tree is a detached mount, so that nothing
else is mounted in it.
"""

from __future__ import annotations

import os
import stat

from ..errors import Cancelled, ChrootError
from ..kernel import syscalls
from ..value import Value
from .manifest import Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from threading import Event as Flag

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_BENEATH = syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_IN_ROOT
_BLOCK = 512
_PATH_LIMIT = 4095  # PATH_MAX without its NUL
_SURELY_SHORT = (_PATH_LIMIT - 2 - 255) // 4  # characters of a directory
_FLAGS = ((0x10, "i"), (0x20, "a"), (0x40, "d"))  # STATX_ATTR_*, the letters of chattr(1)
_ANY_FLAG = 0x70


class Inventory(Value):
    """What a walk found."""

    count: int
    """Entries, the top directory among them."""
    bytes: int
    """About what tar makes of it."""
    flags: tuple[tuple[str, str], ...]
    sockets: tuple[Socket, ...]
    links: tuple[tuple[str, str], ...]
    """Further names of what is neither file nor directory nor link, each with the first one."""


NOTHING = (0, 0)
"""A device and an inode number that no file has."""


def take(
    tree: int,
    *,
    skip: Collection[str] = (),
    never: tuple[int, int] = NOTHING,
    cancelled: Flag | None = None,
) -> Inventory:
    """Walk the tree behind the descriptor *tree*.

    *skip* are paths (`var/cache`): of a directory the content is left out, else it itself.
    *never* is the file that is being written, which must not be in it: its device and inode number.
    Raises ChrootError where it is, or a path is too long to be made again; OSError; Cancelled.
    """
    return _Walk(tree, frozenset(skip), never, cancelled).run()


_ANOTHER = (2, 11, 18, 20, 40)
"""ENOENT, EAGAIN, EXDEV, ENOTDIR, ELOOP: openat2(2) of what has just been a directory."""


class _Walk:
    def __init__(
        self, tree: int, skip: frozenset[str], never: tuple[int, int], cancelled: Flag | None
    ) -> None:
        self._tree = tree
        self._skip = skip
        self._never = never
        self._cancelled = cancelled
        self._pending = [""]
        self._seen: set[int] = set()
        self._count = self._bytes = 0
        self._flags: list[tuple[str, str]] = []
        self._sockets: list[Socket] = []
        self._links: list[tuple[str, str]] = []
        self._first: dict[int, str] = {}

    def run(self) -> Inventory:
        attributes, *_ = syscalls.statx(self._tree, ".")
        self._note_flags(".", attributes)
        self._count = 1
        while self._pending:
            self._directory(self._pending.pop())
        total = self._bytes + self._count * (_BLOCK + _BLOCK // 2)  # headers, and what is padded
        return Inventory(
            self._count, total,
            tuple(sorted(self._flags)), tuple(self._sockets), tuple(self._links),
        )  # fmt: skip

    def _directory(self, inside: str) -> None:
        if self._cancelled and self._cancelled.is_set():
            raise Cancelled("packing was stopped")
        try:
            fd = syscalls.openat2(self._tree, inside or ".", _DIRECTORY, _BENEATH)
        except OSError as error:
            if error.errno in _ANOTHER:
                return  # gone, or something else by now: tar will say so
            raise
        try:
            self._entries(fd, f"{inside}/" if inside else "")
        finally:
            os.close(fd)

    def _entries(self, fd: int, prefix: str) -> None:
        """Look at each entry of one directory. Most are plain files: those go quickly."""
        statx, skip = syscalls.statx, self._skip
        if len(prefix) > _SURELY_SHORT:
            self._refuse_long(fd, prefix)
        for name in os.listdir(fd):
            try:
                attributes, links, mode, inode, size, blocks = statx(fd, name)
            except FileNotFoundError:
                continue
            left_out = bool(skip) and prefix + name in skip
            if left_out and not stat.S_ISDIR(mode):
                continue
            self._count += 1
            if attributes & _ANY_FLAG:
                self._note_flags(prefix + name, attributes)
            kind = mode & 0o170000
            if kind == stat.S_IFREG:
                if inode == self._never[1] and _device(fd, name) == self._never[0]:
                    raise _made_of_itself(prefix + name)
                if links > 1:
                    if inode in self._seen:
                        continue
                    self._seen.add(inode)
                blocks *= _BLOCK
                self._bytes += size if size < blocks else blocks
            elif kind == stat.S_IFDIR:
                if not left_out:
                    self._pending.append(prefix + name)
            elif kind != stat.S_IFLNK:
                self._special(fd, name, prefix + name, kind, inode if links > 1 else 0)

    def _refuse_long(self, fd: int, prefix: str) -> None:
        for name in os.listdir(fd):
            length = len(os.fsencode(prefix + name))
            if length > _PATH_LIMIT - 2:
                raise ChrootError(
                    f"{prefix[:60]}… is {length} bytes deep: no archive of it could be unpacked",
                    "move it further up, or leave it out with -i",
                )

    def _special(self, fd: int, name: str, path: str, kind: int, shared: int) -> None:
        """Look at a fifo, device or socket; *shared*: its inode, where it has more names."""
        first = self._first.setdefault(shared, path) if shared else path
        if first != path:
            self._links.append((path, first))
        elif kind == stat.S_IFSOCK:
            self._socket(fd, name, path)

    def _socket(self, fd: int, name: str, path: str) -> None:
        try:
            status = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            return
        mode = stat.S_IMODE(status.st_mode)
        self._sockets.append(Socket(path, mode, status.st_uid, status.st_gid, status.st_mtime_ns))

    def _note_flags(self, path: str, attributes: int) -> None:
        letters = "".join([letter for bit, letter in _FLAGS if attributes & bit])
        if letters:
            self._flags.append((path, letters))


def _device(directory: int, name: str) -> int:
    """Return the device of a file, 0 where it is gone: inode numbers of two may be the same."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False).st_dev
    except FileNotFoundError:
        return 0


def _made_of_itself(path: str) -> ChrootError:
    return ChrootError(
        f"the archive would lie in what it is made of, as {path}", "choose another place with -f"
    )
