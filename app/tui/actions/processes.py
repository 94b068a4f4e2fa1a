"""Sending signals to processes inside. The table of processes has the keys."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from .action import flow

if TYPE_CHECKING:
    from ....core.looking.status import ChrootStatus
    from ....core.process import Process
    from ..session import Session


@flow
async def send_signal(session: Session, one: ChrootStatus, process: Process, name: str) -> None:
    """Ask, then send the signal *name*, TERM or KILL, to a process of a chroot."""
    from ....widgets.dialogs.confirm import Confirm

    lines = (f"{process.pid} {process.user} {process.command}",)
    sure = await session.user.ask(
        Confirm(f"Send {name} to this process?", lines, action=f"Send {name}", danger=True)
    )
    if sure:
        try:
            session.engine.signal(
                one.path, process.pid, process.started, signal.Signals[f"SIG{name}"]
            )
        except ChrootError as error:
            session.user.explain(error)
