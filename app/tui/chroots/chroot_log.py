"""What happened to each chroot: in this session, in those before, and by its own log of packages.

A thread of its own reads and adds to what is kept; a disk that is slow holds up nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from ....core.looking.happenings import Happening, Happenings, of_packages
from ... import log_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ....core.looking.happenings import New
    from ....core.looking.package_log import PackageRun
    from ....core.looking.status import ChrootStatus
    from ..threads.watch_threads import Post

_MOST = 500
"""Happenings of a chroot that are shown."""
_PAUSE = 1.0
"""Seconds between two times that something is added to what is kept."""
_DECENT = 2.0
"""Seconds that quitting waits for the last of it."""


class ChrootLog:
    """Used by the UI's own thread only. Posts `LogRead`."""

    def __init__(self, post: Post, clock: Callable[[], float]) -> None:
        """Begin with nothing; *clock* tells the time of day."""
        self._clock = clock
        self._happenings = Happenings()
        self._seen: dict[str, deque[Happening]] = {}
        self._packages: dict[str, tuple[Happening, ...]] = {}
        self._pages: dict[str, tuple[Happening, ...]] = {}
        self._keeper = _Keeper(post)

    def take(self, chroots: Iterable[ChrootStatus]) -> None:
        """Take over what a look has found."""
        self._add(self._happenings.take(chroots, self._clock()))

    def advance(self) -> bool:
        """Take note of what time alone has made plain; tell whether there will be more."""
        self._add(self._happenings.advance(self._clock()))
        return self._happenings.are_waiting

    @property
    def is_waiting(self) -> bool:
        """Whether time alone will tell something."""
        return self._happenings.are_waiting

    def close(self) -> None:
        """Keep what is not kept yet, and end."""
        self._add(self._happenings.finish(self._clock()))
        self._keeper.close()

    # -- reading it ------------------------------------------------------------------------------

    def want_past(self) -> None:
        """Have what is kept of earlier sessions read, once."""
        self._keeper.want_past()

    def take_past(self, past: dict[str, list[Happening]]) -> None:
        """Take over what was kept of earlier sessions, and of this one up to now."""
        for path, found in past.items():
            seen = self._seen.get(path, ())
            known = set(seen)
            older = (one for one in found if one not in known)
            self._seen[path] = deque([*older, *seen], maxlen=_MOST)
        self._pages.clear()

    def take_packages(self, path: str, runs: tuple[PackageRun, ...]) -> None:
        """Take over what a chroot's own log says of its packages."""
        self._packages[path] = tuple(map(of_packages, runs))
        self._pages.pop(path, None)

    def of(self, path: str) -> tuple[Happening, ...]:
        """Return what happened to a chroot, as it became known; the same until there is more."""
        page = self._pages.get(path)
        if page is None:
            page = (*self._packages.get(path, ()), *self._seen.get(path, ()))
            self._pages[path] = page
        return page

    def _add(self, news: New) -> None:
        if not news:
            return
        rounded = [(path, one.replace(time=round(one.time, 3))) for path, one in news]
        for path, one in rounded:
            self._seen.setdefault(path, deque(maxlen=_MOST)).append(one)
            self._pages.pop(path, None)
        self._keeper.keep(rounded)


class _Keeper:
    """Reads what is kept, and adds to it, in a thread of its own."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._lock = threading.Lock()
        self._news: New = []
        self._past_is_wanted = False
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def keep(self, news: New) -> None:
        with self._lock:
            self._news += news
        self._wake()

    def want_past(self) -> None:
        if not self._past_is_wanted:
            self._past_is_wanted = True
            self._wake()

    def _wake(self) -> None:
        self._woken.set()
        if self._thread.ident is None and not self._ended.is_set():
            self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(_DECENT)
        self._write()

    def _run(self) -> None:
        past_is_told = False
        while not self._ended.is_set():
            self._woken.wait()
            self._woken.clear()
            if self._past_is_wanted and not past_is_told:
                from ..threads.messages import LogRead

                past_is_told = True
                self._post(LogRead(log_file.load()))
            self._write()
            self._ended.wait(_PAUSE)

    def _write(self) -> None:
        with self._lock:
            news, self._news = self._news, []
        if news:
            try:
                log_file.add(news)
            except OSError:
                pass  # it is shown as long as this session lasts, which is all that can be done
