"""What each chroot has been doing in the last minutes, from what the looks have found.

Nobody is asked anything for it: between two looks all is as it was. Kept only of what is on, or has
processes, and only once it has done something.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ....widgets.trend_points import MOST, SPAN, Trend

if TYPE_CHECKING:
    from ....core.looking.status import ChrootStatus

    Point = tuple[float, int, int, float]

_NOTHING: Point = (0.0, 0, 0, 0.0)


class Trends:
    """The trends of all chroots, by path."""

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}

    def take(self, chroots: Iterable[ChrootStatus], now: float) -> None:
        """Take over what a look has found at *now*, seconds by a clock that only goes forward."""
        tracks: dict[str, _Track] = {}
        for one in chroots:
            track = self._tracks.get(one.path)
            if not one.processes and (track is None or not one.is_on):
                continue
            track = track or _Track()
            track.add(_point(one), int(now // SPAN))
            if track.has_something:
                tracks[one.path] = track
        self._tracks = tracks

    def advance(self, now: float) -> None:
        """Let time go on until *now*, in which nothing has changed."""
        for path, track in tuple(self._tracks.items()):
            track.add(track.last, int(now // SPAN))
            if not track.has_something:
                del self._tracks[path]

    @property
    def are_moving(self) -> bool:
        """Whether any of them looks other in a while although nothing happens."""
        return any(track.is_moving for track in self._tracks.values())

    def all(self) -> dict[str, Trend]:
        """Return all of them; one that is as it was is the very same value."""
        return {path: track.trend() for path, track in self._tracks.items()}


class _Track:
    """The points of one chroot."""

    def __init__(self) -> None:
        self.last: Point = _NOTHING
        """What was seen last; it holds until something else is seen."""
        self._points: deque[Point] = deque(maxlen=MOST)
        self._at = 0
        self._trend: Trend | None = None

    def add(self, point: Point, at: int) -> None:
        """Take over what was seen in the span *at*."""
        missing = at - self._at if self._points else 1
        if missing > 0:
            self._points.extend([self.last] * min(missing - 1, MOST))
            self._points.append(point)
            self._at = at
            self._trend = None
        elif (highest := _highest(self._points[-1], point)) != self._points[-1]:
            self._points[-1] = highest
            self._trend = None
        self.last = point

    @property
    def has_something(self) -> bool:
        """Whether there is anything to see."""
        return self.last != _NOTHING or any(point != _NOTHING for point in self._points)

    @property
    def is_moving(self) -> bool:
        """Whether it looks other in a while although nothing happens."""
        return len(self._points) < MOST or any(point != self.last for point in self._points)

    def trend(self) -> Trend:
        """Return it as a value."""
        if self._trend is None:
            cpu, memory, processes, disk = zip(*self._points, strict=True)
            self._trend = Trend(cpu, memory, processes, disk, self._at)
        return self._trend


def _point(one: ChrootStatus) -> Point:
    everyone = one.processes
    return (
        sum(process.cpu_percent for process in everyone),
        sum(process.rss for process in everyone),
        len(everyone),
        sum(process.read_rate + process.write_rate for process in everyone),
    )


def _highest(one: Point, other: Point) -> Point:
    return (
        max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
    )  # fmt: skip
