"""A process that fights back: it swaps what is under every path that the tool touches.

Run as a program by `Fighter` (never imported for that), by a bare interpreter: what it needs is
loaded before it is in the chroot. Imported as `fighter` by tests for what starts it.

It works only by descriptors that it has opened inside its tree without magic links: what it turns
into links that lead out must not lead itself out.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import random
import signal
import stat
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STASH = ".fight"
PATHS = (
    "bin", "bin/sh", "bin/true", "usr", "usr/bin", "lib",
    "chroot.d", "chroot.d/tool.conf", "chroot.d/chroot.toml", "chroot.d/chroot-cmd",
    "chroot.d/host-cmd", "chroot.d/start", "chroot.d/conf.sh",
    "etc", "etc/passwd", "etc/group", "etc/os-release", "etc/resolv.conf", "etc/hostname",
    "etc/hosts", "etc/machine-id", "etc/localtime", "etc/ssh", "etc/apt",
    "dev", "dev/pts", "dev/shm", "dev/null", "proc", "sys", "run", "tmp", "root", "home",
    "home/app", "data", "data/deep", "place", "place/deep", "place/new", "new", "srv/far",
    ".chroot-tool-create", ".chroot-tool-delete", ".chroot-tool-create/root",
    ".chroot-tool-create/root/etc", ".chroot-tool-create/root/chroot.d",
    ".chroot-tool-create/root/etc/hostname", "var/lib/dbus", "usr/sbin",
)  # fmt: skip
"""What verbs look at, mount on, write, run or make."""
BURST = 24
"""So often something is swapped there and back before the next path is chosen."""

FEW = 5
"""So many paths are fought for at a time: what is seen in passing is to be wrong often."""
TOGETHER = 40
"""So many bursts, then it is others."""

_EXCHANGE = 2
_ENOENT = 2
_O_PATH = os.O_PATH | os.O_CLOEXEC
_NR_OPENAT2 = 437
_IN_ROOT = 0x10 | 0x02  # RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS
_DETACH = 2
_BIND = 4096
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_inside(root: int, path: str, flags: int) -> int:
    """Open a path inside, where even magic links lead nowhere. Raises OSError."""
    how = _How(flags | os.O_CLOEXEC, 0, _IN_ROOT)
    fd: int = _libc.syscall(_NR_OPENAT2, root, os.fsencode(path), ctypes.byref(how), 24)
    if fd < 0:
        raise OSError(ctypes.get_errno(), path)
    return fd


class Plot(NamedTuple):
    """What links lead to, and whether mounts are made too."""

    root: str
    inside: bool
    links: tuple[str, ...]
    seed: int
    paths: tuple[str, ...]
    mounts: bool
    stash: str
    user: int


def kinds(links: Sequence[str]) -> dict[str, Callable[[int, str], None]]:
    """What can be put in the place of something: each makes a name in a directory."""

    def link(to: str) -> Callable[[int, str], None]:
        return lambda fd, name: os.symlink(to, name, dir_fd=fd)

    def node(kind: int, major: int = 0, minor: int = 0) -> Callable[[int, str], None]:
        device = os.makedev(major, minor)
        return lambda fd, name: os.mknod(name, 0o666 | kind, device, dir_fd=fd)

    def directory(fd: int, name: str) -> None:
        os.mkdir(name, 0o755, dir_fd=fd)

    def full(fd: int, name: str) -> None:
        os.mkdir(name, 0o755, dir_fd=fd)
        for each in ("passwd", "sh", "tool.conf", "deep", "pts", "root", "er"):
            os.symlink(f"{links[0]}/etc/passwd", f"{name}/{each}", dir_fd=fd)

    def file(fd: int, name: str) -> None:
        opened = os.open(name, os.O_CREAT | os.O_WRONLY, 0o755, dir_fd=fd)
        os.write(opened, b"#!/bin/sh\nexit 0\n")
        os.close(opened)

    found = {
        "fifo": node(stat.S_IFIFO), "socket": node(stat.S_IFSOCK),
        "null": node(stat.S_IFCHR, 1, 3), "tty": node(stat.S_IFCHR, 5, 0),
        "disk": node(stat.S_IFBLK, 7, 200), "directory": directory, "full": full, "file": file,
        "loop": link(STASH), "dot": link("."),
        "above": link(".."), "self": link("/proc/self/cwd"),
    }  # fmt: skip
    for to in links:
        found[f"link {to}"] = link(to)
        found[f"deep link {to}"] = link(f"{to}/etc/passwd")
    return found


class Place:
    """A name in a tree, and something else that changes places with it."""

    def __init__(
        self, root: int, stash: int, path: str, make: Callable[[int, str], None], other: str
    ) -> None:
        """Make in *stash* what is to change places with *path*. Raises OSError where it can't."""
        above, _, self._name = path.rpartition("/")
        self._other = other
        self._stash = os.dup(stash)
        self._parent = -1
        self.swapped = 0
        """How often it was exchanged. Even: what belongs there is there."""
        try:
            self._parent = open_inside(root, above or "/", _O_PATH | os.O_DIRECTORY)
            make(self._stash, other)
        except OSError:
            self.close()
            raise
        self._is_new = False

    def swap(self) -> bool:
        """Exchange the two; where nothing is there, the other goes there and comes back."""
        if _libc.renameat2(
            self._parent, os.fsencode(self._name), self._stash, self._other.encode(), _EXCHANGE
        ):
            ends = [(self._other, self._stash), (self._name, self._parent)]
            (before, source), (after, target) = ends[::-1] if self._is_new else ends
            if ctypes.get_errno() != _ENOENT:
                return False  # it is a mount point, or the parent is one
            try:
                os.rename(before, after, src_dir_fd=source, dst_dir_fd=target)
            except OSError:
                return False
            self._is_new = not self._is_new
        self.swapped += 1
        return True

    def away(self) -> None:
        """Take the name away, and put it back at the next call. Raises OSError."""
        ends = [(self._name, self._parent), (f"{self._other}-away", self._stash)]
        (before, source), (after, target) = ends[:: -1 if self.swapped % 2 else 1]
        os.rename(before, after, src_dir_fd=source, dst_dir_fd=target)
        self.swapped += 1

    def close(self) -> None:
        """Have what belongs there be there, if it can be, and drop the other."""
        if self.swapped % 2:
            self.swap()
        if not self.swapped % 2 and self._parent >= 0:
            with suppress(OSError):
                self._drop()
        for fd in (self._stash, self._parent):
            if fd >= 0:
                os.close(fd)
        self._stash = self._parent = -1

    def _drop(self) -> None:
        try:
            os.unlink(self._other, dir_fd=self._stash)
        except IsADirectoryError:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            fd = os.open(self._other, flags, dir_fd=self._stash)
            try:
                for each in os.listdir(fd):
                    os.unlink(each, dir_fd=fd)
            finally:
                os.close(fd)
            os.rmdir(self._other, dir_fd=self._stash)


def open_arena(root: str, stash: str) -> tuple[int, int]:
    """Open a tree to be fought for, and where what is not in place stands meanwhile, made first."""
    fd = os.open(root, _O_PATH | os.O_DIRECTORY)
    with suppress(FileExistsError):
        os.mkdir(stash, 0o700, dir_fd=fd)
    return fd, os.open(stash, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)


class _Fight:
    def __init__(self, plot: Plot, count: mmap.mmap) -> None:
        self._plot = plot
        self._count = count
        self._chance = random.Random(plot.seed)
        self._root, self._stash = open_arena("/" if plot.inside else plot.root, plot.stash)
        self._kinds = list(kinds(plot.links).values())
        self._number = 0

    def go_on(self) -> None:
        while True:
            few = self._chance.sample(self._plot.paths, k=min(FEW, len(self._plot.paths)))
            for _ in range(TOGETHER):
                self._burst(self._chance.choice(few), few)

    def _burst(self, path: str, few: Sequence[str]) -> None:
        with suppress(OSError):  # it is gone, or another by now
            if self._plot.mounts and self._chance.random() < 0.1:
                self._mounts(path)
            else:
                self._swaps(path, few)

    def _swaps(self, path: str, few: Sequence[str]) -> None:
        """Exchange it with something else, and back, so that the tool gets on between."""
        self._number += 1
        other = f"{os.getpid()}-{self._number}"
        place = Place(self._root, self._stash, path, self._chance.choice(self._kinds), other)
        swap = place.away if self._chance.random() < 0.2 else place.swap
        try:
            for _ in range(self._chance.randrange(2, BURST)):
                swap()
                if place.swapped % 2 and self._chance.random() < 0.05:
                    self._burst(self._chance.choice(few), few)
                self._pause()
            if place.swapped % 2:
                swap()
        finally:
            self._add(place.swapped)
            place.close()

    def _mounts(self, path: str) -> None:
        """Mount something there, and unmount it again: by descriptor only, as `.`."""
        try:
            self._step_to(path)
            if self._chance.random() < 0.5:
                done = _libc.mount(b"x", b".", b"tmpfs", 0, b"size=64k")
            else:
                done = _libc.mount(b".", b".", None, _BIND, None)
            if not done:
                self._add(1)
                self._pause()
                self._step_to(path)
                _libc.umount2(b".", _DETACH)
        finally:
            os.fchdir(self._root)

    def _step_to(self, path: str) -> None:
        place = open_inside(self._root, path, _O_PATH | os.O_DIRECTORY)
        try:
            os.fchdir(place)
        finally:
            os.close(place)

    def _pause(self) -> None:
        if self._chance.random() < 0.02:
            time.sleep(0.0005)
        for _ in range(self._chance.randrange(60)):
            pass

    def _add(self, swaps: int) -> None:
        (before,) = struct.unpack_from("=Q", self._count, 0)
        struct.pack_into("=Q", self._count, 0, before + swaps)


def _fight(plot: Plot, counter: str) -> None:
    with open(counter, "r+b") as file:
        count = mmap.mmap(file.fileno(), 8)
    if plot.inside:
        os.chroot(plot.root)
        os.chdir("/")
    if plot.user:
        os.setgroups([])
        os.setresgid(plot.user, plot.user, plot.user)
        os.setresuid(plot.user, plot.user, plot.user)
    _Fight(plot, count).go_on()


def _keep_fighting(plot: Plot, counter: str) -> None:
    """Be there again whenever it is killed, by `off` say, until our own TERM; nobody is left then.

    That comes by itself where the test is killed. The two signals are waited for (sigwait(3)):
    between two instructions none is missed.
    """
    signals = {signal.SIGTERM, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    print("ready", flush=True)  # noqa: T201
    seed = plot.seed
    while True:
        seed += 1
        child = os.fork()
        if not child:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            with suppress(OSError):
                _fight(plot._replace(seed=seed), counter)
            os._exit(0)
        ended = 0
        while not ended:
            if signal.sigwait(signals) == signal.SIGTERM:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)  # else it holds what it has opened for a while yet
                return
            ended, _ = os.waitpid(child, os.WNOHANG)  # it may be stopped only
        time.sleep(0.01)  # where the tree is gone there is nothing to fight for


class Fighter:
    """Fights for the tree *root* while the `with` lasts; *inside* it lives there, chrooted.

    *links* are where links lead: to the canary, by ways that lead out for who follows them.
    """

    def __init__(
        self, root: Path, links: Sequence[str], count: Path, *, inside: bool, seed: int,
        paths: Sequence[str] = PATHS, mounts: bool = False, stash: str = STASH, user: int = 0,
    ) -> None:  # fmt: skip
        self._count = count
        count.write_bytes(bytes(8))
        count.chmod(0o666)
        plot = Plot(str(root), inside, tuple(links), seed, tuple(paths), mounts, stash, user)
        self._argv = [sys.executable, "-I", "-S", __file__, json.dumps(plot), str(count)]

    @property
    def swaps(self) -> int:
        return int(struct.unpack("=Q", self._count.read_bytes())[0])

    def __enter__(self) -> Fighter:
        self._process = subprocess.Popen(self._argv, stdout=subprocess.PIPE, start_new_session=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


if __name__ == "__main__":
    _keep_fighting(Plot(*json.loads(sys.argv[1])), sys.argv[2])
