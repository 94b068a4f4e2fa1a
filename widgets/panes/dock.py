"""The dock: what is being done, and the run panels, one tab each; there only while it is open."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from ...core.text import safe
from ..bars.tab_line import TabLine
from ..light_message import Telling
from ..text.fitting import shorten
from .commands_pane import CommandsPane
from .jobs_pane import JobsPane
from .run_panel import RunPanel

_JOBS = "jobs"
_COMMANDS = "commands"
_FIXED = ((_JOBS, "Jobs"), (_COMMANDS, "Commands"))
_WIDEST = 28


class Dock(Vertical):
    """Holds the jobs and any number of run panels. Closed until something is to be seen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step(-1)", "previous tab", id="tab.previous", show=False),
        Binding("right_square_bracket", "step(1)", "next tab", id="tab.next", show=False),
        Binding("plus", "resize(10)", "larger", id="panel.grow", show=False,
                tooltip="More room for jobs and panels"),
        Binding("minus", "resize(-10)", "smaller", id="panel.shrink", show=False,
                tooltip="Less room for jobs and panels"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    Dock {
        display: none;
        &.-open { display: block; }
    }
    """

    line = getters.query_one(TabLine)
    jobs_pane = getters.query_one(JobsPane)
    commands = getters.query_one(CommandsPane)

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        said: Callable[[int], Sequence[str]] = lambda _: (),
        id: str | None = None,  # noqa: A002 (Textual's own name)
    ) -> None:
        """*said* returns the lines that a command of the log has said."""
        super().__init__(id=id)
        self._clock = clock
        self._said = said
        self._count = 0
        self._panels: dict[str, RunPanel] = {}
        self._away: dict[str, RunPanel] = {}
        """Those without a tab, the latest last."""

    def compose(self) -> ComposeResult:
        """The line of tabs and the jobs; panels come as they are wanted."""
        line = TabLine()
        line.set_reactive(TabLine.labels, _FIXED)
        line.set_reactive(TabLine.current, _JOBS)
        yield line
        yield JobsPane(clock=self._clock)
        commands = CommandsPane(self._said)
        commands.display = False
        yield commands

    class ResizeRequested(Telling):
        """The dock is to have more, or less, of the screen: `by` percent."""

        dock: Dock
        by: int

    def action_resize(self, by: int) -> None:
        """Ask for more or less room."""
        self.post_message(self.ResizeRequested(self, by))

    @property
    def is_open(self) -> bool:
        """Whether it is to be seen."""
        return self.has_class("-open")

    @property
    def panels(self) -> tuple[RunPanel, ...]:
        """Every run panel that has a tab."""
        return tuple(self._panels.values())

    @property
    def away(self) -> tuple[RunPanel, ...]:
        """Those whose tabs were taken away while their programs run, the latest last."""
        return tuple(self._away.values())

    def open_jobs(self) -> None:
        """Show the jobs."""
        self.add_class("-open")
        self._show(_JOBS)

    def open_commands(self) -> None:
        """Show what keys did."""
        self.add_class("-open")
        self._show(_COMMANDS)

    def close(self) -> None:
        """Hide it; what runs in it runs on."""
        self.remove_class("-open")

    async def add(self, panel: RunPanel, *, quietly: bool = False) -> None:
        """Give a new panel a tab and show it; *quietly* leaves the focus where it is."""
        self._count += 1
        name = f"panel-{self._count}"
        self._panels[name] = panel
        self.add_class("-open")
        # Beside what is shown still, it would have half of the room for a moment, and a program
        # that starts in it, too.
        panel.display = False
        await self.mount(panel)
        self._show(name)
        panel.start(focus=not quietly)
        self._show_labels()

    async def remove_panel(self, panel: RunPanel) -> None:
        """Take a panel and its tab away; the panel before it is shown, else the one after it."""
        near = self._near(panel)
        del self._panels[self._name_of(panel)]
        await panel.remove()
        self._show(near)

    def put_away(self, panel: RunPanel) -> None:
        """Take the tab of a panel away as `remove_panel` does; its program runs on."""
        near, name = self._near(panel), self._name_of(panel)
        self._away[name] = self._panels.pop(name)
        panel.display = False
        self._show(near)

    def have_back(self, panel: RunPanel) -> None:
        """Give a panel its tab back, where that was taken away; what is shown stays so."""
        for name, known in self._away.items():
            if known is panel:
                self._panels[name] = self._away.pop(name)
                self._show_labels()
                return

    def enter(self, panel: RunPanel) -> None:
        """Show a panel, have it back for that, and give its program the keys where it takes any."""
        self.have_back(panel)
        self.add_class("-open")
        self._show(self._name_of(panel))
        if panel.why_not("enter"):
            self.focus_shown()
        else:
            panel.action_enter()

    def _name_of(self, panel: RunPanel) -> str:
        return next(name for name, known in self._panels.items() if known is panel)

    def _near(self, panel: RunPanel) -> str:
        """Return the tab that is shown when that of a panel is gone."""
        names = list(self._panels)
        at = names.index(self._name_of(panel))
        return [*reversed(names[:at]), *names[at + 1 :], _JOBS][0]

    @property
    def hides_focus(self) -> bool:
        """Whether the focus is in a tab that is not shown."""
        return self.has_focus_within and not self._pane(self.line.current).has_focus_within

    def focus_shown(self) -> None:
        """Give the focus to what is shown, to a panel's frame.

        Never to its terminal: keys that were meant for the UI would be typed into a root shell.
        """
        self._pane(self.line.current).focus()

    def _pane(self, name: str) -> Widget:
        if name == _COMMANDS:
            return self.commands
        return self._panels.get(name, self.jobs_pane)

    def action_step(self, by: int) -> None:
        """Show the tab before or after, and go there."""
        names = self._names()
        self._show(names[(names.index(self.line.current) + by) % len(names)])
        self.focus_shown()

    @on(TabLine.Chosen)
    def _chosen(self, message: TabLine.Chosen) -> None:
        message.stop()
        self._show(message.tab)
        self.focus_shown()

    @on(RunPanel.Moved)
    def _moved(self) -> None:
        self._show_labels()

    def _names(self) -> list[str]:
        return [_JOBS, *self._panels, _COMMANDS]

    def _show(self, name: str) -> None:
        self.line.current = name
        shown = self._pane(name)
        for each in (self.jobs_pane, self.commands, *self._panels.values()):
            each.display = each is shown
        self._show_labels()

    def _show_labels(self) -> None:
        panels = ((name, _label(panel)) for name, panel in self._panels.items())
        jobs, commands = _FIXED
        self.line.labels = (jobs, *panels, commands)


def _label(panel: RunPanel) -> str:
    sign = "▶" if panel.running else "■"
    return f"{sign} {shorten(safe(f'{panel.chroot}: {panel.command}'), _WIDEST)}"
