"""The clock: behind what is there already, so that packages come from the future."""

from __future__ import annotations

import os
import time

from .check import CHROOT, HOST, Check
from .finding import ok, problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .finding import Finding
    from .subject import Subject

_STAMPS = ("/var/lib/dpkg/status", "/var/lib/apt/lists", "/etc")
"""What is written when packages are installed."""
_SKEW = 3600
_FIRST = 1735689600.0
"""2025-01-01: no clock that is right shows an earlier day."""


def clock(subject: Subject, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Compare the clock with what packages have written."""
    today = now()
    stamps = {name: _stamp(subject, name) for name in _STAMPS}
    newest = max(stamps, key=lambda name: stamps[name])
    said = time.strftime("%Y-%m-%d %H:%M", time.localtime(today))
    if today < _FIRST:
        yield _behind(f"it shows {said}")
    elif stamps[newest] > today + _SKEW:
        inside = " inside" if subject.path else ""
        yield _behind(f"it shows {said}, and {newest}{inside} was written later than that")
    else:
        yield ok(f"{said}, later than all that packages have written")


def _behind(found: str) -> Finding:
    return problem(
        found,
        "apt takes release files for not valid yet, certificates don't hold, make builds too much",
        "set the clock: timedatectl set-ntp true, or date -s",
    )


def _stamp(subject: Subject, name: str) -> float:
    if not subject.path:
        try:
            return os.stat(name).st_mtime
        except OSError:
            return 0.0
    with subject.open() as root:
        there = root.stat(name)
    return there.st_mtime if there else 0.0


CHECKS = (
    Check("clock", "whether it is behind what packages have written", clock, (HOST, CHROOT)),
)  # fmt: skip
