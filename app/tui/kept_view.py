"""How the list was grouped and what of it was folded, kept over the next start (XDG_STATE_HOME).

No setting: it changes with a key that one presses without a thought, and a file that somebody
writes by hand is no place for that.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

from ...core import json_values
from ...core.kernel import answering, small_file
from ...core.kernel.rootpath import Root
from ...widgets.tables.heads import Grouping
from ..paths import view_file

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST = 1 << 18
"""Bytes; more is none of ours, or no use."""


def load() -> Grouping:
    """Return what is kept. Raises nothing: where it can't be read it is as one expects."""
    path = view_file()
    try:
        data = answering.look(
            path, lambda: small_file.read(path, limit=_LARGEST), seconds=answering.LOOK
        )
        said = json_values.document(data)
        way = said.get("below")
        folded = frozenset(json_values.texts(said, "folded"))
    except (OSError, ValueError):
        return Grouping()
    return Grouping(way if isinstance(way, str) else None, folded)


def _save(grouping: Grouping) -> None:
    """Keep it. Raises OSError."""
    path = view_file()
    said = {"below": grouping.way, "folded": sorted(grouping.folded)}

    def write() -> None:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with Root("/") as root:
            root.write(path, json.dumps(said).encode(), 0o600, is_synced=False)

    answering.look(path, write, seconds=answering.LOOK)


class KeptView:
    """Keeps what *now* returns, one writing at a time: the last is the one that stays."""

    def __init__(self, now: Callable[[], Grouping]) -> None:
        self._now = now
        self._writing = asyncio.Lock()

    async def keep(self) -> None:
        """Keep what is so now. Where that fails it is as it was at the next start: no harm."""
        async with self._writing:
            try:
                await asyncio.to_thread(_save, self._now())
            except OSError:
                pass
