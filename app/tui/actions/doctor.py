"""The doctor: what is in the way, of a chroot and of this host, and mending what is safe."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING

from ....core.diagnosis.finding import PROBLEM, Finding, Found
from ....core.errors import BusyError, Cancelled, ChrootError
from ....core.remote.address import joined, split
from ....core.text import safe
from ....widgets.job_status import DONE
from ..messages import Diagnosed
from .action import Action, flow

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from textual.message import Message

    from ....core.engine import Engine
    from ....core.events import Event, Report
    from ....widgets.job_status import JobStatus
    from ..session import Session

    Post = Callable[[Message], object]

_MOST_STEPS = 12


def host_of(path: str) -> str:
    """Return what means the machine that *path* is on, for the doctor."""
    return joined(split(path)[0], "")


@flow
async def consult(session: Session) -> None:
    """Show what is in the way of the highlighted chroot, and of this host."""
    one = session.highlighted
    if one is None:
        await _consult(session, "", "")
        return
    words = (job.doctor.check for job in session.jobs.views if job.path == one.path and job.doctor)
    await _consult(session, one.name, one.path, next(words, ""))


@flow
async def consult_about(session: Session, job: JobStatus) -> None:
    """Show what was in the way of a job."""
    check = job.doctor.check if job.doctor else ""
    await _consult(session, job.name, job.path, check)


async def _consult(session: Session, name: str, path: str, at: str = "") -> None:
    from ....widgets.dialogs.doctor import DoctorDialog

    left = threading.Event()
    begin = partial(_begin, session.engine, name, path, left)
    try:
        wants = await session.user.ask(DoctorDialog(name, begin, at=at))
    finally:
        left.set()
    if wants:
        await _mend(session, name, path)


def _begin(engine: Engine, name: str, path: str, left: Flag, post: Post) -> None:
    """Look at both beside each other, in threads of their own."""
    from ....widgets.dialogs.doctor import DoctorDialog

    host = ("", host_of(path))
    places = [(name, path), host] if path else [host]
    threads = [
        threading.Thread(
            target=_look, args=(engine, *place, left, post), name="doctor", daemon=True
        )
        for place in places
    ]

    def wait() -> None:
        for thread in threads:
            thread.join()
        _post(post, DoctorDialog.Ended())

    for thread in threads:
        thread.start()
    threading.Thread(target=wait, name="doctor", daemon=True).start()


def _look(engine: Engine, name: str, path: str, left: Flag, post: Post) -> None:
    from ....widgets.dialogs.doctor import DoctorDialog

    def report(event: Event) -> None:
        if isinstance(event, Found):
            _post(post, DoctorDialog.Came(name, event.finding))

    try:
        engine.diagnose(path, report=report, cancelled=left)
    except Cancelled:
        pass
    except ChrootError as error:
        finding = Finding("system", PROBLEM, error.message, "", error.hint)
        _post(post, DoctorDialog.Came(name, finding))


def _post(post: Post, message: Message) -> None:
    try:
        post(message)
    except RuntimeError:
        pass  # the UI has ended


async def _mend(session: Session, name: str, path: str) -> None:
    """Show what would be done to the chroot and to this host, and do it."""
    from ....widgets.dialogs.confirm import Confirm

    engine, lines, places = session.engine, [], []
    for where in dict.fromkeys((path, host_of(path))):
        try:
            plan = await asyncio.to_thread(engine.plan_mend, where)
        except ChrootError as error:
            session.user.explain(error)
            continue
        if plan:
            places.append(where)
            lines += [step.describe() for step in plan.steps]
    if not places:
        session.user.tell("there is nothing that can be mended safely")
        return
    if len(lines) > _MOST_STEPS:
        lines = [*lines[:_MOST_STEPS], f"and {len(lines) - _MOST_STEPS} more steps"]
    if not await session.user.ask(Confirm("mend this?", lines, action="Mend")):
        return

    def work(report: Report, cancelled: Flag) -> str:
        done = [engine.mend(where, report=report, cancelled=cancelled) for where in places]
        count = sum(len(plan.steps) for plan in done)
        return "1 step" if count == 1 else f"{count} steps"

    def ended(job: JobStatus, _error: ChrootError | None) -> None:
        if job.state == DONE:
            session.user.tell(f"mended: {safe(job.stage)}")

    words = tuple(
        ("doctor", "--mend", *(("-d", place) if place == path and path else _host(place)))
        for place in places
    )
    session.start("mend", name or "this host", path, work, ended, words=words)


def _host(place: str) -> tuple[str, ...]:
    """Return the option for the machine that *place* is, for the doctor."""
    host = split(place)[0]
    return ("-H", host) if host else ()


# -- a word on what failed -----------------------------------------------------------------------

_OF_THE_HOST = ("create", "base", "unpack")
"""Verbs that fail for what is wrong with this host, there being no chroot yet."""


def give_word(engine: Engine, job: JobStatus, error: ChrootError, post: Post) -> None:
    """Ask the doctor, in a thread, what was in the way of *job*; post `Diagnosed` if anything."""

    def ask() -> None:
        found = _found(engine, job)
        if found:
            same = (one for one in found if one.found in error.message)
            _post(post, Diagnosed(job.id, next(same, found[0])))

    if not isinstance(error, BusyError):  # which says itself who is in the way
        threading.Thread(target=ask, name="doctor", daemon=True).start()


def _found(engine: Engine, job: JobStatus) -> list[Finding]:
    """Return the problems there are."""
    found: list[Finding] = []
    for path in (job.path, *([host_of(job.path)] if job.verb in _OF_THE_HOST else [])):
        try:
            found += engine.diagnose(path)
        except ChrootError:
            continue  # there is no chroot, and the job has said so
    return [one for one in found if one.severity == PROBLEM]


ACTIONS = (
    Action(
        "environments.doctor", "doctor", "What is in the way, and what mends it", consult,
        key="D", in_footer=False,
    ),
)  # fmt: skip
