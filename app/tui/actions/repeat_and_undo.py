"""What keys did: shown as command lines, done once more, taken back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.text import safe
from ....widgets.job_status import DONE, RUNNING
from ....widgets.text.fitting import shorten
from ..command_lines.command_log import PROGRAM
from .action import Action, flow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..command_lines.command_log import Deed, Undo
    from ..session import Session

_MOST_STEPS = 12
_MOST_WORD = 120
"""Cells of a word, so that a path of thousands pushes no other line out of sight."""


def show(session: Session) -> None:
    """Show the command log and go there; from there back."""
    dock = session.panes.dock
    if dock.is_open and dock.commands.has_focus_within:
        session.panes.leave_dock()
        return
    dock.open_commands()
    dock.focus_shown()


def repeat_last(session: Session) -> None:
    """Do once more what was done last, to all that it was done to."""
    repeat(session, *session.log.together(session.log.last()))


@flow
async def repeat(session: Session, *idents: int) -> None:
    """Do commands of the log once more; ask where that destroys something and would not ask."""
    from ....widgets.dialogs.confirm import Confirm

    found = [(one, deed) for one in idents if (deed := session.log.deed(one))]
    lines = tuple(
        line for one, deed in found if deed.asks for line in session.log.entry(one).lines
    )  # fmt: skip
    if lines and not await session.user.ask(
        Confirm("do it once more?", lines, action="Do it", danger=True)
    ):
        return
    with session.several.begun_by("repeat"):
        for _, deed in found:
            deed.again()


def undo_last(session: Session) -> None:
    """Take back the last command that can be, of all that it was done to."""
    log = session.log
    idents = log.together(log.last(undoable=True), undoable=True)
    why = next((why for _, why in _refusals(session, idents)), "")
    undo(session, *idents, lead=(f"{why}; before it:", "") if why else ())


def _refusals(session: Session, idents: Sequence[int]) -> Iterator[tuple[Deed, str]]:
    """Say of what was done after *idents* why it can't be taken back, of the latest first."""
    for entry in session.log.entries:
        deed = session.log.deed(entry.id)
        if entry.id in idents or deed is None:
            return
        words = deed.lines[0]
        what = f"{words[1] if words[0] == PROGRAM else words[0]} {deed.name}"
        if entry.state == RUNNING:  # what it did is seen a little before
            yield deed, f"{what} is not over"
        elif deed.undo is None and entry.state == DONE:
            yield deed, f"{what} has no way back"


@flow
async def undo(session: Session, *idents: int, lead: tuple[str, ...] = ()) -> None:
    """Show, below *lead*, what taking commands of the log back would do, and do that."""
    from ....widgets.dialogs.confirm import Confirm

    log, user = session.log, session.user
    ways: list[tuple[int, Undo, tuple[str, ...]]] = []
    same: list[str] = []
    for ident in idents:
        deed = log.deed(ident)
        if deed is None or deed.undo is None:
            continue
        try:
            steps = await asyncio.to_thread(deed.undo.plan)
        except ChrootError as error:
            user.explain(error)
            continue
        if steps:
            ways.append((ident, deed.undo, steps))
        else:
            log.taken_back(ident)
            same.append(deed.name)
    if same:
        is_so = "it is as it was" if len(same) == 1 else "they are as they were"
        user.tell(f"{safe(', '.join(same))}: {is_so} before already")
    if not ways:
        return
    said = [_said(log.entry(ident).lines, steps) for ident, _, steps in ways]
    what = "this" if len(ways) == 1 else f"all {len(ways)}"
    lines = [*lead, *[line for one in said for line in ("", *one)][1:]]
    if await user.ask(Confirm(f"take {what} back?", lines, action="Take back")):
        with session.several.begun_by("take back"):
            for ident, way, _ in ways:
                with log.taking_back(ident):
                    way.do()


def _said(lines: tuple[str, ...], steps: tuple[str, ...]) -> tuple[str, ...]:
    if len(steps) > _MOST_STEPS:
        steps = (*steps[:_MOST_STEPS], f"and {len(steps) - _MOST_STEPS} more")
    said = (*(f"$ {line}" for line in lines), "", "is taken back by:", *steps)
    return tuple(" ".join(shorten(word, _MOST_WORD) for word in line.split(" ")) for line in said)


def _no_repeat(session: Session) -> str:
    return "" if session.log.last() else "nothing was done yet"


def _no_undo(session: Session) -> str:
    if session.log.last(undoable=True):
        return ""
    still = (why for deed, why in _refusals(session, ()) if deed.undo is not None)
    return next(still, "nothing was done that can be taken back")


ACTIONS = (
    Action(
        "commands.show", "commands", "What keys did, as command lines", show,
        key="C", in_footer=False, of_chroot=False,
    ),
    Action(
        "commands.repeat", "repeat", "Do once more what was done last", repeat_last,
        key="full_stop", in_footer=False, of_chroot=False, why_not=_no_repeat,
    ),
    Action(
        "commands.undo", "take back", "Take back what was done last, after showing how", undo_last,
        key="U", in_footer=False, of_chroot=False, why_not=_no_undo,
    ),
)  # fmt: skip
