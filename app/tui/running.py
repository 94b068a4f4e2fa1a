"""The half of the main screen that runs commands: panels in the dock, the whole terminal."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import replace
from typing import cast

from textual import getters, work
from textual.binding import ActiveBinding
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from ...core.engine import Engine
from ...core.errors import ChrootError
from ...core.looking.status import ChrootStatus
from ...core.text import safe
from ...widgets.tables.chroot_table import ChrootTable
from .. import history
from . import detached
from .handover import hand_over, own_command
from .key_queue import DIALOGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...widgets.panes.dock import Dock
    from ...widgets.panes.run_panel import RunPanel


_OF_THE_LIST = ("environments.create", "environments.delete", "environments.filter")
"""Bindings that a footer can do without while the details have the focus."""


def _ident(active: ActiveBinding) -> str:
    return active.binding.id or ""


class RunningScreen(Screen[None]):
    """A screen with environments and a dock, which runs commands in what is highlighted."""

    table = getters.query_one("#environments", ChrootTable)

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self._kept: dict[RunPanel, detached.Kept] = {}

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys that apply. The footer has one line: where the focus is comes first in it."""
        found = super().active_bindings
        near = {one.id for one in self.focused.ancestors_with_self} if self.focused else set()
        if "dock" in near:
            hidden = tuple(key for key in found if _ident(found[key]).startswith("environments."))
        elif "details" in near:
            hidden = tuple(key for key in found if _ident(found[key]) in _OF_THE_LIST)
        else:
            return found
        for key in hidden:
            one = found[key]
            found[key] = one._replace(binding=replace(one.binding, show=False))
        return found

    @property
    def dock(self) -> Dock:
        """Where jobs and panels are; imported and built after the first paint."""
        return cast("Dock", self.query_one("#dock"))

    @property
    def busy_with_jobs(self) -> bool:
        """Whether the dock has more to show than panels."""
        return False

    def action_dock(self) -> None:
        """Show the dock and go there; from there back, and hide it."""
        if self.dock.is_open and self.dock.has_focus_within:
            self.leave_dock(close=True)
        elif self.dock.panels or self.dock.is_open:
            self.dock.add_class("-open")
            self.dock.focus_shown()
        else:
            self.dock.open_jobs()
            self.dock.focus_shown()

    def leave_dock(self, *, close: bool = False) -> None:
        """Give the focus back to the environments; *close*: and hide the dock."""
        self.remove_class("-zoomed")
        if close:
            self.dock.close()
        self.table.focus()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say that a flow broke off by a bug of ours; the rest goes on."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and error is not None:
            said = safe(f"unexpected {type(error).__name__}: {error}")
            self.notify(f"{said} (please report this)", severity="error", markup=False)

    # -- running ---------------------------------------------------------------------------------

    async def action_shell(self) -> None:
        """Open a login shell in a panel."""
        one = self.table.highlighted
        if one is not None:
            taken = {panel.command for panel in self.dock.panels if panel.chroot == one.name}
            more = (f"shell {number}" for number in itertools.count(2))
            name = next(each for each in itertools.chain(["shell"], more) if each not in taken)
            await self._open_panel(one, name, own_command("shell", "-d", one.path))

    @work(group=DIALOGS, exit_on_error=False)
    async def action_shell_full(self) -> None:
        """Hand the terminal to a login shell inside, and take it back."""
        one = self.table.highlighted
        if one is not None:
            await self._hand_over(one, own_command("shell", "-d", one.path))

    @work(group=DIALOGS, exit_on_error=False)
    async def action_run(self) -> None:
        """Ask for a command and run it in a panel."""
        from ...widgets.dialogs.run_prompt import RunPrompt

        one = self.table.highlighted
        if one is None:
            return
        prompt = RunPrompt(one.name, self._scripts(one.path), history.commands(one.path))
        request = await self.app.push_screen_wait(prompt)
        if request is None:
            return
        try:
            history.remember(one.path, request.line)
        except OSError as error:
            self.notify(f"history: {error.strerror}", severity="warning", markup=False)
        words = ["run", "-d", one.path]
        words += ["-u", request.user] if request.user else []
        words += ["-w", request.cwd] if request.cwd else []
        words += [word for pair in request.env for word in ("-e", pair)]
        await self._open_panel(one, request.line, own_command(*words, "--", *request.words))

    async def _open_panel(self, one: ChrootStatus, command: str, argv: list[str]) -> None:
        from ...widgets.panes.run_panel import RunPanel

        await self.dock.add(RunPanel(argv, chroot=one.name, command=command))

    def on_run_panel_leave_requested(self) -> None:
        """Go back to the environments."""
        self.leave_dock()

    def on_run_panel_zoom_requested(self) -> None:
        """Give the panel the whole screen, or take it back."""
        self.toggle_class("-zoomed")

    @work(group=DIALOGS, exit_on_error=False)
    async def on_run_panel_close_requested(self, message: RunPanel.CloseRequested) -> None:
        """Close a panel; ask while its command runs."""
        from ...widgets.dialogs.quit import QuitDialog

        panel = message.panel
        one = self._kept.get(panel)
        if panel.running and one is None:
            ask = QuitDialog((f"{panel.chroot}: {panel.command}",), title="close while it runs")
            answer = await self.app.push_screen_wait(ask)
            if answer == "stay":
                return
            if answer == "stop":
                panel.terminal.stop()
            else:
                self._let_go_on(panel)
        await self.dock.remove_panel(panel)
        self._kept.pop(panel, None)
        if one and not one.running:
            detached.forget(one)
        if self.dock.panels:
            self.dock.focus_shown()
        else:
            self.leave_dock(close=not self.busy_with_jobs)

    def on_run_panel_save_requested(self, message: RunPanel.SaveRequested) -> None:
        """Save the output of a panel."""
        try:
            path = history.save_output(message.panel.chroot, message.panel.terminal.output_text())
        except OSError as error:
            self.notify(f"not saved: {error.strerror}", severity="error", markup=False)
        else:
            self.notify(f"saved to {safe(path)}", markup=False)

    def _scripts(self, path: str) -> tuple[str, ...]:
        try:
            return self._engine.scripts(path)
        except ChrootError:
            return ()

    async def _hand_over(self, one: ChrootStatus, argv: list[str]) -> None:
        from textual.app import SuspendNotSupported

        began = time.monotonic()
        try:
            code = await hand_over(self.app, argv)
        except SuspendNotSupported:
            self.notify("this terminal can't be handed over", severity="error", markup=False)
            return
        if code:
            spent = time.monotonic() - began
            why = f"ended with exit code {code}" if code > 0 else f"ended by signal {-code}"
            # What ended at once had no time to be read.
            self.notify(
                f"{safe(one.name)}: {why} after {spent:.0f} s", severity="warning", markup=False
            )

    def let_go_on(self) -> None:
        """Hand what runs in panels to keepers: their output is shown again next time."""
        for panel in self.dock.panels:
            if panel.running and panel not in self._kept:
                self._let_go_on(panel)

    def _let_go_on(self, panel: RunPanel) -> None:
        text = panel.terminal.output_text()
        terminal = panel.terminal.release()
        if terminal >= 0:
            try:
                began = time.time() - panel.seconds
                detached.keep(terminal, panel.chroot, panel.command, text, began)
            except OSError as error:
                self.notify(f"not kept: {error.strerror}", severity="error", markup=False)
            finally:
                os.close(terminal)

    def on_unmount(self) -> None:
        """Forget what had been let go on and was seen as ended: it would come back each time."""
        for panel, one in self._kept.items():
            if panel.end_was_seen and not one.running:
                detached.forget(one)

    async def show_kept(self) -> None:
        """Open a panel for each command that was let go on when the UI quit."""
        from ...widgets.panes.run_panel import RunPanel

        for one in detached.found():
            command = f"{one.command} (went on)"
            panel = RunPanel(one.argv(), chroot=one.chroot, command=command, seconds=one.seconds)
            self._kept[panel] = one
            await self.dock.add(panel, quietly=True)
