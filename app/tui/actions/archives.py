"""A chroot into an archive or an image, and out of one."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from ....core.archives.writing import default_name
from ....core.chroot import current_directory
from ....core.remote.address import split
from ....core.text import safe, size
from ....widgets.job_status import DONE
from ..command_lines import command_words
from ..reasons import busy, of_chosen, unmade
from .action import Action, flow
from .for_each_chosen import agreed, to_each

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ....core.engine import Engine
    from ....core.errors import ChrootError
    from ....core.events import Report
    from ....core.looking.status import ChrootStatus
    from ....widgets.dialogs.pack import Packing
    from ....widgets.job_status import JobStatus
    from ..jobs.jobs import Ended
    from ..session import Session


_KINDS = (False, True)
"""Whether it is an image: what the archive of a chroot may be."""


@flow
async def pack(session: Session) -> None:
    """Ask where to, pack a chroot, and say how big that is; of several, each under its own name."""
    from ....widgets.dialogs.pack import PackDialog

    if chosen := session.several_chosen:
        await _pack_each(session, chosen)
        return
    one = next(iter(session.chosen), None)
    if one is None:
        return
    archive, image = (_place(session, one, oci=oci) for oci in _KINDS)
    dialog = PackDialog(
        one.name, archive, image, complete=session.engine.complete, on=one.is_on, host=one.host,
        homes=session.homes,
    )  # fmt: skip
    wish = await session.user.ask(dialog)
    if wish is None or not await _may_be_there(session, wish.path):
        return

    def ended(job: JobStatus, _error: ChrootError | None) -> None:
        if job.state == DONE:
            session.user.tell(f"packed: {safe(job.stage)}", whole=True)

    _pack(session, one, wish, ended)
    session.panes.dock.open_jobs()


def _place(session: Session, one: ChrootStatus, *, oci: bool) -> str:
    """Return where an archive goes: here; what is packed on another machine stays in its base."""
    folder = ("" if one.host else current_directory()) or session.engine.base_at(one.path)
    return os.path.join(folder, default_name(one.path, oci=oci))


async def _pack_each(session: Session, chosen: tuple[ChrootStatus, ...]) -> None:
    from ....widgets.dialogs.pack import Packing

    places = {one.path: _place(session, one, oci=False) for one in chosen}
    title = f"pack {len(chosen)} chroots{session.hidden}"
    there = await asyncio.to_thread(_there, session.engine, tuple(places.values()))
    lines = ["Each into an archive:", *(path for path in places.values() if path not in there)]
    if there:
        lines += ["These are there already, and replaced when the new ones are whole:", *there]
    if await agreed(session, title, lines, "Pack"):
        to_each(
            session, "pack", chosen,
            lambda one: _pack(session, one, Packing(places[one.path])), unmade, busy,
        )  # fmt: skip
        session.panes.dock.open_jobs()


def _pack(session: Session, one: ChrootStatus, wish: Packing, ended: Ended | None = None) -> None:
    def work(report: Report, cancelled: Flag) -> str:
        done = session.engine.pack(
            one.path, wish.path, exclude=wish.exclude, oci=wish.oci,
            checksum=wish.checksum, report=report, cancelled=cancelled,
        )  # fmt: skip
        return f"{size(done.size)} in {done.path}"

    words = command_words.pack(
        one.path, wish.path, wish.exclude, oci=wish.oci, checksum=wish.checksum
    )
    # Once more it would replace what it has made.
    session.start("pack", one.name, one.path, work, ended, words=words, asks=True)


def _there(engine: Engine, paths: Sequence[str]) -> tuple[str, ...]:
    """Return which of these there are already."""
    return tuple(path for path in paths if path in engine.complete(path))


async def _may_be_there(session: Session, path: str) -> bool:
    """Tell whether *path* can be written: ask where a file of that name would be replaced."""
    from ....widgets.dialogs.confirm import Confirm

    if not await asyncio.to_thread(_there, session.engine, (path,)):
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
        key="p", in_footer=False, why_not=of_chosen(unmade, busy), many=True,
    ),
    Action(
        "environments.unpack", "unpack", "A chroot out of an archive", unpack,
        key="u", in_footer=False, of_chroot=False,
    ),
)  # fmt: skip
