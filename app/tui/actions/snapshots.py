"""States of a chroot to go back to."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.text import duration, safe
from ..command_lines.command_log import Undo
from ..reasons import busy, of_chosen, unmade
from .action import Action, flow
from .for_each_chosen import agreed, to_each

if TYPE_CHECKING:
    from threading import Event as Flag

    from ....core.events import Report
    from ....core.looking.status import ChrootStatus
    from ....core.trees.snapshots import TreeSnapshot
    from ..jobs.jobs import Ended
    from ..session import Session


@flow
async def snapshots(session: Session) -> None:
    """Show the snapshots of a chroot: take, put back or remove one. Of several: take one each."""
    from ....widgets.dialogs.snapshots import RESTORE, TAKE, SnapshotsDialog

    if chosen := session.several_chosen:
        await _take_of_each(session, chosen)
        return
    one = next(iter(session.chosen), None)
    if one is None:
        return
    try:
        there = await asyncio.to_thread(session.engine.snapshots, one.path)
    except ChrootError as error:
        session.user.explain(error)
        return
    clock = session.panes.table.rows.clock
    wish = await session.user.ask(SnapshotsDialog(one.name, there, clock=clock))
    if wish is None:
        return
    if wish.action == TAKE:
        take(session, one, wish.name)
        return
    meant = next(known for known in there if known.name == wish.name)
    ago = duration(max(clock() - meant.created, 0))
    if wish.action == RESTORE:
        await _restore(session, one, meant, ago)
    else:
        await _remove(session, one, meant, ago)


def take(session: Session, one: ChrootStatus, name: str = "", then: Ended | None = None) -> None:
    """Keep the present state of a chroot, called *name* or after the time; see `Jobs.start`."""

    def work(report: Report, cancelled: Flag) -> str:
        made = session.engine.take_snapshot(one.path, name, report=report, cancelled=cancelled)
        return made.name

    words = ("snapshot", "-d", one.path, *((name,) if name else ()))
    session.start("snapshot", one.name, one.path, work, then, words=words)


async def _take_of_each(session: Session, chosen: tuple[ChrootStatus, ...]) -> None:
    lines = ("One of each, called after the time:", *(f"  {one.path}" for one in chosen))
    title = f"snapshots of {len(chosen)} chroots{session.hidden}"
    if await agreed(session, title, lines, "Take"):
        to_each(session, "snapshot", chosen, partial(take, session), unmade, busy)


async def _restore(session: Session, one: ChrootStatus, meant: TreeSnapshot, ago: str) -> None:
    from ....widgets.dialogs.confirm import Confirm

    if one.is_on:
        session.user.tell(f"{safe(one.name)} is {one.state}: switch it off first", "warning")
        return
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(meant.created))
    lines = (
        f"{one.name} becomes what it was {ago} ago, {when}.",
        "What it is now is kept as another snapshot, before-restore-…,",
        f"and {meant.name} stays.",
    )
    title = f"go back to {meant.name}?"
    if not await session.user.ask(Confirm(title, lines, action="Restore", danger=True)):
        return

    _put_back(session, one, meant.name)


def _put_back(session: Session, one: ChrootStatus, name: str, *, undoes: bool = False) -> None:
    kept = ""

    def work(report: Report, cancelled: Flag) -> str:
        nonlocal kept
        kept = session.engine.restore_snapshot(one.path, name, report=report, cancelled=cancelled)
        return f"as in {name}; what it was: {kept}"

    undo = Undo(
        lambda: (f"restore {kept}, what {one.name} was before",),
        lambda: _put_back(session, one, kept, undoes=True),
    )
    session.start(
        "restore", one.name, one.path, work, words=("snapshot", "restore", name, "-d", one.path),
        undo=None if undoes else undo,
        again=partial(_put_back, session, one, name, undoes=undoes), asks=True,
    )  # fmt: skip


async def _remove(session: Session, one: ChrootStatus, meant: TreeSnapshot, ago: str) -> None:
    from ....widgets.dialogs.confirm import Confirm

    lines = (f"It is {ago} old, and cannot be brought back. {one.name} stays as it is.",)
    title = f"remove the snapshot {meant.name}?"
    if await session.user.ask(Confirm(title, lines, action="Remove", danger=True)):
        session.start(
            "snapshot", f"{one.name}: {meant.name}, away", one.path,
            lambda report, cancelled: session.engine.remove_snapshot(
                one.path, meant.name, report=report, cancelled=cancelled
            ),
            words=("snapshot", "remove", meant.name, "-d", one.path), asks=True,
        )  # fmt: skip


ACTIONS = (
    Action(
        "environments.snapshots", "snapshots", "States to go back to: take, restore, remove",
        snapshots, key="v", in_footer=False, why_not=of_chosen(unmade), many=True,
    ),
)  # fmt: skip
