"""The chroots of many machines as a tree: a row above those of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .chroot_columns import HEAD, ChrootRow, Head

if TYPE_CHECKING:
    from ...core.looking.watch import Machine

MANY = 4
"""Other machines from which on it is a tree; of fewer the column *Host* tells enough."""


def is_tree(machines: tuple[Machine, ...]) -> bool:
    """Tell whether these are many."""
    return len(machines) >= MANY


def tree(
    rows: Mapping[str, ChrootRow], machines: tuple[Machine, ...], folded: frozenset[str]
) -> Mapping[str, ChrootRow]:
    """Return *rows* with heads of their machines; the same where these are few."""
    if not is_tree(machines):
        return rows
    counts: dict[str, int] = {}
    for row in rows.values():
        counts[row.status.host] = counts.get(row.status.host, 0) + 1
    heads = [Head(m.name, counts.get(m.name, 0), m, m.name in folded) for m in machines]
    if "" in counts:
        heads.insert(0, Head("", counts[""], None, "" in folded))
    found = {HEAD + head.name: head.row() for head in heads}
    return found | dict(rows)
