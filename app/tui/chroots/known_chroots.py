"""What is known of the chroots: the last look, their sizes, and the threads that find out."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.looking.snapshot import Snapshot
from ....core.looking.status import CREATING, INCOMPLETE, ChrootStatus
from ..threads.look_thread import LookThread
from .chroot_log import ChrootLog
from .trends import Trends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.message import Message

    from ....core.engine import Engine
    from ....core.process import Listener
    from ....core.trees.snapshots import TreeSnapshot
    from ..threads.watch_threads import Count, Follow, Post

    Onlooker = Callable[[tuple[ChrootStatus, ...]], None]
    Welcome = Callable[[ChrootStatus], object]
    Ticks = Callable[[], float]


def _nothing(_one: ChrootStatus) -> None:
    """Welcome nobody."""


def _snapshots(engine: Engine, path: str) -> Message:
    from ..threads.messages import SnapshotsRead

    try:
        return SnapshotsRead(path, engine.snapshots(path))
    except ChrootError:
        return SnapshotsRead(path, ())  # not ours to read, or gone: then there are none to show


def _listeners(engine: Engine, path: str) -> Message:
    from ..threads.messages import Listening

    try:
        return Listening(path, engine.listeners(path))
    except ChrootError:
        return Listening(path, ())  # gone, or it does not answer


def _packages(engine: Engine, path: str) -> Message:
    from ..threads.messages import PackagesRead

    try:
        return PackagesRead(path, engine.package_runs(path))
    except ChrootError:
        return PackagesRead(path, ())


def _is_built_aside(one: ChrootStatus) -> bool:
    """Tell whether it is where a clone is at work: its job says how that goes.

    What one that was killed has left is shown: it is somebody's to delete.
    """
    if one.state != CREATING or not one.name.startswith("."):
        return False
    from ....core.chroot import CLONING  # not needed for the first paint, as nearly always

    return one.name.endswith(CLONING)


_GROWING = {CREATING, INCOMPLETE}
"""States that a chroot has while it is made or removed."""


class KnownChroots:
    """The chroots under the base of *engine*. Used by the UI's own thread only."""

    def __init__(
        self, engine: Engine, *, follow: Follow, count: Count, post: Post, ticks: Ticks,
        clock: Ticks,
    ) -> None:  # fmt: skip
        """Begin to look; what is found is posted as `Seen` and `Counted`.

        *ticks* returns seconds that only go forward, *clock* the time of day.
        """
        self._ticks = ticks
        self.snapshot = Snapshot(engine.base)
        self.trends = Trends()
        """What each has been doing."""
        self.diary = ChrootLog(post, clock)
        """What happened to each."""
        self.sizes: dict[str, int] = {}
        """Bytes on disk by path, as far as they are known."""
        self.shared: dict[str, int] = {}
        """How many of those bytes others have, too."""
        self.snapshots: dict[str, tuple[TreeSnapshot, ...]] = {}
        """The snapshots by path, the oldest first, of those that were looked at."""
        self._made: frozenset[str] = frozenset()
        """The paths of those that are being made: what they take changes all the time."""
        self._awaited: dict[str, tuple[Welcome, Callable[[str], bool]]] = {}
        """By path what is being made: who welcomes it, and whether it is wanted then."""
        self._counts = False
        self._onlookers: list[Onlooker] = []
        self._watching = follow(engine, post)
        self._counting = count(engine, post)
        self._snapshots = LookThread("snapshots", partial(_snapshots, engine), post)
        self._package_logs = LookThread("packages", partial(_packages, engine), post)
        self.listening: dict[str, tuple[Listener, ...]] = {}
        """Where those in it listen, by path, of those that were looked at."""
        self._ports = LookThread("ports", partial(_listeners, engine), post, again=None)
        self._watching.start()

    def close(self) -> None:
        """End the threads."""
        self._watching.close()
        self._counting.close()
        self._snapshots.close()
        self._package_logs.close()
        self._ports.close()
        self.diary.close()

    @property
    def chroots(self) -> tuple[ChrootStatus, ...]:
        """Every chroot, as it was seen last."""
        return self.snapshot.chroots

    def take(self, snapshot: Snapshot) -> None:
        """Take over what a look has found, and have the sizes counted that it asks for."""
        before = {one.path: one.state for one in self.chroots}
        shown = tuple(one for one in snapshot.chroots if not _is_built_aside(one))
        self.snapshot = snapshot.replace(chroots=shown)
        self._made = frozenset(one.path for one in shown if one.state == CREATING)
        for path in self._made:
            self.sizes.pop(path, None)
        self.trends.take(self.chroots, self._ticks())
        self.diary.take(self.chroots)
        for onlooker in self._onlookers:
            onlooker(self.chroots)
        if self._counts:
            self.count()
        for one in self.chroots:
            # Whoever made it: what was counted meanwhile was half of it.
            was = before.get(one.path, one.state)
            if was != one.state and {was, one.state} & _GROWING:
                self._counting.recount(one.path)

    def count(self) -> None:
        """Have the sizes of all counted from now on: it would take the time of the first paint."""
        self._counts = True
        self._counting.want(tuple(one.path for one in self.chroots if one.path not in self._made))

    def let_time_go_on(self) -> bool:
        """Take note that time has passed; tell whether it will show anything again."""
        self.trends.advance(self._ticks())
        self.diary.advance()
        return self.time_will_tell

    @property
    def time_will_tell(self) -> bool:
        """Whether something will look other in a while although nothing happens."""
        return self.trends.are_moving or self.diary.is_waiting

    def look_for_packages(self, path: str) -> None:
        """Have the log of packages of a chroot looked at, now and from time to time; "": none.

        What earlier sessions have kept is read, too.
        """
        self._package_logs.want(path)
        if path:
            self.diary.want_past()

    def take_size(self, path: str, size: int, shared: int = 0) -> bool:
        """Take over the size of a chroot; tell whether it is news.

        It is none of one that is being made: it was counted before that.
        """
        if path in self._made:
            return False
        news = (self.sizes.get(path), self.shared.get(path, 0)) != (size, shared)
        self.sizes[path] = size
        self.shared[path] = shared
        return news

    def look_for_snapshots(self, path: str) -> None:
        """Have the snapshots of a chroot looked for: now, and from time to time."""
        self._snapshots.want(path)

    def look_for_listeners(self, path: str) -> None:
        """Have it looked at once where those in a chroot listen; "": no more."""
        self._ports.want(path)

    def take_listeners(self, path: str, found: tuple[Listener, ...]) -> bool:
        """Take over where those in a chroot listen; tell whether that is news."""
        news = self.listening.get(path, ()) != found
        self.listening[path] = found
        return news

    def take_snapshots(self, path: str, found: tuple[TreeSnapshot, ...]) -> bool:
        """Take over the snapshots of a chroot; tell whether they are news."""
        news = self.snapshots.get(path, ()) != found
        self.snapshots[path] = found
        return news

    @contextmanager
    def watched_by(self, onlooker: Onlooker) -> Iterator[None]:
        """Show *onlooker* the chroots after each look while this is entered."""
        self._onlookers.append(onlooker)
        try:
            yield
        finally:
            self._onlookers.remove(onlooker)

    def names(self, host: str = "", state: str = "") -> frozenset[str]:
        """Return the names that are taken on a machine; with *state* of those that are in it."""
        return frozenset(
            one.name for one in self.chroots if one.host == host and state in ("", one.state)
        )

    def await_new(
        self, path: str, welcome: Welcome = _nothing, *, wanted: Callable[[str], bool]
    ) -> None:
        """Have `arrived` return the chroot at *path*, which is being made, once it is there.

        It is handed to *welcome* then. Where it is not *wanted* any more, asked when it is there
        with the path that the cursor was on, it is not returned.
        """
        self._awaited[path] = (welcome, wanted)

    def await_no_more(self, path: str) -> None:
        """Forget that *path* is awaited: it was not made."""
        self._awaited.pop(path, None)

    def arrived(self, cursor: str = "") -> ChrootStatus | None:
        """Return a chroot that was awaited, once, when it is there and can be shown.

        *cursor* is the path of the one that was highlighted before.
        """
        shown = None
        for one in self.chroots:
            if one.path in self._awaited:
                welcome, is_wanted = self._awaited.pop(one.path)
                welcome(one)
                shown = one if is_wanted(cursor) else shown
        return shown
