"""What is in the tree of a chroot, and who lives there."""

from __future__ import annotations

import os
import stat

from ..chroot import has_system, is_incomplete, no_system, unfinished
from ..lock import is_locked
from ..looking.architecture import architecture
from ..looking.status_reader import system_name
from ..text import processes as counted
from .check import CHROOT, HOST, Check
from .finding import note, ok, problem, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..process import Process
    from .finding import Finding
    from .subject import Subject

_AGENTS = ("gpg-agent", "dirmngr", "ssh-agent", "scdaemon", "keyboxd")
"""What gpg, apt and ssh start beside themselves, and leave running when they end."""
_SHOWN = 3


def system(subject: Subject) -> Iterator[Finding]:
    """See that there is a whole system."""
    with subject.open() as root:
        if is_incomplete(root):
            if is_locked(root.path):
                yield note("a create or delete is at work on it")
                return
            said = unfinished(root)
            yield problem(said.message, "nothing can be run inside", said.hint)
        elif not has_system(root):
            said = no_system(root)
            yield problem(said.message, "nothing can be run inside", said.hint)
        else:
            name = system_name(root) or "a system that does not say its name"
            arch = architecture(root)
            yield ok(f"{name}, {arch}" if arch else name)


def left_behind(subject: Subject) -> Iterator[Finding]:
    """Look for processes in a chroot that is off, and for agents that stay behind."""
    if os.geteuid():
        yield note("only root sees the processes of others", "", "sudo chroot-tool doctor")
        return
    there = _residents(subject)
    if there and not subject.seen.table.below(subject.seen.root):
        yield warning(
            f"{counted(len(there))} inside, though it is off: {_names(there)}",
            "they keep files of it in use; delete and rename wait for them",
            f"chroot-tool off --kill -d {subject.path}",
        )
        return
    agents = [one for one in there if _program(one) in _AGENTS]
    if agents:
        yield note(
            f"agents that run on inside: {_names(agents)}",
            "off will find them in the way",
            f"chroot-tool off --kill -d {subject.path}, when you switch it off",
        )
    else:
        yield ok(f"{counted(len(there))} inside" if there else "nobody lives inside")


def _residents(subject: Subject) -> list[Process]:
    from ..processes.residents import Sampler, pids_by_root

    there = os.stat(subject.path)
    pids = pids_by_root({subject.path: (there.st_dev, there.st_ino)})[subject.path]
    return list(Sampler().facts(pids).values()) if pids else []


def _program(process: Process) -> str:
    return os.path.basename(process.command.partition(" ")[0])


def _names(found: list[Process]) -> str:
    names = [f"{one.pid} {_program(one)}" for one in found[:_SHOWN]]
    return ", ".join(names) + (" …" if len(found) > _SHOWN else "")


def shared_memory(subject: Subject) -> Iterator[Finding]:
    """See that /dev/shm is a directory that everybody can write in, here or inside."""
    if not subject.path:
        mode = _mode_of("/dev/shm")
        mend = "chmod 1777 /dev/shm" if stat.S_ISDIR(mode) else "mount -t tmpfs none /dev/shm"
        yield from _shm(mode, "/dev/shm", mend)
        return
    seen = subject.seen
    if any(one.bind.target == "/dev/shm" and one.bind.ignored for one in seen.wanted):
        yield warning(
            "the configuration leaves /dev/shm out",
            "semaphores and shared memory fail inside: databases, browsers, Python's pools",
            f"chroot-tool bind list -d {subject.path}",
        )
    elif not seen.table.below(seen.root):
        yield ok("it is off; on gives it a tmpfs of its own")
    else:
        with subject.open() as root:
            there = root.stat("/dev/shm")
        place = f"{seen.root}/dev/shm"
        # A mode that somebody has changed is no drift: a tmpfs is not mounted anew for it.
        mend = (
            f"chmod 1777 {place}" if seen.table.at(place) else f"chroot-tool on -d {subject.path}"
        )
        yield from _shm(there.st_mode if there else 0, "/dev/shm inside", mend)


def _mode_of(path: str) -> int:
    try:
        return os.stat(path).st_mode
    except OSError:
        return 0


def _shm(mode: int, name: str, mend: str) -> Iterator[Finding]:
    harm = "semaphores and shared memory fail: databases, browsers, Python's pools"
    if not stat.S_ISDIR(mode):
        yield problem(f"{name} is {'no directory' if mode else 'not there'}", harm, mend)
    elif stat.S_IMODE(mode) & 0o1777 != 0o1777:
        yield warning(
            f"{name} has mode {stat.S_IMODE(mode):04o}, not 1777", f"for users, {harm}", mend
        )
    else:
        yield ok(f"{name} can be written by all")


def temporary(subject: Subject) -> Iterator[Finding]:
    """See that programs can be run in /tmp inside, and that all can write there."""
    seen = subject.seen
    entry = next((one for one in seen.wanted if one.bind.target == "/tmp" and one.active), None)
    if entry and "noexec" in entry.flags:
        yield warning(
            f"{entry.bind.origin}: /tmp is noexec",
            "apt runs scripts of packages there (debconf), and they fail",
            "give the entry the option exec",
        )
        return
    with subject.open() as root:
        there = root.stat("/tmp")
    mode = stat.S_IMODE(there.st_mode) if there else 0
    if there and mode & 0o1777 != 0o1777 and seen.table.at(f"{seen.root}/tmp"):
        yield warning(
            f"/tmp inside has mode {mode:04o}, not 1777",
            "apt downloads as another user, and can't write there",
            "give its entry the option mode=1777",
        )
    else:
        yield ok("/tmp is as apt wants it")


CHECKS = (
    Check("system", "whether there is a whole system", system, (CHROOT,)),
    Check("left-behind", "processes inside though it is off, agents that stayed behind",
          left_behind, (CHROOT,)),
    Check("shm", "`/dev/shm`, here or inside: there, and writable by all", shared_memory,
          (HOST, CHROOT)),
    Check("tmp", "`/tmp` inside: neither `noexec` nor closed to apt", temporary, (CHROOT,)),
)  # fmt: skip
