"""Jobs: engine calls that run beside the UI, each in a thread, with progress and a way to stop.

A job changes nothing in the UI. It posts messages; its `JobStatus` is a frozen value, so that what
has not moved is not painted again. How one began and ended in the UI is `Session`'s affair.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable

from textual.message import Message

from ....core import events
from ....core.diagnosis.finding import Finding
from ....core.errors import BusyError, Cancelled, ChrootError, PrivilegeError
from ....core.kernel import answering
from ....core.text import safe
from ....widgets.job_status import CANCELLED, DONE, FAILED, RUNNING, JobStatus
from ... import exits
from ..threads.messages import JobEnded, JobMoved, JobSaid

Work = Callable[["events.Report", threading.Event], object]
"""The engine call of a job: reports events, looks at the flag. A string that it returns says what
came of it."""
Ended = Callable[[JobStatus, "ChrootError | None"], "JobStatus | None"]
"""Called when a job has ended, with what it failed with. Returns how to show it instead, where all
that is to be said has been said; else None."""

_MOST_LINES = 5000
"""Lines that wait to be taken; after the UI has quit nobody takes them."""
_PATIENCE = 20.0
"""Seconds that jobs have to take back what they did when a signal ends the program."""


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
        self.error: ChrootError | None = None
        """What kept it from its end, as the command line has it: also that it was stopped."""
        self._clock = clock
        self.cancelled = threading.Event()
        self.work = work
        self._post = post
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._lines_lock = threading.Lock()

    def run(self) -> None:
        """Do the work and tell how it ended. Raises nothing: a failure is a message."""
        error: ChrootError | None = None
        try:
            if self.cancelled.is_set():  # since it ended the last time
                raise Cancelled("stopped by you")
            came = self.work(self._report, self.cancelled)
            self._move(state=DONE, stage=came if isinstance(came, str) else "", fraction=None)
        except Cancelled as stopped:
            self.error = stopped
            self._move(state=CANCELLED, stage=stopped.message, fraction=None)
        except ChrootError as failure:
            error = failure
        except Exception as failure:  # a bug of ours must be seen, not take the UI down
            kind = type(failure).__name__
            error = ChrootError(f"unexpected {kind}: {failure}", "please report this")
        self.end(error)

    def end(self, error: ChrootError | None) -> None:
        """Tell that it is over: failed by *error*, which may have kept it from its beginning."""
        if error:
            self.error = error
            if self.cancelled.is_set():  # whom it waited for then is not why it ended
                self.error = Cancelled(f"interrupted: {error.message}", error.hint)
            self._move(state=FAILED, stage=error.message, hint=_hint(error), fraction=None)
            for one in error.holders if isinstance(error, BusyError) else ():
                self._say(f"{one.pid} {one.user} {one.command}: {', '.join(one.holds)}")
        self.view = self.view.replace(ended=self._clock())
        self._post(JobEnded(self.view, error))

    def tell_end(self) -> int:
        """Tell on stderr how it has ended, after the UI; return the exit code for that."""
        of = f"{self.view.verb} {self.view.name}: "
        if self.view.state == DONE:
            exits.tell(safe(of + (self.view.stage or "done")) + "\n")
            return exits.DONE
        if self.view.state == RUNNING or self.error is None:
            exits.tell_given_up(of)
            return exits.INTERRUPTED
        error = self.error
        if self.cancelled.is_set() and isinstance(error, PrivilegeError):
            error = Cancelled("stopped by you")  # while that was asked for
        exits.complain(error, of)
        return exits.code_of(error)

    def _move(self, **changes: object) -> None:
        self.view = self.view.replace(**changes)

    def _report(self, event: events.Event) -> None:
        match event:
            case events.Stage():
                if event.stage != self.view.stage:  # else it only got further
                    self._say(event.stage)
                self._move(stage=event.stage, fraction=event.fraction)
                self._post(JobMoved(self.view))
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
        self,
        post: Callable[[Message], object],
        *,
        changed: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Let jobs *post* their messages; call *changed* when there is something else to show."""
        self._post = post
        self._changed = changed
        self._clock = clock
        self._jobs: dict[int, Job] = {}
        self._views: dict[int, JobStatus] = {}
        self._at_work: dict[str, JobStatus] = {}
        """By the path of its chroot: the one that runs."""
        self._ended: dict[int, Ended] = {}
        self._threads: list[threading.Thread] = []
        self._ids = itertools.count(1)
        self._deadline: float | None = None
        """When those that still run are left alone, as `time.monotonic` has it."""
        self._is_interrupted = False
        """Whether Ctrl-C came after the UI."""

    @property
    def views(self) -> tuple[JobStatus, ...]:
        """All jobs, the latest first."""
        return tuple(reversed(self._views.values()))

    @property
    def running(self) -> tuple[JobStatus, ...]:
        """Those that are not over."""
        return tuple(view for view in self.views if view.state == RUNNING)

    def at_work(self, path: str) -> JobStatus | None:
        """Return the one that runs on the chroot at *path*."""
        return self._at_work.get(path)

    @property
    def current(self) -> tuple[JobStatus, ...]:
        """Where those that run are at this moment; may be called when no message is taken."""
        jobs = (job.view for job in self._jobs.values())
        return tuple(view for view in jobs if view.state == RUNNING)

    def start(self, verb: str, name: str, path: str, work: Work, ended: Ended | None = None) -> int:
        """Run *work* in a thread of its own; return its number, 0 where it did not begin.

        It does not where another job is at work on that chroot already. *ended* is called by `end`.
        """
        if path in self._at_work:
            return 0
        ident = next(self._ids)
        if ended is not None:
            self._ended[ident] = ended
        view = JobStatus(ident, verb, name, path, started=self._clock())
        job = self._jobs[ident] = Job(view, work, self._post, self._clock)
        self._begin(job)
        return ident

    def _begin(self, job: Job) -> None:
        view = job.view
        self._note(view)
        self._changed()
        # Not a worker: it may go on after the UI has quit, and the pool of those has few threads.
        thread = threading.Thread(target=job.run, name=f"{view.verb} {view.name}")
        try:
            thread.start()
        except RuntimeError as error:  # the system gives no more threads
            job.end(ChrootError(f"cannot begin: {error}", "see `ulimit -u`, or TasksMax"))
            return
        self._threads.append(thread)

    def again(self, ident: int) -> None:
        """Begin one that has ended, and was not taken note of, once more: it is the same job.

        Also for who has cancelled it since.
        """
        job = self._jobs[ident]
        view = job.view
        job.view = JobStatus(ident, view.verb, view.name, view.path, started=self._clock())
        self._begin(job)

    def update(self, view: JobStatus) -> None:
        """Take note of where a job is."""
        if view.id in self._views:
            self._note(view)
        self._changed()

    def _note(self, view: JobStatus) -> None:
        self._views[view.id] = view
        if view.path and view.state == RUNNING:
            self._at_work[view.path] = view
        elif (before := self._at_work.get(view.path)) and before.id == view.id:
            del self._at_work[view.path]

    def end(self, view: JobStatus, error: ChrootError | None) -> bool:
        """Take note of how a job has ended; tell whether what began it has said so already."""
        ended = self._ended.pop(view.id, None)
        instead = ended(view, error) if ended else None
        self.update(instead or view)
        return instead is not None

    def add_word(self, ident: int, finding: Finding) -> None:
        """Take note of what the doctor says of a job that failed."""
        view = self._views.get(ident)
        if view is not None:
            self.update(view.replace(doctor=finding))

    def is_cancelled(self, ident: int) -> bool:
        """Tell whether a job was told to stop."""
        job = self._jobs.get(ident)
        return job is not None and job.cancelled.is_set()

    def cancel(self, ident: int) -> None:
        """Ask a job to stop; it takes back what it did and says so."""
        if ident in self._jobs:
            self._jobs[ident].cancelled.set()

    def cancel_all(self) -> None:
        """Ask every job to stop."""
        for job in tuple(self._jobs.values()):
            job.cancelled.set()

    def dismiss(self, ident: int) -> None:
        """Forget a job that is over."""
        view = self._views.get(ident)
        if view and view.state != RUNNING:
            self._views.pop(ident)
            self._jobs.pop(ident)
            self._changed()

    # -- after the UI ------------------------------------------------------------------------------

    def give_up(self) -> None:
        """Ask every job to stop, and wait no longer than is decent; from any thread."""
        self.cancel_all()
        answering.give_up()
        if self._deadline is None:
            self._deadline = time.monotonic() + _PATIENCE

    def wait(self) -> bool:
        """Wait for jobs after the UI has ended; Ctrl-C stops them. Return whether all are over.

        They are not where one of those that were told to stop is held up.
        """
        from ...progress_lines import Narrator

        narrator = Narrator(json=False)
        while True:
            try:
                alive = any(thread.is_alive() for thread in self._threads)
                if not alive or (self._deadline is not None and time.monotonic() > self._deadline):
                    break
                for view in self.current:
                    what = f"{view.verb} {view.name}: {view.stage or 'working'}"
                    narrator(events.Stage(view.path, what, view.fraction))
                time.sleep(0.2)
            except KeyboardInterrupt:
                self._is_interrupted = True
                self.give_up()
        narrator.end()
        return not alive

    @property
    def unseen(self) -> tuple[Job, ...]:
        """Those whose end the UI has not seen, the first first."""
        return tuple(self._jobs[view.id] for view in reversed(self.running))

    def tell_ends(self) -> int:
        """Tell on stderr how those have ended whose end the UI has not seen; return the exit code.

        Of several the largest. Who has stopped them in the UI wanted just that: no failure.
        """
        codes = {job.tell_end() for job in self.unseen}
        if not self._is_interrupted:
            codes.discard(exits.INTERRUPTED)
        return max(codes, default=exits.DONE)
