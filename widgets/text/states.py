"""The signs and words of states and jobs, the same in every room. Pure.

A state is a sign and a word, and besides a tone: never colour alone.
"""

from __future__ import annotations

from collections import Counter

from ...core.diagnosis.finding import NOTE, OK, PROBLEM, WARNING
from ...core.looking import happenings, status
from ...core.text import safe
from ..job_status import CANCELLED, DONE, FAILED, RUNNING, JobStatus
from .amounts import percent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...core.looking.snapshot import Machine

PLAIN, MUTED, GOOD, WARN, BAD, ACCENT = "", "muted", "good", "warn", "bad", "accent"
"""Tones: a table has a component class of the theme's colour for each of them."""
STYLES = {
    MUTED: "$foreground-muted", GOOD: "$text-success", WARN: "$text-warning",
    BAD: "$text-error", ACCENT: "$text-primary",
}  # fmt: skip
"""The same colours in text that is put together."""

Cell = tuple[str, str]
"""Text as it is, unsafe, and its tone."""

_CHROOT = {
    status.ON: ("●", GOOD),
    status.OFF: ("○", PLAIN),
    status.IN_USE: ("○", ACCENT),
    status.PARTIAL: ("◐", WARN),
    status.CREATING: ("…", ACCENT),
    status.INCOMPLETE: ("✗", BAD),
    status.BROKEN: ("✗", BAD),
    status.NOT_ANSWERING: ("!", WARN),
}

_MOUNT = {
    status.MOUNTED: ("●", GOOD),
    status.MISSING: ("○", PLAIN),
    status.DRIFTED: ("◐", WARN),
    status.IGNORED: ("-", MUTED),
    status.FOREIGN_MOUNT: ("?", WARN),
}

_JOB = {
    RUNNING: ("…", ACCENT),
    DONE: ("✓", GOOD),
    FAILED: ("✗", BAD),
    CANCELLED: ("-", MUTED),
}

_DOING = {
    "on": "switching on",
    "off": "switching off",
    "create": "creating",
    "delete": "deleting",
    "clone": "cloning",
    "rename": "renaming",
    "pack": "packing",
    "unpack": "unpacking",
    "mount": "mounting",
    "unmount": "unmounting",
}


_FINDING = {
    PROBLEM: ("✗", BAD),
    WARNING: ("!", WARN),
    NOTE: ("·", MUTED),
    OK: ("✓", GOOD),
}


_HAPPENING = {
    happenings.STARTED: ("+", PLAIN),
    happenings.ENDED: ("-", MUTED),
    happenings.BRIEF: ("·", MUTED),
    happenings.PACKAGES: ("*", ACCENT),
}


def happening(kind: str) -> Cell:
    """Return sign and word of something that happened to a chroot."""
    return _signed({**_CHROOT, **_HAPPENING}, kind)


def severity(word: str) -> Cell:
    """Return sign and word of how much a finding of the doctor weighs."""
    return _signed(_FINDING, word)


LOOKS_ONLY = "looking only: not root there"
"""Of a machine that answers."""


def machine_state(machine: Machine) -> Cell:
    """Return sign and word of how another machine answers."""
    if machine.answers:
        return "● open", GOOD
    return ("✗ lost", BAD) if machine.problem else ("… opening", WARN)


def chroot_state(state: str) -> Cell:
    """Return sign and word of a chroot's state, or of its condition."""
    return _signed(_CHROOT, state)


def counted_states(states: Iterable[str]) -> tuple[Cell, ...]:
    """Return how many chroots are in each state, `● 2 on`; off goes without saying."""
    found = Counter(states)
    return tuple(
        (f"{sign} {found[state]} {state}", tone)
        for state, (sign, tone) in _CHROOT.items()
        if state != status.OFF and found[state]
    )


def mount_state(state: str) -> Cell:
    """Return sign and word of a mount's state."""
    return _signed(_MOUNT, state)


def job_state(state: str) -> Cell:
    """Return sign and word of a job's state."""
    return _signed(_JOB, state)


def _signed(signs: dict[str, tuple[str, str]], state: str) -> Cell:
    sign, tone = signs.get(state, ("?", PLAIN))
    return f"{sign} {state}", tone


def verb(job: JobStatus) -> str:
    """Return what a job does as a word: `switching on`."""
    return _DOING.get(job.verb, safe(job.verb))


def doing(job: JobStatus, width: int) -> str:
    """Return what a job does and how far it is, `creating 42 %`, in at most `width` cells.

    The ellipsis of a job that cannot say how far it is goes first.
    """
    word = verb(job)
    if job.fraction is not None:
        with_part = f"{word} {percent(job.fraction)}"
        return with_part if len(with_part) <= width else f"{percent(job.fraction)}…"
    return f"{word}…" if len(word) < width else word
