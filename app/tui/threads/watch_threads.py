"""The threads that watch: one for what the kernel tells, one that counts sizes. They only post.

Textual is not imported here: the first look is taken before it is, or meanwhile (`look_aside`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ....core.errors import ChrootError, Problem, reason_of

if TYPE_CHECKING:
    from textual.message import Message

    from ....core.engine import Engine
    from ....core.engine_parts import Following
    from ....core.looking.snapshot import Snapshot
    from ....core.trees.disk_size import Taken
    from .look_aside import LookAside

    Post = Callable[[Message], object]
    Follow = Callable[[Engine, Post], "Watching"]
    Count = Callable[[Engine, Post], "Counting"]

_FIRST_LOOK = 0.1
"""Seconds that all else may wait for the first look."""
_FIRST_PAINT = 0.2
"""Seconds in which what was seen aside is painted, before this process looks as well."""
_DECENT = 5.0
"""Seconds that quitting waits for a look."""
_RECOUNT = 60.0
"""Seconds between two looks at whether a size may have changed."""
_AGAIN = 30.0
"""Seconds after which it is tried again to follow what could not be followed."""


class Watching(Protocol):
    """Posts `Seen` from `start` to `close`."""

    def start(self) -> None:
        """Begin."""

    def close(self) -> None:
        """End."""


class Counting(Protocol):
    """Posts `Counted` for what is wanted, until `close`."""

    def want(self, paths: tuple[str, ...]) -> None:
        """Have these counted."""

    def recount(self, path: str) -> None:
        """Have this one counted anew, whatever is remembered of it."""

    def close(self) -> None:
        """End."""


class WatchThread:
    """Follows the chroots under a base until it is closed; posts `Seen` when something changed."""

    def __init__(self, engine: Engine, aside: LookAside | None = None) -> None:
        """Take the first look, where *aside* does not.

        If it is soon done, this waits for it: beside a thread that is busy, as the import of
        Textual keeps one, it would take three times as long.
        """
        self._engine = engine
        self._aside = aside
        self._watcher: Following | None = None
        self._seen: Snapshot | None = None
        self._post: Post | None = None
        self._looked = threading.Event()
        self._started = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follow", daemon=True)
        self._thread.start()
        if not aside:
            self._looked.wait(_FIRST_LOOK)

    def post_to(self, _engine: Engine, post: Post) -> WatchThread:
        """Have it post there: a `Follow`."""
        self._post = post
        return self

    def start(self) -> None:
        """Begin to post; the first look at once."""
        self._looked.wait(_FIRST_LOOK)
        self._started.set()

    def close(self) -> None:
        """End the thread and let go of what it has open."""
        self._ended.set()
        self._started.set()
        if watcher := self._watcher:
            watcher.wake()
        self._thread.join(_DECENT)
        if self._watcher and not self._thread.is_alive():  # held up, it ends with the process
            self._watcher.close()

    def _run(self) -> None:
        seen = self._aside.found() if self._aside else None
        if seen is not None:
            self._tell(seen)
            self._ended.wait(_FIRST_PAINT)
        while not self._ended.is_set():
            try:
                self._follow()
            except (ChrootError, OSError) as error:  # no descriptor is left, say
                self._lose(error)

    def _follow(self) -> None:
        self._watcher = watcher = self._engine.follow()
        while not self._ended.is_set():
            self._tell(watcher.snapshot())
            if not self._ended.is_set():  # the look may have taken the word of it
                watcher.wait()

    def _lose(self, error: ChrootError | OSError) -> None:
        """Tell that nothing is followed, beside what was seen last, and wait for a while."""
        from ....core.looking.snapshot import Snapshot

        watcher, self._watcher = self._watcher, None
        if watcher:
            watcher.close()
        said = f"nothing is followed: {reason_of(error)}"
        problem = Problem(said, f"tried again in {_AGAIN:.0f} s")
        before = self._seen or Snapshot(self._engine.base)
        self._tell(before.replace(problem=problem))
        self._ended.wait(_AGAIN)

    def _tell(self, found: Snapshot) -> None:
        """Post what is news, as soon as it is begun."""
        self._looked.set()
        self._started.wait()
        from .messages import Seen

        if found != self._seen and self._post:
            self._post(Seen(found))
        self._seen = found


class SizeThread:
    """Counts the size of chroots on disk, one after the other, in a thread of its own."""

    def __init__(self, engine: Engine, post: Post) -> None:
        self._post = post
        self._cache = engine.sizes()
        self._wanted: tuple[str, ...] = ()
        self._recounted: deque[str] = deque()
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sizes", daemon=True)

    def want(self, paths: tuple[str, ...]) -> None:
        """Have these counted, and from time to time again."""
        if self._thread.ident is None:
            self._thread.start()
        if paths != self._wanted:
            self._wanted = paths
            self._woken.set()

    def recount(self, path: str) -> None:
        """Have this one counted anew, whatever is remembered of it."""
        self._recounted.append(path)
        self._woken.set()

    def close(self) -> None:
        """End the thread; a count under way is given up."""
        self._ended.set()
        self._woken.set()

    def _run(self) -> None:
        from .messages import Counted

        told: dict[str, Taken] = {}
        while not self._ended.is_set():
            self._woken.wait(_RECOUNT)
            self._woken.clear()
            while self._recounted:
                path = self._recounted.popleft()
                self._cache.forget(path)
                told.pop(path, None)  # as large as before it is told again: it was forgotten there
            for path in self._wanted:
                if self._ended.is_set():
                    return
                try:
                    taken = self._cache.get(path, self._ended)
                except OSError:
                    continue  # no descriptor is left, say: it is counted the next time
                if taken is not None and told.get(path) != taken:
                    told[path] = taken
                    self._post(Counted(path, taken.size, taken.shared))
