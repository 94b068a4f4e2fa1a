"""A second tree that is as a first one, made in the quickest way that its file system has.

A subvolume of btrfs is duplicated by a snapshot, which is of one moment; any other tree is copied,
with shared blocks where there are such (btrfs, XFS), else byte by byte, once the room for it has
been seen.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from functools import partial

from ..errors import Cancelled, ChrootError
from ..events import Stage
from ..kernel import btrfs
from ..kernel.inode_flags import FICLONE
from ..kernel.rootpath import descriptor_path
from ..text import size
from ..value import Value
from .copy_size import Measured, measure
from .copy_tree import Copied, TreeCopy, bare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report

SNAPSHOT, REFLINK, COPY = "snapshot", "reflink", "copy"

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TOP = "root"
_SPARE = 16 << 20
"""Bytes to be left free: what the directories and the system itself need."""
_ENTRY = 16 << 10
"""Bytes of content that cost as much time as making a file does."""
_QUICK = 1.0
"""Seconds in which most trees are copied where blocks are shared: till then nobody counts them."""
_OFTEN = 0.1
"""Seconds between two reports."""
_FULL = (28, 122)  # ENOSPC, EDQUOT


class Duplicated(Value):
    """How a tree was duplicated."""

    method: str
    """SNAPSHOT, REFLINK or COPY."""
    entries: int = 0
    """Names that were copied; 0 for a snapshot, which counts none."""
    size: int = 0
    """Bytes of content, holes not counted; with REFLINK shared with the original."""
    changed: int = 0
    """Names that were exchanged while they were copied."""
    not_kept: tuple[str, ...] = ()
    """The kinds of attributes that the file system of the second does not take."""


class Cloned(Value):
    """A chroot that was cloned."""

    path: str
    """Of the new one, physical."""
    method: str
    """`snapshot` (a subvolume of btrfs), `reflink`, `copy`, or `stream` from another machine."""
    entries: int
    """Names that were copied; 0 for a snapshot."""
    size: int
    """Bytes of content that were copied or, by reflinks, shared; 0 for a snapshot."""


class Duplicate:
    """Makes *name* in the private directory *parent* what the directory *source* is.

    Both are descriptors; *told* is the chroot that is reported on. With *is_view* the source is
    what `copy.bare` returns, or as good, of a mount that nobody may have a second one of.
    """

    def __init__(
        self,
        source: int,
        parent: int,
        told: str,
        report: Report,
        cancelled: Flag | None,
        *,
        is_view: bool = False,
    ) -> None:
        self._source = source
        self._is_view = is_view
        self._parent = parent
        self._told = told
        self._report = report
        self._cancelled = cancelled
        self._copy: TreeCopy | None = None
        self._counting = _Counting()
        self._count_at = 0.0
        self._shares = False
        self._total = 0
        self._next = 0.0
        self.name = _TOP
        """What it is called in *parent*."""
        self.fd = -1
        """A descriptor of it, once it is made."""

    def __enter__(self) -> Duplicate:
        return self

    def __exit__(self, *_: object) -> None:
        if self.fd >= 0:
            os.close(self.fd)

    def make(self) -> Duplicated:
        """Make it, all but what `seal` does. Raises ChrootError, PrivilegeError, Cancelled."""
        path = descriptor_path(self._source)
        self._report(Stage(self._told, "looking at what is to be copied", 0.0))
        view = self._opened() if self._is_view else bare(self._source, path)
        try:
            if self._snapshot(view):
                return Duplicated(SNAPSHOT)
            return self._copied(view)
        except OSError as error:
            raise self._explained(error) from error
        finally:
            os.close(view)

    def _opened(self) -> int:
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._source)

    def seal(self) -> None:
        """Make immutable what its original is, but the top: that is for `seal_top`, the last."""
        if self._copy:
            self._copy.seal()

    def seal_top(self) -> None:
        """Make the top immutable where its original is; it can't be renamed from then on."""
        if self._copy:
            self._copy.seal_top()

    def _snapshot(self, view: int) -> bool:
        """Make a snapshot of a whole subvolume; False where there is none, or it is elsewhere."""
        if not btrfs.is_subvolume(view) or btrfs.has_subvolumes(view):
            return False  # those in it would be missing
        try:
            btrfs.snapshot(view, self._parent, self.name)
        except OSError as error:
            if error.errno in _FULL:
                raise
            return False  # another file system, or one that may not: then it is copied
        self.fd = os.open(self.name, _DIRECTORY, dir_fd=self._parent)
        return True

    def _copied(self, view: int) -> Duplicated:
        self._shares = _shares(view, self._parent)
        os.mkdir(self.name, 0o700, dir_fd=self._parent)
        self.fd = os.open(self.name, _DIRECTORY, dir_fd=self._parent)
        self._copy = TreeCopy(
            view, self.fd, progress=partial(self._progress, view), cancelled=self._cancelled
        )
        self._count_at = time.monotonic() + _QUICK
        if not self._shares:  # there must be room for it
            self._counting.begin(view)
        try:
            done: Copied = self._copy.run()
        finally:
            self._counting.end()
        method = REFLINK if done.shared else COPY
        size = done.size + done.shared
        return Duplicated(method, done.entries, size, done.changed, done.not_kept)

    def _check_room(self, total: Measured, entries: int, content: int) -> None:
        """See that there is room, of which *entries* and bytes of *content* are taken already."""
        disk = os.fstatvfs(self._parent)
        free, needed = disk.f_bavail * disk.f_frsize + content, total.allocated + _SPARE
        if free < needed:
            raise ChrootError(
                f"not enough space for {self._told}: {size(needed)} are needed, "
                f"{size(free)} are free",
                "free some, or choose a place on another disk",
            )
        inodes = disk.f_favail + entries
        if disk.f_files and inodes < total.entries:  # btrfs and others count none
            raise ChrootError(
                f"not enough inodes for {self._told}: {total.entries} are needed, "
                f"{inodes} are free",
                "delete small files there, or choose a place on another disk",
            )

    def _progress(self, view: int, entries: int, content: int) -> None:
        total = self._counting.result
        if total and not self._total:
            self._total = total.size + total.entries * _ENTRY + 1
            if not self._shares:
                self._check_room(total, entries, content)
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _OFTEN
        if now >= self._count_at:
            self._counting.begin(view)
        fraction = None
        if self._total:
            done = (content + entries * _ENTRY) / self._total
            fraction = round(min(done, 1.0) * 0.98, 3)
        self._report(Stage(self._told, f"copying, {entries} files, {size(content)}", fraction))

    def _explained(self, error: OSError) -> ChrootError:
        if error.errno in _FULL:
            return ChrootError(
                f"no space is left for {self._told}: {error.strerror}",
                "free some, or choose a place on another disk",
            )
        return ChrootError(f"cannot copy to {self._told}: {error.strerror}")


class _Counting:
    """Counts a tree beside the copying of it, for which it would be a tenth more time."""

    def __init__(self) -> None:
        self.result: Measured | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, view: int) -> None:
        """Start to count what is in the directory *view*, unless that was done."""
        if self._thread:
            return
        self._thread = threading.Thread(target=self._count, args=(view,), daemon=True)
        self._thread.start()

    def _count(self, view: int) -> None:
        try:
            self.result = measure(view, self._stopped)
        except (Cancelled, OSError):
            pass  # then nobody knows how far it is

    def end(self) -> None:
        """Stop counting; *view* is used no more."""
        self._stopped.set()
        if self._thread:
            self._thread.join()


def _shares(view: int, parent: int) -> bool:
    """Tell whether a file below *view* can share its blocks with one in *parent*, by trying it."""
    source = _some_file(view)
    if source < 0:
        return False
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        target = os.open(".try", flags, 0o600, dir_fd=parent)
        try:
            fcntl.ioctl(target, FICLONE, source)
        except OSError:
            return False
        finally:
            os.close(target)
            os.unlink(".try", dir_fd=parent)
        return True
    finally:
        os.close(source)


def _some_file(view: int) -> int:
    """Open a file with content in the top, etc or bin of a tree; -1 where none is found there."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    for name in (".", "etc", "bin", "usr/bin", "chroot.d"):
        try:
            folder = os.open(name, _DIRECTORY, dir_fd=view)
        except OSError:
            continue
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not entry.is_file(follow_symlinks=False):
                        continue
                    if entry.stat(follow_symlinks=False).st_size:
                        return os.open(entry.name, flags, dir_fd=folder)
        except OSError:
            continue
        finally:
            os.close(folder)
    return -1
