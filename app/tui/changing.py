"""The half of the main screen that changes chroots: each change is a job in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from functools import partial

from textual import on, work
from textual.message import Message

from ...core import events
from ...core.engine import Engine
from ...core.errors import BusyError, ChrootError
from ...core.looking.status import BROKEN, CREATING, INCOMPLETE, ON, ChrootStatus
from ...core.looking.watch import Snapshot
from ...core.text import processes, safe
from ...widgets.job_view import CANCELLED, DONE, JobView
from .. import history
from .jobs import Jobs, Work
from .key_queue import DIALOGS
from .messages import JobEnded, JobMoved, JobSaid
from .running import RunningScreen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.process import Holder
    from ...widgets.panes.jobs_pane import JobsPane
    from ...widgets.tables.mounts_table import MountsTable
    from ...widgets.tables.processes_table import ProcessesTable
    from .editing import Editing


_BATCH = 0.05
"""Seconds that lines of output are gathered."""
_PATIENCE = 20.0
"""Seconds that jobs have to take back what they did when a signal ends the program."""
_LEFT_ON = ": left on"
_UNFIT = (CREATING, INCOMPLETE, BROKEN)
"""States in which nothing can be switched on."""


class ChangingScreen(RunningScreen):
    """A screen that switches, makes, edits and removes what its table shows."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(engine)
        self._clock = clock
        self._snapshot = Snapshot(engine.base)
        self._sizes: dict[str, int] = {}
        self._jobs = Jobs(self.post, clock=clock)
        self._threads: list[threading.Thread] = []
        self._deadline: float | None = None
        self._editing: Editing | None = None
        self._door = threading.Lock()
        self._early: list[Message] | None = []
        self.is_built = False
        """Whether every pane is there; until then no key does anything."""
        self._awaited = ""
        """The name of a new chroot, which is gone to when it appears."""

    def show_all(self) -> None:
        """Show the chroots and the jobs as they are known now."""
        raise NotImplementedError

    # -- jobs ------------------------------------------------------------------------------------

    @property
    def busy_with_jobs(self) -> bool:
        """Whether a job runs."""
        return bool(self._jobs.running)

    def post(self, message: Message) -> None:
        """Post from any thread; what comes before the screen is there waits for it."""
        with self._door:
            if self._early is not None:
                self._early.append(message)
                return
        try:
            self.post_message(message)
        except RuntimeError:
            pass  # the event loop is closed: whoever comes after the end speaks to nobody

    def _start(self, verb: str, name: str, path: str, work: Work) -> None:
        job = self._jobs.begin(verb, name, path, work)
        if job is None:
            self.notify(f"{safe(name)}: something is under way already", severity="warning",
                        markup=False)  # fmt: skip
            return
        self._show_jobs()
        # Not a worker: it may go on after the UI has quit, and the pool of those has few threads.
        thread = threading.Thread(target=job.run, name=f"{verb} {name}")
        self._threads.append(thread)
        thread.start()

    @on(JobMoved)
    def _job_moved(self, message: JobMoved) -> None:
        self._jobs.update(message.job)
        self._show_jobs()

    @on(JobSaid)
    def _job_said(self, message: JobSaid) -> None:
        # A log that is fed line by line is slow.
        self.set_timer(_BATCH, partial(self._take_lines, message))

    def _take_lines(self, message: JobSaid) -> None:
        if self.is_built:
            self.dock.jobs_pane.append_output(message.job_id, message.take())

    @on(JobEnded)
    def _job_ended(self, message: JobEnded) -> None:
        job, error = message.job, message.error
        if isinstance(error, BusyError) and error.holders and job.verb == "off":
            # Being asked is no failure: it is left as it is unless the answer is yes.
            who = processes(sum(holder.blocks for holder in error.holders))
            job = job.replace(state=CANCELLED, stage=f"in use by {who}{_LEFT_ON}", hint="")
            self._jobs.update(job)
            self._show_jobs()
            self._ask_to_stop(job, error.holders)
            return
        self._jobs.update(job)
        self._show_jobs()
        if job.verb == "delete" and job.state == DONE:
            self._forget_history(job.path)
        if error is not None:
            self.dock.open_jobs()
            self.notify(
                f"{safe(job.verb)} {safe(job.name)}: {safe(error.message)}",
                severity="error", markup=False,
            )  # fmt: skip

    def _forget_history(self, path: str) -> None:
        try:
            history.forget(path)
        except OSError as problem:
            self.notify(f"history: {problem.strerror}", severity="warning", markup=False)

    def _show_jobs(self) -> None:
        if self.is_built:
            self.dock.jobs_pane.show(self._jobs.views)
        self.show_all()

    def on_jobs_pane_cancel_requested(self, message: JobsPane.CancelRequested) -> None:
        """Stop a job."""
        self._jobs.cancel(message.job_id)

    def on_jobs_pane_dismissed(self, message: JobsPane.Dismissed) -> None:
        """Forget a job that is over."""
        self._jobs.dismiss(message.job_id)
        self._show_jobs()
        if not self._jobs.views and not self.dock.panels:
            self.leave_dock(close=True)

    # -- on and off ------------------------------------------------------------------------------

    def _chosen(self) -> tuple[ChrootStatus, ...]:
        """Return the marked chroots, or the highlighted one."""
        marked = set(self.table.marked)
        if marked:
            return tuple(one for one in self._snapshot.chroots if one.path in marked)
        one = self.table.highlighted
        return (one,) if one else ()

    def action_switch(self) -> None:
        """Switch what is chosen, all one way: on what is not on yet, off where all are on.

        What is broken can only be switched off, as long as something is mounted.
        """
        chosen = self._chosen()
        off = all(one.state in (ON, *_UNFIT) for one in chosen)
        for one in chosen:
            mounted = one.state == BROKEN and any(mount.real for mount in one.mounts)
            if off and (mounted or one.state == ON):
                self._off(one.name, one.path)
            elif one.state in _UNFIT:
                self._complain_about(one)
            elif one.state != ON:
                self._start("on", one.name, one.path, self._on_work(one.path))

    def switch_off(self) -> None:
        """Switch off what is chosen, whatever is mounted of it."""
        for one in self._chosen():
            self._off(one.name, one.path)

    def _on_work(self, path: str) -> Work:
        return lambda report, cancelled: _drop(
            self._engine.on(path, report=report, cancelled=cancelled)
        )

    def _off(self, name: str, path: str, *, kill: bool = False) -> None:
        # When it is asked for the second time, `stop` has been run already.
        self._start(
            "off", name, path,
            lambda report, cancelled: _drop(
                self._engine.off(
                    path, stop=not kill, kill=kill, report=report, cancelled=cancelled
                )
            ),
        )  # fmt: skip

    @work(group=DIALOGS, exit_on_error=False)
    async def _ask_to_stop(self, job: JobView, holders: tuple[Holder, ...]) -> None:
        from ...widgets.dialogs.busy import Busy

        if await self.app.push_screen_wait(Busy(job.name, holders)):
            self._jobs.update(job.replace(stage=job.stage.removesuffix(_LEFT_ON)))
            self._off(job.name, job.path, kill=True)

    def _complain_about(self, one: ChrootStatus) -> None:
        problem = one.problems[0] if one.problems else None
        said = f"{one.name} is {one.state}" + (f": {problem.message}" if problem else "")
        self.notify(safe(said), severity="warning", markup=False)

    def on_mounts_table_toggle_requested(self, message: MountsTable.ToggleRequested) -> None:
        """Mount or unmount one bind."""
        one = self.table.highlighted
        if one is None:
            return
        mount = message.mount
        path, on_ = one.path, not mount.real
        self._start(
            "mount" if on_ else "unmount", f"{one.name} {mount.target}", path,
            lambda report, cancelled: _drop(
                self._engine.switch_bind(
                    path, mount.target, on=on_, report=report, cancelled=cancelled
                )
            ),
        )  # fmt: skip

    # -- processes -------------------------------------------------------------------------------

    @work(group=DIALOGS, exit_on_error=False)
    async def on_processes_table_signal_requested(
        self, message: ProcessesTable.SignalRequested
    ) -> None:
        """Ask, then send a signal."""
        from ...widgets.dialogs.confirm import Confirm

        process, name = message.process, message.name
        lines = (f"{process.pid} {process.user} {process.command}",)
        sure = await self.app.push_screen_wait(
            Confirm(f"Send {name} to this process?", lines, action=f"Send {name}", danger=True)
        )
        if sure:
            self._send(process.pid, process.started, name)

    def _send(self, pid: int, started: float, name: str) -> None:
        import signal

        try:
            self._engine.signal(pid, started, signal.Signals[f"SIG{name}"])
        except ChrootError as error:
            self._explain(error)

    def _explain(self, error: ChrootError) -> None:
        text = safe(error.message) + (f" ({safe(error.hint)})" if error.hint else "")
        self.notify(text, severity="error", markup=False)

    # -- create, delete --------------------------------------------------------------------------

    @work(group=DIALOGS, exit_on_error=False)
    async def action_create(self) -> None:
        """Ask what to make, then make it."""
        from ...core.creating.options import CreateOptions
        from ...widgets.dialogs.create import CreateForm

        taken = frozenset(one.name for one in self._snapshot.chroots)
        defaults = await asyncio.to_thread(self._engine.create_defaults, CreateOptions())
        form = CreateForm(defaults, self._engine.base, taken, describe=self._engine.plan_create)
        made = await self.app.push_screen_wait(form)
        if made is None:
            return
        path, options = made
        self._start(
            "create", os.path.basename(path), path,
            lambda report, cancelled: self._engine.create(
                path, options, report=report, cancelled=cancelled
            ),
        )  # fmt: skip
        self.dock.open_jobs()
        folder, self._awaited = os.path.split(path)
        if folder != self._engine.base:
            self._awaited = ""

    @work(group=DIALOGS, exit_on_error=False)
    async def action_delete(self) -> None:
        """Have the name typed, then remove the highlighted chroot."""
        from ...widgets.dialogs.delete import DeleteDialog

        one = self.table.highlighted
        if one is None:
            return
        if await self.app.push_screen_wait(DeleteDialog(one, self._sizes.get(one.path))):
            self._start(
                "delete", one.name, one.path,
                lambda report, cancelled: self._engine.delete(
                    one.path, report=report, cancelled=cancelled
                ),
            )  # fmt: skip

    # -- binds -----------------------------------------------------------------------------------

    @work(group=DIALOGS, exit_on_error=False)
    async def action_binds(self) -> None:
        """Edit the binds of the highlighted chroot; have its mounts follow where that is wanted."""
        from .editing import Editing

        one = self.table.highlighted
        if one is None:
            return
        self._editing = Editing(self.app, self._engine, one)
        before = await self._editing.run()
        self._editing = None
        if before is not None:
            self._start(
                "apply",
                one.name,
                one.path,
                lambda report, cancelled: _drop(
                    self._engine.binds(one.path).sync(before, report=report, cancelled=cancelled)
                ),
            )

    # -- the end ---------------------------------------------------------------------------------

    @property
    def running(self) -> tuple[str, ...]:
        """What still runs, in words: quitting asks because of it."""
        jobs = (f"{job.verb} {job.name}" for job in self._jobs.running)
        panels = (
            f"{p.chroot}: {p.command}"
            for p in self.dock.panels
            if p.running and p not in self._kept
        )
        return (*jobs, *panels)

    def cancel_all(self) -> None:
        """Ask every job to stop and take back what it did, and end what runs in panels."""
        self._jobs.cancel_all()
        for panel in self.dock.panels:
            panel.terminal.stop()

    def give_up(self) -> None:
        """Ask every job to stop, and wait no longer than is decent; may be called in a signal."""
        self._jobs.cancel_all()
        if self._deadline is None:
            self._deadline = time.monotonic() + _PATIENCE

    def wait_for_jobs(self) -> bool:
        """Wait for jobs after the UI has ended; Ctrl-C stops them. Return whether all are over."""
        from ..narrate import Narrator

        narrator = Narrator(json=False)
        while alive := any(thread.is_alive() for thread in self._threads):
            if self._deadline is not None and time.monotonic() > self._deadline:
                break
            try:
                for view in self._jobs.current:
                    what = f"{view.verb} {view.name}: {view.stage or 'working'}"
                    narrator(events.Stage(view.path, what, view.fraction))
                time.sleep(0.2)
            except KeyboardInterrupt:
                self._jobs.cancel_all()
        narrator.end()
        return not alive


def _drop(_plan: object) -> None:
    """Return nothing: what was done has been reported step by step."""
