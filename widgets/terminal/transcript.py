"""Scrollback and screen of a terminal as one text: reading, selecting. Knows no Textual.

A place is `(row, cell)`: the row by its number for life (`Scrollback`), the screen's rows coming
after the newest one of the scrollback. A span is two places, the second one excluded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from . import cells
from .cells import Row
from .scrollback import Scrollback

Place = tuple[int, int]
Span = tuple[Place, Place]

_WORD = frozenset("-_./~:@%+#=?&,")
"""What a double click takes besides letters and digits, for paths and addresses."""


class Screen(Protocol):
    """What is read: an `Emulator`."""

    history: Scrollback

    @property
    def rows(self) -> int:
        """Rows of the screen."""

    def row(self, y: int) -> Row:
        """One of them."""


class Transcript:
    """Everything a terminal shows and has shown, as far as it is kept."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    @property
    def first(self) -> int:
        """The number of the oldest row."""
        return self.screen.history.first

    @property
    def end(self) -> int:
        """One past the number of the last row of the screen."""
        return self.screen.history.end + self.screen.rows

    def row(self, number: int) -> Row:
        """Return a row by its number; a blank one where there is none."""
        history = self.screen.history
        if number < history.end:
            return history.row(number)
        return self.screen.row(number - history.end)

    def text(self) -> str:
        """Return all of it, without the blank rows at the end; wrapped rows are one line again."""
        lines = ["".join(row[0] for row in line).rstrip() for line in self._lines()]
        while lines and not lines[-1]:
            lines.pop()
        return "".join(f"{line}\n" for line in lines)

    def text_of(self, span: Span) -> str:
        """Return the text of a span; a line that was wrapped comes without the breaks."""
        (first, start), (last, stop) = sorted(span)
        parts: list[str] = []
        for number in range(max(first, self.first), min(last + 1, self.end)):
            row = self.row(number)
            left = start if number == first else 0
            right = stop if number == last else max(cells.row_width(row), left)
            parts.append(cells.cut(row, left, right))
            if number != last and not row[3]:
                parts.append("\n")
        return "".join(parts)

    def word_at(self, place: Place) -> Span:
        """Return the word at a place: what a double click takes. One cell where there is none."""
        number, cell = place
        row = self.row(number)
        width = cells.row_width(row)
        start, stop = cells.whole(row, cell, cell + 1)
        if not _is_word(cells.cut(row, start, stop)):
            return (number, start), (number, stop)
        while start > 0 and _is_word(cells.cut(row, start - 1, start)):
            start -= 1
        while stop < width and _is_word(cells.cut(row, stop, stop + 1)):
            stop += 1
        return (number, start), (number, stop)

    def line_at(self, number: int) -> Span:
        """Return the whole line, all the rows that it was wrapped over, at a row."""
        first = last = number
        while first > self.first and self.row(first - 1)[3]:
            first -= 1
        while last < self.end - 1 and self.row(last)[3]:
            last += 1
        return (first, 0), (last, cells.row_width(self.row(last)))

    def all_rows(self) -> list[Row]:
        """Return every row, the oldest first."""
        rows = self.screen.history.rows()
        rows += [self.screen.row(y) for y in range(self.screen.rows)]
        return rows

    def _lines(self) -> Iterator[list[Row]]:
        """Yield the lines, each as its rows."""
        line: list[Row] = []
        for row in self.all_rows():
            line.append(row)
            if not row[3]:
                yield line
                line = []
        if line:
            yield line


def _is_word(text: str) -> bool:
    return bool(text) and (text[0].isalnum() or text[0] in _WORD)
