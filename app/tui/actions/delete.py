"""Removing a chroot."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ....widgets.job_status import DONE
from ... import history
from .action import Action, flow
from .many import to_each
from .reasons import busy, of_chosen

if TYPE_CHECKING:
    from ....core.errors import ChrootError
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
        if await session.user.ask(DeleteDialog(one, session.inventory.sizes.get(one.path))):
            _delete(session, one)


async def _delete_several(session: Session, chosen: tuple[ChrootStatus, ...]) -> None:
    from ....widgets.dialogs.delete_several import DeleteSeveral

    sizes = [session.inventory.sizes.get(one.path) for one in chosen]
    if await session.user.ask(DeleteSeveral(chosen, sizes)):
        to_each(session, "delete", chosen, partial(_delete, session), busy)


def _delete(session: Session, one: ChrootStatus) -> None:
    session.start(
        "delete", one.name, one.path,
        lambda report, cancelled: session.engine.delete(
            one.path, report=report, cancelled=cancelled
        ),
        partial(_forget_history, session),
        words=("delete", "-d", one.path, "--yes"), asks=True,
    )  # fmt: skip


def _forget_history(session: Session, job: JobStatus, _error: ChrootError | None) -> None:
    if job.state == DONE:
        try:
            history.forget(job.path)
        except OSError as problem:
            session.user.tell(f"history: {problem.strerror}", "warning")


ACTIONS = (
    Action(
        "environments.delete", "delete", "Remove the chroot; wants its name typed", delete,
        key="d", why_not=of_chosen(busy), many=True,
    ),
)  # fmt: skip
