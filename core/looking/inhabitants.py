"""Who lives in which chroot, and the facts about them, from one look to the next."""

from __future__ import annotations

import math

from ..kernel import syscalls
from ..processes.residents import Climb, Sampler, by_identity, pids_by_root
from .status_reader import identities, with_processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..chroot import Chroot
    from ..kernel.mount_table import MountTable
    from ..process import Process
    from .status import ChrootStatus


class Inhabitants:
    """Who lives in which chroot, and the facts about them."""

    def __init__(self) -> None:
        self.sampled = -math.inf
        self._sampler = Sampler()
        self._roots: dict[str, tuple[int, int]] = {}
        self._paths: dict[tuple[int, int], tuple[str, ...]] = {}
        """The same the other way round: somebody forks all the time, and is looked up in it."""
        self._pids: dict[str, tuple[int, ...]] = {}
        """Of the chroots that somebody lives in."""
        self._facts: dict[int, Process] = {}
        self._stale = True

    @property
    def anyone(self) -> bool:
        """Whether there is a process in any chroot."""
        return bool(self._pids)

    def look(self, chroots: tuple[Chroot, ...], table: MountTable) -> None:
        """Find out who lives where."""
        self._roots = identities(chroots, table)
        self._paths = by_identity(self._roots)
        pids = {path: inside for path, inside in pids_by_root(self._roots).items() if inside}
        self._stale = self._stale or pids != self._pids
        self._pids = pids

    def paths_of(self, inodes: frozenset[int]) -> set[str]:
        """Return the paths of the chroots whose directory has one of these inode numbers."""
        return {path for path, (_, inode) in self._roots.items() if inode in inodes}

    def concerned(self, began: frozenset[int], ended: frozenset[int]) -> bool:
        """Tell whether one of these processes lives, or lived, in a chroot."""
        inside = {pid for pids in self._pids.values() for pid in pids}
        if inside & ended:
            return True
        climb = Climb(self._paths)
        for pid in began:
            try:
                identity = syscalls.identity(syscalls.AT_FDCWD, f"/proc/{pid}/root")
            except OSError:
                continue
            if climb.paths(f"/proc/{pid}/root", identity):
                return True
        return False

    def is_due(self, now: float, span: float) -> bool:
        """Tell whether those inside are to be asked again: after *span*, or if they are others."""
        return self._stale or (self.anyone and now >= self.sampled + span)

    def sample(self, now: float, span: float) -> None:
        """Ask for CPU and memory of those inside, where that `is_due`."""
        if self.is_due(now, span):
            everyone = [pid for pids in self._pids.values() for pid in pids]
            self._facts = self._sampler.facts(everyone) if everyone else {}
            self.sampled = now
            self._stale = False

    def with_processes(self, chroots: Iterable[ChrootStatus]) -> tuple[ChrootStatus, ...]:
        """Return *chroots* with the processes inside them."""
        pids, facts = self._pids, self._facts
        return tuple(
            [
                with_processes(one, pids[one.path], facts) if one.path in pids else one
                for one in chroots
            ]
        )
