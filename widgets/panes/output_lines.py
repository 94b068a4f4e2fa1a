"""The lines of a job's output as a search wants them, and what is painted of them. No Textual."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style

from ...core.text import safe
from ..terminal.cells import BLANK, Row

Painted = tuple[int, int, Style]
"""(start, stop, style): code points of a line that have a style of their own."""


class OutputLines:
    """The last *most* lines, safe; each has its number for life, so that a search finds it again.

    A row's cells are code points here: there is nothing that would have to be packed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.texts: list[str] = []
        """What is kept, the oldest first."""
        self.first = 0
        """The number of the oldest line."""

    def add(self, lines: Iterable[str]) -> list[str]:
        """Add lines, unsafe as they are; return them as they are kept."""
        new = [safe(line.rstrip("\r\n").expandtabs()) for line in lines]
        self.texts += new
        dropped = max(0, len(self.texts) - self._most)
        del self.texts[:dropped]
        self.first += dropped
        return new

    def row(self, number: int) -> Row:
        """Return a line by its number; a blank one where there is none."""
        index = number - self.first
        return _row(self.texts[index]) if 0 <= index < len(self.texts) else BLANK

    def all_rows(self) -> list[Row]:
        """Return every line."""
        return [_row(text) for text in self.texts]


def _row(text: str) -> Row:
    return text, b"", b"", False


def segments(text: str, style: Style, painted: Sequence[Painted]) -> list[Segment]:
    """Return a line in *style*, with what is *painted* over it; later ones lie above."""
    edges = sorted({0, len(text), *(edge for start, stop, _ in painted for edge in (start, stop))})
    found = []
    for start, stop in pairwise(edges):
        own = style
        for left, right, over in painted:
            if left <= start and stop <= right:
                own += over
        found.append(Segment(text[start:stop], own))
    return found
