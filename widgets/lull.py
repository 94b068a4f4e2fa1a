"""A moment without keys, after which keys may mean something else again."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from .sure_timers import SureTimers

if TYPE_CHECKING:
    from textual.timer import Timer

_TICK = 0.1
_TICKS = 5
"""Half a second, in which the event loop has to be seen running: where it stood still, keys that
were typed before the end may wait behind it."""


class Lull:
    """Calls *do* once nobody has typed for a moment, as far as *owner* is told by `begin_anew`."""

    def __init__(self, owner: SureTimers, do: Callable[[], object]) -> None:
        self._owner = owner
        self._do = do
        self._timer: Timer | None = None
        self.begin_anew()

    def begin_anew(self) -> None:
        """Wait for the whole of it: a key was pressed."""
        self._left = _TICKS
        self._wait()

    def stop(self) -> None:
        """Call it no more."""
        if self._timer is not None:
            self._timer.stop()

    def _wait(self) -> None:
        self.stop()
        self._due = monotonic() + _TICK
        self._timer = self._owner.set_timer(_TICK, self._tick)

    def _tick(self) -> None:
        self._timer = None  # it is this one, which has rung
        if monotonic() - self._due > _TICK:
            self.begin_anew()
        elif self._left > 1:
            self._left -= 1
            self._wait()
        else:
            self._do()
