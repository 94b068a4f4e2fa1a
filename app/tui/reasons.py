"""Why something can't be done now, in a few words: what footer, help, palette and menu go by.

A reason is said of the chroot under the cursor where it begins with "it". None of these looks at
anything but what is known already: they are asked whenever the footer is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.looking.status import BROKEN, CREATING, INCOMPLETE
from ...core.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.looking.status import ChrootStatus
    from .session import Session

    WhyNot = Callable[[Session], str]
    WhyNotThis = Callable[[Session, ChrootStatus], str]

NO_CHROOT = "there is no chroot here"
BUSY = "it has something under way already"
"""How a reason begins that is soon gone: the footer, which would flicker, does not go by it."""
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
        said = [
            next((reason for check in checks if (reason := check(session, one))), "")
            for one in session.chosen
        ]
        if not said:
            return NO_CHROOT
        if "" in said:
            return ""
        return said[0] if len(said) == 1 else "none of the marked ones can be"

    return why_not


def unmade(_session: Session, one: ChrootStatus) -> str:
    """Say that it is not there as a whole."""
    return f"it is {one.state}" if one.state in UNMADE else ""


def unfit(_session: Session, one: ChrootStatus) -> str:
    """Say that nothing can run inside."""
    return f"it is {one.state}" if one.state in UNFIT else ""


def is_on(_session: Session, one: ChrootStatus) -> str:
    """Say that it has to be off."""
    return f"it is {one.state}: switch it off first" if one.is_on else ""


def busy(session: Session, one: ChrootStatus) -> str:
    """Say that a job is at work on it."""
    job = next((job for job in session.jobs.running if job.path == one.path), None)
    return f"{BUSY}: {job.verb}" if job else ""


def told(session: Session, reason: str) -> str:
    """Return *reason* as a sentence of its own, safe to show."""
    one = session.highlighted
    if one is not None and reason.startswith("it "):
        return safe(f"{one.name} {reason.removeprefix('it ')}")
    return safe(reason)
