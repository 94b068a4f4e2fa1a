"""Commands that run in panels of the dock: opening, closing, having back, saving, letting go on."""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from typing import TYPE_CHECKING

from ....core.errors import ChrootError
from ....core.text import safe
from ....widgets.job_status import CANCELLED, DONE, FAILED
from ....widgets.text.fitting import shorten
from ... import run_history
from ..command_lines.command_log import PROGRAM, Deed
from . import detached

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....core.engine import Engine
    from ....core.looking.status import ChrootStatus
    from ....widgets.dialogs.quit import Leaving
    from ....widgets.panes.run_panel import RunPanel
    from ..command_lines.command_log import CommandLog
    from ..command_lines.command_words import Words
    from ..panes.panes import Panes
    from ..terminal.line import Line
    from ..user.ask_and_tell import User
    from .whole_terminal import WholeTerminal

_WIDEST_SUBJECT = 32
_WAITS = "the snapshot is there; r runs the command, for which a password is to be given"


class Panels:
    """The run panels of one session."""

    def __init__(
        self,
        engine: Engine,
        panes: Panes,
        user: User,
        log: CommandLog,
        whole: WholeTerminal,
        *,
        busy: Callable[[], bool],
        moved: Callable[[], object] = lambda: None,
        line: Line,
    ) -> None:
        """*busy* tells whether the dock has more to show than panels: jobs that run.

        *moved* is called when something has begun in a panel, has ended, or was closed.
        *line* is what they are painted on.
        """
        self._engine = engine
        self._log = log
        self._whole = whole
        """For what is not to have a panel."""
        self._deeds: dict[RunPanel, Deed] = {}
        self._logged: dict[RunPanel, int] = {}
        """The commands that panels run, by their numbers in the log."""
        self._panes = panes
        self._user = user
        self._busy = busy
        self._moved = moved
        self._line = line
        self._detached: dict[RunPanel, detached.Detached] = {}
        """Panels that show the log of a command that was let go on."""

    async def start(
        self,
        one: ChrootStatus,
        command: str,
        words: Words,
        *,
        stays: bool = False,
        throw_away: bool = False,
        asks: bool = False,
        quietly: bool = False,
    ) -> None:
        """Run chroot-tool with *words* in a new panel, called after the chroot and *command*.

        *throw_away*: in a throw-away session; *asks* as in `Deed`; *quietly* leaves the focus where
        it is, and the terminal to who types: where a password is to be given nothing is run.

        On the whole terminal, where a password is to be given: there what it prints *stays* until
        it was read. Only in a flow that was begun.
        """

        def again() -> None:
            self._user.begin(
                self.start(
                    one,
                    command,
                    words,
                    stays=stays,
                    throw_away=throw_away,
                    asks=asks,
                )
            )

        line = (PROGRAM, *words)
        try:
            has_to_ask = await asyncio.to_thread(self._engine.asks, one.path)
        except ChrootError as error:
            self._user.explain(error)
            return
        if has_to_ask and quietly:
            self._user.tell(f"{safe(one.name)}: {_WAITS}", "warning")
        elif has_to_ask:
            argv = self._engine.command(one.path, words)
            await self._whole.run_instead(
                argv, Deed((line,), one.name, again, asks=asks), stays=stays
            )
        else:
            here = list(self._engine.unasked(one.path, words))
            await self.open(
                one, command, here, line, throw_away=throw_away, asks=asks, quietly=quietly
            )

    async def open(
        self,
        one: ChrootStatus | None,
        command: str,
        argv: list[str],
        words: Words = (),
        *,
        throw_away: bool = False,
        asks: bool = False,
        quietly: bool = False,
    ) -> None:
        """Run *argv* in a new panel, which is called after the chroot, if any, and *command*.

        *words* are the line that does the same, with its program.
        """
        from ....widgets.panes.run_panel import RunPanel

        name, path = (one.name, one.path) if one else ("", "")
        panel = RunPanel(
            argv,
            chroot=name,
            command=command,
            path=path,
            throw_away=throw_away,
            pace=self._line.pace,
        )
        if words:
            again = partial(
                self._again, one, command, argv, words, throw_away=throw_away, asks=asks
            )
            deed = self._deeds[panel] = Deed((words,), name, again, asks=asks)
            # Now, not when it is told of: it may have ended by then.
            self._logged[panel] = self._log.begin(deed)
        await self._panes.dock.add(panel, quietly=quietly)

    def _again(
        self,
        one: ChrootStatus | None,
        command: str,
        argv: list[str],
        words: Words,
        *,
        throw_away: bool,
        asks: bool,
    ) -> None:
        self._user.begin(self.open(one, command, argv, words, throw_away=throw_away, asks=asks))

    def note(self, panel: RunPanel) -> None:
        """Take note of what runs in a panel, and of how it ended: its end is to be seen."""
        dock = self._panes.dock
        if panel in dock.away and not panel.running:
            dock.have_back(panel)
            how = "" if panel in self._detached else f": {panel.outcome}"
            self._user.tell(f"{_brief(panel)} has ended{how}")
        self._moved()
        deed = self._deeds.get(panel)
        if deed is None:
            return
        if panel.running:
            if panel not in self._logged:
                self._logged[panel] = self._log.begin(deed)
        elif (ident := self._logged.pop(panel, 0)) and panel.terminal.exit is not None:
            self._log.end(ident, FAILED if panel.terminal.exit else DONE, panel.outcome)

    def commands_in(self, one: ChrootStatus) -> frozenset[str]:
        """Return what the panels of a chroot are called."""
        return frozenset(panel.command for panel in self._all if panel.path == one.path)

    def running_line(self, words: Words) -> RunPanel | None:
        """Return the panel in which chroot-tool runs with *words*: what is shown, or the latest."""
        line = ((PROGRAM, *words),)
        found = [
            panel for panel in (*self.away[::-1], *self._panes.dock.panels)
            if panel.running and (deed := self._deeds.get(panel)) and deed.lines == line
        ]  # fmt: skip
        return next((panel for panel in found if panel.display), found[-1] if found else None)

    @property
    def sessions(self) -> frozenset[str]:
        """The paths of the chroots that have a throw-away session in a panel.

        Nothing of one is mounted where it could be seen from outside.
        """
        return frozenset(panel.path for panel in self._running() if panel.throw_away)

    @property
    def running(self) -> tuple[str, ...]:
        """What runs in panels, in words; that, too, which goes on from an earlier session."""
        return tuple(f"{panel.chroot}: {panel.command}" for panel in self._running())

    def _running(self) -> list[RunPanel]:
        return [panel for panel in self._all if panel.running]

    @property
    def _all(self) -> tuple[RunPanel, ...]:
        if not self._panes.complete:
            return ()  # who types ahead quits before there is a dock
        return (*self._panes.dock.panels, *self._panes.dock.away)

    @property
    def away(self) -> tuple[RunPanel, ...]:
        """Those that were closed while their programs run, the latest first."""
        return self._panes.dock.away[::-1] if self._panes.complete else ()

    async def close(self, panel: RunPanel) -> None:
        """Close a panel; ask while its command runs. Only in a flow that was begun."""
        answer = await self._ask_to_close(panel) if panel.running else "stop"
        if answer == "stay" or (answer == "leave" and not panel.running):
            return  # what has ended while it was asked for is to be seen
        dock = self._panes.dock
        if len(dock.panels) == 1:
            self._panes.wear_out("panel.close")
        if answer == "leave":
            dock.put_away(panel)
            self._user.tell(f"{_brief(panel)} goes on: {self._way_back} has it back")
        else:
            await self._end(panel)
        if dock.panels:
            dock.focus_shown()
        else:
            self._panes.leave_dock(close=not self._busy())

    async def _ask_to_close(self, panel: RunPanel) -> Leaving:
        from ....widgets.dialogs.quit import QuitDialog

        means = f"If it goes on, only its tab is closed: {self._way_back} has it back."
        ask = QuitDialog((panel.subject,), (means,), title="close while it runs")
        return await self._user.ask(ask)

    @property
    def _way_back(self) -> str:
        """What has a panel back that was closed: a key, where it has one."""
        return self._panes.key_of("panels.attach") or "attach in the palette"

    async def _end(self, panel: RunPanel) -> None:
        """Take a panel away, and end what runs in it."""
        one = self._detached.get(panel)
        if panel.running:
            self._stop(panel)
        await self._panes.dock.remove_panel(panel)
        self._moved()
        self._detached.pop(panel, None)
        self._deeds.pop(panel, None)
        self._log.end(self._logged.pop(panel, 0), CANCELLED, "its panel was closed")
        if one and not one.running:
            detached.forget(one)

    async def save_output(self, panel: RunPanel) -> None:
        """Save the output of a panel."""
        text = panel.terminal.reading.text()
        try:
            path = await asyncio.to_thread(run_history.save_output, panel.chroot, text)
        except OSError as error:
            self._user.tell(f"not saved: {error.strerror}", "error")
        else:
            self._user.tell(f"saved to {safe(path)}", whole=True)

    # -- beyond the end of the UI ----------------------------------------------------------------

    def stop_all(self) -> None:
        """End what runs in panels."""
        for panel in self._all:
            self._stop(panel)

    def _stop(self, panel: RunPanel) -> None:
        """End what runs in a panel, which is soon gone; nothing of it is to come back.

        What has ended already stays until its end was seen.
        """
        one = self._detached.get(panel)
        unwanted = one if one and one.running else None
        panel.stop()
        if unwanted:
            detached.forget(unwanted)

    def detach_all(self) -> None:
        """Let what runs in panels go on after the UI: its output is shown again next time."""
        for panel in self._running():
            self._detach(panel)

    def detach_away(self) -> None:
        """Let go on after the UI what was let go on before: for an end at which nobody is asked."""
        for panel in self.away:
            self._detach(panel)

    def _detach(self, panel: RunPanel) -> None:
        if panel in self._detached:
            return  # it goes on already
        text = panel.terminal.reading.text()
        terminal = panel.terminal.release()
        if terminal >= 0:
            try:
                began = time.time() - panel.seconds
                detached.detach(
                    terminal, panel.chroot, panel.command, text, began,
                    path=panel.path, throw_away=panel.throw_away,
                )  # fmt: skip
            except OSError as error:
                self._user.tell(f"not kept: {error.strerror}", "error")
            finally:
                os.close(terminal)

    async def show_detached(self) -> None:
        """Open a panel for each command that was let go on when the UI quit."""
        from ....widgets.panes.run_panel import RunPanel

        for one in detached.found():
            command = f"{one.command} (went on: its output)"
            panel = RunPanel(
                one.argv(), chroot=one.chroot, command=command, path=one.path,
                throw_away=one.throw_away, pace=self._line.pace,
                seconds=one.seconds, stop=partial(detached.stop, one),
            )  # fmt: skip
            self._detached[panel] = one
            await self._panes.dock.add(panel, quietly=True)

    def forget_seen(self) -> None:
        """Forget what had been let go on and was seen as ended: it would come back each time."""
        for panel, one in self._detached.items():
            if panel.end_was_seen and not one.running:
                detached.forget(one)


def _brief(panel: RunPanel) -> str:
    """Return what a panel is for, with room for what is said of it."""
    return safe(shorten(panel.subject, _WIDEST_SUBJECT))
