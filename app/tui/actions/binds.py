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
    from ....core.config.bind import Bind
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
        lambda: _way_back(done),
        lambda: _take_back(session, one, done, ident),
    )
    deed = Deed(lines, one.name, lambda: _again(session, one, changes), undo)
    ident = log.begin(deed)
    log.end(ident, DONE, ", ".join(done.names) + " saved")


def _way_back(saved: Saved) -> tuple[str, ...]:
    """Say what taking a save back does to the files; the mounts are asked about when that is done.

    What they would do is told by the files as they are.
    """
    from ....core.config.edits import difference

    lines = difference(saved.after, saved.before, context=1)[2:]  # below the names
    return (
        *(f"{name} becomes what it was before:" for name in saved.names),
        *(f"  {line}" for line in lines if line.strip() and not line.startswith("@@")),
    )


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
    engine = session.engine
    try:
        before = await asyncio.to_thread(engine.config, one.path)
        await asyncio.to_thread(engine.binds(one.path).undo, saved)
    except ChrootError as error:
        session.user.explain(error)
        return
    session.log.taken_back(ident)
    session.user.tell(f"{safe(one.name)}: taken back")
    if any(now.path == one.path and now.is_on for now in session.inventory.chroots):
        await _follow(session, one, before.binds)


async def _follow(session: Session, one: ChrootStatus, before: tuple[Bind, ...]) -> None:
    """Have the mounts follow the files, which had the binds *before*, where that is wanted."""
    from .bind_editing import confirm

    binds = session.engine.binds(one.path)
    try:
        plan = await asyncio.to_thread(binds.plan_sync, before)
    except ChrootError as error:
        session.user.explain(error)
        return
    if not plan:
        return
    if await session.user.ask(confirm(plan)):
        session.start(
            "apply", one.name, one.path,
            lambda report, cancelled: binds.sync(before, report=report, cancelled=cancelled),
            words=command_words.follow(one.path, plan),
        )  # fmt: skip


ACTIONS = (
    Action(
        "environments.binds", "binds", "Edit what is mounted", edit,
        key="b", why_not=of_one(unmade, kept_out),
    ),
)  # fmt: skip
