"""This host's apt, asked beside other work: each of its programs takes 20 ms and more."""

from __future__ import annotations

from . import apt_proxy, apt_sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .apt_sources import Source


_LONGEST = 5.0
"""Seconds that it may take to end, where it is told to: an error must be told also where it hangs
so that not even a KILL ends it."""


class Apt:
    """What the host's apt says, asked for once, while something else is done.

    A context manager: at its end nobody is asked any more, and what still runs of apt is ended.
    """

    def __init__(self, proxy: str) -> None:
        """Ask it; *proxy* is what a person said, see `apt_proxy.host_proxies`."""
        import threading

        self._sources: tuple[Source, ...] = ()
        self._proxies = apt_proxy.Proxies()
        self._proxy = proxy
        self._is_over = threading.Event()
        self._asking = [
            threading.Thread(target=ask, daemon=True)
            for ask in (self._ask_sources, self._ask_proxies)
        ]
        for thread in self._asking:
            thread.start()

    def __enter__(self) -> Apt:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._asking:
            thread.join(_LONGEST)

    def _ask_sources(self) -> None:
        self._sources = apt_sources.sources(self._is_over)

    def _ask_proxies(self) -> None:
        self._proxies = apt_proxy.host_proxies(self._proxy, self._is_over)

    def sources(self) -> tuple[Source, ...]:
        """Wait for what it is configured for, and return it."""
        self._asking[0].join()
        return self._sources

    def proxies(self) -> apt_proxy.Proxies:
        """Wait for how it reaches mirrors, and return it."""
        self._asking[1].join()
        return self._proxies
