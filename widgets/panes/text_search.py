"""What is looked for in a text that is laid out as it is painted: its places, and their marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from textual.content import Content

from ..terminal.search import Match, Search
from .output_lines import OutputLines

Lines = Sequence[Content]

_FOUND, _SHOWN = "bold underline", "bold underline reverse"
"""Seen in every theme, and without colours."""


class TextSearch:
    """One search, or none, in what *lines* returns: all of the text as it is now, safe."""

    def __init__(self, lines: Callable[[], Lines]) -> None:
        self._lines = lines
        self._texts = OutputLines(0)
        self._search: Search | None = None

    @property
    def sought(self) -> str:
        """What is looked for; "" for nothing."""
        return self._search.text if self._search else ""

    def find(self, text: str, line: int) -> Match | None:
        """Look for *text*, the nearest place from *line* on; None where there is none."""
        self._search = Search(self._texts, text) if text else None
        return self._step((line, -1), backwards=False)

    def step(self, *, backwards: bool) -> Match | None:
        """Return the place before, or after, the one that is shown; round at the end."""
        at = self._search.at if self._search else None
        return self._step(at[0] if at else (0, -1), backwards=backwards)

    def _step(self, start: tuple[int, int], *, backwards: bool) -> Match | None:
        if self._search is None:
            return None
        self._look()
        return self._search.step(start, backwards=backwards)

    def marked(self, first: int, lines: Lines) -> Iterator[Content]:
        """Yield *lines*, of which the first is number *first* of all, with the places marked."""
        search = self._search
        if search is None:
            yield from lines
            return
        self._look()
        shown = search.at[0] if search.at else None
        for number, line in enumerate(lines, first):
            for start, stop in search.marks(number):
                style = _SHOWN if shown == (number, start) else _FOUND
                line = line.stylize(style, start, stop)
            yield line

    def _look(self) -> None:
        self._texts.texts = [line.plain for line in self._lines()]
