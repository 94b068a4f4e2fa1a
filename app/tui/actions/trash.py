"""The trash of a base: what `delete` has kept, to be had back or to go for good."""

from __future__ import annotations

import asyncio
import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.remote.address import split
from ....widgets.text.amounts import moment
from .action import Action, flow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ....core.events import Report
    from ....core.trees.trash import Trashed
    from ..command_lines.command_words import Words
    from ..session import Session


@flow
async def show(session: Session) -> None:
    """Show what is in the trash where the cursor is, and do with it what is wanted."""
    from ....widgets.dialogs.trash import EMPTY, REMOVE, RESTORE, TrashDialog

    base = session.engine.base_at(session.place)
    try:
        there = await asyncio.to_thread(session.engine.trash, base)
    except ChrootError as error:
        session.user.explain(error)
        return
    left = threading.Event()
    dialog = TrashDialog(
        base, there, count=partial(session.engine.trash, base, sizes=True, cancelled=left),
        clock=session.panes.table.rows.clock,
    )  # fmt: skip
    try:
        wish = await session.user.ask(dialog)
    finally:
        left.set()
    if wish is None:
        return
    meant = [one for one in there if wish.action == EMPTY or one.id == wish.ident]
    if wish.action == RESTORE:
        await _ask_to_restore(session, meant[0])
    elif wish.action in (REMOVE, EMPTY):
        await _ask_to_remove(session, base, meant)


async def _ask_to_restore(session: Session, one: Trashed) -> None:
    from ....widgets.dialogs.confirm import Confirm

    lines = (f"{one.name} comes back to {one.path}, off, with its snapshots.",)
    if one.only_snapshots:
        lines = (f"They go back to {one.path}, where that is there and has no others.",)
    title = f"have {one.called} back?"
    if await session.user.ask(Confirm(title, lines, action="Restore")):
        restore(session, one.name, one.path, one.id)


def restore(session: Session, name: str, path: str, ident: str) -> None:
    """Have a chroot back, and go there."""
    session.start(
        "restore", name, path,
        lambda report, _cancelled: session.engine.restore_trashed(path, ident, report=report),
        words=("trash", "restore", ident, *_at(os.path.dirname(path))),
    )  # fmt: skip
    session.go_where(path)


async def _ask_to_remove(session: Session, base: str, meant: Sequence[Trashed]) -> None:
    from ....widgets.dialogs.confirm import Confirm

    lines = [f"{one.called}, deleted {moment(one.deleted, '%Y-%m-%d %H:%M')}" for one in meant]
    what = meant[0].called if len(meant) == 1 else f"all {len(meant)}"
    lines += ["", "That cannot be brought back."]
    ask = Confirm(f"remove {what} for good?", lines, action="Remove", danger=True)
    if not await session.user.ask(ask):
        return
    idents = tuple(one.id for one in meant)

    def work(report: Report, cancelled: Flag) -> str:
        gone = session.engine.empty_trash(base, idents, report=report, cancelled=cancelled)
        return f"{len(gone)} gone for good"

    session.start(
        "empty", "the trash", base, work,
        words=("trash", "empty", *idents, "--yes", *_at(base)), asks=True,
    )  # fmt: skip


def _at(base: str) -> Words:
    """Return the options that say where a trash is."""
    host, there = split(base)
    return ("--base", there, *(("-H", host) if host else ()))


ACTIONS = (
    Action(
        "trash.show", "trash", "What delete has kept: have it back, or remove it for good", show,
        of_chroot=False,
    ),
)  # fmt: skip
