"""A copy of a chroot, or another name for one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ....widgets.job_status import DONE
from ... import run_history
from ..command_lines.command_log import Undo
from ..reasons import busy, is_on, of_one, unfit
from .action import Action, flow

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from ....core.errors import ChrootError
    from ....core.events import Report
    from ....core.looking.status import ChrootStatus
    from ....widgets.job_status import JobStatus
    from ..jobs.jobs import Ended
    from ..session import Session


@flow
async def clone(session: Session) -> None:
    """Ask for a name, copy the highlighted chroot, and go to the copy when it appears."""
    from ....widgets.dialogs.place import PlaceDialog

    one = session.highlighted
    if one is None:
        return
    notes = ["A copy without what is mounted on it, with names of its own."]
    if one.is_on:
        notes.append("It is on: what is written meanwhile may be half there.")
    dialog = PlaceDialog(
        "clone", one.name, session.engine.base_at(one.path), session.inventory.names(one.host),
        notes=notes,
        switch="keep host name, machine id and ssh host keys", homes=session.homes,
    )  # fmt: skip
    place = await session.user.ask(dialog)
    if place is not None:
        copy(session, one.name, one.path, place.path, exact=place.switched)


def copy(session: Session, name: str, path: str, new: str, *, exact: bool) -> None:
    """Copy the chroot at *path*, called *name*, to *new*."""
    session.start(
        "clone", f"{name} → {os.path.basename(new)}", path,
        lambda report, cancelled: session.engine.clone(
            path, new, exact=exact, report=report, cancelled=cancelled
        ),
        _unless_made(session, new),
        words=("clone", "-d", path, new, *(("--exact",) if exact else ())),
    )  # fmt: skip
    session.await_new(new)


def _unless_made(session: Session, new: str) -> Ended:
    """Return what has nobody wait for *new* where it did not come to be."""

    def ended(job: JobStatus, _error: ChrootError | None) -> None:
        if job.state != DONE:
            session.inventory.await_no_more(new)

    return ended


@flow
async def rename(session: Session) -> None:
    """Ask for another name of the highlighted chroot; mark, history and cursor go along."""
    from ....widgets.dialogs.place import PlaceDialog

    one = session.highlighted
    if one is None:
        return
    folder = os.path.dirname(one.path)
    others = session.inventory.names(one.host) - {one.name}
    notes = ("Host name, /etc/hosts and the prompt inside follow.",)
    dialog = PlaceDialog("rename", one.name, folder, others, value=one.name, notes=notes)
    place = await session.user.ask(dialog)
    if place is None or place.path == one.path:
        return
    _rename(session, one.name, one.path, place.path)


def _rename(session: Session, name: str, path: str, new: str, *, undoes: bool = False) -> None:
    """Give the chroot at *path*, called *name*, the place *new*."""
    was_marked = path in session.panes.table.marked
    called = os.path.basename(new)

    def work(report: Report, _cancelled: Flag) -> str:
        renamed = session.engine.rename(path, new, report=report)
        change_history(lambda: run_history.move(path, new), path, report)
        return renamed

    def arrived(there: ChrootStatus) -> None:
        if was_marked:
            session.panes.table.mark(there.path)

    undo = Undo(
        lambda: (f"rename {called} to {name}",),
        lambda: _rename(session, called, new, path, undoes=True),
    )
    session.start(
        "rename", f"{name} → {called}", path, work, _unless_made(session, new),
        words=("rename", "-d", path, new), undo=None if undoes else undo,
    )  # fmt: skip
    session.go_where(new, path, arrived)


def change_history(change: Callable[[], None], path: str, report: Report) -> None:
    """Change what was run in the chroot at *path*; where that fails the job's output says so."""
    from ....core.events import Output

    try:
        change()
    except OSError as problem:
        report(Output(path, f"history: {problem.strerror}"))


ACTIONS = (
    Action(
        "environments.clone", "clone", "A copy of the chroot under another name", clone,
        key="c", in_footer=False, why_not=of_one(unfit, busy),
    ),
    Action(
        "environments.rename", "rename", "Give the chroot another name", rename,
        key="R", in_footer=False, why_not=of_one(is_on, busy),
    ),
)  # fmt: skip
