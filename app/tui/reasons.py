"""Why something can't be done now, in a few words: what footer, help, palette and menu go by.

A reason is said of the chroot under the cursor where it begins with "it". None of these looks at
anything but what is known already: they are asked whenever the footer is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.looking.status import BROKEN, CREATING, INCOMPLETE, ON
from ...core.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.looking.status import ChrootStatus
    from ...widgets.job_status import JobStatus
    from .session import Session

    WhyNot = Callable[[Session], str]
    WhyNotThis = Callable[[Session, ChrootStatus], str]

NO_CHROOT = "there is no chroot here"
BUSY = "it has something under way already"
"""How a reason begins that is soon gone: the footer, which would flicker, does not go by it."""
_BEING_MADE = "it is being made"
_KEEP_OUT = (
    "create", "unpack", "clone", "snapshot", "restore", "rename", "pack", "delete",
)  # fmt: skip
"""Verbs of jobs that let nobody else in for as long as they take. Others take a moment."""
_READ_ONLY = ("clone", "pack")
"""Those of them that only read: what is on is entered beside them, and a session begun."""
UNMADE = (CREATING, INCOMPLETE)
"""States of what is not there as a whole."""
UNFIT = (*UNMADE, BROKEN)
"""States in which nothing runs inside."""


def never(_session: Session) -> str:
    """Return "": it can always be done."""
    return ""


def of_one(*checks: WhyNotThis) -> WhyNot:
    """Return what says why not of the chroot under the cursor: the first that *checks* have."""

    def why_not(session: Session) -> str:
        one = session.highlighted
        if one is None:
            return NO_CHROOT
        return next((reason for check in checks if (reason := check(session, one))), "")

    return why_not


def of_chosen(*checks: WhyNotThis) -> WhyNot:
    """Return what says why not of all that is chosen: one that it can be done to is enough."""

    def why_not(session: Session) -> str:
        chosen = session.chosen
        said = NO_CHROOT
        for one in chosen:
            said = next((reason for check in checks if (reason := check(session, one))), "")
            if not said:
                return ""
        return said if len(chosen) < 2 else "none of the marked ones can be"

    return why_not


def unmade(session: Session, one: ChrootStatus) -> str:
    """Say that it is not there as a whole."""
    return _state(session, one) if one.state in UNMADE else ""


def unfit(session: Session, one: ChrootStatus) -> str:
    """Say that nothing can run inside."""
    return _state(session, one) if one.state in UNFIT else ""


def _state(session: Session, one: ChrootStatus) -> str:
    if one.state == CREATING:
        by = "" if _job(session, one) else " by another chroot-tool: wait for it"
        return f"{_BEING_MADE}{by}"
    return f"it is {one.state}" + (f": {one.problems[0].message}" if one.problems else "")


def is_on(_session: Session, one: ChrootStatus) -> str:
    """Say that it has to be off."""
    return f"it is {one.state}: switch it off first" if one.is_on else ""


def busy(session: Session, one: ChrootStatus) -> str:
    """Say that a job is at work on it."""
    job = _job(session, one)
    return f"{BUSY}: {job.verb}" if job else ""


def kept_out(session: Session, one: ChrootStatus) -> str:
    """Say that a job is at work on it that lets nobody in, nor change what it is made of."""
    job = _job(session, one)
    return f"{BUSY}: {job.verb}" if job and job.verb in _KEEP_OUT else ""


def shut(session: Session, one: ChrootStatus) -> str:
    """Say that a job is at work on it beside which no session can be begun."""
    job = _job(session, one)
    return "" if job and job.verb in _READ_ONLY else kept_out(session, one)


def not_entered(session: Session, one: ChrootStatus) -> str:
    """Say that a job is at work on it beside which nobody gets in: it would be switched on."""
    return shut(session, one) if one.state == ON else kept_out(session, one)


def _job(session: Session, one: ChrootStatus) -> JobStatus | None:
    return session.jobs.at_work(one.path)


def told(session: Session, reason: str) -> str:
    """Return *reason* as a sentence of its own, safe to show."""
    one = session.highlighted
    if one is None or not reason.startswith("it "):
        return safe(reason)
    key = session.panes.key_of("pane.4")
    at_work = reason.startswith((BUSY, _BEING_MADE)) and _job(session, one)
    hint = f"; {key} shows how far it is" if at_work and key else ""
    return safe(f"{one.name} {reason.removeprefix('it ')}{hint}")
