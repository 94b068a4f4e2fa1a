"""The columns of a table as the user wants them: which, in which order, how wide. Pure.

One is wanted by its id, or by `id:cells` where it is to have a width of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .columns import Column, R

LEAST, MOST = 3, 200
"""Cells that a column of a width of its own can have."""


def wish(ident: str, width: int) -> str:
    """Return how a column is wanted; *width* in cells, 0: as wide as it needs."""
    return f"{ident}:{width}" if width else ident


def ident_and_width(wanted: str) -> tuple[str, int]:
    """Return the id of a wanted column, and its width in cells, 0 for as wide as it needs."""
    ident, _, cells = wanted.partition(":")
    return ident, int(cells or 0)


def chosen(columns: Sequence[Column[R]], wanted: Sequence[str]) -> tuple[Column[R], ...]:
    """Return those of *columns* that are *wanted*, in that order; where none are said, all."""
    known = {column.id: column for column in columns}
    wishes = (ident_and_width(one) for one in wanted)
    found = tuple(_sized(known[ident], width) for ident, width in wishes if ident in known)
    return found or tuple(columns)


def _sized(column: Column[R], width: int) -> Column[R]:
    if not width:
        return column
    fixed: Any = {"width": width, "most": 0, "fills": False}
    return column.replace(**fixed)
