"""What the things in one folder of a chroot take of its disk, each with all that is below it.

As du(1) counts: allocated blocks, a file with several names once. No link is followed and no mount
crossed: every directory is opened by openat2(RESOLVE_NO_XDEV) from the root (see `disk_size`).
Kept of what is below are sums, the paths of folders that are still to be looked at, and which files
with several names were counted; of one folder at a time all names.
"""

from __future__ import annotations

import errno
import os
import time

from ..errors import Cancelled, ChrootError
from ..events import Stage
from ..kernel import syscalls
from ..kernel.mount_table import MountTable
from ..text import safe, size
from ..value import Value
from .disk_size import mounted_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from threading import Event as Flag

    from ..events import Report
    from ..kernel.rootpath import Root

FOLDER, FILE, MOUNT, REST = "folder", "file", "mount", "rest"
MOST = 2000
"""Things that are told of one by one: nobody looks at more, and afar they are one line."""
_ENTER = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_XDEV
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_BLOCK = 512  # of st_blocks, whatever the file system's is (stat(3type))
_TELL = 0.25
"""Seconds between two reports of how far it is."""
_OFTEN = 256
"""Things that are looked at between two looks at the clock."""


class Usage(Value):
    """One thing in a folder, and what it takes."""

    name: str
    """As the file system has it: foreign, and perhaps no UTF-8. "" of a rest."""
    kind: str
    """`folder`, `file` (whatever is no folder), `mount`, of which nothing is counted, or `rest`:
    all that is smaller than the 2000 biggest, together."""
    size: int = 0
    """Bytes of the disk, with all that is below."""
    items: int = 0
    """How many files and folders are below; of a rest, in it and below."""
    unread: int = 0
    """How many folders among them could not be read: they may hold more."""


def usage(
    root: Root, folder: str, report: Report, cancelled: Flag | None = None
) -> tuple[Usage, ...]:
    """Return what is in *folder*, a path from *root*, "" itself: the biggest first, last the rest.

    Raises ChrootError where it is no folder of the same file system, Cancelled.
    """
    inside = "/".join(["."] + [part for part in folder.split("/") if part not in ("", ".")])
    try:
        os.close(syscalls.openat2(root.fd, inside, _DIRECTORY, _ENTER))
        return _Count(root, report, cancelled).folder(inside)
    except OSError as error:
        raise ChrootError(
            f"{safe(root.path)}/{safe(folder)}: {error.strerror}",
            "a link, or what is mounted there, is not followed",
        ) from error


class _Count:
    """One count: files with several names, how many there were, when it was told last."""

    def __init__(self, root: Root, report: Report, cancelled: Flag | None) -> None:
        self._root = root
        self._report = report
        self._cancelled = cancelled
        self._mounted = mounted_below(root.path, MountTable.read())
        self._seen: set[tuple[int, int]] = set()
        self._items = self._bytes = 0
        self._told_at = time.monotonic()

    def folder(self, inside: str) -> tuple[Usage, ...]:
        found: list[Usage] = []
        folders, files = self._read(inside)
        for name, blocks in files:
            kind = FILE if blocks is not None else MOUNT
            found.append(Usage(name, kind, (blocks or 0) * _BLOCK))
        for name in folders:
            found.append(self._below(f"{inside}/{name}", name))
        found.sort(key=lambda one: (-one.size, one.name))
        return (*found[:MOST], *_together(found[MOST:]))

    def _below(self, inside: str, name: str) -> Usage:
        """Return a folder with all that is below; what is mounted in the place of one."""
        blocks = items = unread = 0
        pending = [inside]
        while pending:
            place = pending.pop()
            try:
                own = self._blocks_of(place)
                folders, files = self._read(place)
            except OSError as error:
                if place == inside and error.errno == errno.EXDEV:
                    return Usage(name, MOUNT)
                unread += error.errno != errno.EXDEV
                continue
            blocks += own + sum(taken or 0 for _, taken in files)
            items += len(folders) + len(files)
            self._bytes += (own + sum(taken or 0 for _, taken in files)) * _BLOCK
            pending += [f"{place}/{each}" for each in folders]
            self._tell()
        return Usage(name, FOLDER, blocks * _BLOCK, items, unread)

    def _blocks_of(self, place: str) -> int:
        fd = syscalls.openat2(self._root.fd, place, os.O_PATH | os.O_DIRECTORY, _ENTER)
        try:
            return os.fstat(fd).st_blocks
        finally:
            os.close(fd)

    def _read(self, place: str) -> tuple[list[str], list[tuple[str, int | None]]]:
        """Return the folders in a folder, and its files with their blocks, None: one is mounted.

        One path each, no descriptor kept: how deep the tree is, is not ours to choose. Raises
        OSError where it can't be read.
        """
        folders: list[str] = []
        files: list[tuple[str, int | None]] = []
        mounted = self._mounted.get(place, ())
        fd = syscalls.openat2(self._root.fd, place, _DIRECTORY, _ENTER)
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    self._items += 1
                    if not self._items % _OFTEN:
                        self._tell()
                    if entry.name in mounted:
                        files.append((entry.name, None))
                    elif entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    else:
                        files.append((entry.name, self._blocks(entry)))
        finally:
            os.close(fd)
        return folders, files

    def _blocks(self, entry: os.DirEntry[str]) -> int:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            return 0  # gone
        if status.st_nlink > 1:
            identity = (status.st_dev, status.st_ino)
            if identity in self._seen:
                return 0
            self._seen.add(identity)
        return status.st_blocks

    def _tell(self) -> None:
        if self._cancelled is not None and self._cancelled.is_set():
            raise Cancelled("stopped by you")
        now = time.monotonic()
        if now >= self._told_at + _TELL:
            self._told_at = now
            said = f"counting: {self._items:,} files and folders, {size(self._bytes)}"
            self._report(Stage(self._root.path, said))


def _together(found: Sequence[Usage]) -> Iterator[Usage]:
    """Yield as one what is not told of one by one, where there is any."""
    if found:
        size, items, unread = (
            sum(getattr(one, field) for one in found) for field in ("size", "items", "unread")
        )
        yield Usage("", REST, size, items + len(found), unread)
