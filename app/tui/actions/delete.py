"""Removing a chroot."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ....widgets.job_status import DONE
from ... import history
from .action import Action, flow
from .reasons import busy, of_one

if TYPE_CHECKING:
    from ....core.errors import ChrootError
    from ....widgets.job_status import JobStatus
    from ..session import Session


@flow
async def delete(session: Session) -> None:
    """Have the name typed, then remove the highlighted chroot."""
    from ....widgets.dialogs.delete import DeleteDialog

    one = session.highlighted
    if one is None:
        return
    if await session.user.ask(DeleteDialog(one, session.inventory.sizes.get(one.path))):
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
        key="d", why_not=of_one(busy),
    ),
)  # fmt: skip
