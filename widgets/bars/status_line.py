"""One line: where we are, who we are, what is being done, what is filtered."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ..job_status import RUNNING, JobStatus
from ..text.amounts import percent
from ..text.fitting import fit, shorten, width_of
from ..text.states import verb

_SEPARATOR = " · "
_SHORTEST_BASE = 8
_LONGEST_SOURCE = 32
_LONGEST_TROUBLE = 48
_Said = tuple[str, str, tuple[JobStatus, ...], str, tuple[str, ...], str]


class StatusLine(Widget):
    """Never wraps: the base directory, then the rest, is shortened in the middle."""

    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $foreground;
        text-wrap: nowrap;
    }
    """

    said: reactive[_Said] = reactive(("", "", (), "", (), ""))
    """Base directory, privilege, running jobs, filter, what is not answering, what is wrong."""

    def show(
        self,
        base: str,
        jobs: tuple[JobStatus, ...] = (),
        privilege: str = "",
        filter_text: str = "",
        unanswered: tuple[str, ...] = (),
        trouble: str = "",
    ) -> None:
        """Say these things; of *jobs* those that run. *privilege* is a word: `root`.

        *unanswered* are the paths whose file systems do not answer, *trouble* why what is shown
        may not be how it is.
        """
        running = tuple(job for job in jobs if job.state == RUNNING)
        self.said = (base, privilege, running, filter_text, unanswered, trouble)

    def render(self) -> Content:
        """Return the line, as wide as the widget."""
        base, privilege, jobs, filter_text, unanswered, trouble = self.said
        width = self.size.width
        said = _right(jobs, filter_text, unanswered, trouble)
        right = shorten(said, max(width - _SHORTEST_BASE, 0))
        room = width - width_of(right) - (2 if right else 0)
        who = f"{_SEPARATOR}{privilege}" if privilege else ""
        where = shorten(base, max(room - width_of(who), _SHORTEST_BASE))
        left = shorten(where + who, max(room, 0))
        return Content.assemble(
            (fit(left, width - width_of(right)), ""), (right, "$text-primary" if right else "")
        )


def _right(
    jobs: tuple[JobStatus, ...], filter_text: str, unanswered: tuple[str, ...], trouble: str
) -> str:
    parts = [shorten(trouble, _LONGEST_TROUBLE)] if trouble else []
    if unanswered:
        more = " …" if len(unanswered) > 1 else ""
        parts.append(f"not answering: {shorten(unanswered[0], _LONGEST_SOURCE)}{more}")
    if jobs:
        count = "1 job" if len(jobs) == 1 else f"{len(jobs)} jobs"
        parts.append(f"{count}: {_doing(jobs)}")
    if filter_text:
        parts.append(f"/{shorten(filter_text, 20)}")
    return _SEPARATOR.join(parts)


def _doing(jobs: tuple[JobStatus, ...]) -> str:
    """Say what the first job does, and that it is not the only one.

    How far it is, or else what it does now: what it waits for may take long.
    """
    job = jobs[0]
    part = f": {job.stage}" if job.stage else ""
    part = f" {percent(job.fraction)}" if job.fraction is not None else part
    return f"{verb(job)} {shorten(job.name, 24)}{part}" + (" …" if len(jobs) > 1 else "")
