"""The threads that watch: one for what the kernel tells, one that counts sizes. They only post.

Textual is not imported here: the first look is taken before it is, or meanwhile (`look_aside`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from textual.message import Message

    from ....core.engine import Engine, Following
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
        self._watcher: Following | None = None if aside else engine.follow()
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
        if self._watcher:
            self._watcher.wake()
        self._thread.join(_DECENT)
        if self._watcher and not self._thread.is_alive():  # held up, it ends with the process
            self._watcher.close()

    def _run(self) -> None:
        seen = self._aside.found() if self._aside else None
        if seen is None:
            self._watcher = self._watcher or self._engine.follow()
            seen = self._watcher.snapshot()
        self._looked.set()
        self._started.wait()
        from .messages import Seen

        if self._post:
            self._post(Seen(seen))
        if self._watcher is None:
            if self._ended.wait(_FIRST_PAINT):
                return
            self._watcher = self._engine.follow()
        elif not self._ended.is_set():
            self._watcher.wait()
        while not self._ended.is_set():
            now = self._watcher.snapshot()
            if now != seen and self._post:
                self._post(Seen(now))
                seen = now
            if not self._ended.is_set():  # the look may have taken the word of it
                self._watcher.wait()


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
        if not self._thread.is_alive():
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
                self._cache.forget(self._recounted.popleft())
            for path in self._wanted:
                if self._ended.is_set():
                    return
                taken = self._cache.get(path, self._ended)
                if taken is not None and told.get(path) != taken:
                    told[path] = taken
                    self._post(Counted(path, taken.size, taken.shared))
