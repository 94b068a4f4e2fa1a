"""The signs and words of states, jobs and times, the same in every pane. Pure.

A state is a sign and a word, and besides a tone: never colour alone.
"""

from __future__ import annotations

from ...core.looking import status
from ...core.text import safe, size
from ..job_status import CANCELLED, DONE, FAILED, RUNNING, JobStatus

PLAIN, MUTED, GOOD, WARN, BAD, ACCENT = "", "muted", "good", "warn", "bad", "accent"
"""Tones: each widget has its own component class of the theme's colour for them."""

Cell = tuple[str, str]
"""Text as it is, unsafe, and its tone."""

_CHROOT = {
    status.ON: ("●", GOOD),
    status.OFF: ("○", PLAIN),
    status.PARTIAL: ("◐", WARN),
    status.CREATING: ("…", ACCENT),
    status.INCOMPLETE: ("✗", BAD),
    status.BROKEN: ("✗", BAD),
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
    "pack": "packing",
    "unpack": "unpacking",
    "mount": "mounting",
    "unmount": "unmounting",
}

_AGES = (("y", 31557600), ("mo", 2629800), ("d", 86400), ("h", 3600), ("m", 60))


def chroot_state(state: str) -> Cell:
    """Return sign and word of a chroot's state."""
    return _signed(_CHROOT, state)


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


def percent(fraction: float) -> str:
    """Return a share of 1.0 as `42 %`."""
    return f"{int(min(max(fraction, 0.0), 1.0) * 100)} %"


def age(seconds: float) -> str:
    """Return a span of time in one unit, at most four cells: `now`, `3m`, `2d`, `11mo`."""
    for unit, length in _AGES:
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return "now"


def short_system(name: str, width: int) -> str:
    """Return the name of a system, shortened to `width` cells where leaving out words does it.

    `Debian GNU/Linux 12 (bookworm)`, `Debian 12 (bookworm)`, `Debian 12`; `Ubuntu 24.04`.
    """
    name = name.replace(" GNU/Linux", "").replace(" Linux", "")
    if len(name) > width:
        name = name.partition(" (")[0].removesuffix(" LTS")
    if len(name) > width and name.count(".") == 2:
        name = name.rpartition(".")[0]
    return name


def cpu(share: float) -> str:
    """Return a share of one core in at most five cells: `0.3`, `250`; nothing for an idle one."""
    if share < 0.05:
        return "-"
    return f"{share:.1f}" if share < 99.95 else f"{share:.0f}"


def memory(count: int) -> str:
    """Return a number of bytes, or a dash for none."""
    return size(count) if count else "-"
