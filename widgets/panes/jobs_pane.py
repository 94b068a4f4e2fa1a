"""What is being done and what was done: the jobs, and the output of the one under the cursor.

A failure stays until it is dismissed, with what to do about it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ...core.text import duration
from ..copying import CopyRequested
from ..job_status import FAILED, RUNNING, JobStatus
from ..light_message import Telling
from ..tables.columns import Column
from ..tables.table import Table
from ..text.amounts import percent
from ..text.states import ACCENT, BAD, MUTED, PLAIN, Cell, job_state
from ..text.wrapped_text import Paragraph, WrappedText
from .find_bar import FindBar
from .job_output import JobOutput
from .list_with_output import FINDING, ListWithOutput

_BAR = 8
_MOST_LINES = 5000
_SECOND = 1.0
_OF_A_JOB = ("cancel", "dismiss", "doctor", "copy")


def columns(clock: Callable[[], float]) -> tuple[Column[JobStatus], ...]:
    """Return the columns of the jobs; *clock* tells running times from."""
    return (
        Column("state", "State", lambda job, _: job_state(job.state), lambda job: job.state, 11,
               rank=0),
        Column("verb", "Job", lambda job, _: (job.verb, PLAIN), lambda job: job.verb, 7, most=10,
               rank=2),
        Column("name", "Chroot", lambda job, _: (job.name, PLAIN), lambda job: job.name, 10,
               most=32, rank=1),
        Column("progress", "Progress", lambda job, _: _progress(job),
               lambda job: job.fraction or 0.0, _BAR + 6, rank=3, biggest_first=True),
        Column("time", "Time", lambda job, _: _time(job, clock()), lambda job: -job.started, 7,
               right=True, rank=5),
        Column("stage", "What", _stage, lambda job: job.stage, 12, rank=4, fills=True),
    )  # fmt: skip


def _progress(job: JobStatus) -> Cell:
    if job.state != RUNNING or job.fraction is None:
        return "", PLAIN
    done = int(min(max(job.fraction, 0.0), 1.0) * _BAR)
    return f"{'━' * done}{'─' * (_BAR - done)} {percent(job.fraction):>5}", ACCENT


def _time(job: JobStatus, now: float) -> Cell:
    if not job.started:
        return "", MUTED
    return duration(max((job.ended or now) - job.started, 0.0)), MUTED


def _stage(job: JobStatus, _width: int) -> Cell:
    return job.stage, BAD if job.state == FAILED else MUTED


class JobRows(Table[JobStatus]):
    """The list of jobs."""

    BINDING_GROUP_TITLE = "Jobs"
    HELP = "What is being done, the latest first, and what came of it. Below: what it printed."


class JobsPane(ListWithOutput):
    """Jobs and their output in, messages out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "cancel", id="jobs.cancel",
                tooltip="Stop it; what it has done so far is taken back"),
        Binding("x", "dismiss", "dismiss", id="jobs.dismiss",
                tooltip="Take it off the list: it has been read"),
        Binding("D", "doctor", "doctor", id="jobs.doctor",
                tooltip="Ask the doctor what was in the way"),
        Binding("y", "copy", "copy", id="row.copy",
                tooltip="Copy why it failed, else what it printed"),
        *FINDING,
    ]  # fmt: skip
    DEFAULT_CSS = """
    JobsPane {
        & > JobRows { height: auto; min-height: 2; max-height: 50%; }
    }
    """

    rows = getters.query_one(JobRows)

    class CancelRequested(Telling):
        """This job, which runs, is to be stopped."""

        job_id: int

    class Dismissed(Telling):
        """This job, which runs no more, was read and is to go."""

        job_id: int

    class DoctorRequested(Telling):
        """The doctor is to be asked what was in the way of this job, which failed."""

        job: JobStatus

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make an empty pane; *clock* tells running times from."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._clock = clock
        self._jobs: tuple[JobStatus, ...] = ()
        self._said: dict[int, deque[str]] = {}

    def compose(self) -> ComposeResult:
        """Put list, failure and output together."""
        rows = JobRows(columns(self._clock), clock=self._clock)
        rows.set_reactive(Table.hint, ("nothing is being done",))
        yield rows
        yield WrappedText()
        yield FindBar()
        yield JobOutput(_MOST_LINES)

    def on_mount(self) -> None:
        """Keep running times right."""
        self._ticking = self.set_interval(_SECOND, self._tick, pause=True)

    # -- values in -------------------------------------------------------------------------------

    def show(self, jobs: tuple[JobStatus, ...]) -> None:
        """Show these jobs, in this order: the latest first.

        A job that is new is highlighted, unless the reader is in here.
        """
        if jobs is self._jobs or jobs == self._jobs:
            return
        new = {job.id for job in jobs} - {job.id for job in self._jobs}
        self._jobs = jobs
        self._said = {job.id: self._said.get(job.id) or deque(maxlen=_MOST_LINES) for job in jobs}
        self.rows.show_rows({str(job.id): job for job in jobs})
        if new and not self.has_focus_within:
            self.select(max(new))
        if any(job.state == RUNNING for job in jobs):
            self._ticking.resume()
        else:
            self._ticking.pause()
        self.show_selected()
        self.refresh_bindings()

    def append_output(self, job_id: int, lines: Sequence[str]) -> None:
        """Add lines that a job has printed, unsafe as they are.

        A reader who has scrolled up stays where they are. Call it some times a second at most.
        """
        self._said.setdefault(job_id, deque(maxlen=_MOST_LINES)).extend(lines)
        if job_id == self.shown:
            self.add_lines(lines)

    # -- what there is ---------------------------------------------------------------------------

    @property
    def selected(self) -> JobStatus | None:
        """The job under the cursor."""
        return self.rows.cursor_row

    def select(self, job_id: int) -> bool:
        """Put the cursor on a job; say whether it is there."""
        return self.rows.move_to(str(job_id))

    def output_of(self, job_id: int) -> str:
        """Return what is kept of a job's output."""
        return "\n".join(self._said.get(job_id, ()))

    # -- keys ------------------------------------------------------------------------------------

    @property
    def subject(self) -> str:
        """The job under the cursor."""
        job = self.selected
        return f"job: {job.verb} {job.name}" if job is not None else ""

    def why_not(self, action: str) -> str:
        """Say what the job under the cursor cannot be subject to."""
        job = self.selected if self.is_mounted else None
        if job is None:
            return "there is no job here" if action in _OF_A_JOB else super().why_not(action)
        if action == "cancel" and job.state != RUNNING:
            return "it is over"
        if action == "dismiss" and job.state == RUNNING:
            return "it runs: cancel it first"
        return super().why_not(action)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the doctor's key to the chroot where no failed job is under the cursor."""
        job = self.selected if self.is_mounted else None
        if action == "doctor":
            return job is not None and job.state == FAILED
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        """Ask for the job to be stopped."""
        if self.may("cancel") and (job := self.selected):
            self.post_message(self.CancelRequested(job.id))

    def action_dismiss(self) -> None:
        """Ask for the job to be taken off the list."""
        if self.may("dismiss") and (job := self.selected):
            self.post_message(self.Dismissed(job.id))

    def action_doctor(self) -> None:
        """Ask for the doctor."""
        job = self.selected
        if job is not None and job.state == FAILED:
            self.post_message(self.DoctorRequested(job))

    def action_copy(self) -> None:
        """Ask for the failure, or else the output, to be copied."""
        job = self.selected
        if job is not None:
            text = _failure(job) if job.state == FAILED else self.output_of(job.id)
            self.post_message(CopyRequested(tuple(text.split("\n"))))

    # -- painting --------------------------------------------------------------------------------

    def _tick(self) -> None:
        self.rows.refresh_rows([str(job.id) for job in self._jobs if job.state == RUNNING])

    def show_selected(self) -> None:
        """Show what the one under the cursor says."""
        job = self.selected
        self.turn_to(job.id if job is not None else None, lambda ident: self._said.get(ident, ()))
        self._show_failure()

    def _show_failure(self) -> None:
        job = self.selected
        said: tuple[Paragraph, ...] = ()
        if job is not None and job.state == FAILED:
            said = ((f"✗ {job.stage}", "$text-error"),)
            if job.hint:
                said += ((f"→ {job.hint}", ""),)
            if job.doctor:
                said += ((f"{self._doctor_key} the doctor: {_word(job)}", "$text-warning"),)
        self.query_one(WrappedText).paragraphs = said

    @property
    def _doctor_key(self) -> str:
        """The key that asks the doctor from where the focus is, as it is shown."""
        keys = (
            self.app.get_key_display(one.binding)
            for one in self.screen.active_bindings.values()
            if (one.binding.id or "").endswith(".doctor")
        )
        return next(keys, "+")


def _word(job: JobStatus) -> str:
    """Return the doctor's word on a job, without what the job has said itself."""
    assert job.doctor is not None
    same = job.doctor.found in job.stage
    return f"{job.doctor.check}: {(same and job.doctor.meaning) or job.doctor.found}"


def _failure(job: JobStatus) -> str:
    text = f"{job.verb} {job.name}: {job.stage}"
    return f"{text}\nhint: {job.hint}" if job.hint else text
