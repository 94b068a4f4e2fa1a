"""When a terminal's screen is painted, and which rows of it.

Changed rows only, at most 30 times a second, behind what else the user waits for, and of a flood
no more bytes than the line to the terminal takes; on a slow line of any output.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from . import cells
from .pace import cost

if TYPE_CHECKING:
    from .pace import Pace
    from .view import View

_FRAME = 1 / 30
_FRAME_IN_FLOOD = 1 / 15
"""Seconds between two paints at least: nobody reads along, and a paint is what others wait for."""
_STILL_A_FLOOD = 0.5
"""Seconds for which a flood is taken for one when it pauses: it is painted at its pace."""
_FRAME_BY_THE_WAY = 1 / 5
"""The same for a flood while the user is at something else: then it is painted behind that.

After any paint Textual's screen paints no other for up to two of its own frames (33 ms). A paint
right before a key's would hold that one up; right behind it, it is out of the way of the next.
"""
_KEY_TO_PAINT = 0.01
"""Seconds that a key's own paint gets for being first."""
_AT_THE_KEYS = 0.5
"""Seconds after a key or a movement of the mouse in which another one is to be expected."""
_ANSWER = 0.3
"""Seconds after a key for this terminal in which what it paints is taken for the answer."""
_LONGEST_UPDATE = 0.15
"""Seconds for which a child may hold a frame back (mode 2026)."""
_RUNS_A_FRAME = 600
_RUNS_IN_FLOOD = 200
"""Runs that are painted at once: Textual takes 25 µs for each that has a style of its own."""


class Painting:
    """Has *widget* painted as its view changes: `show` the view, then say so with `in_turn`.

    *is_flooding* tells whether more comes than can be shown; *on_paint* is called with the view
    before each paint; *pace* bounds what a flood writes.
    """

    def __init__(
        self,
        widget: Widget,
        *,
        is_flooding: Callable[[], bool],
        on_paint: Callable[[View], None],
        pace: Pace,
    ) -> None:
        self._widget = widget
        self._is_flooding = is_flooding
        self._on_paint = on_paint
        self._pace = pace
        self._view: View | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._painted_at = -math.inf  # never yet; 0 would be a moment ago just after a boot
        self._updating_since: float | None = None
        self._painted_end = 0
        self._elsewhere_at = -math.inf
        self._flooded_at = -math.inf
        self._keyed_at = -math.inf
        self._rows_of_answer = 0
        """Rows, a screenful, that a key is answered with at once where it was quiet before it."""
        self._dirty: dict[int, None] = {}  # rows to paint, those that wait longest first
        self._cursor_at: tuple[int, int] | None = None

    def show(self, view: View) -> None:
        """Show another screen from now on."""
        self._view = view
        self._painted_end = 0
        self._cursor_at = None
        self._widget.refresh()

    def stop(self) -> None:
        """Paint no more."""
        if self._timer is not None:
            self._timer.cancel()

    def in_turn(self) -> None:
        """Have painted what has changed, at the pace that suits."""
        if self._timer is None or self._is_keyed:
            self._within(self._painted_at + self._frame() - monotonic())

    def sooner(self) -> None:
        """Paint what a flood has left at the usual pace: it ends with a prompt."""
        if self._timer is not None:
            self._within(max(self._painted_at + _FRAME - monotonic(), self._wait))

    def everything(self) -> None:
        """Paint the whole view: it shows other rows, or is laid out anew."""
        assert self._view is not None
        self._cursor_at = self._view.cursor()
        self._widget.refresh()

    def forget(self) -> None:
        """Drop what waits to be painted: all of it will be."""
        self._dirty.clear()

    def notice(self, message: Message) -> None:
        """Note when a key or a movement of the mouse is for something else."""
        if isinstance(message, events.InputEvent):
            here = (
                self._widget.is_mouse_over
                if isinstance(message, events.MouseEvent)
                else self._widget.has_focus
            )
            if not here:
                now = self._elsewhere_at = monotonic()
                if self._timer is not None and now - self._painted_at > _FRAME_BY_THE_WAY:
                    self._within(_KEY_TO_PAINT)
            elif not isinstance(message, events.MouseMove):
                self._rows_of_answer = self._widget.size.height if self._pace.is_quiet else 0
                self._keyed_at = monotonic()

    @property
    def is_left_alone(self) -> bool:
        """Whether the user is busy with something else in the app."""
        return not self._widget.has_focus and monotonic() - self._elsewhere_at < _AT_THE_KEYS

    @property
    def _is_keyed(self) -> bool:
        """Whether a key for this terminal is being answered."""
        return monotonic() - self._keyed_at < _ANSWER

    @property
    def _is_paced(self) -> bool:
        """Whether a flood is painted, or was a moment ago; on a slow line anything but answers."""
        now = monotonic()
        if self._is_flooding():
            self._flooded_at = now
        if now - self._flooded_at < _STILL_A_FLOOD:
            return True
        return self._pace.of_all and not (self._is_keyed and self._rows_of_answer > 0)

    @property
    def _wait(self) -> float:
        """Seconds until there is room on the line; an answer has the row of the cursor at once."""
        flooded = monotonic() - self._flooded_at < _STILL_A_FLOOD
        if not self._is_paced or (self._is_keyed and not flooded):
            return 0.0
        return self._pace.wait

    def _frame(self) -> float:
        wait = self._wait
        if not self._is_flooding():
            return max(_FRAME, wait)
        return max(_AT_THE_KEYS if self.is_left_alone else _FRAME_IN_FLOOD, wait)

    def _within(self, seconds: float) -> None:
        """Paint after so long, or when it was to be done anyway if that is sooner."""
        loop = asyncio.get_running_loop()
        when = loop.time() + max(0.0, seconds)
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = loop.call_at(when, self._now_or_later)

    def _now_or_later(self) -> None:
        """Paint, unless others have taken the room on the line meanwhile."""
        self._timer = None
        wait = self._wait
        if wait > 0:
            self._within(wait)
        else:
            self.now()

    def now(self) -> None:
        """Have the rows painted that have changed, as many as fit into a frame."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        view = self._view
        if view is None or not self._widget.is_attached:
            return
        now = monotonic()
        if view.emulator.updating:
            if self._updating_since is None:
                self._updating_since = now
            if now - self._updating_since < _LONGEST_UPDATE:
                self._within(_FRAME)
                return
        self._updating_since = None
        self._painted_at = now
        self._find_dirty(view)
        self._on_paint(view)
        if self._widget.size.area:
            self._paint_some(view)
        else:  # it is hidden: what others are painted with is not for it
            self.forget()

    def _find_dirty(self, view: View) -> None:
        emulator = view.emulator
        end = emulator.history.end
        offset = end - view.top
        dirty = [y + offset for y in emulator.changed_rows()]
        if end != self._painted_end:
            # What has scrolled off since may have changed before it did.
            dirty += range(max(0, self._painted_end - view.top), offset)
            self._painted_end = end
        if view.search is not None:  # a place that is marked may go on in the next row
            dirty += [y + by for y in dirty for by in (-1, 1)]
        cursor = view.cursor()
        if cursor != self._cursor_at:
            dirty += [place[1] for place in (cursor, self._cursor_at) if place]
            self._cursor_at = cursor
        height = self._widget.size.height
        self._dirty.update((y, None) for y in dirty if 0 <= y < height)

    def _paint_some(self, view: View) -> None:
        rows = list(self._dirty)
        if self._cursor_at is not None and self._cursor_at[1] in self._dirty:
            rows.insert(0, self._cursor_at[1])  # where the user looks
        paced = self._is_paced
        budget = _RUNS_IN_FLOOD if self._is_flooding() else _RUNS_A_FRAME
        painted: set[int] = set()
        for y in rows:
            if budget <= 0 or (paced and painted and self._pace.room <= 0):
                break
            if y not in painted:
                painted.add(y)
                runs = cells.run_count(view.row(y))
                budget -= runs
                if paced or self._pace.of_all:
                    self._pace.spend(cost(self._widget.size.width, runs))
                del self._dirty[y]
        self._rows_of_answer -= len(painted)
        if painted:
            regions = _regions(
                sorted(painted), self._widget.gutter.left, self._widget.outer_size.width
            )
            self._widget.refresh(*regions)
        if self._dirty:
            self._within(self._frame() if paced or self.is_left_alone else _FRAME)


class PaintedLine(Strip):
    """A line as it is painted.

    A `Strip` that is divided into itself keeps itself in its cache: only a full garbage collection
    frees it. In a flood of colours that would be 20,000 objects a second.
    """

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Cut at the given cells; all of it is no cut."""
        cuts = [cut for cut in cuts if cut <= self.cell_length]
        return [self] if cuts == [self.cell_length] else super().divide(cuts)


def _regions(rows: list[int], left: int, width: int) -> list[Region]:
    """Return the regions of these rows, given in order; neighbours go together.

    They reach over the borders: Textual cuts each line that is not painted as a whole in two.
    """
    regions: list[Region] = []
    start = rows[0]
    for before, y in zip(rows, [*rows[1:], -1], strict=True):
        if y != before + 1:
            regions.append(Region(-left, start, width, before + 1 - start))
            start = y
    return regions
