"""What a long call tells its caller while it works; frozen values that `app` prints or shows."""

from __future__ import annotations

from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .errors import Problem
    from .plan import Step


class Event(Value):
    """Base of everything that is reported. `chroot` is the path it concerns."""

    word = ""
    """What it is called as JSON."""
    chroot: str


class Stage(Event):
    """A long operation reached a stage: what it does now and how far it is.

    `fraction` is 0.0 to 1.0 of the whole operation, never going back, or None where that is
    not known.
    """

    word = "stage"

    stage: str
    fraction: float | None = None


class Output(Event):
    """A line that a program printed (debootstrap, `stop` …), without its newline, unsafe as is."""

    word = "output"

    line: str


class StepDone(Event):
    """One step of a plan was done."""

    word = "step"

    step: Step
    """Described only where somebody shows it."""


class StepUndone(Event):
    """A step was taken back, after a later one failed."""

    word = "undone"

    step: Step


class Warned(Event):
    """Something went wrong that does not hinder (`stop` failed …)."""

    word = "warning"

    problem: Problem


if TYPE_CHECKING:
    Report = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """Report to nobody: the default of every `report` argument."""
