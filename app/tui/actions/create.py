"""Making a chroot."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from .action import Action, flow

if TYPE_CHECKING:
    from ..session import Session


@flow
async def create(session: Session) -> None:
    """Ask what to make, make it, and go there when it appears."""
    from ....core.creating.options import CreateOptions
    from ....widgets.dialogs.create import CreateForm

    engine = session.engine
    defaults = await asyncio.to_thread(engine.create_defaults, CreateOptions())
    form = CreateForm(defaults, engine.base, session.inventory.names, describe=engine.plan_create)
    made = await session.user.ask(form)
    if made is None:
        return
    path, options = made
    session.start(
        "create", os.path.basename(path), path,
        lambda report, cancelled: engine.create(path, options, report=report, cancelled=cancelled),
    )  # fmt: skip
    session.await_new(path)


ACTIONS = (Action("environments.create", "new", "Make a chroot", create, key="n"),)
