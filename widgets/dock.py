"""The dock: what is being done, and the run panels, one tab each; there only while it is open."""

from __future__ import annotations

from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import TabbedContent, TabPane

from .jobs_pane import JobsPane
from .run_panel import RunPanel
from .text import foreign

_JOBS = "dock-jobs"


class Dock(Vertical):
    """Holds the jobs and any number of run panels. Closed until something is to be seen."""

    DEFAULT_CSS = """
    Dock {
        display: none;
        &.-open { display: block; }
        & TabbedContent, & ContentSwitcher { height: 1fr; }
        & TabPane { height: 1fr; padding: 0; }
    }
    """

    tabs = getters.query_one("#dock-tabs", TabbedContent)
    jobs_pane = getters.query_one(JobsPane)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's own name)
        super().__init__(id=id)
        self._count = 0

    def compose(self) -> ComposeResult:
        """The tabs: jobs first."""
        with TabbedContent(id="dock-tabs"), TabPane("jobs", id=_JOBS):
            yield JobsPane()

    @property
    def is_open(self) -> bool:
        """Whether it is to be seen."""
        return self.has_class("-open")

    @property
    def panels(self) -> tuple[RunPanel, ...]:
        """Every run panel."""
        return tuple(self.query(RunPanel))

    @property
    def panel(self) -> RunPanel | None:
        """The run panel whose tab is shown."""
        pane = self.tabs.active_pane
        found = pane.query(RunPanel) if pane else ()
        return next(iter(found), None)

    def open_jobs(self) -> None:
        """Show the jobs."""
        self.add_class("-open")
        self.tabs.active = _JOBS

    def close(self) -> None:
        """Hide it; what runs in it runs on."""
        self.remove_class("-open")

    async def add(self, panel: RunPanel, *, quietly: bool = False) -> None:
        """Give a new panel a tab and show it; *quietly* leaves the focus where it is."""
        self._count += 1
        ident = f"dock-panel-{self._count}"
        title = Content.assemble(foreign(panel.chroot), ": ", foreign(_short(panel.command)))
        self.add_class("-open")
        await self.tabs.add_pane(TabPane(title, panel, id=ident))
        self.tabs.active = ident
        panel.start(focus=not quietly)

    async def remove_panel(self, panel: RunPanel) -> None:
        """Take a panel and its tab away."""
        pane = panel.parent
        if isinstance(pane, TabPane) and pane.id:
            await self.tabs.remove_pane(pane.id)

    def focus_shown(self) -> None:
        """Give the focus to what is shown."""
        panel = self.panel
        if panel is None:
            self.jobs_pane.focus()
        elif panel.running:
            panel.terminal.focus()
        else:
            panel.focus()

    def step(self, by: int) -> None:
        """Show the tab before or after."""
        names = [pane.id for pane in self.query(TabPane) if pane.id]
        place = names.index(self.tabs.active) if self.tabs.active in names else 0
        self.tabs.active = names[(place + by) % len(names)]


def _short(command: str, most: int = 24) -> str:
    return command if len(command) <= most else command[: most - 1] + "…"
