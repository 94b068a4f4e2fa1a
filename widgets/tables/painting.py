"""The lines of a table as they are painted: header, rows, the hint of an empty one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Generic

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..text.fitting import fit, width_of, wrap
from .columns import Placed, R

_MARK = "✓"
_FOUND = Style(bold=True, underline=True)
"""Seen in every theme, and without colours."""
_UP, _DOWN = "▲", "▼"


class Painter(Generic[R]):
    """Makes strips. *style* returns the style of a table's component class by its name."""

    def __init__(self, style: Callable[[str], Style]) -> None:
        self._style = style
        self.words: tuple[str, ...] = ()
        """What is marked where it stands, in lower case."""

    def row(
        self, row: R, columns: Sequence[Placed[R]], width: int, *, at_cursor: bool, marked: bool
    ) -> Strip:
        """Return the line of a row."""
        plain = self._style("cursor" if at_cursor else "")
        lead = columns[0].start if columns else 0
        mark = _MARK if marked else ""
        segments = [Segment(mark.ljust(lead), plain if at_cursor else self._style("accent"))]
        at = lead
        for placed in columns:
            text, tone = placed.column.cell(row, placed.width)
            if placed.start > at:
                segments.append(Segment(" " * (placed.start - at), plain))
            style = plain if at_cursor or not tone else self._style(tone)
            text = fit(text, placed.width, right=placed.column.right)
            segments += marked_words(text, self.words, style)
            at = placed.start + placed.width
        return Strip(segments).adjust_cell_length(width, plain)

    def header(
        self, columns: Sequence[Placed[R]], width: int, *, sort: str, descending: bool
    ) -> Strip:
        """Return the line of titles; that of the column *sort* has a sign."""
        plain = self._style("header")
        segments = []
        at = 0
        for placed in columns:
            column = placed.column
            title, style = column.title, plain
            if column.id == sort:
                # Right beside its title, and a blank apart from the next one.
                title = fit(title, min(width_of(title), placed.width - 1))
                sign = _DOWN if descending else _UP
                title = f"{sign}{title}" if column.right else f"{title}{sign}"
                style = self._style("sorted")
            segments.append(Segment(" " * (placed.start - at), plain))
            segments.append(Segment(fit(title, placed.width, right=column.right), style))
            at = placed.start + placed.width
        return Strip(segments).adjust_cell_length(width, plain)

    def hint(self, paragraphs: Sequence[str], line: int, width: int) -> Strip:
        """Return a line of what an empty table says; a blank one above and below it."""
        lines = hint_lines(paragraphs, width)
        plain = self._style("")
        if not 0 <= line < len(lines):
            return Strip.blank(width, plain)
        text = Segment("  " + lines[line], self._style("hint"))
        return Strip([text]).adjust_cell_length(width, plain)


def marked_words(text: str, words: Sequence[str], style: Style) -> list[Segment]:
    """Return *text* in *style*, with each of *words* in it marked, whatever its case."""
    folded = text.casefold()
    if not words or len(folded) != len(text) or not any(word in folded for word in words):
        return [Segment(text, style)]
    pattern = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    segments, at = [], 0
    for found in re.finditer(pattern, folded):
        segments += [
            Segment(text[at : found.start()], style),
            Segment(text[found.start() : found.end()], style + _FOUND),
        ]
        at = found.end()
    return [*segments, Segment(text[at:], style)]


def hint_lines(paragraphs: Sequence[str], width: int) -> list[str]:
    """Return what an empty table says, wrapped, with a blank line after each paragraph."""
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += [*wrap(paragraph, width - 4), ""]
    return lines
