"""What the rows of a table are searched for: words that have to stand in their cells. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from ...core.text import safe
from .columns import Column, R

_LONGEST = 4000
"""Cells of a text that is searched."""


class Searching(Generic[R]):
    """One search; "" finds all."""

    def __init__(self, text: str = "") -> None:
        self.words = tuple(text.casefold().split())
        """What is looked for, in lower case."""
        self._text = text

    def finds(self, row: R, columns: Sequence[Column[R]]) -> bool:
        """Tell whether each of the words stands in a cell of *row*."""
        cells = (safe(column.cell(row, _LONGEST)[0]) for column in columns)
        text = "\n".join(cells).casefold()
        return all(word in text for word in self.words)

    @property
    def hint(self) -> tuple[str, ...]:
        """What is to be said where nothing is found."""
        return (f"nothing matches {self._text}", "Esc shows all again")
