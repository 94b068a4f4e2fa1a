"""A text that is looked for in a terminal, or in other rows: where it stands, which place is shown.

Knows no Textual.

A look goes over all that is kept, as strings: of 10,000 rows of 200 cells it takes 10 to 30 ms, and
is done within a key. In a flood what is kept changes all the time, so nothing is remembered of it
but the one place that is shown.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Protocol

from ...core.value import Value
from . import cells
from .cells import Row
from .transcript import Place, Span


class Lines(Protocol):
    """What is looked through: a `Transcript`, or others that have rows."""

    @property
    def first(self) -> int:
        """The number of the oldest row."""

    def row(self, number: int) -> Row:
        """Return a row by its number; a blank one where there is none."""

    def all_rows(self) -> list[Row]:
        """Return every row, the oldest first."""


class Match(Value):
    """One place of many: it is number `number`, from 1 on, of `of`."""

    span: Span
    number: int
    of: int


class Search:
    """Looks for *text* in a transcript. Capitals count only where *text* has some."""

    def __init__(self, transcript: Lines, text: str) -> None:
        self._transcript = transcript
        self.text = text
        self._fold = text == text.lower()
        self.at: Span | None = None
        """The place that is shown."""

    def step(self, start: Place, *, backwards: bool) -> Match | None:
        """Go to the nearest place before or after *start*, and round at the end.

        None where the text is nowhere.
        """
        match = self._nearest(start, backwards=backwards)
        self.at = match.span if match else None
        return match

    def _nearest(self, start: Place, *, backwards: bool) -> Match | None:
        counts = self._counts()
        numbers = [number for number, count in enumerate(counts, self._transcript.first) if count]
        if not numbers:
            return None
        spans = list(self._beginning_in(start[0]))
        if backwards:
            spans = [span for span in spans if span[0] < start]
            at = bisect_left(numbers, start[0]) - 1  # -1 is the last one: round
        else:
            spans = [span for span in spans if span[0] > start]
            at = bisect_right(numbers, start[0]) % len(numbers)
        if not spans:
            spans = list(self._beginning_in(numbers[at]))
        span = spans[-1 if backwards else 0]
        sums = list(accumulate(counts, initial=0))
        before = sum(one[0] < span[0] for one in self._beginning_in(span[0][0]))
        return Match(span, sums[span[0][0] - self._transcript.first] + before + 1, sums[-1])

    def marks(self, number: int) -> list[tuple[int, int]]:
        """Return the cells of a row that belong to a place of the text, as (start, stop)."""
        transcript = self._transcript
        first, missing = number, len(self.text) - 1
        while missing > 0 and first > transcript.first and transcript.row(first - 1)[3]:
            first -= 1
            missing -= len(transcript.row(first)[0])
        width = cells.row_width(transcript.row(number))
        found = []
        for one in range(first, number + 1):
            for (top, start), (bottom, stop) in self._beginning_in(one):
                if bottom >= number:
                    left = start if top == number else 0
                    found.append((left, stop if bottom == number else width))
        return found

    def _counts(self) -> list[int]:
        """Return how many places begin in each row."""
        rows = self._transcript.all_rows()
        text, fold = self.text, self._fold
        counts = []
        for index, row in enumerate(rows):
            if row[3]:  # it goes on in the next one, and so may a place that begins in it
                content = self._content(rows[index : index + len(text) + 1])
            else:
                content = _folded(row[0]) if fold else row[0]
            counts.append(content.count(text))
        return counts

    def _beginning_in(self, number: int) -> Iterator[Span]:
        """Yield the places that begin in a row, in order."""
        text = self.text
        rows = [self._transcript.row(number)]
        missing = len(text) - 1
        while rows[-1][3] and missing > 0:
            rows.append(self._transcript.row(number + len(rows)))
            missing -= len(rows[-1][0])
        content = self._content(rows)
        at = content.find(text)
        while at >= 0:
            row, cell = _place(rows, at + len(text) - 1)
            yield (number, cells.cell_of(rows[0], at)), (number + row, cell + 1)
            at = content.find(text, at + len(text))

    def _content(self, rows: list[Row]) -> str:
        """Return the text of the first of *rows*, and what a place that begins in it may need."""
        content = rows[0][0]
        most = len(content) + len(self.text) - 1
        for before, row in pairwise(rows):
            if not before[3] or len(content) >= most:
                break
            content += row[0]
        content = content[:most]
        return _folded(content) if self._fold else content


def _folded(text: str) -> str:
    lower = text.lower()
    return lower if len(lower) == len(text) else text


def _place(rows: list[Row], point: int) -> Place:
    """Return in which of *rows*, and which its last cell is, a code point of them all stands."""
    for index, row in enumerate(rows):
        if point < len(row[0]):
            start = cells.cell_of(row, point)
            return index, cells.whole(row, start, start + 1)[1] - 1
        point -= len(row[0])
    return len(rows) - 1, cells.row_width(rows[-1]) - 1
