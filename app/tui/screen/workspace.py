"""The panes side by side, and what they ask for: each request goes to who does it.

Below the screen, which has the keys and what comes of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from ....widgets.broken_work import TellsOfWork
from ....widgets.tables.chroot_table import ChrootTable
from ...settings.keymap import default_keys
from ..panes.kept_view import KeptView, load

if TYPE_CHECKING:
    from ....core.looking.status import ChrootStatus
    from ....widgets.copying import CopyRequested
    from ....widgets.panes.commands_pane import CommandsPane
    from ....widgets.panes.dock import Dock
    from ....widgets.panes.jobs_pane import JobsPane
    from ....widgets.panes.run_panel import RunPanel
    from ....widgets.tables.mounts_table import MountsTable
    from ....widgets.tables.processes_table import ProcessesTable
    from ..session import Session

_TABS = {"overview": "pane.1", "mounts": "pane.2", "processes": "pane.3", "log": "pane.5"}
"""The bindings that show the tabs of the details."""


class Workspace(TellsOfWork, Container):
    """The environments from the start; details and dock when `build` has been called."""

    def __init__(
        self, session: Session, *, columns: dict[str, tuple[str, ...]], clock: Callable[[], float]
    ) -> None:
        """*columns* of each table (`COLUMNS_OF`); *clock* is that of all tables."""
        super().__init__(id="main")
        self._session = session
        self._columns = columns
        self._clock = clock
        self._kept = KeptView(lambda: session.panes.table.grouping)

    def compose(self) -> ComposeResult:
        """Put the table there, and a frame for the details; how they stand is in ui.tcss."""
        with Container(id="body"):
            yield ChrootTable(
                id="environments", columns=self._columns["environments"], grouping=load(),
                clock=self._clock,
            )  # fmt: skip
            yield Container(id="details-frame")

    async def build(self) -> None:
        """Build what is not needed to see the environments: they are painted sooner without."""
        from ....widgets.panes.details import Details
        from ....widgets.panes.dock import Dock

        details = Details(
            id="details", columns=self._columns, keys=self.keys_of_tabs, clock=self._clock
        )
        await self.query_one("#details-frame").mount(details)
        await self.mount(Dock(id="dock", clock=self._clock, said=self._session.log.said))

    @property
    def keys_of_tabs(self) -> dict[str, str]:
        """The key of each tab of the details, as it is bound and shown."""
        bound = self._session.bound_key
        return {tab: bound(ident, default_keys(ident)[0]) for tab, ident in _TABS.items()}

    def use_columns(self, name: str, wanted: tuple[str, ...]) -> None:
        """Have these columns in the table *name* (`COLUMNS_OF`) from now on."""
        self._columns[name] = wanted
        self._session.panes.use_columns(name, wanted)

    # -- what panes ask for ----------------------------------------------------------------------

    def on_jobs_pane_doctor_requested(self, message: JobsPane.DoctorRequested) -> None:
        """Ask the doctor what was in the way of a job."""
        from ..actions import doctor

        doctor.consult_about(self._session, message.job)

    def on_jobs_pane_cancel_requested(self, message: JobsPane.CancelRequested) -> None:
        """Stop a job."""
        self._session.jobs.cancel(message.job_id)

    def on_jobs_pane_dismissed(self, message: JobsPane.Dismissed) -> None:
        """Forget a job that is over."""
        panes = self._session.panes
        self._session.jobs.dismiss(message.job_id)
        if not self._session.jobs.views and not panes.dock.panels:
            panes.wear_out("jobs.dismiss")
            panes.leave_dock(close=True)

    def on_run_panel_moved(self, message: RunPanel.Moved) -> None:
        """Take note of what runs in a panel."""
        self._session.panels.note(message.panel)

    def on_commands_pane_repeat_requested(self, message: CommandsPane.RepeatRequested) -> None:
        """Do something once more."""
        from ..actions import repeat_and_undo

        repeat_and_undo.repeat(self._session, message.ident)

    def on_commands_pane_undo_requested(self, message: CommandsPane.UndoRequested) -> None:
        """Take something back."""
        from ..actions import repeat_and_undo

        repeat_and_undo.undo(self._session, message.ident)

    @on(ChrootTable.Regrouped)
    def _regrouped(self) -> None:
        self._session.panes.fit_table()
        self._kept.keep()

    @on(ChrootTable.Activated)
    def _activated(self) -> None:
        self._session.panes.details.focus()

    def on_mounts_table_toggle_requested(self, message: MountsTable.ToggleRequested) -> None:
        """Mount or unmount one bind."""
        from ..actions import switch

        one = self._shown(message.path)
        if one is not None:
            switch.toggle_mount(self._session, one, message.mount)

    def on_mounts_table_plan_requested(self, message: MountsTable.PlanRequested) -> None:
        """Show what mounting or unmounting one bind would do."""
        from ..actions import switch

        one = self._shown(message.path)
        if one is not None:
            switch.show_mount_plan(self._session, one, message.mount)

    def on_processes_table_signal_requested(self, message: ProcessesTable.SignalRequested) -> None:
        """Ask, then send a signal."""
        from ..actions.processes import send_signal

        one = self._shown(message.path)
        if one is not None:
            send_signal(self._session, one, message.process, message.name)

    def on_processes_table_files_requested(self, message: ProcessesTable.FilesRequested) -> None:
        """Show what a process has open."""
        from ..actions.processes import show_open

        one = self._shown(message.path)
        if one is not None:
            show_open(self._session, one, message.process)

    def _shown(self, path: str) -> ChrootStatus | None:
        """Return the chroot that is shown, if it is that at *path*: a request is of the one whose
        rows were there when its key came."""
        one = self._session.shown
        return one if one is not None and one.path == path else None

    def on_run_panel_leave_requested(self) -> None:
        """Go back to the environments."""
        self._session.panes.leave_dock()

    def on_run_panel_zoom_requested(self) -> None:
        """Give the panel the whole screen, or take it back."""
        self._session.panes.toggle_zoom()

    def on_run_panel_close_requested(self, message: RunPanel.CloseRequested) -> None:
        """Close a panel; ask while its command runs."""
        self._session.user.begin(self._session.panels.close(message.panel))

    def on_run_panel_save_requested(self, message: RunPanel.SaveRequested) -> None:
        """Save the output of a panel."""
        saving = self._session.panels.save_output(message.panel)
        self.run_worker(saving, group="output", exit_on_error=False)

    def on_copy_requested(self, message: CopyRequested) -> None:
        """Copy what a pane has under its cursor."""
        self._session.user.copy(*message.lines)

    def on_dock_resize_requested(self, message: Dock.ResizeRequested) -> None:
        """Give the dock more or less of the screen."""
        self._session.panes.resize_dock(message.by)
