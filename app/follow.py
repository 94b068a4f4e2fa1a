"""The threads that watch: one for what the kernel tells, one that counts sizes. They only post."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from textual.message import Message

from ..core.disksize import SizeCache
from ..core.watch import Watcher
from .messages import Counted, Seen

Post = Callable[[Message], object]


_RECOUNT = 60.0
"""Seconds between two looks at whether a size may have changed."""


class Following(Protocol):
    """Posts `Seen` from `start` to `close`."""

    def start(self) -> None:
        """Begin."""

    def close(self) -> None:
        """End."""


class Counting(Protocol):
    """Posts `Counted` for what is wanted, until `close`."""

    def want(self, paths: tuple[str, ...]) -> None:
        """Have these counted."""

    def again(self, path: str) -> None:
        """Have this one counted anew, whatever is remembered of it."""

    def close(self) -> None:
        """End."""


Follow = Callable[[str, Post], Following]
Count = Callable[[Post], Counting]


class Follower:
    """Follows the chroots under a base until it is closed; posts `Seen` when something changed."""

    def __init__(self, base: str, post: Post) -> None:
        self._watcher = Watcher(base)
        self._post = post
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follow", daemon=True)

    def start(self) -> None:
        """Begin; the first look is posted at once."""
        self._thread.start()

    def close(self) -> None:
        """End the thread and let go of what it has open."""
        self._ended.set()
        self._watcher.wake()
        self._thread.join()
        self._watcher.close()

    def _run(self) -> None:
        before = None
        while not self._ended.is_set():
            snapshot = self._watcher.snapshot()
            if snapshot != before:
                self._post(Seen(snapshot))
                before = snapshot
            self._watcher.wait()


class Sizes:
    """Counts the size of chroots on disk, one after the other, in a thread of its own."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._cache = SizeCache()
        self._wanted: tuple[str, ...] = ()
        self._anew: deque[str] = deque()
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

    def again(self, path: str) -> None:
        """Have this one counted anew, whatever is remembered of it."""
        self._anew.append(path)
        self._woken.set()

    def close(self) -> None:
        """End the thread; a count under way is given up."""
        self._ended.set()
        self._woken.set()

    def _run(self) -> None:
        told: dict[str, int] = {}
        while not self._ended.is_set():
            self._woken.wait(_RECOUNT)
            self._woken.clear()
            while self._anew:
                self._cache.forget(self._anew.popleft())
            for path in self._wanted:
                if self._ended.is_set():
                    return
                size = self._cache.get(path, self._ended)
                if size is not None and told.get(path) != size:
                    told[path] = size
                    self._post(Counted(path, size))
