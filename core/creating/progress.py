"""What a create tells its caller: stages with one fraction that only grows, lines, warnings."""

from __future__ import annotations

from ..errors import Problem
from ..events import Output, Stage, Warned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..events import Report


class Teller:
    """Turns what the parts of a create say into events of one chroot."""

    def __init__(self, path: str, report: Report) -> None:
        self.path = path
        self._report = report
        self._part = (0.0, 1.0)
        self._reached = 0.0

    def part(self, begin: float, end: float) -> None:
        """Have what `within` tells from here on lie between these fractions of the whole."""
        self._part = (begin, end)

    def within(self, text: str, fraction: float) -> None:
        """Tell a stage of the part: what is done, and how far the part is."""
        begin, end = self._part
        self.stage(text, begin + (end - begin) * fraction)

    def stage(self, text: str, fraction: float | None = None) -> None:
        """Tell a stage; without a *fraction* it is as far as before."""
        self._reached = max(self._reached, fraction or 0.0)
        self._report(Stage(self.path, text, round(self._reached, 3)))

    def line(self, line: str) -> None:
        """Tell a line that a program printed."""
        self._report(Output(self.path, line))

    def warn(self, message: str, hint: str = "") -> None:
        """Tell of what went wrong and does not hinder."""
        self._report(Warned(self.path, Problem(message, hint)))
