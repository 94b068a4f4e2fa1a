"""What keys did: shown as command lines, done once more, taken back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.text import safe
from ....widgets.job_status import DONE
from ..command_log import PROGRAM
from .action import Action, flow

if TYPE_CHECKING:
    from ..session import Session

_MOST_STEPS = 12


def show(session: Session) -> None:
    """Show the command log and go there; from there back."""
    dock = session.panes.dock
    if dock.is_open and dock.commands.has_focus_within:
        session.panes.leave_dock()
        return
    dock.open_commands()
    dock.focus_shown()


def repeat_last(session: Session) -> None:
    """Do once more what was done last."""
    repeat(session, session.log.last())


@flow
async def repeat(session: Session, ident: int) -> None:
    """Do a command of the log once more; ask where it destroys something and would not ask."""
    from ....widgets.dialogs.confirm import Confirm

    deed = session.log.deed(ident)
    if deed is None:
        return
    entry = next(one for one in session.log.entries if one.id == ident)
    if deed.asks and not await session.user.ask(
        Confirm("do it once more?", entry.lines, action="Do it", danger=True)
    ):
        return
    deed.again()


def undo_last(session: Session) -> None:
    """Take back the last command that can be."""
    ident = session.log.last(undoable=True)
    undo(session, ident, _without_way_back(session, ident))


def _without_way_back(session: Session, ident: int) -> tuple[str, ...]:
    """Say what was done last, where that was after the command *ident* and can't be taken back."""
    for entry in session.log.entries:
        deed = session.log.deed(entry.id)
        if entry.id == ident or deed is None:
            break
        if deed.undo is None and entry.state == DONE:
            words = deed.lines[0]
            verb = words[1] if words[0] == PROGRAM else words[0]
            return (f"{verb} {deed.name} has no way back; before it:", "")
    return ()


@flow
async def undo(session: Session, ident: int, lead: tuple[str, ...] = ()) -> None:
    """Show, below *lead*, what taking a command of the log back would do, and do that."""
    from ....widgets.dialogs.confirm import Confirm

    deed = session.log.deed(ident)
    if deed is None or deed.undo is None:
        return
    entry = next(one for one in session.log.entries if one.id == ident)
    try:
        steps = await asyncio.to_thread(deed.undo.plan)
    except ChrootError as error:
        session.user.explain(error)
        return
    if not steps:
        session.log.taken_back(ident)
        session.user.tell(f"{safe(deed.name)}: it is as it was before already")
        return
    if len(steps) > _MOST_STEPS:
        steps = (*steps[:_MOST_STEPS], f"and {len(steps) - _MOST_STEPS} more steps")
    lines = (*lead, *(f"$ {line}" for line in entry.lines), "", "is taken back by:", *steps)
    if await session.user.ask(Confirm("take this back?", lines, action="Take back")):
        session.log.taken_back(ident)
        deed.undo.do()


def _no_repeat(session: Session) -> str:
    return "" if session.log.last() else "nothing was done yet"


def _no_undo(session: Session) -> str:
    return "" if session.log.last(undoable=True) else "nothing was done that can be taken back"


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
