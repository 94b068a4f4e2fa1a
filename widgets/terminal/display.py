"""The screen of a terminal as a widget: what it shows, and when it is painted.

Changed rows only, at most 30 times a second, and behind what else the user waits for.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip
from textual.widget import Widget

from . import cells
from .colors import Palette

if TYPE_CHECKING:
    from .emulator import Emulator
    from .view import View

_FRAME = 1 / 30
_FRAME_IN_FLOOD = 1 / 15
"""Seconds between two paints at least: nobody reads along, and a paint is what others wait for."""
_FRAME_BY_THE_WAY = 1 / 5
"""The same for a flood while the user is at something else: then it is painted behind that.

After any paint Textual's screen paints no other for up to two of its own frames (33 ms). A paint
right before a key's would hold that one up; right behind it, it is out of the way of the next.
"""
_KEY_TO_PAINT = 0.01
"""Seconds that a key's own paint gets for being first."""
_AT_THE_KEYS = 0.5
"""Seconds after a key or a movement of the mouse in which another one is to be expected."""
_LONGEST_UPDATE = 0.15
"""Seconds for which a child may hold a frame back (mode 2026)."""
_RUNS_A_FRAME = 600
_RUNS_IN_FLOOD = 200
"""Runs that are painted at once: Textual takes 25 µs for each that has a style of its own."""


class TerminalDisplay(Widget):
    """Shows a `View` once there is one; what changes it says so with `_paint_in_turn`."""

    ALLOW_SELECT = False

    title: var[str] = var("")
    """The title that the command has set, safe to show."""
    scrolled: var[int] = var(0)
    """Rows that the view is above the end; 0 while it follows the output."""

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
    ) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._paint_timer: asyncio.TimerHandle | None = None
        self._painted_at = -math.inf  # never yet; 0 would be a moment ago just after a boot
        self._updating_since: float | None = None
        self._painted_end = 0
        self._elsewhere_at = -math.inf
        self._dirty: dict[int, None] = {}  # rows to paint, those that wait longest first
        self._cursor_at: tuple[int, int] | None = None

    @property
    def emulator(self) -> Emulator | None:
        """The screen and its scrollback; None before the first start."""
        return None if self._view is None else self._view.emulator

    def output_text(self) -> str:
        """Return everything that is kept of the output, as plain text."""
        return "" if self._view is None else self._view.transcript.text()

    def on_mount(self) -> None:
        """See when others need the time."""
        self.app.message_signal.subscribe(self, self._notice, immediate=True)

    def on_show(self) -> None:
        """Paint what has changed while it was hidden."""
        self.refresh()

    def on_unmount(self) -> None:
        """Paint no more."""
        if self._paint_timer is not None:
            self._paint_timer.cancel()

    # --- painting --- #

    def _show(self, view: View) -> None:
        """Show another screen from now on."""
        self._view = view
        view.emulator.set_colors(*view.palette.ground)
        self._painted_end = 0
        self._cursor_at = None
        self.refresh()

    def _paint_in_turn(self) -> None:
        """Have painted what has changed, at the pace that suits."""
        if self._paint_timer is None:
            self._paint_within(self._painted_at + self._frame() - monotonic())

    @property
    def _is_flooding(self) -> bool:
        """Whether more comes than can be shown."""
        return False

    def _frame(self) -> float:
        if not self._is_flooding:
            return _FRAME
        return _AT_THE_KEYS if self._is_left_alone else _FRAME_IN_FLOOD

    @property
    def _is_left_alone(self) -> bool:
        """Whether the user is busy with something else in the app."""
        return not self.has_focus and monotonic() - self._elsewhere_at < _AT_THE_KEYS

    def _notice(self, message: Message) -> None:
        """Note when a key or a movement of the mouse is for something else."""
        if isinstance(message, events.InputEvent):
            here = self.is_mouse_over if isinstance(message, events.MouseEvent) else self.has_focus
            if not here:
                now = self._elsewhere_at = monotonic()
                if self._paint_timer is not None and now - self._painted_at > _FRAME_BY_THE_WAY:
                    self._paint_within(_KEY_TO_PAINT)

    def _paint_sooner(self) -> None:
        """Paint what a flood has left at the usual pace: it ends with a prompt."""
        if self._paint_timer is not None:
            self._paint_within(self._painted_at + _FRAME - monotonic())

    def _paint_within(self, seconds: float) -> None:
        """Paint after so long, or when it was to be done anyway if that is sooner."""
        loop = asyncio.get_running_loop()
        when = loop.time() + max(0.0, seconds)
        if self._paint_timer is not None:
            if self._paint_timer.when() <= when:
                return
            self._paint_timer.cancel()
        self._paint_timer = loop.call_at(when, self._paint)

    def _paint(self) -> None:
        """Have the rows painted that have changed, as many as fit into a frame."""
        if self._paint_timer is not None:
            self._paint_timer.cancel()
            self._paint_timer = None
        view = self._view
        if view is None or not self.is_attached:
            return
        now = monotonic()
        if view.emulator.updating:
            if self._updating_since is None:
                self._updating_since = now
            if now - self._updating_since < _LONGEST_UPDATE:
                self._paint_within(_FRAME)
                return
        self._updating_since = None
        self._painted_at = now
        self._find_dirty(view)
        self.title = view.emulator.title
        self.scrolled = view.scrolled
        self._paint_some(view)

    def _find_dirty(self, view: View) -> None:
        emulator = view.emulator
        end = emulator.history.end
        offset = end - view.top
        dirty = [y + offset for y in emulator.changed_rows()]
        if end != self._painted_end:
            # What has scrolled off since may have changed before it did.
            dirty += range(max(0, self._painted_end - view.top), offset)
            self._painted_end = end
        cursor = view.cursor()
        if cursor != self._cursor_at:
            dirty += [place[1] for place in (cursor, self._cursor_at) if place]
            self._cursor_at = cursor
        height = self.size.height
        self._dirty.update((y, None) for y in dirty if 0 <= y < height)

    def _paint_some(self, view: View) -> None:
        rows = list(self._dirty)
        if self._cursor_at is not None and self._cursor_at[1] in self._dirty:
            rows.insert(0, self._cursor_at[1])  # where the user looks
        budget = _RUNS_IN_FLOOD if self._is_flooding else _RUNS_A_FRAME
        painted: set[int] = set()
        for y in rows:
            if budget <= 0:
                break
            if y not in painted:
                painted.add(y)
                budget -= cells.run_count(view.row(y))
                del self._dirty[y]
        if painted:
            regions = _regions(sorted(painted), self.gutter.left, self.outer_size.width)
            self.refresh(*regions)
        if self._dirty:
            self._paint_within(self._frame() if self._is_left_alone else _FRAME)

    def render_line(self, y: int) -> Strip:
        """Return line *y* of the view."""
        width = self.size.width
        if self._view is None:
            return Strip.blank(width, self.rich_style)
        return self._view.strip(y, width, focused=self.has_focus)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a region, in a form that leaves no cycles to the collector."""
        return [_Line(strip, strip.cell_length) for strip in super().render_lines(crop)]

    def _palette(self) -> Palette:
        return Palette(
            self.rich_style, self.app.ansi_theme, native=bool(self.app.native_ansi_color)
        )

    def notify_style_update(self) -> None:
        """Take over the colours of another theme."""
        super().notify_style_update()
        if self._view is None or not self.is_attached:
            return
        palette = self._palette()
        if palette.base != self._view.palette.base:
            self._view.palette = palette
            self._view.emulator.set_colors(*palette.ground)

    # --- scrolling, selecting, searching --- #

    def scroll_rows(self, rows: int) -> None:
        """Scroll the view down by *rows*, up if negative."""
        if self._view is not None and self._view.scroll(rows):
            self._moved()

    def follow(self) -> None:
        """Show the end of the output and stay there."""
        if self._view is not None and self._view.follow():
            self._moved()

    def _moved(self) -> None:
        assert self._view is not None
        self.scrolled = self._view.scrolled
        self._cursor_at = self._view.cursor()
        self.refresh()

    @property
    def selected_text(self) -> str:
        """The text that is selected, or nothing."""
        view = self._view
        if view is None or view.selection is None:
            return ""
        return view.transcript.text_of(view.selection)

    def clear_selection(self) -> None:
        """Select nothing."""
        if self._view is not None and self._view.selection is not None:
            self._view.selection = None
            self.refresh()

    def copy(self) -> str:
        """Put the selection, else what the view shows, into the clipboard; return it."""
        text = self.selected_text
        if not text and self._view is not None:
            top = self._view.top
            text = self._view.transcript.text_of(((top, 0), (top + self.size.height, 0))).rstrip()
        if text:
            self.app.copy_to_clipboard(text)
        return text

    def search(self, text: str, *, backwards: bool = True) -> bool:
        """Select and show the nearest *text* before, or after, the last one found.

        Goes round at the end. Capitals count only where *text* has some. Returns whether there is
        one at all.
        """
        view = self._view
        if view is None:
            return False
        start = min(view.selection) if view.selection else (view.transcript.end, 0)
        found = view.transcript.find(text, start, backwards=backwards)
        view.selection = found
        if found is not None:
            view.show(found)
        self._moved()
        return found is not None

    def action_scroll_view(self, pages: int) -> None:
        """Scroll by pages; a row stays in view."""
        self.scroll_rows(pages * max(1, self.size.height - 1))


class _Line(Strip):
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
