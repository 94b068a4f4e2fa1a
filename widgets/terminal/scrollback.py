"""What has scrolled off a terminal: packed rows, numbered for life, bounded in lines and bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from .cells import BLANK, Row, rewrap

_BYTES = 48 << 20
"""A bound besides the number of rows: each cell of a row can have a colour of its own."""

_FIXED = 200
"""Bytes that a row takes whatever it holds: the tuple and the heads of its three parts."""


class Scrollback:
    """The rows above the screen, the oldest first.

    A row keeps its number while others come and go: the oldest one held is `first`, and `end` is
    one past the newest. Only another width numbers the rows anew, and leaves `end` as it is. They
    are laid out for it when someone looks at them, not at each step of a resize.
    """

    def __init__(self, limit: int, columns: int) -> None:
        self.limit = limit
        self.columns = columns
        self.end = 0
        """One past the newest row's number."""
        self._rows: deque[Row] = deque()
        self._bytes = 0
        self._laid_out_for = columns

    @property
    def first(self) -> int:
        """The number of the oldest row held."""
        return self.end - len(self)

    def __len__(self) -> int:
        self._lay_out()
        return len(self._rows)

    def append(self, row: Row) -> None:
        """Take the next row, and forget the oldest ones where it gets too much."""
        self._rows.append(row)
        self._bytes += _cost(row)
        self.end += 1
        self._forget()

    def extend(self, rows: Iterable[Row]) -> None:
        """Take several rows."""
        for row in rows:
            self.append(row)

    def row(self, number: int) -> Row:
        """Return a row by its number; a blank one where it is no longer, or not yet, held."""
        index = number - self.first
        return self._rows[index] if 0 <= index < len(self._rows) else BLANK

    def rows(self) -> list[Row]:
        """Return all rows, the oldest first."""
        self._lay_out()
        return list(self._rows)

    def clear(self) -> None:
        """Forget all rows; numbering goes on."""
        self._rows.clear()
        self._bytes = 0

    def _forget(self) -> None:
        while self._rows and (len(self._rows) > self.limit or self._bytes > _BYTES):
            self._bytes -= _cost(self._rows.popleft())

    def _lay_out(self) -> None:
        if self._laid_out_for == self.columns:
            return
        self._laid_out_for = self.columns
        self._rows = deque(rewrap(self._rows, self.columns))
        self._bytes = sum(map(_cost, self._rows))
        self._forget()


def _cost(row: Row) -> int:
    text, shape, styles, _ = row
    wide = 1 if text.isascii() else 4
    return _FIXED + len(text) * wide + len(shape) + len(styles)
