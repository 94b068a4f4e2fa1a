"""The main screen: puts the parts together, has the keys, and takes what threads tell.

What is done stands elsewhere: what a key or the palette begins in `actions`, the parts that those
work with in the modules that `Session` names.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.containers import Container
from textual.events import Click
from textual.screen import Screen

from ....core.remote.machines import Machines
from ....widgets.bars.status_line import StatusLine
from ....widgets.broken_work import TellsOfWork
from ....widgets.sure_timers import SureTimers
from ....widgets.tables.chroot_table import ChrootTable
from ...settings.file import Settings
from ..chroots.known_chroots import KnownChroots
from ..command_lines.command_log import CommandLog
from ..command_lines.kept_commands import KeptCommands
from ..jobs.jobs import Jobs
from ..jobs.outcome_of_several import OutcomeOfSeveral
from ..offers.all_actions import AllActions
from ..offers.footer_keys import for_footer
from ..panels.panels import Panels
from ..panels.whole_terminal import WholeTerminal
from ..panes.display import Display
from ..panes.panes import Panes
from ..reasons import NO_CHROOT
from ..session import Session
from ..terminal.line import Line
from ..threads.messages import (
    Counted,
    Diagnosed,
    JobEnded,
    JobMoved,
    JobSaid,
    Listening,
    LogRead,
    PackagesRead,
    Seen,
    SnapshotsRead,
)
from ..threads.thread_messages import ThreadMessages
from ..user.ask_and_tell import User
from ..user.root_privilege import RootPrivilege
from .screen_keys import KEYS
from .showing_chroots import ShowingChroots
from .workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....core.errors import ChrootError
    from ....core.looking.status import ChrootStatus
    from ....widgets.job_status import JobStatus
    from ....widgets.panes.details import Details
    from ....widgets.panes.dock import Dock
    from ..threads.watch_threads import Count, Follow


RIGHT = 3
"""The button of a mouse that opens a menu."""
_BATCH = 0.05
"""Seconds that lines of output are gathered."""


class MainScreen(SureTimers, TellsOfWork, Screen[None]):
    """Everything at once: the chroots, the highlighted one in detail, what is being done."""

    BINDINGS = [*KEYS]  # noqa: RUF012 (Textual's own form)

    def __init__(
        self,
        machines: Machines,
        settings: Settings,
        *,
        follow: Follow,
        count: Count,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        host: str = "",
    ) -> None:
        super().__init__()
        engine = machines.of()
        self._settings = settings
        self._post = ThreadMessages(self)
        user = User(self)
        panes = Panes(self, user, settings.dock)
        # The first look is taken while Textual starts.
        inventory = KnownChroots(
            engine, follow=follow, count=count, post=self._post, ticks=ticks, clock=clock
        )
        jobs = Jobs(self._post, changed=self._show_jobs, clock=clock)
        self._display = Display(
            panes, inventory, jobs, machines, in_use=lambda: self.session.panels.sessions
        )  # fmt: skip
        log = CommandLog(changed=self._show_log, clock=clock, host=host)
        privilege = RootPrivilege(machines, settings.privilege, risen=self._display.all)
        whole = WholeTerminal(user, log, privilege)
        line = Line(settings.line)
        panels = Panels(
            engine, panes, user, log, whole, busy=lambda: bool(jobs.running),
            moved=self._display.all, line=line,
        )  # fmt: skip
        self.session = Session(
            engine, machines, user, panes, inventory, jobs, panels, line, whole, privilege, log,
            OutcomeOfSeveral(user), lambda: self._settings, self._ask_doctor,
        )  # fmt: skip
        self.doing = AllActions(self, self.session)
        """All that can be done, by keys, palette and menu."""
        self._sight = ShowingChroots(self, self.session, self._display, self.doing)
        self._workspace = Workspace(self.session, columns=settings.columns_of, clock=clock)
        self._build_begun = False
        self._kept_commands = KeptCommands(lambda: log.entries, log.remember)

    def use(self, before: Settings, now: Settings) -> None:
        """Have other settings than *before* from now on, those that are this screen's."""
        self._settings = now
        for name, wanted in now.columns_of.items():
            if wanted != before.columns_of[name]:
                self._workspace.use_columns(name, wanted)
        if now.commands != before.commands and self.doing.actions:
            self.doing.use(now.commands, self._bindings.key_to_bindings)
        if now.keys != before.keys and self.is_built:
            self.details.line.keys = self._workspace.keys_of_tabs
            self._display.all()
        if now.line != before.line:
            self.session.line.use(now.line)
        if now.dock != before.dock:
            self.session.panes.share_dock(now.dock)
        machines = self.session.machines
        if now.hosts != before.hosts and machines.is_here:
            for name in set(machines.names) - set(now.hosts):
                machines.remove(name)
            for name in now.hosts:
                machines.add(name)
        self.refresh_bindings()

    @property
    def is_built(self) -> bool:
        """Whether every pane is there; until then no key does anything."""
        return self.session.panes.complete

    @property
    def table(self) -> ChrootTable:
        """The environments."""
        return self.session.panes.table

    @property
    def details(self) -> Details:
        """The pane of the highlighted chroot."""
        return self.session.panes.details

    @property
    def dock(self) -> Dock:
        """Where jobs and panels are."""
        return self.session.panes.dock

    @property
    def status_line(self) -> StatusLine:
        """The line below."""
        return self.session.panes.status_line

    # -- coming and going ------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Put the panes there, and below them frames for the rest; ui.tcss says how they stand."""
        yield self._workspace
        yield StatusLine()
        yield Container(id="foot")

    def on_mount(self) -> None:
        """Start with what can be said without looking."""
        self.session.panes.stand()
        self.table.focus()
        self.screen_layout_refresh_signal.subscribe(self, self._laid_out, immediate=True)
        self._display.status_line()
        for message in self._post.deliver():
            if isinstance(message, Seen):
                self._seen(message)  # before the first layout: the first paint has the chroots
            else:
                self.post_message(message)
        if self.session.privilege.may_try:
            # Where a rule gives that without a word.
            self.run_worker(self.session.privilege.quietly(), group="rise", exit_on_error=False)

    async def _build(self) -> None:
        from ....widgets.bars.key_footer import KeyFooter

        self.doing.use(self._settings.commands, self._bindings.key_to_bindings)
        await self._workspace.build()
        await self.query_one("#foot").mount(KeyFooter(("help", "quit", "leave", "menu")))
        self.session.panes.complete = True
        self.session.inventory.count()
        self.on_resize()
        self.refresh_bindings()
        self._display.jobs()
        self._sight.look_at_tab()
        await self.session.panels.show_detached()
        await self._kept_commands.remember()

    def on_unmount(self) -> None:
        """End the threads that watch, and keep what is not kept yet."""
        self.session.inventory.close()
        self.session.panels.forget_seen()
        self._kept_commands.keep_last()

    def keep_ends(self) -> None:
        """After the UI: keep how the commands of those jobs have ended that went on."""
        self.session.panes.complete = False  # nothing is there any more that could show it
        log = self.session.log
        for job in self.session.jobs.unseen:
            log.end(log.of_job(job.view.id), job.view.state, job.view.stage)
        self._kept_commands.keep_last()

    # -- what is seen ----------------------------------------------------------------------------

    @on(Seen)
    def _seen(self, message: Seen) -> None:
        self._sight.see(message)
        if not self._build_begun:
            self._build_begun = True
            # The table asks for its paint when this has been handled: after the one that follows.
            self.call_after_refresh(self.call_after_refresh, self._build)

    @on(Counted)
    def _counted(self, message: Counted) -> None:
        self._sight.count(message)

    @on(ChrootTable.Highlighted)
    def _highlighted(self) -> None:
        self._sight.turn_to()

    def on_details_turned(self) -> None:
        """Another tab is shown."""
        self._sight.look_at_tab()

    @on(PackagesRead)
    def _packages_read(self, message: PackagesRead) -> None:
        self._sight.packages_read(message)

    @on(LogRead)
    def _log_read(self, message: LogRead) -> None:
        self._sight.log_read(message)

    @on(Listening)
    def _listening(self, message: Listening) -> None:
        self._sight.listen(message)

    @on(SnapshotsRead)
    def _snapshots_read(self, message: SnapshotsRead) -> None:
        self._sight.snapshots_read(message)

    @on(ChrootTable.FilterChanged)
    def _filtered(self) -> None:
        self._display.status_line()

    # -- jobs ------------------------------------------------------------------------------------

    def _show_log(self) -> None:
        if self.is_built:
            self.dock.commands.show(self.session.log.entries)
            self._kept_commands.keep()
            self.doing.offer_anew()

    def _show_jobs(self) -> None:
        self._display.jobs()
        self.doing.offer_anew()

    @on(JobMoved)
    def _job_moved(self, message: JobMoved) -> None:
        self.session.jobs.update(message.job)

    @on(JobSaid)
    def _job_said(self, message: JobSaid) -> None:
        # A log that is fed line by line is slow.
        self.set_timer(_BATCH, partial(self._take_lines, message))

    def _take_lines(self, message: JobSaid) -> None:
        if self.is_built:
            lines, log = message.take(), self.session.log
            self.dock.jobs_pane.append_output(message.job_id, lines)
            ident = log.of_job(message.job_id)
            log.say(ident, lines)
            self.dock.commands.append_output(ident, lines)

    @on(JobEnded)
    def _job_ended(self, message: JobEnded) -> None:
        if self.app.return_code is not None:
            return  # who has quit does not see it: it is told after the UI
        self._sight.look_closer()
        self.session.end_job(message.job, message.error)

    def _ask_doctor(self, job: JobStatus, error: ChrootError) -> None:
        from ..actions import doctor

        doctor.give_word(self.session.engine, job, error, self._post)

    @on(Diagnosed)
    def _diagnosed(self, message: Diagnosed) -> None:
        self.session.jobs.add_word(message.job_id, message.finding)

    # -- size and focus --------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Where the dock stands may be another now."""
        if self.is_built:
            self.session.panes.divide_anew()

    def _laid_out(self, _screen: object) -> None:
        self.session.panes.take_focus_from_hidden()

    def on_descendant_focus(self) -> None:
        """End the zoom of a panel where the focus has gone elsewhere, and note where."""
        self.session.panes.focus_went()

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys that apply, and which of them the footer shows."""
        return for_footer(self.session, self.doing.actions, super().active_bindings, self.focused)

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hold all actions back until everything is there."""
        return self.is_built

    def why_not(self, action: str) -> str:
        """Say what needs a chroot."""
        needs = action in ("copy", "filter", "mark_matching")
        return NO_CHROOT if needs and not self.chroots else ""

    async def action_perform(self, ident: str) -> None:
        """Do what can be done under this id, or say why it can't."""
        await self.doing.perform(ident)

    def action_menu(self) -> None:
        """Offer what can be done with what is under the cursor."""
        self.doing.menu()

    def on_click(self, event: Click) -> None:
        """Offer with the right button what can be done with what was hit."""
        if event.button == RIGHT and self.is_built:
            self.doing.menu(event.screen_offset)

    async def action_tab(self, name: str) -> None:
        """Show a tab of the details, and go there."""
        await self.details.build(name)  # the next key is for it
        self.details.show_tab(name)

    def action_step_tab(self, step: int) -> None:
        """Show the tab before or after."""
        self.details.step_tab(step)

    def action_dock(self) -> None:
        """Show the dock and go there; from there back, and hide it."""
        self.session.panes.toggle_dock()

    def action_filter(self) -> None:
        """Filter the environments as one types."""
        self.table.start_filter()

    async def action_mark_matching(self) -> None:
        """Mark environments by a pattern for their names."""
        await self.table.start_marking()

    def action_leave(self) -> None:
        """Take the filter of a pane away; where there is none, go back to the environments."""
        if not (self.details.has_focus_within and self.details.clear_filter()):
            self.session.panes.leave_dock()

    def action_copy(self) -> None:
        """Copy the path of the highlighted chroot; panes with rows copy those themselves."""
        one = self.table.highlighted
        if one is not None:
            self.session.user.copy(one.path)

    @property
    def chroots(self) -> tuple[ChrootStatus, ...]:
        """The chroots that are shown."""
        return self.session.inventory.chroots

    def go_to(self, path: str) -> None:
        """Highlight the chroot at *path*."""
        self.table.move_to(path)
        self.table.focus()
