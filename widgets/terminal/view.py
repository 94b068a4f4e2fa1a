"""What a terminal's widget shows: which rows, the selection and the cursor, as Textual's strips."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from . import cells
from .cells import Row
from .colors import Palette
from .emulator import Emulator
from .search import Match, Search
from .transcript import Place, Span, Transcript

_MOST_STRIPS = 512
_MOST_SEGMENTS = 32
"""A line with more is made anew each time: kept ones would be work for the garbage collector."""
_REVERSE = Style(reverse=True)
_NOT_REVERSE = Style(reverse=False)
_UNDERLINE = Style(underline=True)
_FOUND = Style(bold=True, underline=True)
"""As the tables mark what a filter has found: seen in every theme, and without colours."""


class View:
    """A window of `rows` rows on scrollback and screen, following the end unless scrolled up."""

    def __init__(self, emulator: Emulator, palette: Palette) -> None:
        self.emulator = emulator
        self.transcript = Transcript(emulator)
        self.selection: Span | None = None
        self.search: Search | None = None
        """What is looked for."""
        self._began: tuple[int | None, int] | None = None
        """What was shown when that began: as `_top` has it, and as a row."""
        self._palette = palette
        self._top: int | None = None
        self._strips: dict[tuple[Row, int, bool], Strip] = {}

    @property
    def palette(self) -> Palette:
        """The colours to show it in."""
        return self._palette

    @palette.setter
    def palette(self, palette: Palette) -> None:
        self._palette = palette
        self._strips.clear()

    # --- scrolling --- #

    @property
    def top(self) -> int:
        """The number of the row that is shown first."""
        history = self.emulator.history
        if self._top is None:
            return history.end
        return max(self._top, history.first)

    @property
    def scrolled(self) -> int:
        """How many rows the view is above the end; 0 while it follows."""
        return self.emulator.history.end - self.top

    def scroll(self, rows: int) -> bool:
        """Move down by *rows*, up if negative. Say whether that changed anything."""
        before = self.top
        history = self.emulator.history
        top = max(before + rows, history.first)
        self._top = None if top >= history.end else top
        return self.top != before

    def follow(self) -> bool:
        """Go back to the end. Say whether that changed anything."""
        was = self._top is not None
        self._top = None
        return was

    def show(self, span: Span) -> None:
        """Scroll so far that a span can be seen."""
        number = min(span)[0]
        if not self.top <= number < self.top + self.emulator.rows:
            self.scroll(number - self.emulator.rows // 2 - self.top)

    def place(self, x: int, y: int) -> Place:
        """Return the place that is shown at a cell of the view."""
        return self.top + y, x

    # --- selecting --- #

    @property
    def selected_text(self) -> str:
        """The text that is selected, or nothing."""
        return "" if self.selection is None else self.transcript.text_of(self.selection)

    def shown_text(self, height: int) -> str:
        """Return the text of what is shown in *height* rows."""
        return self.transcript.text_of(((self.top, 0), (self.top + height, 0))).rstrip()

    def begin_selection(self, x: int, y: int) -> None:
        """Select from a cell of the view on: nothing yet."""
        place = self.place(x, y)
        self.selection = (place, place)

    def select_to(self, x: int, y: int, width: int, height: int) -> None:
        """Select as far as a cell of the view, of that size; scroll where it is outside of it."""
        assert self.selection is not None
        if y < 0 or y >= height:
            self.scroll(-1 if y < 0 else 1)
        y = min(max(y, 0), height - 1)
        anchor = self.selection[0]
        place = self.place(min(max(x, 0), width), y)
        if place >= anchor:
            place = (place[0], place[1] + 1)
        self.selection = (anchor, place)

    # --- searching --- #

    def find(self, text: str) -> Match | None:
        """Look for *text*: mark it everywhere, show the nearest place above the end of the view.

        The view follows no more. Another text is looked for from where the first one was; "" goes
        back there.
        """
        began = self._began or (self._top, self.top)
        if not text:
            self.end_search(back=True)
            return None
        self._began, self._top = began, began[1]
        self.search = Search(self.transcript, text)
        return self.step(backwards=True)

    def step(self, *, backwards: bool) -> Match | None:
        """Show the place before, or after, the one that is shown. None where there is none."""
        search = self.search
        if search is None:
            return None
        start = search.at[0] if search.at else (self.top + self.emulator.rows, 0)
        match = search.step(start, backwards=backwards)
        if match is not None:
            self.show(match.span)
            self._top = self.top  # at the end, too, it stays
        return match

    def end_search(self, *, back: bool = False) -> None:
        """Look for nothing; *back*: and show again what was shown before."""
        if back and self._began:
            self._top = self._began[0]
        self.search = self._began = None

    def number_anew(self) -> None:
        """Forget all places: rows have other numbers than before. The end is shown."""
        self.selection = self._began = None
        if self.search is not None:
            self.search.at = None
        self.follow()

    # --- painting --- #

    def row(self, y: int) -> Row:
        """Return the row that is shown at *y*."""
        return self.transcript.row(self.top + y)

    def cursor(self) -> tuple[int, int] | None:
        """Return where the cursor is shown, if it is."""
        cursor = self.emulator.cursor
        if cursor is None:
            return None
        x, y = cursor[0], cursor[1] + self.scrolled
        return (x, y) if y < self.emulator.rows else None

    def strip(self, y: int, width: int, *, focused: bool) -> Strip:
        """Return the strip of line *y*, `width` cells wide."""
        row, number = self.row(y), self.top + y
        strip = self._strip(row, width)
        for start, stop in self.search.marks(number) if self.search else ():
            strip = _restyle(strip, start, min(stop, width), _FOUND)
        for chosen in (self.search.at if self.search else None, self.selection):
            span = _cells_of(chosen, number, row)
            if span is not None:
                strip = _restyle(strip, *span, _REVERSE)
        cursor = self.cursor()
        if cursor is not None and cursor[1] == y and cursor[0] < width:
            start, stop = cells.whole(row, cursor[0], cursor[0] + 1)
            block = focused and self.emulator.cursor_shape == "block"
            strip = _restyle(strip, start, min(stop, width), _REVERSE if block else _UNDERLINE)
        return strip

    def _strip(self, row: Row, width: int) -> Strip:
        key = (row, width, self.emulator.reversed)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._make(row, width)
            if cells.run_count(row) <= _MOST_SEGMENTS:
                if len(self._strips) >= _MOST_STRIPS:
                    self._strips.clear()
                self._strips[key] = strip
        return strip

    def _make(self, row: Row, width: int) -> Strip:
        style = self._palette.style
        flip = cells.REVERSE if self.emulator.reversed else 0
        segments = [Segment(text, style(code ^ flip)) for text, code, _ in cells.runs(row)]
        missing = width - cells.row_width(row)
        if missing > 0:
            segments.append(Segment(" " * missing, style(flip)))
        strip = Strip(segments, max(width, cells.row_width(row)))
        return strip if missing >= 0 else strip.crop(0, width)


def _cells_of(span: Span | None, number: int, row: Row) -> tuple[int, int] | None:
    """Return the cells of a row that belong to a span, as (start, stop); None for none."""
    if span is None:
        return None
    (first, start), (last, stop) = sorted(span)
    if not first <= number <= last:
        return None
    width = cells.row_width(row)
    left = start if number == first else 0
    right = min(stop, width) if number == last else width
    left, right = cells.whole(row, left, right)
    return (left, right) if left < right else None


def _restyle(strip: Strip, start: int, stop: int, style: Style) -> Strip:
    """Put a style over some cells; reverse video of what is reversed already is normal video."""
    before, middle, after = (
        strip.crop(0, start),
        strip.crop(start, stop),
        strip.crop(stop, strip.cell_length),
    )
    segments = []
    for text, own, control in middle:
        over = _NOT_REVERSE if style is _REVERSE and own is not None and own.reverse else style
        segments.append(Segment(text, over if own is None else own + over, control))
    return Strip([*before, *segments, *after], strip.cell_length)
