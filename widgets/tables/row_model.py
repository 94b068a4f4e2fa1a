"""Which rows of a table are shown, in which order, and where the cursor is. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic

from .columns import Column, R


class RowModel(Generic[R]):
    """The rows of a table by their keys, filtered and sorted, and the cursor on one of them."""

    def __init__(self, sort: str) -> None:
        """Sort by the id *sort* of a column; "": leave rows as they are given."""
        self.rows: Mapping[str, R] = {}
        """All of them, as they were given."""
        self.keys: list[str] = []
        """Those that are shown, from top to bottom."""
        self.cursor = 0
        """The place of the cursor among them."""
        self.accepts: Callable[[R], bool] | None = None
        """What a row has to be to be shown; None: anything."""
        self.sort = sort
        self.descending = False
        self.regroup: Callable[[list[str]], list[str]] | None = None
        """What becomes of the keys once they are sorted; None: they stay so."""
        self.group: Callable[[R], Any] | None = None
        """What rows are sorted by before all else, whichever way round the rest is."""

    def take(self, rows: Mapping[str, R]) -> list[str] | None:
        """Take other rows. Return the keys of what has changed; None where nothing has at all."""
        before = self.rows
        changed = [key for key, row in rows.items() if not same(before.get(key), row)]
        self.rows = rows
        if not changed and len(rows) == len(before) and list(rows) == list(before):
            return None
        return changed

    def sort_by(self, column: Column[R]) -> None:
        """Sort by a column from now on; a second time, the other way round."""
        again = self.sort == column.id
        self.descending = not self.descending if again else column.biggest_first
        self.sort = column.id

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self.keys[self.cursor] if self.keys else None

    def move(self, index: int) -> tuple[int, int]:
        """Put the cursor on the row at *index*, or the nearest; return where it was and is."""
        before = self.cursor
        self.cursor = max(0, min(index, len(self.keys) - 1))
        return before, self.cursor

    def arrange(self, columns: Sequence[Column[R]]) -> bool:
        """Filter and sort; say whether other keys, or the same in another order, are shown.

        The cursor stays on its key; where that is gone, on the place it had.
        """
        keys = self._arranged(columns)
        if keys == self.keys:
            return False
        key = self.cursor_key
        self.keys = keys
        try:
            self.cursor = keys.index(key) if key is not None else 0
        except ValueError:
            self.move(self.cursor)
        return True

    def _arranged(self, columns: Sequence[Column[R]]) -> list[str]:
        rows, accepts = self.rows, self.accepts
        keys = list(rows) if accepts is None else [key for key in rows if accepts(rows[key])]
        column = next((one for one in columns if one.id == self.sort), None)
        if column is not None:
            order = column.order
            keys.sort(key=lambda key: order(rows[key]), reverse=self.descending)
        group = self.group
        if group is not None:
            keys.sort(key=lambda key: group(rows[key]))
        return self.regroup(keys) if self.regroup else keys


def same(one: R | None, other: R | None) -> bool:
    """Tell whether two rows say the same."""
    return one is other or one == other
