"""Something that a key did, as the command line that does the same."""

from __future__ import annotations

from ..core.value import Value
from .job_status import RUNNING


class DoneCommand(Value):
    """One entry of the command log at one moment. Frozen: what has not changed is not painted."""

    id: int
    lines: tuple[str, ...]
    """What to type into a shell, quoted for it: safe to show, and to paste."""
    name: str
    """The chroot's name: foreign text."""
    state: str = RUNNING
    said: str = ""
    """How it ended: foreign text."""
    started: float = 0.0
    """Epoch seconds."""
    ended: float = 0.0
    fixed: str = ""
    """Why it can't be taken back; "": it can."""
    is_past: bool = False
    """Whether it is of an earlier session: to look up and to copy."""
    kept: tuple[str, ...] = ()
    """The lines without what may be secret, to be kept for later sessions; (): as they are."""
