"""What is seen of all chroots at one moment."""

from __future__ import annotations

from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..errors import Problem
    from .status import ChrootStatus


class Machine(Value):
    """Another machine whose chroots are looked at."""

    name: str
    answers: bool
    """Whether it has answered, and still does."""
    problem: Problem | None = None
    """Why it does not; None while it is asked for the first time."""
    looks_only: bool = False
    """Whether its chroots are only looked at: who logs in there is not root, nor becomes it."""


class Snapshot(Value):
    """All chroots under a base directory at one moment."""

    base: str
    chroots: tuple[ChrootStatus, ...] = ()
    problem: Problem | None = None
    """Why the base could not be looked at."""
    machines: tuple[Machine, ...] = ()
    """The other machines whose chroots are among these."""
    late: Problem | None = None
    """Why what changes is seen late."""
