"""What keys did, kept over the next start (XDG_STATE_HOME): to look up and to copy.

Not what takes it back or does it once more: for that the chroot would have to be as it was then.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from ....core import json_values
from ....core.text import safe
from ....widgets.done_command import DoneCommand
from ....widgets.job_status import CANCELLED, DONE, FAILED, RUNNING
from ... import state_file
from ...paths import commands_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MOST = 200
_LARGEST = 1 << 22
"""Bytes; more is none of ours, or no use."""
_LONGEST = 4096
"""Characters of a line, or of how it ended, that are worth keeping."""
_EARLIER = "it is of an earlier session"
_saving = threading.Lock()
"""Held from the reading to the writing: at the end of the UI another thread may be at it."""


def load() -> tuple[DoneCommand, ...]:
    """Return what is kept, the first first; nothing where it can't be read. Raises nothing."""
    found = []
    said = state_file.read(commands_file(), _LARGEST).get("commands")
    for one in said if isinstance(said, list) else ():
        try:
            found.append(_read(one))
        except (ValueError, TypeError, AttributeError):
            continue  # none of ours
    return tuple(found)


def _read(one: dict[str, Any]) -> DoneCommand:
    name, state, said = (json_values.text(one, key) for key in ("name", "state", "said"))
    started, ended = (json_values.number(one, key) for key in ("started", "ended"))
    lines = tuple(safe(line) for line in json_values.texts(one, "lines"))
    if not lines or state not in (DONE, FAILED, CANCELLED):
        raise ValueError("it is none that is over")
    return DoneCommand(0, lines, name, state, said, started, ended, _EARLIER, is_past=True)


def _save(over: Sequence[DoneCommand]) -> None:
    """Keep the latest of these, the first first, and of what is kept by now. Raises OSError.

    Another UI may have kept something meanwhile.
    """
    both = {(one.started, _lines(one)): one for one in (*load(), *over)}
    short = (
        one for one in both.values() if sum(map(len, _lines(one))) + len(one.said) < _LONGEST
    )  # fmt: skip
    said = [
        {
            "lines": list(_lines(one)), "name": one.name, "state": one.state, "said": one.said,
            "started": one.started, "ended": one.ended,
        }
        for one in sorted(short, key=lambda one: one.started)[-_MOST:]
    ]  # fmt: skip
    state_file.write(commands_file(), {"commands": said})


def _lines(one: DoneCommand) -> tuple[str, ...]:
    return one.kept or one.lines


class KeptCommands:
    """Keeps what *now* returns, the latest first, one writing at a time.

    *remember* is told what is kept of earlier sessions, the first first.
    """

    def __init__(
        self,
        now: Callable[[], Sequence[DoneCommand]],
        remember: Callable[[Sequence[DoneCommand]], object],
    ) -> None:
        self._now = now
        self._remember = remember
        self._writing = asyncio.Lock()
        self._kept: tuple[DoneCommand, ...] = ()
        self._are_known = False

    async def remember(self) -> None:
        """Have those of earlier sessions known.

        Until then nothing is kept: what was done meanwhile would be among them.
        """
        past = await asyncio.to_thread(load)
        self._are_known = True
        self._remember(past)

    async def keep(self) -> None:
        """Keep what is over by now. Where that fails it is not there at the next start: no harm."""
        if not self._are_known:
            return
        async with self._writing:
            if news := self._news():
                await asyncio.to_thread(_try_to_save, news)
                self._kept = news

    def keep_last(self) -> None:
        """Do that at the end of the UI, of what may still be being written, too."""
        if news := self._news():
            _try_to_save(news)

    def _news(self) -> tuple[DoneCommand, ...]:
        """Return all that is over, the first first, or () where that is kept already."""
        over = tuple(one for one in reversed(self._now()) if one.state != RUNNING)
        if over == self._kept or all(one.is_past for one in over):
            return ()
        return over


def _try_to_save(entries: Sequence[DoneCommand]) -> None:
    with _saving:
        try:
            _save(entries)
        except OSError:
            pass
