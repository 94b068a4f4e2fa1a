"""What a check has found: a frozen value, and the words to make one. Pure."""

from __future__ import annotations

from ..events import Event
from ..value import Value

OK, NOTE, WARNING, PROBLEM = "ok", "note", "warning", "problem"
SEVERITIES = (PROBLEM, WARNING, NOTE, OK)
"""The worst first. A problem: something would fail. A warning: something may, or is not as it was
meant. A note: what is good to know. Only a problem makes `doctor` end with 1."""


class Finding(Value):
    """One thing that a check says."""

    check: str
    """The name of the check; "" until whoever runs it has filled it in."""
    severity: str
    found: str
    """What was found, in one line that may quote foreign text."""
    meaning: str = ""
    """What it means for whoever works with chroots."""
    mend: str = ""
    """What mends it, in one line."""
    mends: bool = False
    """Whether `--mend` does it."""


class Found(Event):
    """A check has found something; `chroot` is "" where it is about this host."""

    word = "finding"
    finding: Finding


def ok(found: str) -> Finding:
    """Return that all is well."""
    return Finding("", OK, found)


def note(found: str, meaning: str = "", mend: str = "", *, mends: bool = False) -> Finding:
    """Return what is good to know."""
    return Finding("", NOTE, found, meaning, mend, mends)


def warning(found: str, meaning: str = "", mend: str = "", *, mends: bool = False) -> Finding:
    """Return what may be in the way."""
    return Finding("", WARNING, found, meaning, mend, mends)


def problem(found: str, meaning: str = "", mend: str = "") -> Finding:
    """Return what is in the way."""
    return Finding("", PROBLEM, found, meaning, mend)
