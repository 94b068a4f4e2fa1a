"""On and off: whole chroots, and one mount alone."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from ....core.errors import BusyError, ChrootError
from ....core.looking.status import BROKEN, DRIFTED, MISSING, NOT_ANSWERING, ON
from ....core.text import processes, safe
from ....widgets.job_status import CANCELLED
from ..command_lines.command_log import PROGRAM, Undo
from ..command_lines.command_words import quoted
from ..reasons import NO_CHROOT, UNFIT, UNMADE, busy, unfit, unmade
from .action import Action, flow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ....core.events import Report
    from ....core.looking.status import ChrootStatus, MountStatus
    from ....core.plan import Plan
    from ....core.process import Holder
    from ....widgets.job_status import JobStatus
    from ..command_lines.command_words import Words
    from ..session import Session

_LEFT_ON = ": left on"


@flow
async def toggle(session: Session) -> None:
    """Switch what is chosen, all one way: on what is not on yet, off where all are on.

    What is broken can only be switched off, as long as something is mounted.
    """
    _toggle(session, await _chosen_by_now(session))


def _toggle(session: Session, chosen: Sequence[ChrootStatus]) -> None:
    if not chosen:
        return
    if all(_is_on(one) or one.state in UNFIT for one in chosen):
        _ask_and_off(session, chosen)
        return
    with session.several.begun_by("on"):
        for one in chosen:
            if one.state in UNFIT:
                session.several.refuse(one.name, safe(unfit(session, one)))
            elif not _is_on(one):
                _on(session, one)


async def _chosen_by_now(session: Session) -> Sequence[ChrootStatus]:
    """Return what is chosen, what was broken as it is now: nobody tells when that is mended.

    Without what has been switched on meanwhile, by the same key pressed once more it may be.
    """

    def look(one: ChrootStatus) -> ChrootStatus:
        try:
            return session.engine.status(one.path)
        except ChrootError:
            return one

    before = session.chosen
    now = [await asyncio.to_thread(look, one) if one.state == BROKEN else one for one in before]
    return [one for one, old in zip(now, before, strict=True) if old.is_on or not _is_on(one)]


def _is_on(one: ChrootStatus) -> bool:
    """Tell whether there is nothing left to switch on; what does not answer can't be."""
    return one.state == ON or (one.state == NOT_ANSWERING and one.is_on)


def _is_stuck(one: ChrootStatus) -> bool:
    """Tell whether it is broken while something is mounted: it can be switched off."""
    return one.state == BROKEN and any(mount.real for mount in one.mounts)


def _no_toggle(session: Session) -> str:
    """Say why nothing of what is chosen can be switched; what is broken is looked at before."""
    chosen = session.chosen
    if not chosen:
        return NO_CHROOT
    for one in chosen:
        if not busy(session, one) and one.state not in UNMADE:
            return ""
    if len(chosen) > 1:
        return "none of the marked ones can be switched"
    return busy(session, chosen[0]) or unmade(session, chosen[0])


def _no_off(session: Session) -> str:
    """Say why nothing of what is chosen can be switched off."""
    if not session.chosen:
        return NO_CHROOT
    if any(one.is_on or any(mount.real for mount in one.mounts) for one in session.chosen):
        return ""
    return f"nothing of {'it' if len(session.chosen) == 1 else 'them'} is mounted"


def switch_off(session: Session) -> None:
    """Switch off what is chosen, whatever is mounted of it."""
    _ask_and_off(session, session.chosen)


def _ask_and_off(session: Session, chosen: Sequence[ChrootStatus]) -> None:
    """Switch off *chosen*; ask first where something is mounted that somebody else has mounted.

    Of what is broken nobody knows who has mounted what.
    """
    if any(one.foreign and one.state not in UNFIT for one in chosen):
        _ask_about_foreign(session, chosen)
    else:
        _off_each(session, chosen)


@flow
async def _ask_about_foreign(session: Session, chosen: Sequence[ChrootStatus]) -> None:
    from ....widgets.dialogs.confirm import Confirm

    lines = [
        "Mounted by somebody else, and unmounted with the rest; a tmpfs with all that is in it:",
        *(f"  {one.name} {mount.target}  {_real(mount)}"
          for one in chosen for mount in one.foreign),
    ]  # fmt: skip
    if await session.user.ask(Confirm("switch off?", lines, action="Switch off", danger=True)):
        _off_each(session, chosen)


def _real(mount: MountStatus) -> str:
    return f"{mount.fs} {mount.source}" if mount.source else mount.fs


def _off_each(session: Session, chosen: Sequence[ChrootStatus]) -> None:
    with session.several.begun_by("off"):
        for one in chosen:
            if one.state in UNFIT and not _is_stuck(one):
                session.several.refuse(one.name, safe(unfit(session, one)))
            else:
                _off(session, one.name, one.path)


def _on(session: Session, one: ChrootStatus) -> None:
    session.start(
        "on", one.name, one.path,
        lambda report, cancelled: session.engine.on(
            one.path, report=report, cancelled=cancelled
        ),
        words=("on", "-d", one.path),
        undo=_way_off(session, one),
    )  # fmt: skip


def _way_off(session: Session, one: ChrootStatus) -> Undo | None:
    """Return the way back from on: off, or where some was mounted before, what was not alone.

    What has drifted is mounted anew; how it was cannot be had again.
    """
    if not any(mount.real for mount in one.mounts) and not one.is_on:
        return Undo(
            lambda: _steps(session.engine.plan_off(one.path)),
            lambda: _off(session, one.name, one.path, undoes=True),
        )
    if any(mount.state == DRIFTED for mount in one.mounts):
        return None
    lacking = [mount.target for mount in reversed(one.mounts) if mount.state == MISSING]
    return Undo(
        lambda: tuple(f"unmount {target}" for target in lacking),
        lambda: _unmount(session, one, lacking),
    )


def _unmount(session: Session, one: ChrootStatus, targets: Sequence[str]) -> None:
    """Unmount these alone; everything else stays as it is."""

    def work(report: Report, cancelled: Flag) -> None:
        for target in targets:
            session.engine.switch_bind(
                one.path, target, on=False, report=report, cancelled=cancelled
            )

    session.start(
        "unmount", f"{one.name} {', '.join(targets)}", one.path, work,
        words=tuple(("off", "-d", one.path, "--only", target) for target in targets),
    )  # fmt: skip


def _steps(plan: Plan) -> tuple[str, ...]:
    return tuple(step.describe() for step in plan.steps)


def _switch_on(session: Session, name: str, path: str) -> None:
    session.start(
        "on", name, path,
        lambda report, cancelled: session.engine.on(path, report=report, cancelled=cancelled),
        words=("on", "-d", path),
    )  # fmt: skip


def _off(
    session: Session, name: str, path: str, *, kill: bool = False, undoes: bool = False
) -> None:
    # When it is asked for the second time, `stop` has been run already.
    session.start(
        "off", name, path,
        lambda report, cancelled: session.engine.off(
            path, stop=not kill, kill=kill, report=report, cancelled=cancelled
        ),
        partial(_ask_where_busy, session),
        words=("off", *(("-S", "--kill") if kill else ()), "-d", path),
        undo=None if kill or undoes else Undo(
            lambda: _steps(session.engine.plan_on(path)),
            lambda: _switch_on(session, name, path),
        ),
        asks=kill, again=None if kill else partial(_off_again, session, name, path),
    )  # fmt: skip


def _off_again(session: Session, name: str, path: str) -> None:
    """Switch off once more; what is mounted by then is asked about as ever."""
    now = tuple(one for one in session.inventory.chroots if one.path == path)
    if now:
        _ask_and_off(session, now)
    else:
        _off(session, name, path)


def _ask_where_busy(
    session: Session, job: JobStatus, error: ChrootError | None
) -> JobStatus | None:
    """Ask whether to end who is in the way of `off`.

    Being asked is no failure: the chroot is left as it is unless the answer is yes.
    """
    if not isinstance(error, BusyError) or not error.holders:
        return None
    who = processes(sum(holder.blocks for holder in error.holders))
    job = job.replace(state=CANCELLED, stage=f"in use by {who}{_LEFT_ON}", hint="")
    _ask_to_kill(session, job, error.holders)
    return job


@flow
async def _ask_to_kill(session: Session, job: JobStatus, holders: tuple[Holder, ...]) -> None:
    from ....widgets.dialogs.stop_processes import StopProcesses

    if await session.user.ask(StopProcesses(job.name, holders, unasked=True)):
        session.jobs.update(job.replace(stage=job.stage.removesuffix(_LEFT_ON)))
        _off(session, job.name, job.path, kill=True)


def toggle_mount(session: Session, one: ChrootStatus, mount: MountStatus) -> None:
    """Mount or unmount one bind of a chroot; everything else stays as it is."""
    _switch_mount(session, one, mount.target, on=not mount.real)


def _switch_mount(
    session: Session, one: ChrootStatus, target: str, *, on: bool, undoes: bool = False
) -> None:
    verb, other = ("mount", "unmount") if on else ("unmount", "mount")
    undo = Undo(
        lambda: (f"{other} {target}",),
        lambda: _switch_mount(session, one, target, on=not on, undoes=True),
    )
    session.start(
        verb, f"{one.name} {target}", one.path,
        lambda report, cancelled: session.engine.switch_bind(
            one.path, target, on=on, report=report, cancelled=cancelled
        ),
        words=_words_for_one(one, target, on=on),
        undo=None if undoes else undo,
    )  # fmt: skip


def _words_for_one(one: ChrootStatus, target: str, *, on: bool) -> Words:
    return "on" if on else "off", "-d", one.path, "--only", target


@flow
async def show_mount_plan(session: Session, one: ChrootStatus, mount: MountStatus) -> None:
    """Show what `toggle_mount` would do, step by step; do it where that is wanted."""
    from ....widgets.dialogs.confirm import Confirm

    on = not mount.real
    words = _words_for_one(one, mount.target, on=on)
    try:
        plan = await asyncio.to_thread(
            session.engine.plan_switch_bind, one.path, mount.target, on=on
        )
    except ChrootError as error:
        session.user.explain(error)
        return
    steps = [f"  {step}" for step in _steps(plan)] or ["  nothing to do"]
    lines = (f"$ {quoted((PROGRAM, *words))}", *steps)
    title = f"what o would do to {mount.target}"
    if await session.user.ask(Confirm(title, lines, action="Do it")):
        _switch_mount(session, one, mount.target, on=on)


@flow
async def show_plan(session: Session) -> None:
    """Show what `toggle` would do, step by step; do it where that is wanted."""
    from ....widgets.dialogs.confirm import Confirm

    chosen = await _chosen_by_now(session)
    off = all(_is_on(one) or one.state in UNFIT for one in chosen)
    fit = [one for one in chosen if one.state not in UNFIT or (off and _is_stuck(one))]
    if not fit:
        _toggle(session, chosen)  # which says why
        return
    lines: list[str] = []
    for one in fit:
        if not off and _is_on(one):
            continue
        verb = "off" if off else "on"
        plan = session.engine.plan_off if off else session.engine.plan_on
        lines.append(f"$ {quoted((PROGRAM, verb, '-d', one.path, '-n'))}")
        try:
            steps = _steps(await asyncio.to_thread(plan, one.path))
        except ChrootError as error:
            lines.append(f"  {error.message}")
            continue
        stop = ("run `stop` inside",) if off and steps else ()
        lines += [f"  {step}" for step in (*stop, *steps)] or ["  nothing to do"]
    if await session.user.ask(Confirm(f"what o would do{session.hidden}", lines, action="Do it")):
        with session.several.begun_by("off" if off else "on"):
            for one in fit:
                if off:
                    _off(session, one.name, one.path)
                elif not _is_on(one):
                    _on(session, one)


ACTIONS = (
    Action(
        "environments.toggle", "on/off",
        "Switch on or off, the marked ones together", toggle,
        key="o", why_not=_no_toggle, many=True,
    ),
    Action(
        "environments.plan", "plan", "What on/off would do, before it does",
        show_plan, key="O", in_footer=False, why_not=_no_toggle, many=True,
    ),
    Action(
        "environments.off", "switch off",
        "Also where `o` would mount what is missing", switch_off,
        why_not=_no_off, many=True,
    ),
)  # fmt: skip
