"""The main screen: panes put together, values handed down, messages and keys made engine calls."""

from __future__ import annotations

import os
import time
from typing import cast

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.errors import NoWidget

from ...core.engine import Engine
from ...core.errors import ChrootError
from ...core.looking.status import CREATING, INCOMPLETE, ChrootStatus
from ...core.text import safe
from ...widgets.panes.status_line import StatusLine
from ...widgets.tables.chroot_table import ChrootTable
from ..settings.file import Settings
from .changing import ChangingScreen
from .messages import Counted, Seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...widgets.panes.details import Details
    from ...widgets.panes.dock import Dock
    from ...widgets.panes.jobs_pane import JobsPane
    from ...widgets.tables.mounts_table import MountsTable
    from ...widgets.tables.processes_table import ProcessesTable
    from .follow import Count, Follow


_BATCH = 0.05
"""Seconds that sizes are gathered."""
_GROWING = {CREATING, INCOMPLETE}
"""States that a chroot has while it is made or removed."""


class MainScreen(ChangingScreen):
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
        super().__init__(engine, clock=clock)
        self._settings = settings
        self._follower = follow(engine, self.post)
        self._counter = count(engine, self.post)
        self._sizes_told = False
        self._share = settings.dock
        self._began = False
        # The first look is taken while Textual starts.
        self._follower.start()

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
        from ...widgets.panes.details import Details
        from ...widgets.panes.dock import Dock
        from ...widgets.panes.key_footer import KeyFooter

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
        self.show_all()
        made = next((o for o in message.snapshot.chroots if o.name == self._awaited), None)
        if made is not None:
            self.table.move_to(made.path)
            self._awaited = ""
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
        self.show_all()

    @on(ChrootTable.Highlighted)
    def _highlighted(self) -> None:
        self._show_details()

    @on(ChrootTable.FilterChanged)
    def _filtered(self) -> None:
        self._show_status_line()

    @on(ChrootTable.Activated)
    def _activated(self) -> None:
        self.details.focus()

    def show_all(self) -> None:
        """Show the chroots and the jobs as they are known now."""
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

    def on_dock_resize_requested(self, message: Dock.ResizeRequested) -> None:
        """Give the dock more or less of the screen, and keep that."""
        from ..settings.file import LEAST_DOCK, MOST_DOCK, save

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
    def chroots(self) -> tuple[ChrootStatus, ...]:
        """The chroots that are shown."""
        return self._snapshot.chroots

    def go_to(self, path: str) -> None:
        """Highlight the chroot at *path*."""
        self.table.move_to(path)
        self.table.focus()


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
