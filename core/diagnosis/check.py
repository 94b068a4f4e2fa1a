"""A check, and running many beside each other: each within a bound, told of as they come.

A check only looks. What it has to try (a mount, a namespace) it tries in a process of its own
(`trial`), so that nothing is left of it.
"""

from __future__ import annotations

import queue
import threading
import time

from ..errors import Cancelled, ChrootError
from ..events import ignore
from ..kernel.answering import HINT, NotAnswering
from ..value import Value
from .finding import SEVERITIES, Finding, Found, problem, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from threading import Event as Flag

    from ..events import Report
    from .subject import Subject

    Look = Callable[[Subject], Iterable[Finding]]

HOST, CHROOT = "host", "chroot"
_SECONDS = 10.0
_MOST = 20
"""Findings of one check that are told each by itself."""
_TICK = 0.1
"""Seconds within which a cancel is seen."""


class Check(Value):
    """One thing that is looked at."""

    name: str
    """A word or two of at most 13 characters: the first column of what is printed."""
    about: str
    """What it looks at, in a line of docs/doctor.md."""
    look: Look
    of: tuple[str, ...]
    """HOST, CHROOT, or both."""
    seconds: float = _SECONDS
    """It is not waited for any longer."""


def run(
    checks: Sequence[Check],
    subject: Subject,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> tuple[Finding, ...]:
    """Run *checks* on *subject*; report `Found` for each finding and return all, as they came.

    Raises nothing but Cancelled: a check that fails, or does not answer in time, is a finding.
    """
    answers: queue.Queue[tuple[Check, tuple[Finding, ...]]] = queue.Queue()
    began = time.monotonic()
    for check in checks:
        # Daemons: what hangs in a dead file system is left behind, and ends with this process.
        threading.Thread(
            target=_answer, args=(check, subject, answers), name=f"doctor {check.name}", daemon=True
        ).start()
    waiting = {check.name: check for check in checks}
    found: list[Finding] = []

    def take(check: Check, findings: Iterable[Finding]) -> None:
        if waiting.pop(check.name, None):
            for finding in findings:
                found.append(finding.replace(check=check.name))
                report(Found(subject.path, found[-1]))

    while waiting:
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("the doctor was interrupted; nothing was changed")
        try:
            take(*answers.get(timeout=_TICK))
        except queue.Empty:
            spent = time.monotonic() - began
            for check in [one for one in waiting.values() if spent > one.seconds]:
                take(check, (_silent(check),))
    return tuple(found)


def _answer(
    check: Check, subject: Subject, answers: queue.Queue[tuple[Check, tuple[Finding, ...]]]
) -> None:
    try:
        findings = _shortened(tuple(check.look(subject)))
    except ChrootError as error:
        findings = (warning(error.message, "so much could not be looked at", error.hint),)
    except NotAnswering as error:
        findings = (
            problem(f"{error.filename} {error.strerror}", "whoever looks at it waits", HINT),
        )
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        findings = (warning(f"{where}{error.strerror}", "so much could not be looked at"),)
    except Exception as error:  # a bug of ours must be seen, and hold back no other check
        said = f"unexpected {type(error).__name__}: {error}"
        findings = (problem(said, "the check itself is wrong", "please report this"),)
    answers.put((check, findings))


def _shortened(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return what a person can read: who has 9,000 stray mounts need not be told of each."""
    rest = findings[_MOST:]
    if len(rest) < 2:
        return findings
    worst = min((one.severity for one in rest), key=SEVERITIES.index)
    more = Finding("", worst, f"and {len(rest)} more", mends=any(one.mends for one in rest))
    return (*findings[:_MOST], more)


def _silent(check: Check) -> Finding:
    return problem(
        f"no answer within {check.seconds:g} seconds",
        "what it looks at hangs: a file system whose server is gone, as often as not",
        "findmnt -t nfs,nfs4,cifs,fuse shows the candidates; umount -f, or bring it back",
    )
