"""One look at many chroots: configuration, mounts and processes, and what follows from them.

Whatever is common to all is asked once: the mount table, the host's facts, one pass over /proc.
"""

from __future__ import annotations

import os

from ..chroot import (
    CONFIG_DIRECTORY,
    Chroot,
    has_system,
    is_administered,
    is_half_deleted,
    is_incomplete,
    no_system,
    unfinished,
)
from ..config.read import read_config
from ..errors import ChrootError, ConfigError, Problem, hint_of
from ..host import boot
from ..host.mount_points import host_facts
from ..kernel import answering, syscalls
from ..kernel.answering import NotAnswering
from ..kernel.rootpath import Root
from ..mounts.observe import Observer
from ..mounts.sources import flags_of
from ..session_locks import marked_by
from . import status
from .architecture import architecture
from .status import ChrootStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..config.merge import Config
    from ..config.policy import Policy
    from ..host.mount_points import HostFacts
    from ..kernel.mount_table import MountTable
    from ..mounts.limits import Limits
    from ..process import Process
    from ..processes.residents import Sampler

_OS_RELEASE_LIMIT = 1 << 16
_HARM = (
    ("nosuid", "su, sudo and the like can't work inside"),
    ("nodev", "device files on it can't be used inside"),
    ("noexec", "no program inside can be run"),
    ("ro", "nothing inside can be written"),
)
"""What flags of the file system below a chroot do to it."""


def system_name(root: Root) -> str:
    """Return PRETTY_NAME of os-release(5), or "" where the chroot does not say."""
    return release(root, "PRETTY_NAME")


def release(root: Root, wanted: str) -> str:
    """Return what os-release(5) of a chroot says of *wanted*, or "" where it does not."""
    for name in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            text = root.read(name, _OS_RELEASE_LIMIT).decode("utf-8", "surrogateescape")
        except (OSError, ChrootError):
            continue
        for line in text.split("\n"):
            key, _, value = line.partition("=")
            if key.strip() == wanted:
                return value.strip().strip("\"'")
    return ""


class StatusReader:
    """One look at mounts and at the host, from which the status of any chroot follows.

    Processes are not part of it: they change without mounts and mounts without them.
    """

    def __init__(self, table: MountTable | None = None, host: HostFacts | None = None) -> None:
        self._observer = Observer(table, seconds=answering.LOOK)
        self._host = host or host_facts()
        self._policy: Policy | None = None
        self._asked = False
        self._enabled = boot.enabled()
        self._unseen = os.geteuid() != 0  # /proc/PID/root is not for everybody: ptrace(2)

    @property
    def table(self) -> MountTable:
        """The mount table that it sees."""
        return self._observer.table

    def one(self, chroot: Chroot) -> ChrootStatus:
        """Return the status of one. Raises nothing: what is wrong is part of the status."""
        table = self._observer.table
        try:
            if not table.answered_for:
                return self._direct(chroot)
            return self._bounded(chroot)
        except NotAnswering as error:
            return self._unanswered(chroot, error)
        except OSError as error:  # not ours to open, or changed under our hands
            problem = Problem(f"{chroot.path}: {error.strerror}", hint_of(error))
            return ChrootStatus(chroot.name, chroot.path, status.BROKEN, problems=(problem,))

    def _direct(self, chroot: Chroot) -> ChrootStatus:
        with Root(chroot.path) as root:
            return self._look(chroot, root)

    def _bounded(self, chroot: Chroot) -> ChrootStatus:
        """Look at one where something may not answer: the chroot itself, or what is mounted in it.

        Sources are minded by the Observer. What is mounted inside is minded path by path, and all
        of it in a thread, since who has just answered may not the next moment.
        """
        table = self._observer.table
        guard = answering.guard(table, chroot.path, seconds=answering.LOOK)

        def look() -> ChrootStatus:
            with Root(chroot.path) as root:
                root.guard = guard
                return self._look(chroot, root)

        if guard is None:
            return answering.see(table, chroot.path, look, seconds=answering.LOOK)
        whole = answering.LOOK * (1 + len(table.answered_for))
        return answering.ask(f"look {chroot.path}", chroot.path, look, seconds=whole)

    def _unanswered(self, chroot: Chroot, error: NotAnswering) -> ChrootStatus:
        """Return what the mount table says of one that cannot be looked at."""
        table, pts = self._observer.table, self._observer.host_pts
        found, wrong = status.mounts(None, table, chroot.path, pts)
        return ChrootStatus(
            chroot.name, chroot.path, status.NOT_ANSWERING, mounts=found,
            problems=(Problem(f"{error.filename} {error.strerror}", answering.HINT), *wrong),
            unseen=self._unseen, unanswered=(str(error.filename),),
        )  # fmt: skip

    def _look(self, chroot: Chroot, root: Root) -> ChrootStatus:
        problems: list[Problem] = []
        config: Config | None = None
        limits: Limits | None = None
        try:
            config = read_config(root, self._host)
            limits = self._limits(root.path, config)
        except ConfigError as error:
            problems += error.problems
        observer = self._observer
        wanted = observer.wanted(root, config.binds, limits) if config else None
        found, wrong = status.mounts(wanted, observer.table, root.path, observer.host_pts)
        state, why = _state(root, found, broken=config is None)
        silent = status.unanswered(wanted or ())
        if silent and state in (status.OFF, status.ON, status.PARTIAL):
            state = status.NOT_ANSWERING
        problems += [*why, *(config.problems if config else ()), *wrong, *_below(root)]
        return ChrootStatus(
            chroot.name,
            chroot.path,
            state,
            system_name(root),
            found,
            problems=tuple(problems),
            description=config.description if config else "",
            tags=config.tags if config else (),
            changed=_changed(root),
            architecture=architecture(root),
            unseen=self._unseen,
            unanswered=silent,
            configuration=", ".join(config.outside) if config else "",
            enabled=boot.is_enabled(root.path, self._enabled),
            in_use=bool(marked_by(root.fd)),
        )

    def _limits(self, path: str, config: Config) -> Limits | None:
        """Return what the administrator allows this chroot. Raises PolicyError."""
        if not self._asked:
            if is_administered():  # as few hosts are
                from ..config.administration import read_policy

                self._policy = read_policy()
            self._asked = True
        if not self._policy:
            return None
        from ..config.administration import physical
        from ..mounts.limits import Limits

        rules = self._policy.for_chroot(path, physical)
        return Limits(rules, config.files) if rules else None


def _below(root: Root) -> Iterable[Problem]:
    """Say what the file system below would spoil inside."""
    flags = flags_of(root.fd)
    for flag, harm in _HARM if flags else ():
        if flag in flags:
            yield Problem(
                f"the file system below is mounted {flag}: {harm}",
                f"mount it without {flag}, or keep the chroot elsewhere",
            )


def read_statuses(
    chroots: Sequence[Chroot], table: MountTable, sampler: Sampler
) -> tuple[ChrootStatus, ...]:
    """Return the status of each of *chroots* by what is mounted, with the processes inside.

    They come in the order given.
    """
    from ..processes.residents import pids_by_root

    looked = StatusReader(table)
    found = [looked.one(chroot) for chroot in chroots]
    pids = pids_by_root(identities(chroots, table))
    everyone = [pid for inside in pids.values() for pid in inside]
    facts = sampler.facts(everyone) if everyone else {}  # psutil takes 9 ms to import
    return tuple(with_processes(one, pids.get(one.path, ()), facts) for one in found)


def with_processes(
    one: ChrootStatus, pids: Iterable[int], facts: Mapping[int, Process]
) -> ChrootStatus:
    """Return *one* with those of *pids* that *facts* knows."""
    return one.replace(processes=tuple(facts[pid] for pid in pids if pid in facts))


def identities(chroots: Sequence[Chroot], table: MountTable) -> dict[str, tuple[int, int]]:
    """Return (st_dev, st_ino) of each chroot by its path.

    Those that are gone, or do not answer, are left out.
    """
    found = {}
    for chroot in chroots:
        path = chroot.path

        def look(path: str = path) -> tuple[int, int]:
            return syscalls.identity(syscalls.AT_FDCWD, path)

        try:
            found[path] = answering.see(table, path, look, seconds=answering.LOOK)
        except OSError:
            continue
    return found


def _state(
    root: Root, found: Sequence[status.MountStatus], *, broken: bool
) -> tuple[str, list[Problem]]:
    if is_incomplete(root):
        from ..lock import is_locked

        if not is_half_deleted(root) and is_locked(root.path):
            return status.CREATING, []
        if is_incomplete(root):  # else it was finished between the two looks
            return status.INCOMPLETE, [unfinished(root)]
    if not has_system(root):
        return status.BROKEN, [no_system(root)]
    return (status.BROKEN if broken else status.state(found)), []


def _changed(root: Root) -> float:
    times = [os.fstat(root.fd).st_mtime]
    config = root.stat(CONFIG_DIRECTORY, follow=False)
    if config:
        times.append(config.st_mtime)
    return max(times)
