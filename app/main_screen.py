"""The main screen: panes put together, values handed down, messages and keys made engine calls."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from functools import partial
from typing import cast

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.errors import NoWidget
from textual.message import Message

from ..core import events
from ..core.engine import Engine
from ..core.errors import BusyError, ChrootError
from ..core.status import BROKEN, CREATING, INCOMPLETE, ON, ChrootStatus
from ..core.text import safe
from ..core.watch import Snapshot
from ..widgets.chroot_table import ChrootTable
from ..widgets.jobview import CANCELLED, JobView
from ..widgets.status_line import StatusLine
from .jobs import Jobs, Work
from .messages import Counted, JobEnded, JobMoved, JobSaid, Seen
from .running import RunningScreen
from .settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.processes import Holder
    from ..widgets.details import Details
    from ..widgets.dock import Dock
    from ..widgets.jobs_pane import JobsPane
    from ..widgets.mounts_table import MountsTable
    from ..widgets.processes_table import ProcessesTable
    from .editing import Editing
    from .follow import Count, Follow


_BATCH = 0.05
"""Seconds that lines of output, and sizes, are gathered."""
_PATIENCE = 20.0
"""Seconds that jobs have to take back what they did when a signal ends the program."""
_GROWING = {CREATING, INCOMPLETE}
"""States that a chroot has while it is made or removed."""
_LEFT_ON = ": left on"
_UNFIT = (CREATING, INCOMPLETE, BROKEN)
"""States in which nothing can be switched."""


class MainScreen(RunningScreen):
    """Everything at once: the chroots, the highlighted one in detail, what is being done."""

    BINDINGS = [  # noqa: RUF012 (Textual's own form)
        Binding("o", "switch", "on/off", id="environments.toggle",
                tooltip="Switch on or off: the highlighted chroot, or the marked ones"),
        Binding("S", "shell_full", "full shell", id="environments.shell_full", show=False,
                tooltip="A login shell on the whole screen"),
        Binding("s", "shell", "shell", id="environments.shell",
                tooltip="A login shell in a panel"),
        Binding("r", "run", "run", id="environments.run",
                tooltip="Run a command inside"),
        Binding("b", "binds", "binds", id="environments.binds", tooltip="Edit what is mounted"),
        Binding("n", "create", "new", id="environments.create", tooltip="Make a chroot"),
        Binding("d", "delete", "delete", id="environments.delete",
                tooltip="Remove the chroot; wants its name typed"),
        Binding("slash", "filter", "filter", id="environments.filter", show=False,
                tooltip="Show only what matches"),
        Binding("1", "tab('overview')", "overview", id="pane.1", show=False),
        Binding("2", "tab('mounts')", "mounts", id="pane.2", show=False),
        Binding("3", "tab('processes')", "processes", id="pane.3", show=False),
        Binding("4", "dock", "jobs", id="pane.4", show=False,
                tooltip="Show or hide what is being done"),
        Binding("left_square_bracket", "step_tab(-1)", "previous tab", id="tab.previous",
                show=False),
        Binding("right_square_bracket", "step_tab(1)", "next tab", id="tab.next", show=False),
        Binding("y", "copy", "copy", id="row.copy", show=False,
                tooltip="Copy the path, row or message"),
        Binding("escape", "leave", "environments", id="pane.leave", show=False,
                tooltip="From any other pane back to the environments"),
    ]  # fmt: skip

    status_line = getters.query_one(StatusLine)

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        follow: Follow,
        count: Count,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(engine)
        self._settings = settings
        self._clock = clock
        self._jobs = Jobs(self.post, clock=clock)
        self._threads: list[threading.Thread] = []
        self._deadline = 0.0
        self._follower = follow(engine.base, self.post)
        self._counter = count(self.post)
        self._snapshot = Snapshot(engine.base)
        self._sizes: dict[str, int] = {}
        self._sizes_told = False
        self._share = settings.dock
        self._editing: Editing | None = None
        self._began = False
        self._door = threading.Lock()
        self._early: list[Message] | None = []
        # The first look is taken while Textual starts.
        self._follower.start()
        self.is_built = False
        """Whether every pane is there; until then no key does anything."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hold all actions back until everything is there."""
        return self.is_built

    @property
    def details(self) -> Details:
        """The pane of the highlighted chroot."""
        return cast("Details", self.query_one("#details"))

    # -- what is seen ----------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Put the table there, and frames for the rest; how they stand is in ui.tcss."""
        with Container(id="main"), Container(id="body"):
            yield ChrootTable(id="environments", columns=self._settings.columns, clock=self._clock)
            yield Container(id="details-frame")
        yield StatusLine()
        yield Container(id="foot")

    def on_mount(self) -> None:
        """Start with what can be said without looking."""
        self.table.focus()
        self.screen_layout_refresh_signal.subscribe(self, self._mind_focus, immediate=True)
        self._show_status_line()
        with self._door:
            early, self._early = self._early or [], None
        for message in early:
            self.post_message(message)

    async def _build(self) -> None:
        """Build what is not needed to see the environments: they are painted sooner without."""
        from ..widgets.details import Details
        from ..widgets.dock import Dock
        from ..widgets.key_footer import KeyFooter

        await self.query_one("#details-frame").mount(Details(id="details", clock=self._clock))
        await self.query_one("#main").mount(Dock(id="dock", clock=self._clock))
        await self.query_one("#foot").mount(KeyFooter(("help", "quit", "leave")))
        self.is_built = True
        self.on_resize()
        self.refresh_bindings()
        self._show_jobs()
        await self.show_kept()

    def on_unmount(self) -> None:
        """End the threads that watch."""
        self._follower.close()
        self._counter.close()

    @on(Seen)
    def _seen(self, message: Seen) -> None:
        before = {one.path: one.state for one in self._snapshot.chroots}
        self._snapshot = message.snapshot
        self._show()
        if self._editing is not None:
            self._editing.see(message.snapshot.chroots)
        if not self._began:
            self._began = True
            # The table asks for its paint when this has been handled: after the one that follows.
            self.call_after_refresh(self.call_after_refresh, self._build)
        self._counter.want(tuple(one.path for one in message.snapshot.chroots))
        for one in message.snapshot.chroots:
            # Whoever made it: what was counted meanwhile was half of it.
            was = before.get(one.path, one.state)
            if was != one.state and {was, one.state} & _GROWING:
                self._counter.again(one.path)

    @on(Counted)
    def _counted(self, message: Counted) -> None:
        if self._sizes.get(message.path) != message.size:
            if not self._sizes_told:  # a thousand are told of one after the other
                self.set_timer(_BATCH, self._show_sizes)
            self._sizes_told = True
            self._sizes[message.path] = message.size

    def _show_sizes(self) -> None:
        self._sizes_told = False
        self._show()

    @on(ChrootTable.Highlighted)
    def _highlighted(self) -> None:
        self._show_details()

    @on(ChrootTable.FilterChanged)
    def _filtered(self) -> None:
        self._show_status_line()

    @on(ChrootTable.Activated)
    def _activated(self) -> None:
        self.details.focus()

    def _show(self) -> None:
        self.table.show(self._snapshot.chroots, self._jobs.views, self._sizes)
        problem = self._snapshot.problem
        self.table.empty_hint = (
            (problem.message, problem.hint) if problem else _first_words(self._engine.base)
        )
        self._show_details()
        self._show_status_line()

    def _show_details(self) -> None:
        if not self.is_built:
            return
        one = self.table.highlighted
        self.details.show(one, self._jobs.views, self._sizes.get(one.path) if one else None)

    def _show_status_line(self) -> None:
        self.status_line.show(
            self._engine.base, self._jobs.running, _privilege(), self.table.filter_text
        )

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
            count = sum(holder.blocks for holder in error.holders)
            what = "1 process" if count == 1 else f"{count} processes"
            job = job.replace(state=CANCELLED, stage=f"in use by {what}{_LEFT_ON}", hint="")
            self._jobs.update(job)
            self._show_jobs()
            self._ask_to_stop(job, error.holders)
            return
        self._jobs.update(job)
        self._show_jobs()
        if error is not None:
            self.dock.open_jobs()
            self.notify(
                f"{safe(job.verb)} {safe(job.name)}: {safe(error.message)}",
                severity="error", markup=False,
            )  # fmt: skip

    def _show_jobs(self) -> None:
        if self.is_built:
            self.dock.jobs_pane.show(self._jobs.views)
        self._show()

    def on_dock_resize_requested(self, message: Dock.ResizeRequested) -> None:
        """Give the dock more or less of the screen, and keep that."""
        from .settings import LEAST_DOCK, MOST_DOCK, save

        share = min(max(self._share + message.by, LEAST_DOCK), MOST_DOCK)
        if share == self._share:
            return
        self._share = share
        self._divide()
        try:
            save({"dock": share})
        except ChrootError as error:
            self._explain(error)

    def _divide(self) -> None:
        """Divide the screen between the dock and the rest as it was chosen.

        By styles, not by classes: rules for each share would have to be read before the first
        paint.
        """
        length = "width" if self.has_class("-broad") else "height"
        for ident, share in (("#body", 100 - self._share), ("#dock", self._share)):
            styles = self.query_one(ident).styles
            styles.clear_rule("width")
            styles.clear_rule("height")
            setattr(styles, length, f"{share}fr")

    def on_resize(self) -> None:
        """Where the dock stands may be another now."""
        if self.is_built and self._share != Settings().dock:
            self.call_after_refresh(self._divide)

    def _mind_focus(self, _screen: object) -> None:
        """Take the focus back from a pane for which the screen has become too small."""
        if self.focused is None or self.table.has_focus_within:
            return
        try:
            hidden = not self.find_widget(self.focused).visible_region
        except NoWidget:
            return  # it has no place yet
        if hidden:
            self.leave_dock()

    def on_descendant_focus(self) -> None:
        """Give the whole screen back when the focus goes to what the zoomed panel covers."""
        if self.has_class("-zoomed") and not self.dock.has_focus_within:
            self.remove_class("-zoomed")

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
        """Switch what is chosen, all one way: on what is not on yet, off where all are on."""
        chosen = self._chosen()
        off = all(one.state in (ON, *_UNFIT) for one in chosen)
        for one in chosen:
            if one.state in _UNFIT:
                self._complain_about(one)
            elif off:
                self._off(one.name, one.path)
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

    @work(group="dialogs", exit_on_error=False)
    async def _ask_to_stop(self, job: JobView, holders: tuple[Holder, ...]) -> None:
        from ..widgets.dialogs.busy import Busy

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

    @work(group="dialogs", exit_on_error=False)
    async def on_processes_table_signal_requested(
        self, message: ProcessesTable.SignalRequested
    ) -> None:
        """Ask, then send a signal."""
        from ..widgets.dialogs.confirm import Confirm

        process, name = message.process, message.name
        lines = (f"{process.pid} {process.user} {process.command}",)
        sure = await self.app.push_screen_wait(
            Confirm(f"Send {name} to this process?", lines, action=f"Send {name}", danger=True)
        )
        if sure:
            self._send(process.pid, process.started, name)

    def _send(self, pid: int, started: float, name: str) -> None:
        import signal

        from ..core.signals import send

        try:
            send(pid, started, signal.Signals[f"SIG{name}"])
        except ChrootError as error:
            self._explain(error)

    def _explain(self, error: ChrootError) -> None:
        text = safe(error.message) + (f" ({safe(error.hint)})" if error.hint else "")
        self.notify(text, severity="error", markup=False)

    # -- create, delete --------------------------------------------------------------------------

    @work(group="dialogs", exit_on_error=False)
    async def action_create(self) -> None:
        """Ask what to make, then make it."""
        from ..core.bootstrap import describe
        from ..core.createoptions import CreateOptions, default_options
        from ..widgets.dialogs.create import CreateForm

        taken = frozenset(one.name for one in self._snapshot.chroots)
        defaults = await asyncio.to_thread(default_options, CreateOptions())
        form = CreateForm(defaults, self._engine.base, taken, describe=describe)
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

    @work(group="dialogs", exit_on_error=False)
    async def action_delete(self) -> None:
        """Have the name typed, then remove the highlighted chroot."""
        from ..widgets.dialogs.delete import DeleteDialog

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

    @work(group="dialogs", exit_on_error=False)
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
                    self._engine.sync(one.path, before, report=report, cancelled=cancelled)
                ),
            )

    # -- keys ------------------------------------------------------------------------------------

    def action_tab(self, name: str) -> None:
        """Show a tab of the details, and go there."""
        self.details.show_tab(name)

    def action_step_tab(self, step: int) -> None:
        """Show the tab before or after."""
        self.details.step_tab(step)

    def action_filter(self) -> None:
        """Filter the environments as one types."""
        self.table.start_filter()

    def action_leave(self) -> None:
        """Go back to the environments, from panes that have no use of their own for Esc."""
        self.leave_dock()

    def action_copy(self) -> None:
        """Copy the path of the highlighted chroot; panes with rows copy those themselves."""
        one = self.table.highlighted
        if one is not None:
            self._copy(one.path)

    def on_mounts_table_copy_requested(self, message: MountsTable.CopyRequested) -> None:
        """Copy the row."""
        self._copy(message.text)

    def on_processes_table_copy_requested(self, message: ProcessesTable.CopyRequested) -> None:
        """Copy the row."""
        self._copy(message.text)

    def on_jobs_pane_copy_requested(self, message: JobsPane.CopyRequested) -> None:
        """Copy the message, or the output."""
        self._copy(*message.text.split("\n"))

    def _copy(self, *lines: str) -> None:
        self.app.copy_to_clipboard("\n".join(safe(line) for line in lines))
        self.notify("copied", timeout=1.5)

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
        if not self._deadline:
            self._deadline = time.monotonic() + _PATIENCE

    def wait_for_jobs(self) -> bool:
        """Wait for jobs after the UI has ended; Ctrl-C stops them. Return whether all are over."""
        from .narrate import Narrator

        narrator = Narrator(json=False)
        while alive := any(thread.is_alive() for thread in self._threads):
            if self._deadline and time.monotonic() > self._deadline:
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

    @property
    def chroots(self) -> tuple[ChrootStatus, ...]:
        """The chroots that are shown."""
        return self._snapshot.chroots

    def go_to(self, path: str) -> None:
        """Highlight the chroot at *path*."""
        self.table.move_to(path)
        self.table.focus()


def _drop(_plan: object) -> None:
    """Return nothing: what was done has been reported step by step."""


def _privilege() -> str:
    if os.geteuid() == 0:
        return "root"
    import pwd

    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = str(os.geteuid())
    return f"{name}: looking only"


def _first_words(base: str) -> tuple[str, str]:
    return (f"no chroot under {base} yet", "press n to make one")
