"""Jobs: engine calls that run beside the UI, each in a thread, with progress and a way to stop.

A job changes nothing in the UI. It posts messages; its `JobStatus` is a frozen value, so that what
has not moved is not painted again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from textual.message import Message

from ...core import events
from ...core.errors import BusyError, Cancelled, ChrootError
from ...widgets.job_status import CANCELLED, DONE, FAILED, RUNNING, JobStatus
from .messages import JobEnded, JobMoved, JobSaid

Work = Callable[["events.Report", threading.Event], None]
"""The engine call of a job: reports events, looks at the flag."""

_MOST_LINES = 5000
"""Lines that wait to be taken; after the UI has quit nobody takes them."""


class Job:
    """One engine call. `run` is to be called in a thread of its own."""

    def __init__(
        self,
        view: JobStatus,
        work: Work,
        post: Callable[[Message], object],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.view = view
        self._clock = clock
        self.cancelled = threading.Event()
        self._work = work
        self._post = post
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._lines_lock = threading.Lock()

    def run(self) -> None:
        """Do the work and tell how it ended. Raises nothing: a failure is a message."""
        error: ChrootError | None = None
        try:
            self._work(self._report, self.cancelled)
            self._move(state=DONE, stage="", fraction=None)
        except Cancelled as stopped:
            self._move(state=CANCELLED, stage=stopped.message, fraction=None)
        except ChrootError as failure:
            error = failure
        except Exception as failure:  # a bug of ours must be seen, not take the UI down
            kind = type(failure).__name__
            error = ChrootError(f"unexpected {kind}: {failure}", "please report this")
        if error:
            self._move(state=FAILED, stage=error.message, hint=_hint(error), fraction=None)
            for one in error.holders if isinstance(error, BusyError) else ():
                self._say(f"{one.pid} {one.user} {one.command}: {', '.join(one.holds)}")
        self.view = self.view.replace(ended=self._clock())
        self._post(JobEnded(self.view, error))

    def _move(self, **changes: object) -> None:
        self.view = self.view.replace(**changes)

    def _report(self, event: events.Event) -> None:
        match event:
            case events.Stage():
                self._move(stage=event.stage, fraction=event.fraction)
                self._post(JobMoved(self.view))
                self._say(event.stage)
            case events.Output():
                self._say(event.line)
            case events.StepDone():
                self._say(event.step.describe())
            case events.StepUndone():
                self._say(f"taken back: {event.step.describe()}")
            case events.Warned():
                self._say(f"warning: {event.problem.message}")

    def _say(self, line: str) -> None:
        with self._lines_lock:
            first = not self._lines
            self._lines.append(line)
        if first:
            self._post(JobSaid(self.view.id, self.take_lines))

    def take_lines(self) -> tuple[str, ...]:
        """Return what was said since the last time."""
        with self._lines_lock:
            lines = tuple(self._lines)
            self._lines.clear()
        return lines


def _hint(error: ChrootError) -> str:
    """Return what to do about *error* here, where there are no options to give."""
    if "--kill" in error.hint:
        return "end the processes that use it first: the output of this job names them"
    return error.hint


class Jobs:
    """Every job of this session, by id. Used by the UI's own thread only."""

    def __init__(
        self, post: Callable[[Message], object], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._post = post
        self._clock = clock
        self._jobs: dict[int, Job] = {}
        self._views: dict[int, JobStatus] = {}
        self._last = 0

    @property
    def views(self) -> tuple[JobStatus, ...]:
        """All jobs, the latest first."""
        return tuple(reversed(self._views.values()))

    @property
    def running(self) -> tuple[JobStatus, ...]:
        """Those that are not over."""
        return tuple(view for view in self.views if view.state == RUNNING)

    @property
    def current(self) -> tuple[JobStatus, ...]:
        """Where those that run are at this moment; may be called when no message is taken."""
        jobs = (job.view for job in self._jobs.values())
        return tuple(view for view in jobs if view.state == RUNNING)

    def begin(self, verb: str, name: str, path: str, work: Work) -> Job | None:
        """Return a new job to run; None where one is at work on that chroot already."""
        if any(view.path == path for view in self.running):
            return None
        self._last += 1
        ident = self._last
        view = JobStatus(ident, verb, name, path, started=self._clock())
        job = Job(view, work, self._post, self._clock)
        self._jobs[ident] = job
        self._views[ident] = job.view
        return job

    def update(self, view: JobStatus) -> None:
        """Take note of where a job is."""
        if view.id in self._views:
            self._views[view.id] = view

    def cancel(self, ident: int) -> None:
        """Ask a job to stop; it takes back what it did and says so."""
        if ident in self._jobs:
            self._jobs[ident].cancelled.set()

    def cancel_all(self) -> None:
        """Ask every job to stop."""
        for job in self._jobs.values():
            job.cancelled.set()

    def dismiss(self, ident: int) -> None:
        """Forget a job that is over."""
        view = self._views.get(ident)
        if view and view.state != RUNNING:
            self._views.pop(ident)
            self._jobs.pop(ident)
