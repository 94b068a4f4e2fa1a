"""Editing the binds of a chroot, and having its mounts follow."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.text import safe
from ....widgets.job_status import DONE
from ..command_lines import command_words
from ..command_lines.command_log import PROGRAM, Deed, Undo
from ..reasons import kept_out, of_one, unmade
from .action import Action, flow

if TYPE_CHECKING:
    from ....core.config.edits import Change, Saved
    from ....core.looking.status import ChrootStatus
    from ..session import Session


@flow
async def edit(session: Session) -> None:
    """Edit the binds of the highlighted chroot; have its mounts follow where that is wanted."""
    from .bind_editing import BindEditing

    one = session.highlighted
    if one is None:
        return
    editing = BindEditing(session.user, session.engine, one, saved=partial(_note, session, one))
    with session.inventory.watched_by(editing.look_at):
        before = await editing.run()
    if before is not None:
        session.start(
            "apply", one.name, one.path,
            lambda report, cancelled: session.engine.binds(one.path).sync(
                before, report=report, cancelled=cancelled
            ),
            words=editing.words,
        )  # fmt: skip


def _note(
    session: Session, one: ChrootStatus, changes: tuple[Change, ...], saved: Saved | None
) -> None:
    """Have a save in the log, with the way back; None: the last one was taken back."""
    log = session.log
    if saved is None:
        log.taken_back(log.last(undoable=True))
        return
    done = saved
    lines = tuple((PROGRAM, *words) for words in command_words.binds(one.path, changes))
    undo = Undo(
        lambda: tuple(f"{name} becomes what it was before" for name in done.names),
        lambda: _take_back(session, one, done, ident),
    )
    deed = Deed(lines, one.name, lambda: _again(session, one, changes), undo)
    ident = log.begin(deed)
    log.end(ident, DONE, ", ".join(done.names) + " saved")


@flow
async def _again(session: Session, one: ChrootStatus, changes: tuple[Change, ...]) -> None:
    """Make the same changes once more, in the files as they are now."""
    binds = session.engine.binds(one.path)
    try:
        saved = await asyncio.to_thread(lambda: binds.save(changes, binds.files()))
    except ChrootError as error:
        session.user.explain(error)
    else:
        _note(session, one, changes, saved)


@flow
async def _take_back(session: Session, one: ChrootStatus, saved: Saved, ident: int) -> None:
    """Take a save back, *ident* in the log, and have the mounts follow where that is wanted."""
    from .bind_editing import confirm

    engine = session.engine
    try:
        before = await asyncio.to_thread(engine.config, one.path)
        await asyncio.to_thread(engine.binds(one.path).undo, saved)
        plan = await asyncio.to_thread(engine.binds(one.path).plan_sync, before.binds)
    except ChrootError as error:
        session.user.explain(error)
        return
    session.log.taken_back(ident)
    session.user.tell(f"{safe(one.name)}: taken back")
    if not plan:
        return
    agreed = await session.user.ask(confirm(plan))
    if agreed:
        session.start(
            "apply", one.name, one.path,
            lambda report, cancelled: engine.binds(one.path).sync(
                before.binds, report=report, cancelled=cancelled
            ),
            words=command_words.follow(one.path, plan),
        )  # fmt: skip


ACTIONS = (
    Action(
        "environments.binds", "binds", "Edit what is mounted", edit,
        key="b", why_not=of_one(unmade, kept_out),
    ),
)  # fmt: skip
