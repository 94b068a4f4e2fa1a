"""What a chroot has been doing of late: the same things, measured again and again."""

from __future__ import annotations

from ..core.value import Value

SPAN = 5
"""Seconds that one point of a trend stands for."""
MOST = 120
"""Points of a trend: ten minutes."""


class Trend(Value):
    """The points of some minutes, the oldest first, the last of them now; all equally many.

    Of each `SPAN` the highest that was seen.
    """

    cpu: tuple[float, ...] = ()
    """Percent of one core, of all processes inside."""
    memory: tuple[int, ...] = ()
    """Resident bytes, of all of them."""
    processes: tuple[int, ...] = ()
    """How many there were."""
    disk: tuple[float, ...] = ()
    """Bytes a second, read from disks and written to them."""
    at: int = 0
    """The number of the last point, by a clock: how many spans it is from its beginning."""
