"""Who lives in which chroot, and the facts about them, from one look to the next."""

from __future__ import annotations

import math

from ..kernel import syscalls
from ..processes.residents import Climb, Sampler, pids_by_root
from .status_reader import identities, with_processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..chroot import Chroot
    from ..kernel.mount_table import MountTable
    from ..process import Process
    from .status import ChrootStatus


class Crowd:
    """Who lives in which chroot, and the facts about them."""

    def __init__(self) -> None:
        self.sampled = -math.inf
        self._sampler = Sampler()
        self._roots: dict[str, tuple[int, int]] = {}
        self._pids: dict[str, tuple[int, ...]] = {}
        self._facts: dict[int, Process] = {}
        self._stale = True

    @property
    def anyone(self) -> bool:
        """Whether there is a process in any chroot."""
        return any(self._pids.values())

    def look(self, chroots: tuple[Chroot, ...], table: MountTable) -> None:
        """Find out who lives where."""
        self._roots = identities(chroots, table)
        pids = pids_by_root(self._roots)
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
        climb = Climb(self._roots)
        for pid in began:
            try:
                identity = syscalls.identity(syscalls.AT_FDCWD, f"/proc/{pid}/root")
            except OSError:
                continue
            if climb.paths(f"/proc/{pid}/root", identity):
                return True
        return False

    def sample(self, now: float, span: float) -> None:
        """Ask for CPU and memory of those inside, every *span* seconds or where they are others."""
        if self._stale or (self.anyone and now >= self.sampled + span):
            everyone = [pid for pids in self._pids.values() for pid in pids]
            self._facts = self._sampler.facts(everyone) if everyone else {}
            self.sampled = now
            self._stale = False

    def with_processes(self, one: ChrootStatus) -> ChrootStatus:
        """Return *one* with the processes inside it."""
        pids = self._pids.get(one.path)
        return with_processes(one, pids, self._facts) if pids else one
