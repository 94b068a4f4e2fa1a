"""The changes to a chroot's binds that are not saved yet. Knows no widget.

What they come to is told by a function handed in, the engine's, which is called in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...core.config.bind import Bind
from ...core.config.edits import Added, Replaced
from ...core.errors import ChrootError

if TYPE_CHECKING:
    from ...core.config.edits import Change

    Step = tuple[Change, ...]
    """What is done, and taken back, at once: a preset is one."""
    After = Callable[[tuple[Change, ...]], Sequence[Bind]]
    """Returns the merged binds as they would be after changes; may raise ChrootError."""


class News(NamedTuple):
    """What somebody else has made of the files since they were shown last."""

    binds: Sequence[Bind]
    """The merged entries as they are now."""
    accept: Callable[[], None]
    """To be called when they are shown: changes are meant on top of these from then on."""


class Rebased(NamedTuple):
    """The draft on top of what somebody else has made of the files; see `Draft.rebased`."""

    in_files: tuple[Bind, ...]
    steps: tuple[Step, ...]
    binds: tuple[Bind, ...]
    clashes: tuple[str, ...]
    """Of each step that does not fit any more its target, and why."""


class Draft:
    """Steps on top of what the files say, which is *binds*, and what *after* makes of both."""

    def __init__(self, binds: Sequence[Bind], after: After) -> None:
        self.in_files = {bind.target: bind for bind in binds}
        """The entries as the files have them, by target."""
        self.binds = tuple(binds)
        """The merged entries as they would be."""
        self.steps: tuple[Step, ...] = ()
        self._after = after

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, in order."""
        return _flat(self.steps)

    async def take(self, steps: tuple[Step, ...]) -> None:
        """Make *steps* the draft. Raises ChrootError, and changes nothing, if they do not fit."""
        self.binds = await self._after_steps(steps)
        self.steps = steps

    async def rebased(self, binds: Sequence[Bind]) -> Rebased:
        """Return the draft on top of other files, whose entries are *binds*; nothing changes."""
        kept: list[Step] = []
        then = tuple(binds)
        clashes = []
        for step in self.steps:
            try:
                then = await self._after_steps((*kept, step))
            except ChrootError as error:
                clashes.append(f"{target_of(step[0])}: {error.message}")
            else:
                kept.append(step)
        return Rebased(tuple(binds), tuple(kept), then, tuple(clashes))

    def accept(self, rebased: Rebased) -> None:
        """Go on from there."""
        self.in_files = {bind.target: bind for bind in rebased.in_files}
        self.steps, self.binds = rebased.steps, rebased.binds

    async def _after_steps(self, steps: Iterable[Step]) -> tuple[Bind, ...]:
        return tuple(await asyncio.to_thread(self._after, _flat(steps)))


def _flat(steps: Iterable[Step]) -> tuple[Change, ...]:
    return tuple(change for step in steps for change in step)


def target_of(change: Change) -> str:
    """Return the target that a change is about."""
    match change:
        case Added(bind=bind) | Replaced(bind=bind):
            return bind.target
        case _:
            return change.target
