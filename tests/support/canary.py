"""What must not be touched: a tree of another owner, watched while something works next to it.

Imported as `canary`.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import select
import shlex
import stat
import struct
import threading
from contextlib import suppress
from pathlib import Path

import psutil

from support import is_below, lasting, read_mounts

OWNER = 4242
# linux/inotify.h
_READ = {0x01: "read", 0x20: "opened"}
_CHANGED = {
    0x02: "written", 0x04: "attributes changed", 0x08: "closed after writing",
    0x40: "moved away", 0x80: "moved here", 0x100: "made", 0x200: "deleted", 0x400: "deleted",
    0x800: "moved", 0x2000: "unmounted", 0x4000: "events lost",
}  # fmt: skip
_HEADER = struct.Struct("=iIII")
# linux/fanotify.h
_NOTIFY = 0x1 | 0x2  # FAN_CLOEXEC, FAN_NONBLOCK, of the class that only tells
_OPENED_BELOW = 0x20 | 0x0800_0000 | 0x4000_0000  # FAN_OPEN, of children, and of directories
_VISIT = struct.Struct("=IBBHQii")


class Canary:
    """A directory with a file under every name that matters, of another owner, and a watch on it.

    `touched()` says what has been done to it since it was made, by the kernel's own events and by
    comparing what every entry is and holds. With *may_be_read*, reading it is no matter; else it
    says, too, who has opened what.
    """

    def __init__(self, folder: Path, *, may_be_read: bool = False) -> None:
        self.folder = folder
        self._events = _CHANGED if may_be_read else _CHANGED | _READ
        _fill(folder)
        self._before = _facts(folder)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._visitors = None if may_be_read else Visitors(self._libc, folder)  # it looks, too
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._fd >= 0
        self._names: dict[int, str] = {}
        for place in (folder, *(p for p in folder.rglob("*") if not p.is_symlink())):
            watch = self._libc.inotify_add_watch(self._fd, os.fsencode(place), sum(self._events))
            assert watch >= 0, place
            self._names[watch] = str(place)

    def told(self) -> list[str]:
        """What the kernel has said of it since it was asked last: quick, [] for nothing."""
        seen = [f"{name}: {what}" for name, what in self._told()]
        return seen + self._visitors.seen() if seen and self._visitors else seen

    def touched(self) -> list[str]:
        """What was done to it, by that and by comparing all of it; [] for nothing."""
        seen = self.told()
        after = _facts(self.folder)
        names = sorted(self._before.keys() | after.keys())
        seen += [
            f"{name}: was {self._before.get(name)}, is {after.get(name)}"
            for name in names
            if self._before.get(name) != after.get(name)
        ]
        list(self._told())  # our own look at it
        return seen

    def _told(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                return found
            at = 0
            while at < len(data):
                watch, mask, _, length = _HEADER.unpack_from(data, at)
                name = os.fsdecode(data[at + _HEADER.size :][:length].rstrip(b"\0"))
                at += _HEADER.size + length
                what = [word for bit, word in self._events.items() if mask & bit]
                where = "/".join(filter(None, (self._names.get(watch, "?"), name)))
                found.append((where, ", ".join(what)))

    def close(self) -> None:
        os.close(self._fd)
        if self._visitors:
            self._visitors.close()


class Visitors:
    """Who opens what is below a directory, of the processes but our own (fanotify(7)).

    A thread looks at who it is while they are there: who opens a file may be gone soon after.
    """

    def __init__(self, libc: ctypes.CDLL, folder: Path) -> None:
        self._fd = libc.fanotify_init(_NOTIFY, os.O_RDONLY | os.O_CLOEXEC)
        assert self._fd >= 0, os.strerror(ctypes.get_errno())
        mask = ctypes.c_uint64(_OPENED_BELOW)
        for place in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
            done = libc.fanotify_mark(self._fd, 1, mask, -1, os.fsencode(place))
            assert done == 0, (place, os.strerror(ctypes.get_errno()))
        self._seen: list[str] = []
        self._one_reads = threading.Lock()
        self._end, self._ended = os.pipe()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def seen(self) -> list[str]:
        """Whoever has come so far, a line each."""
        self._read()
        return list(self._seen)

    def _look(self) -> None:
        while self._end not in select.select([self._fd, self._end], [], [])[0]:
            self._read()

    def _read(self) -> None:
        with self._one_reads, suppress(BlockingIOError):
            while data := os.read(self._fd, 1 << 16):
                at = 0
                while at < len(data):
                    length, _, _, _, _, fd, pid = _VISIT.unpack_from(data, at)
                    at += length
                    if fd >= 0:
                        self._note(fd, pid)

    def _note(self, fd: int, pid: int) -> None:
        try:
            if pid != os.getpid():
                path = os.readlink(f"/proc/self/fd/{fd}")
                self._seen.append(f"{path}: opened by {_process(pid)}")
        finally:
            os.close(fd)

    def close(self) -> None:
        """Look no more: what was opened for us is closed, nothing holds the file system."""
        os.close(self._ended)
        self._thread.join()
        os.close(self._end)
        os.close(self._fd)


def _process(pid: int) -> str:
    """What a process and those above it are called, as far as they are still there."""
    names = []
    with suppress(psutil.Error):
        process: psutil.Process | None = psutil.Process(pid)
        while process:
            names.append(f"{process.pid} {shlex.join(process.cmdline())[:200]}")
            process = process.parent()
    return " < ".join(names) or f"{pid}, which is gone"


class HostMounts:
    """The mount tables of this namespace and of the host, but for what is below *chroots*."""

    def __init__(self, *chroots: Path) -> None:
        self._chroots = chroots
        self._here = self._seen()

    def changed(self) -> list[str]:
        """Lines that have come or gone outside of the chroots; [] for none."""
        after = self._seen()
        found = [f"gone: {self._here[i]}" for i in self._here if i not in after]
        found += [f"new: {line}" for i, line in after.items() if i not in self._here]
        found += [f"is: {after[i]}" for i, line in self._here.items() if after.get(i, line) != line]
        return found

    def _seen(self) -> dict[int, str]:
        return {
            i: mount.line
            for i, mount in lasting(read_mounts()).items()
            if not any(is_below(mount.point, place) for place in self._chroots)
        }


FILES = (
    "file", "bin/sh", "bin/true", "chroot.d/chroot-cmd", "chroot.d/tool.conf",
    "chroot.d/chroot.toml", "etc/passwd", "etc/group", "etc/os-release", "etc/resolv.conf",
    "etc/hostname", "etc/hosts", "etc/machine-id", "etc/localtime", "data/deep/file",
    "place/deep/file", ".chroot-tool-create/root/etc/passwd", "usr/bin/env", "pts/0",
)  # fmt: skip
FOLDERS = ("dev/pts", "dev/shm", "proc/self", "sys", "run", "tmp", "root", "home/app", "lib")


def _fill(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    for name in FILES:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"canary {name}\n")
    (folder / "link").symlink_to("file")
    for top, folders, files in os.walk(folder, topdown=False):
        for name in files + folders:
            os.chown(os.path.join(top, name), OWNER, OWNER, follow_symlinks=False)
    os.chown(folder, OWNER, OWNER)
    (folder / "etc/passwd").chmod(0o640)
    (folder / "data").chmod(0o2771)


def _facts(folder: Path) -> dict[str, tuple[object, ...]]:
    return {str(place): _fact(place) for place in (folder, *folder.rglob("*"))}


def _fact(place: Path) -> tuple[object, ...]:
    there = place.lstat()
    content = ""
    if stat.S_ISREG(there.st_mode):
        content = hashlib.sha256(place.read_bytes()).hexdigest()
    elif stat.S_ISLNK(there.st_mode):
        content = os.readlink(place)
    return (
        there.st_ino, there.st_dev, there.st_mode, there.st_uid, there.st_gid, there.st_nlink,
        there.st_size, there.st_mtime_ns, there.st_ctime_ns, content,
    )  # fmt: skip
