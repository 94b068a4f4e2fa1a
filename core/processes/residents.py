"""Who lives in a chroot, and the facts about them that are shown.

A process lives in a chroot when its root directory, /proc/PID/root, is the chroot's directory or
lies below it. Directories are compared by device and inode and climbed by "..", not by path: so it
does not matter under which path or in which mount namespace the process sees its root, and no name
is parsed that somebody inside has chosen. There is no list of pids to go stale.

`pids_by_root` is asked at every look, and asks no file system that may not answer. `Sampler` alone
uses psutil, and only for those who live inside. Who stands in the way of an unmount: in_the_way.py.
"""

from __future__ import annotations

import os

from ..kernel import syscalls
from ..kernel.process_files import command, disk_bytes, head, real_uid
from ..process import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psutil

    Identity = tuple[int, int]

_SHORTEST = 0.25
"""Seconds. CPU time comes in ticks of 10 ms: over less than this its share would jump about."""

_AT_FDCWD = syscalls.AT_FDCWD
_FORGET = 60.0
"""Seconds after which a process that nobody asked for any more is forgotten."""


def pids() -> list[int]:
    """Return every process id, ascending; kernel threads and zombies are among them."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def pids_by_root(roots: Mapping[str, Identity]) -> dict[str, tuple[int, ...]]:
    """Return who lives in each chroot: path to pids, ascending, () where nobody does.

    *roots* has for each physical path the (st_dev, st_ino) of its directory. One pass for all.
    A chroot within a chroot: who lives in the inner one lives in both. Processes that end
    meanwhile, that are dead already or that this user may not look at are left out.
    """
    climb = Climb(by_identity(roots))
    found: dict[str, list[int]] = {path: [] for path in roots}
    own, known = climb.own, climb.known
    kernel = kernel_threads()
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or pid in kernel:
            continue
        try:
            identity = syscalls.identity(_AT_FDCWD, f"/proc/{pid}/root")
        except OSError:
            continue
        if identity == own:
            continue
        paths = known.get(identity)
        if paths is None:
            paths = climb.paths(f"/proc/{pid}/root", identity)
        for path in paths:
            found[path].append(int(pid))
    return {path: tuple(inside) for path, inside in found.items()}


def by_identity(roots: Mapping[str, Identity]) -> dict[Identity, tuple[str, ...]]:
    """Return the paths of *roots* by what they are: what a `Climb` looks them up in."""
    found: dict[Identity, tuple[str, ...]] = {}
    for path, identity in roots.items():
        found[identity] = (*found.get(identity, ()), path)
    return found


def kernel_threads() -> set[str]:
    """Return the pids of kernel threads, often most of all: they have no root to ask for.

    They are the children of kthreadd, which is process 2 wherever it is seen; nothing where the
    kernel does not list children (CONFIG_PROC_CHILDREN).
    """
    try:
        if not _is_kthreadd():
            return set()  # a pid namespace, in which 2 is anybody
        fd = os.open("/proc/2/task/2/children", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return set()
    try:
        return set(os.read(fd, 1 << 16).decode().split())
    finally:
        os.close(fd)


def _is_kthreadd() -> bool:
    """Tell whether process 2 is the kernel's: its parent is 0, and so are group and session."""
    fd = os.open("/proc/2/stat", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 64).startswith(b"2 (kthreadd) S 0 0 0 ")
    finally:
        os.close(fd)


class Climb:
    """Finds out which of the given directories a directory is, or lies below."""

    def __init__(self, roots: Mapping[Identity, tuple[str, ...]]) -> None:
        """*roots* as `by_identity` returns them."""
        status = os.stat("/")
        self.own: Identity = (status.st_dev, status.st_ino)
        """Our own root: nothing above it, and no chroot of ours even where *roots* has it."""
        self.known: dict[Identity, tuple[str, ...]] = {}
        """The answers so far: processes share their roots."""
        self._roots = roots

    def paths(self, directory: str, identity: Identity) -> tuple[str, ...]:
        """Return the paths of those given that *directory*, which has *identity*, is in."""
        paths = self.known.get(identity)
        if paths is None:
            paths = self.known[identity] = tuple(self._climb(directory, identity))
        return paths

    def _climb(self, directory: str, identity: Identity) -> list[str]:
        """Go up by descriptor: a path of many ".." could be made longer than PATH_MAX inside."""
        found: list[str] = []
        fd = -1
        try:
            fd = os.open(directory, os.O_PATH | os.O_CLOEXEC)
            while identity != self.own:
                found += self._roots.get(identity, ())
                above = os.open("..", os.O_PATH | os.O_CLOEXEC, dir_fd=fd)
                os.close(fd)
                fd = above
                higher = syscalls.identity(fd, "")
                if higher == identity:
                    break  # the root of another mount namespace
                identity = higher
        except OSError:
            pass  # gone, or no right to look further up
        finally:
            if fd >= 0:
                os.close(fd)
        return found


class _Seen:
    """What a Sampler remembers of one process."""

    def __init__(self, since_boot: float) -> None:
        self.since_boot = since_boot
        self.counted = (0.0, 0, 0)
        """Seconds of CPU, bytes read, bytes written."""
        self.measured: float | None = None
        self.rates = (0.0, 0.0, 0.0)
        """The same a second."""
        self.command = ""
        """The last one from before it began to end."""
        self.asked = 0.0


class Sampler:
    """Asks for the facts of processes, and remembers their CPU time from one call to the next."""

    def __init__(self) -> None:
        # psutil's Process is equal and hashed by pid and start in ticks: a reused pid is another.
        self._seen: dict[psutil.Process, _Seen] = {}
        self._users: dict[int, str] = {}
        self._boot = 0.0

    def facts(self, pids: Iterable[int]) -> dict[int, Process]:
        """Return the facts of *pids*; those that are gone, or dead already, are left out.

        `cpu_percent` and the rates are those since the call before, for a process that is new here
        those since its start (as ps has it).
        """
        import time

        import psutil

        now = time.monotonic()
        boot = psutil.boot_time()
        if abs(boot - self._boot) >= 2:  # it wavers by a second, and changes when the clock is set
            self._boot = boot
        found: dict[int, Process] = {}
        for pid in pids:
            try:
                found[pid] = self._facts(psutil.Process(pid), now)
            except psutil.Error:
                continue
        self._forget(now - _FORGET)
        return found

    def _facts(self, process: psutil.Process, now: float) -> Process:
        import psutil

        with process.oneshot():
            uid = real_uid(head(f"/proc/{process.pid}/status"))
            if uid < 0 or process.status() == psutil.STATUS_ZOMBIE:
                raise psutil.NoSuchProcess(process.pid)
            seen = self._seen.get(process)
            if seen is None:
                # psutil reads /proc/stat for it: once for each process, not at every call.
                seen = self._seen[process] = _Seen(process.create_time() - self._boot)
            times = process.cpu_times()
            counted = (times.user + times.system, *disk_bytes(process.pid))
            cpu, read, written = self._rates(seen, counted, now)
            said = command(process.pid)
            memory = process.memory_info()
            if memory.vms:  # who ends gives up its memory first, and its command line with it
                seen.command = said
            return Process(
                pid=process.pid,
                user=self._user(uid),
                command=seen.command or said,
                cpu_percent=round(100 * cpu, 1),
                rss=memory.rss,
                started=seen.since_boot + self._boot,
                read_rate=float(round(read)),
                write_rate=float(round(written)),
                parent=process.ppid(),
            )

    def _user(self, uid: int) -> str:
        """Return the host's name of a user, the number where it has none."""
        import pwd

        name = self._users.get(uid)
        if name is None:
            try:
                name = pwd.getpwuid(uid).pw_name
            except KeyError:
                name = str(uid)
            self._users[uid] = name
        return name

    def _rates(
        self, seen: _Seen, counted: tuple[float, int, int], now: float
    ) -> tuple[float, float, float]:
        import time

        seen.asked = now
        if seen.measured is None:
            span = time.time() - self._boot - seen.since_boot
        else:
            span = now - seen.measured
            if span < _SHORTEST:
                return seen.rates
        # Just after its start the clock's whole seconds can make the span zero or negative.
        span = max(span, _SHORTEST)
        (cpu, read, written), (cpu_before, read_before, written_before) = counted, seen.counted
        seen.rates = (
            (cpu - cpu_before) / span,
            max(read - read_before, 0) / span,  # it may be told no more: another user's by now
            max(written - written_before, 0) / span,
        )
        seen.counted, seen.measured = counted, now
        return seen.rates

    def _forget(self, before: float) -> None:
        for process in [p for p, seen in self._seen.items() if seen.asked < before]:
            del self._seen[process]
