"""How fast may be painted: so many bytes a second, so many at once. Pure.

A line takes no more than it can. What is written beyond that waits in it, and so does the answer to
the next key. What stands on the screen in the end is the same: what was not painted is overtaken.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

_A_LINE, _A_RUN = 52, 40
"""Bytes beside the text, as Textual writes them: to go to a line and fill it up, and for a run of
one style in true colours."""


class Pace:
    """Bytes for which there is room: `rate` of them come with each second, up to `burst`.

    What a paint costs is guessed before (`spend`), and known when it is written (`wrote`).

    `of_all`: they are for whatever a program writes, not for floods alone.
    """

    def __init__(
        self, rate: float, burst: float, ticks: Callable[[], float] = monotonic, *,
        of_all: bool = False,
    ) -> None:  # fmt: skip
        self._rate, self._burst, self._ticks = rate, burst, ticks
        self.of_all = of_all
        self._room, self._at = burst, ticks()
        self._guessed = 0.0

    @property
    def room(self) -> float:
        """The bytes that there is room for now; below 0: there was not enough."""
        now = self._ticks()
        self._room = min(self._burst, self._room + (now - self._at) * self._rate)
        self._at = now
        return self._room

    def become(self, other: Pace) -> None:
        """Be as fast as another from now on; what is written already counts."""
        self._room = min(self.room, other._burst)
        self._rate, self._burst = other._rate, other._burst
        self.of_all = other.of_all

    def spend(self, count: float) -> None:
        """Take note that about so many bytes are to be written."""
        self._take(count)
        self._guessed += count

    def wrote(self, count: int) -> None:
        """Take note that so many bytes were written, whatever was guessed, and by whomever."""
        self._take(count - self._guessed)
        self._guessed = 0.0

    def _take(self, count: float) -> None:
        # A screen that is painted whole is nothing to wait a second for.
        self._room = max(min(self.room - count, self._burst), -self._rate)

    @property
    def is_quiet(self) -> bool:
        """Whether little was written of late."""
        return self.room >= self._burst / 2

    @property
    def wait(self) -> float:
        """Seconds until there is room for all that may be written at once, or half of it."""
        return max(0.0, (self._burst / 2 - self.room) / self._rate)


def cost(width: int, runs: int) -> int:
    """Return about how many bytes a line takes: so many cells, in so many runs of one style."""
    return _A_LINE + width + runs * _A_RUN


def near() -> Pace:
    """Return the pace of a terminal on this machine."""
    return Pace(200_000, 50_000)


def far() -> Pace:
    """Return the pace of one behind ssh: half of 64 kbit/s, a tenth of a second at once.

    The rest is for keys. Some lines a second that scroll a screen are as many bytes as a flood: so
    it is of all.
    """
    return Pace(4_000, 800, of_all=True)
