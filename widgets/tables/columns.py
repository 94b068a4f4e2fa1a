"""The columns of a table, and how they share its width. Pure; knows no widget.

A table is never wider than its place: columns that do not fit are left out, the least important
first, so there is nothing to scroll sideways and nothing is half there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from ...core.value import Value
from ..text.fitting import width_of
from ..text.states import Cell

R = TypeVar("R")

_NARROW_GAP, _WIDE_GAP = 1, 2


class Column(Value, Generic[R]):
    """One column of a table of R."""

    id: str
    title: str
    cell: Callable[[R, int], Cell]
    """What stands in it, for a row and a width. The text may be foreign, and too long."""
    order: Callable[[R], Any]
    """What rows are sorted by."""
    width: int
    """The cells it takes at least, one more than its title; 0: it is left out where nothing stands
    in it."""
    most: int = 0
    """It grows as far as what stands in it needs, but not beyond this."""
    right: bool = False
    """Numbers stand at the right."""
    rank: int = 0
    """Its importance: the column with the highest rank is left out first."""
    spare: bool = False
    """It is shown only where all others have what they need."""
    fills: bool = False
    """It takes the width that is left."""
    biggest_first: bool = False
    """Sorting by it begins with the biggest."""

    def needs(self, row: R) -> int:
        """Return the width that *row* needs here."""
        wide = width_of(self.cell(row, self.most)[0]) if self.most else self.width
        return max(wide, width_of(self.title)) if wide else 0


class Placed(Value, Generic[R]):
    """A column that is shown: where it begins and how wide it is."""

    column: Column[R]
    start: int
    width: int


def place(
    columns: Sequence[Column[R]], needs: Mapping[str, int], start: int, stop: int
) -> tuple[Placed[R], ...]:
    """Lay *columns* out between the cells *start* and *stop*, in their order.

    *needs* has the width that the content of growing columns needs. What does not fit at its
    least width is left out, and everything of higher rank with it.
    """
    chosen = _chosen(columns, needs, stop - start)
    widths = {column.id: column.width for column in chosen}
    left = stop - start - sum(widths.values()) - _NARROW_GAP * (len(chosen) - 1)
    for column in sorted(chosen, key=lambda one: one.rank):
        more = min(left, min(needs.get(column.id, 0), column.most) - column.width)
        if more > 0:
            widths[column.id] += more
            left -= more
    gap = _NARROW_GAP
    if left >= (_WIDE_GAP - _NARROW_GAP) * (len(chosen) - 1):
        gap = _WIDE_GAP
        left -= (_WIDE_GAP - _NARROW_GAP) * (len(chosen) - 1)
    placed = []
    for column in chosen:
        width = widths[column.id] + (left if column.fills else 0)
        placed.append(Placed(column, start, width))
        start += width + gap
    return tuple(placed)


def _chosen(columns: Sequence[Column[R]], needs: Mapping[str, int], width: int) -> list[Column[R]]:
    chosen: set[str] = set()
    least = most = -_NARROW_GAP
    for column in sorted(columns, key=lambda one: one.rank):
        if not column.width and not needs.get(column.id):
            continue
        least += column.width + _NARROW_GAP
        most += max(column.width, min(needs.get(column.id, 0), column.most)) + _NARROW_GAP
        if chosen and (most if column.spare else least) > width:
            break
        chosen.add(column.id)
    return [column for column in columns if column.id in chosen]


class Layout(Generic[R]):
    """The columns of one table as they stand now; `placed` has those that are shown.

    What growing columns need is noted row by row, so that one changed row is measured alone.
    """

    def __init__(self, columns: Sequence[Column[R]], start: int) -> None:
        """Columns from the cell *start* on."""
        self.columns = tuple(columns)
        self.placed: tuple[Placed[R], ...] = ()
        self._start = start
        self._needs: dict[str, dict[str, int]] = {}

    def use(self, columns: Sequence[Column[R]]) -> None:
        """Take other columns, or the same in another order; they are to be measured then."""
        self.columns = tuple(columns)
        self._needs.clear()

    def measure(self, rows: Mapping[str, R], changed: Iterable[str]) -> None:
        """Note what growing columns need for *rows*, of which those of the keys *changed* have."""
        for column in self.columns:
            if column.most:
                needs = self._needs.setdefault(column.id, {})
                for key in changed:
                    needs[key] = column.needs(rows[key])
                if len(needs) > len(rows):
                    for key in needs.keys() - rows.keys():
                        del needs[key]

    def lay_out(self, width: int) -> bool:
        """Place the columns in a line of *width* cells; say whether any stands elsewhere now."""
        needs = {name: max(each.values(), default=0) for name, each in self._needs.items()}
        placed = place(self.columns, needs, self._start, width)
        moved = placed != self.placed
        self.placed = placed
        return moved

    def at(self, x: int) -> Column[R] | None:
        """Return the column that stands at the cell *x*, with the gap before it."""
        return next(
            (one.column for one in self.placed if one.start - 1 <= x < one.start + one.width), None
        )
