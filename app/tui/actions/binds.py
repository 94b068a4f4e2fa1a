"""Editing the binds of a chroot, and having its mounts follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .action import Action, flow
from .reasons import of_one, unmade

if TYPE_CHECKING:
    from ..session import Session


@flow
async def edit(session: Session) -> None:
    """Edit the binds of the highlighted chroot; have its mounts follow where that is wanted."""
    from ..bind_editing import BindEditing

    one = session.highlighted
    if one is None:
        return
    editing = BindEditing(session.user, session.engine, one)
    with session.inventory.watched_by(editing.look_at):
        before = await editing.run()
    if before is not None:
        session.start(
            "apply", one.name, one.path,
            lambda report, cancelled: session.engine.binds(one.path).sync(
                before, report=report, cancelled=cancelled
            ),
        )  # fmt: skip


ACTIONS = (
    Action(
        "environments.binds", "binds", "Edit what is mounted", edit,
        key="b", why_not=of_one(unmade),
    ),
)  # fmt: skip
