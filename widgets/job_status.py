"""A job as widgets show it: something that the engine does for the user in the background."""

from __future__ import annotations

from ..core.diagnosis.finding import Finding
from ..core.value import Value

RUNNING, DONE, FAILED, CANCELLED = "running", "done", "failed", "cancelled"


class JobStatus(Value):
    """One job at one moment. Frozen: what has not changed is not painted again."""

    id: int
    verb: str
    """create, on, off, delete …"""
    name: str
    """The chroot's name: foreign text."""
    path: str
    state: str = RUNNING
    stage: str = ""
    """What it does now, or how it ended: foreign text."""
    fraction: float | None = None
    hint: str = ""
    """Of a failure: what to do."""
    started: float = 0.0
    """Epoch seconds."""
    ended: float = 0.0
    doctor: Finding | None = None
    """Of a failure: what the doctor says was in the way."""
