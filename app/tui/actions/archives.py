"""A chroot into an archive or an image, and out of one."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from ....core.archives.writing import default_name
from ....core.remote.address import split
from ....core.text import safe, size
from ....widgets.job_status import DONE
from .. import command_words
from .action import Action, flow
from .reasons import busy, of_one, unmade

if TYPE_CHECKING:
    from threading import Event as Flag

    from ....core.errors import ChrootError
    from ....core.events import Report
    from ....widgets.job_status import JobStatus
    from ..session import Session


_KINDS = (False, True)
"""Whether it is an image: what the archive of a chroot may be."""


@flow
async def pack(session: Session) -> None:
    """Ask where to, pack the highlighted chroot, and say how big that is."""
    from ....widgets.dialogs.pack import PackDialog

    one = session.highlighted
    if one is None:
        return
    engine = session.engine
    names = [default_name(one.path, oci=oci) for oci in _KINDS]
    # What is packed on another machine stays there, in its base.
    folder = engine.base_at(one.path) if one.host else os.getcwd()
    archive, image = (os.path.join(folder, name) for name in names)
    dialog = PackDialog(
        one.name, archive, image, complete=engine.complete, on=one.is_on, host=one.host
    )
    wanted = await session.user.ask(dialog)
    if wanted is None or not await _may_be_there(session, wanted.path):
        return

    def work(report: Report, cancelled: Flag) -> str:
        done = engine.pack(
            one.path, wanted.path, exclude=wanted.exclude, oci=wanted.oci,
            checksum=wanted.checksum, report=report, cancelled=cancelled,
        )  # fmt: skip
        return f"{size(done.size)} in {done.path}"

    def ended(job: JobStatus, _error: ChrootError | None) -> None:
        if job.state == DONE:
            session.user.tell(f"packed: {safe(job.stage)}")

    words = command_words.pack(
        one.path, wanted.path, wanted.exclude, oci=wanted.oci, checksum=wanted.checksum
    )
    session.start("pack", one.name, one.path, work, ended, words=words)
    session.panes.dock.open_jobs()


async def _may_be_there(session: Session, path: str) -> bool:
    """Tell whether *path* can be written: ask where a file of that name would be replaced."""
    from ....widgets.dialogs.confirm import Confirm

    if path not in await asyncio.to_thread(session.engine.complete, path):
        return True
    lines = (f"{path} is there already.", "It is replaced when the new one is whole.")
    return await session.user.ask(
        Confirm("replace this file?", lines, action="Replace", danger=True)
    )


@flow
async def unpack(session: Session) -> None:
    """Ask for an archive, unpack it, and go to the chroot when it appears."""
    from ....widgets.dialogs.unpack import UnpackDialog

    engine = session.engine
    # Where the cursor is on another machine it is unpacked there.
    base = engine.base_at(session.place)
    dialog = UnpackDialog(
        base, session.inventory.names(split(base)[0]),
        complete=engine.complete, homes=session.homes,
    )  # fmt: skip
    wanted = await session.user.ask(dialog)
    if wanted is None:
        return

    def work(report: Report, cancelled: Flag) -> str:
        done = engine.unpack(wanted.path, wanted.source, report=report, cancelled=cancelled)
        return f"{done.count} entries"

    session.start(
        "unpack",
        os.path.basename(wanted.path),
        wanted.path,
        work,
        words=("unpack", "-f", wanted.source, "-d", wanted.path),
    )
    session.await_new(wanted.path)


ACTIONS = (
    Action(
        "environments.pack", "pack", "An archive or an image of the chroot", pack,
        key="p", in_footer=False, why_not=of_one(unmade, busy),
    ),
    Action(
        "environments.unpack", "unpack", "A chroot out of an archive", unpack,
        key="u", in_footer=False, of_chroot=False,
    ),
)  # fmt: skip
