"""The doctor: what is in the way, of a chroot and of this host, and mending what is safe."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from ....core.diagnosis.finding import PROBLEM, Finding, Found
from ....core.errors import BusyError, Cancelled, ChrootError
from ....core.remote.address import joined, split
from ....core.text import safe
from ....widgets.job_status import DONE
from ..threads.messages import Diagnosed
from .action import Action, flow

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from textual.message import Message

    from ....core.engine import Engine
    from ....core.events import Event, Report
    from ....core.plan import Plan
    from ....widgets.job_status import JobStatus
    from ..session import Session

    Post = Callable[[Message], object]

_MOST_STEPS = 12
_AT_ONCE = 4
"""Places that are looked at beside each other."""


def host_of(path: str) -> str:
    """Return what means the machine that *path* is on, for the doctor."""
    return joined(split(path)[0], "")


@flow
async def consult(session: Session) -> None:
    """Show what is in the way of what is chosen, and of this host."""
    chosen = session.chosen
    if len(chosen) > 1:
        whose = f"{len(chosen)} chroots{session.hidden}"
        await _consult(session, whose, {one.path: one.name for one in chosen})
    elif chosen:
        (one,) = chosen
        checks = (
            job.doctor.check for job in session.jobs.views if job.path == one.path and job.doctor
        )
        await _consult(session, one.name, {one.path: one.name}, next(checks, ""))
    else:
        await _consult(session, "", {})


@flow
async def consult_about(session: Session, job: JobStatus) -> None:
    """Show what was in the way of a job."""
    check = job.doctor.check if job.doctor else ""
    await _consult(session, job.name, {job.path: job.name} if job.path else {}, check)


async def _consult(session: Session, whose: str, chroots: dict[str, str], at: str = "") -> None:
    """Show what is in the way of *chroots*, names by paths, and of the hosts that they are on."""
    from ....widgets.dialogs.doctor import DoctorDialog

    hosts = dict.fromkeys(map(host_of, chroots)) or {"": None}
    told_apart = len(hosts) > 1
    names = {
        path: joined(split(path)[0], name) if told_apart else name for path, name in chroots.items()
    }
    places = {**names, **{host: host if told_apart else "" for host in hosts}}
    left = threading.Event()
    begin = partial(_begin, session.engine, places, left)
    several = frozenset(names.values()) if len(names) > 1 else frozenset()
    host = "their hosts" if told_apart else split(next(iter(hosts)))[0] or "this host"
    try:
        wants = await session.user.ask(
            DoctorDialog(whose, begin, at=at, several=several, host=host)
        )
    finally:
        left.set()
    if wants:
        await _mend(session, places)


def _begin(engine: Engine, places: dict[str, str], left: Flag, post: Post) -> None:
    """Look at all *places* beside each other, in threads of their own."""
    from ....widgets.dialogs.doctor import DoctorDialog

    waiting = deque(places.items())

    def look() -> None:
        while waiting and not left.is_set():
            try:
                path, name = waiting.popleft()
            except IndexError:
                return  # another thread has taken the last one
            _look(engine, name, path, left, post)

    threads = [
        threading.Thread(target=look, name="doctor", daemon=True)
        for _ in range(min(len(places), _AT_ONCE))
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


async def _mend(session: Session, places: dict[str, str]) -> None:
    """Show what would be done to *places*, names by paths, and do it."""
    from ....widgets.dialogs.confirm import Confirm

    engine = session.engine
    plans: dict[str, Plan] = {}
    for where in places:
        try:
            plan = await asyncio.to_thread(engine.plan_mend, where)
        except ChrootError as error:
            session.user.explain(error)
            continue
        if plan:
            plans[where] = plan
    if not plans:
        session.user.tell("there is nothing that can be mended safely")
        return
    called = {where: places[where] or split(where)[0] or "this host" for where in plans}
    lines = [
        f"{called[where]}: {step.describe()}" if len(plans) > 1 else step.describe()
        for where, plan in plans.items()
        for step in plan.steps
    ]
    if len(lines) > _MOST_STEPS:
        lines = [*lines[:_MOST_STEPS], f"and {len(lines) - _MOST_STEPS} more steps"]
    if not await session.user.ask(Confirm("mend this?", lines, action="Mend")):
        return
    with session.several.begun_by("mend"):
        for where in plans:
            _mend_one(session, where, called[where])


def _mend_one(session: Session, where: str, name: str) -> None:
    def work(report: Report, cancelled: Flag) -> str:
        count = len(session.engine.mend(where, report=report, cancelled=cancelled).steps)
        return "1 step" if count == 1 else f"{count} steps"

    def ended(job: JobStatus, _error: ChrootError | None) -> None:
        if job.state == DONE and not session.several.has(job.id):
            session.user.tell(f"mended: {safe(job.stage)}")

    of = _host(where) if where == host_of(where) else ("-d", where)
    session.start("mend", name, where, work, ended, words=("doctor", "--mend", *of), asks=True)


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
        key="D", in_footer=False, many=True,
    ),
)  # fmt: skip
