"""What keys did, kept over the next start (XDG_STATE_HOME): to look up and to copy.

Not what takes it back or does it once more: for that the chroot would have to be as it was then.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ....core import json_values
from ....core.text import safe
from ....widgets.done_command import DoneCommand
from ....widgets.job_status import CANCELLED, DONE, FAILED, RUNNING
from ... import state_file
from ...paths import commands_file
from ..threads.latest_writing import LatestWriting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MOST = 200
_LARGEST = 1 << 22
"""Bytes; more is none of ours, or no use."""
_LONGEST = 4096
"""Characters of a line, or of how it ended, that are worth keeping."""
_EARLIER = "it is of an earlier session"


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
    """Keeps what *now* returns, the latest first.

    *remember* is told what is kept of earlier sessions, the first first.
    """

    def __init__(
        self,
        now: Callable[[], Sequence[DoneCommand]],
        remember: Callable[[Sequence[DoneCommand]], object],
    ) -> None:
        self._now = now
        self._remember = remember
        self._writing = LatestWriting(_save)
        self._kept: tuple[DoneCommand, ...] = ()
        self._are_known = False

    async def remember(self) -> None:
        """Have those of earlier sessions known.

        Until then nothing is kept: what was done meanwhile would be among them.
        """
        past = await asyncio.to_thread(load)
        self._are_known = True
        self._remember(past)

    def keep(self) -> None:
        """Keep what is over by now."""
        if self._are_known and (news := self._news()):
            self._writing.keep(news)

    def keep_last(self) -> None:
        """Do that at the end of the UI."""
        if news := self._news():
            self._writing.keep_now(news)

    def _news(self) -> tuple[DoneCommand, ...]:
        """Return all that is over, the first first, or () where it was returned already."""
        over = tuple(one for one in reversed(self._now()) if one.state != RUNNING)
        if over == self._kept or all(one.is_past for one in over):
            return ()
        self._kept = over
        return over
