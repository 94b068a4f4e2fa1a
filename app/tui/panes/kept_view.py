"""How the list was grouped and what of it was folded, kept over the next start (XDG_STATE_HOME).

No setting: it changes with a key that one presses without a thought, and a file that somebody
writes by hand is no place for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core import json_values
from ....widgets.tables.group_heads import Grouping
from ... import state_file
from ...paths import view_file
from ..threads.latest_writing import LatestWriting

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST = 1 << 18
"""Bytes; more is none of ours, or no use."""


def load() -> Grouping:
    """Return what is kept. Raises nothing: where it can't be read it is as one expects."""
    said = state_file.read(view_file(), _LARGEST)
    way = said.get("below")
    try:
        folded = frozenset(json_values.texts(said, "folded"))
    except ValueError:
        return Grouping()
    return Grouping(way if isinstance(way, str) else None, folded)


def _save(grouping: Grouping) -> None:
    """Keep it. Raises OSError."""
    said = {"below": grouping.way, "folded": sorted(grouping.folded)}
    state_file.write(view_file(), said)


class KeptView:
    """Keeps what *now* returns."""

    def __init__(self, now: Callable[[], Grouping]) -> None:
        self._now = now
        self._writing = LatestWriting(_save)

    def keep(self) -> None:
        """Keep what is so now."""
        self._writing.keep(self._now())
