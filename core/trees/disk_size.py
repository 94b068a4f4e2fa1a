"""How much of the disk a chroot takes: counted slowly on purpose, and remembered.

What counts is what deleting it would free, as du(1) has it: allocated blocks, a file with several
names once. The walk never follows a link and never crosses a mount: every directory is opened by
openat2(RESOLVE_NO_XDEV) from the root, so the kernel compares the mounts, bind mounts of the same
file system included. (st_dev would not do: a bind of the same disk has the same, and a btrfs
subvolume, which is no mount, another.) Files that something is mounted on are left out by the
mount table. What vanishes or may not be read meanwhile is not counted.

Where files can share their blocks (reflinks, snapshots) it is told how much of it is shared: that
much less, or nothing, is free when one of those who share it is deleted.
"""

from __future__ import annotations

import math
import os
import stat
import time

from ..kernel import answering, fiemap, syscalls
from ..kernel.answering import NotAnswering
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

_ENTER = syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_XDEV
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_BLOCK = 512  # st_blocks is in these, whatever the file system's block (stat(3type))
_WORK, _REST = 0.002, 0.006
"""Seconds of work, and of rest after it: a quarter of one CPU, in slices nobody feels. The nice
level is left alone: a nice thread that is not let run would keep the interpreter's lock."""
_SETTLED, _KEPT = 30.0, 3600.0
"""Seconds in which a size is not counted again whatever has changed, and after which it is
although nothing speaks for a change."""
_TABLE_KEPT = 5.0
"""Seconds for which one look at the mount table serves."""
_TELLTALES = (
    ".", "usr", "usr/bin", "usr/lib", "var/lib/dpkg/status", "var/cache/apt/archives", "etc",
    "opt", "root", "home", "srv", "tmp", "chroot.d",
)  # fmt: skip
"""Where most of what makes a Debian grow or shrink leaves a new time of change."""


class Taken(Value):
    """What a tree takes of its disk."""

    size: int
    """Bytes."""
    shared: int = 0
    """How many of them others have, too; 0 where the file system does not know."""


def count(
    path: str, cancelled: Flag | None = None, table: MountTable | None = None
) -> Taken | None:
    """Return what the directory *path* takes of its disk; *table* spares reading one.

    None where it cannot be opened, or *cancelled* was set. Takes four times as long as it works.
    """
    try:
        with Root(path) as root:
            return _Walk(root, cancelled, table or MountTable.read()).run()
    except (OSError, _Stopped):
        return None


class _Stopped(Exception):  # noqa: N818 (no error)
    """`cancelled` was set."""


class _Walk:
    """One count: the directories still to be looked at, files with several names, the sum."""

    def __init__(self, root: Root, cancelled: Flag | None, table: MountTable) -> None:
        self._root = root.fd
        self._cancelled = cancelled
        self._pending = ["."]
        self._seen: set[tuple[int, int]] = set()
        self._blocks = 0
        self._shared = 0
        self._can_share = _file_system(root.path, table) in fiemap.SHARING
        self._mounted = mounted_below(root.path, table)
        self._rest_at = time.monotonic() + _WORK

    def run(self) -> Taken:
        while self._pending:
            self._directory(self._pending.pop())
        size = self._blocks * _BLOCK
        return Taken(size, min(self._shared, size))

    def _directory(self, name: str) -> None:
        """Count what is in the directory *name*, a path from the root, and the directory itself.

        One path each, no descriptor kept: how deep the tree is, is not ours to choose. Deeper
        than PATH_MAX nothing is counted; nothing that is installed lies there.
        """
        try:
            fd = syscalls.openat2(self._root, name, _DIRECTORY, _ENTER)
        except OSError:
            return  # a mount, gone, or not ours to read
        try:
            self._blocks += os.fstat(fd).st_blocks
            mounted = self._mounted.get(name, ())
            with os.scandir(fd) as entries:
                for entry in entries:
                    if entry.name not in mounted:
                        self._entry(entry, name, fd)
                    if time.monotonic() >= self._rest_at:
                        self._rest()
        except OSError:
            pass  # gone while we read it
        finally:
            os.close(fd)

    def _entry(self, entry: os.DirEntry[str], directory: str, fd: int) -> None:
        if entry.is_dir(follow_symlinks=False):
            self._pending.append(f"{directory}/{entry.name}")
            return
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            return  # gone
        if status.st_nlink > 1:
            identity = (status.st_dev, status.st_ino)
            if identity in self._seen:
                return
            self._seen.add(identity)
        self._blocks += status.st_blocks
        if self._can_share and status.st_blocks and stat.S_ISREG(status.st_mode):
            self._shared += fiemap.shared_in(fd, entry.name)

    def _rest(self) -> None:
        if self._cancelled is None:
            time.sleep(_REST)
        elif self._cancelled.wait(_REST):
            raise _Stopped
        self._rest_at = time.monotonic() + _WORK


def _file_system(path: str, table: MountTable) -> str:
    """Return the type of the file system that the directory *path* is on."""
    while True:
        there = table.at(path)
        if there or path == "/":
            return there[-1].fs if there else ""
        path = os.path.dirname(path)


def mounted_below(path: str, table: MountTable) -> dict[str, set[str]]:
    """Return the names that something is mounted on, by directory as `_Walk` names those."""
    found: dict[str, set[str]] = {}
    for entry in table.below(path):
        inside = "./" + entry.target[len(path.rstrip("/")) + 1 :]
        directory, _, name = inside.rpartition("/")
        found.setdefault(directory, set()).add(name)
    return found


class _Counted(Value):
    """A size, when it was counted (monotonic), which directory it was, what tells of changes."""

    taken: Taken
    at: float
    identity: tuple[int, int]
    stamp: tuple[int, ...]


class SizeCache:
    """The sizes of chroots, counted anew when one has probably changed. For use by one thread."""

    def __init__(self) -> None:
        self._known: dict[str, _Counted] = {}
        self._table = MountTable(())
        self._table_at = -math.inf

    def forget(self, path: str) -> None:
        """Have *path* counted the next time."""
        self._known.pop(path, None)

    def get(self, path: str, cancelled: Flag | None = None) -> Taken | None:
        """Return what *path* takes, counting where it is not known or stale.

        None where `count` gives it. Raises OSError where no descriptor is left, say.
        """
        now = time.monotonic()
        if now - self._table_at >= _TABLE_KEPT:  # with thousands of mounts this is most of all
            self._table, self._table_at = MountTable.read(), now
        try:
            status, stamp = answering.see(
                self._table, os.path.abspath(path), lambda: _stamp(path), seconds=answering.LOOK
            )
        except NotAnswering:
            return None  # counted when it is asked for the next time
        except OSError:
            self._known.pop(path, None)
            return None
        identity = (status.st_dev, status.st_ino)
        known = self._known.get(path)
        if known and known.identity == identity:
            age = now - known.at
            if age < _SETTLED or (age < _KEPT and known.stamp == stamp):
                return known.taken
        taken = count(path, cancelled, self._table)
        if taken is not None:
            # The stamp of before: what changes while it is counted makes it stale.
            self._known[path] = _Counted(taken, time.monotonic(), identity, stamp)
        return taken


def _stamp(path: str) -> tuple[os.stat_result, tuple[int, ...]]:
    with Root(path) as root:
        return os.fstat(root.fd), tuple([_changed(root.fd, name) for name in _TELLTALES])


def _changed(root: int, name: str) -> int:
    """Return when *name* changed, 0 where it is not there or belongs to somebody else's mount."""
    try:
        fd = syscalls.openat2(root, name, os.O_PATH, _ENTER)
    except OSError:
        return 0
    try:
        return os.fstat(fd).st_mtime_ns
    finally:
        os.close(fd)
