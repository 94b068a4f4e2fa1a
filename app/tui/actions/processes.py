"""What is done with processes inside. The table of processes has the keys."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....widgets.job_status import DONE, FAILED
from ..command_lines.command_log import Deed
from .action import flow

if TYPE_CHECKING:
    from ....core.looking.status import ChrootStatus
    from ....core.process import Process
    from ..session import Session


_PATIENCE = 10.0
"""Seconds in which what a process has open is to be known."""


@flow
async def show_open(session: Session, one: ChrootStatus, process: Process) -> None:
    """Show what a process of a chroot has open."""
    from ....widgets.dialogs.open_files import OpenFilesDialog

    try:
        async with asyncio.timeout(_PATIENCE):
            found = await asyncio.to_thread(session.engine.open_files, one.path, process.pid)
    except ChrootError as error:
        session.user.explain(error)
    except TimeoutError:
        session.user.tell("that is not known within ten seconds", "error")
    else:
        await session.user.ask(OpenFilesDialog(process, found))


@flow
async def send_signal(session: Session, one: ChrootStatus, process: Process, name: str) -> None:
    """Ask, then send the signal *name*, TERM or KILL, to a process of a chroot."""
    from ....widgets.dialogs.confirm import Confirm

    lines = (f"{process.pid} {process.user} {process.command}",)
    sure = await session.user.ask(
        Confirm(f"Send {name} to this process?", lines, action=f"Send {name}", danger=True)
    )
    if sure:
        pid = str(process.pid)
        words = (*(("ssh", one.host) if one.host else ()), "kill", f"-{name}", pid)
        ident = session.log.begin(
            Deed((words,), one.name, lambda: send_signal(session, one, process, name))
        )
        try:
            number = signal.Signals[f"SIG{name}"]
            await asyncio.to_thread(
                session.engine.signal, one.path, process.pid, process.started, number
            )
        except ChrootError as error:
            session.log.end(ident, FAILED, error.message)
            session.user.explain(error)
        else:
            session.log.end(ident, DONE)
