"""The chroots of several machines followed as one; see `machines`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .prefixed_with_host import of_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..engine import Engine
    from ..engine_parts import Following
    from ..looking.snapshot import Machine, Snapshot
    from ..looking.status import ChrootStatus
    from .remote_engine import RemoteEngine


class FollowingAll:
    """Follows the chroots of all machines: those here in the thread that asks."""

    def __init__(self, here: Following) -> None:
        self._here = here
        self._next: Following | None = None
        self._lock = threading.Lock()
        self._seen: dict[str, Snapshot | None] = {}
        """By host, its chroots named as here."""
        self._together: tuple[Snapshot, object, Snapshot] | None = None
        """Two that were put together, and what came of it: most looks find what was there."""
        self._others: dict[str, Following] = {}
        self.is_closed = False

    def look_at(self, name: str, engine: RemoteEngine) -> None:
        """Follow another one, too."""
        with self._lock:
            if self.is_closed:
                return
            following = self._others[name] = engine.follow()
            self._seen[name] = None
        threading.Thread(
            target=self._run, args=(name, following), name=f"follow {name}", daemon=True
        ).start()
        self._here.wake()

    def look_as(self, engine: Engine) -> None:
        """Follow those here by another engine, from the next look on."""
        with self._lock:
            if self.is_closed:
                return
            self._next = engine.follow()
        self._here.wake()

    def forget(self, name: str) -> None:
        """Follow it no more."""
        with self._lock:
            following = self._others.pop(name, None)
            self._seen.pop(name, None)
        if following is not None:
            following.close()
            self._here.wake()

    def retry(self, name: str) -> None:
        """Have it tried again now."""
        following = self._others.get(name)
        if following is not None:
            following.wake()

    def _run(self, name: str, following: Following) -> None:
        while self._others.get(name) is following:
            found = following.snapshot()
            snapshot = found.replace(chroots=of_host(name, found.chroots))
            with self._lock:
                if self._others.get(name) is following and self._seen[name] != snapshot:
                    self._seen[name] = snapshot
                    self._here.wake()
            following.wait()

    def snapshot(self) -> Snapshot:
        """As `Following.snapshot`; of other machines what is known by now."""
        if self._next is not None:
            self._here.close()
            self._here, self._next = self._next, None
        here = self._here.snapshot()
        with self._lock:
            seen = dict(self._seen)
        if not seen:
            return here
        if self._together is None or self._together[:2] != (here, seen):
            self._together = here, seen, _put_together(here, seen)
        return self._together[2]

    def wait(self) -> None:
        """As `Following.wait`."""
        self._here.wait()

    def wake(self) -> None:
        """As `Following.wake`."""
        self._here.wake()

    def close(self) -> None:
        """As `Following.close`."""
        with self._lock:
            self.is_closed = True
            others, self._others = self._others, {}
        for following in others.values():
            following.close()
        self._here.close()
        if self._next is not None:
            self._next.close()


def _put_together(here: Snapshot, others: Mapping[str, Snapshot | None]) -> Snapshot:
    """Return one of all machines."""
    from ..looking.snapshot import Machine

    late = here.late
    chroots: list[ChrootStatus] = [*here.chroots]
    machines: list[Machine] = []
    for name, one in sorted(others.items()):
        if one is not None:
            chroots += one.chroots
        if one is not None and one.late and not late:
            late = one.late.replace(message=f"{name}: {one.late.message}")
        problem = one.problem if one else None
        looks_only = one is not None and any(chroot.unseen for chroot in one.chroots)
        machines.append(Machine(name, one is not None and problem is None, problem, looks_only))
    return here.replace(chroots=tuple(chroots), machines=tuple(machines), late=late)
