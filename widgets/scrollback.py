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
    one past the newest. Only `lay_out` numbers anew.
    """

    def __init__(self, limit: int, columns: int) -> None:
        self.limit = limit
        self.columns = columns
        self.first = 0
        self._rows: deque[Row] = deque()
        self._bytes = 0

    @property
    def end(self) -> int:
        """One past the newest row's number."""
        return self.first + len(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def append(self, row: Row) -> None:
        """Take the next row, and forget the oldest ones where it gets too much."""
        self._rows.append(row)
        self._bytes += _cost(row)
        while self._rows and (len(self._rows) > self.limit or self._bytes > _BYTES):
            self._bytes -= _cost(self._rows.popleft())
            self.first += 1

    def extend(self, rows: Iterable[Row]) -> None:
        """Take several rows."""
        for row in rows:
            self.append(row)

    def pop(self) -> Row:
        """Give the newest row back; raises IndexError where there is none."""
        row = self._rows.pop()
        self._bytes -= _cost(row)
        return row

    def row(self, number: int) -> Row:
        """Return a row by its number; a blank one where it is no longer, or not yet, held."""
        index = number - self.first
        return self._rows[index] if 0 <= index < len(self._rows) else BLANK

    def rows(self) -> list[Row]:
        """Return all rows, the oldest first."""
        return list(self._rows)

    def clear(self) -> None:
        """Forget all rows; numbering goes on."""
        self.first = self.end
        self._rows.clear()
        self._bytes = 0

    def lay_out(self, columns: int) -> None:
        """Lay all lines out at another width. Rows are numbered anew, `end` stays."""
        if columns == self.columns:
            return
        self.columns = columns
        end = self.end
        self._rows = deque(rewrap(self._rows, columns), maxlen=None)
        while len(self._rows) > self.limit:
            self._rows.popleft()
        self._bytes = sum(map(_cost, self._rows))
        self.first = end - len(self._rows)


def _cost(row: Row) -> int:
    text, shape, styles, _ = row
    wide = 1 if text.isascii() else 4
    return _FIXED + len(text) * wide + len(shape) + len(styles)
