"""Removing a chroot, or putting it into the trash, from where it can be had back."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.text import safe
from ....widgets.job_status import DONE
from ... import run_history
from ..command_lines.command_log import Undo
from ..reasons import busy, of_chosen
from .action import Action, flow
from .copies import change_history
from .for_each_chosen import to_each
from .trash import restore

if TYPE_CHECKING:
    from threading import Event as Flag

    from ....core.events import Report
    from ....core.looking.status import ChrootStatus
    from ....widgets.job_status import JobStatus
    from ..session import Session


@flow
async def delete(session: Session) -> None:
    """Have the name typed, or the number of several, then remove what is chosen."""
    from ....widgets.dialogs.delete import DeleteDialog

    if chosen := session.several_chosen:
        await _delete_several(session, chosen)
        return
    for one in session.chosen:
        size = session.inventory.sizes.get(one.path)
        dialog = DeleteDialog(one, size, _days(session, one))
        if await session.user.ask(dialog):
            _delete(session, dialog.trash, one)


async def _delete_several(session: Session, chosen: tuple[ChrootStatus, ...]) -> None:
    from ....widgets.dialogs.delete_several import DeleteSeveral

    sizes = [session.inventory.sizes.get(one.path) for one in chosen]
    dialog = DeleteSeveral(
        chosen, sizes, min(_days(session, one) for one in chosen), hidden=session.hidden
    )
    if await session.user.ask(dialog):
        to_each(session, "delete", chosen, partial(_delete, session, dialog.trash), busy)


def _days(session: Session, one: ChrootStatus) -> float:
    """Return how long a chroot may be kept: an unfinished one is not worth it."""
    from ....core.looking.status import CREATING, INCOMPLETE

    return 0.0 if one.state in (CREATING, INCOMPLETE) else session.settings().trash


def _delete(session: Session, days: float, one: ChrootStatus) -> None:
    ident = ""

    def work(report: Report, cancelled: Flag) -> str:
        nonlocal ident
        ident = session.engine.delete(one.path, trash=days, report=report, cancelled=cancelled)
        if not days:
            change_history(lambda: run_history.forget(one.path), one.path, report)
        return f"in the trash as {ident}" if ident else ""

    undo = Undo(
        lambda: _plan_restore(session, one, ident),
        lambda: restore(session, one.name, one.path, ident),
    )  # fmt: skip
    kept = ("--trash", f"{days:g}") if days else ()
    ended = partial(_tell_kept, session, days) if days else None
    session.start(
        "delete", one.name, one.path, work, ended,
        words=("delete", "-d", one.path, "--yes", *kept), undo=undo if days else None,
        again=partial(_delete, session, days, one), asks=True,
    )  # fmt: skip


def _tell_kept(session: Session, days: float, job: JobStatus, _error: ChrootError | None) -> None:
    from ....widgets.dialogs.typed_proof import in_words

    if job.state == DONE and not session.several.has(job.id):
        key = session.panes.key_of("commands.undo")
        back = f": {key} has it back" if key else ""
        said = f"is in the trash for {in_words(days)}, where it takes its disk{back}"
        session.user.tell(f"{safe(job.name)} {said}")


def _plan_restore(session: Session, one: ChrootStatus, ident: str) -> tuple[str, ...]:
    there = session.engine.trash(os.path.dirname(one.path))
    if not any(each.id == ident and not each.only_snapshots for each in there):
        raise ChrootError(
            f"{ident} is in the trash no more", "it was had back, or has gone after its time"
        )
    return (f"put {one.path} back out of the trash, with its snapshots",)


ACTIONS = (
    Action(
        "environments.delete", "delete", "Remove the chroot; wants its name typed", delete,
        key="d", why_not=of_chosen(busy), many=True,
    ),
)  # fmt: skip
