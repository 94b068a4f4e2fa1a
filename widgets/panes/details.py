"""One chroot in detail: overview, mounts, processes and log, as tabs.

A pane is made when it is first looked at, and brought up to date only while it is: what is not
seen costs nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from ...core.text import safe
from ..bars.tab_line import TabLine
from ..light_message import Telling
from ..text.fitting import shorten
from .searching import Searching

if TYPE_CHECKING:
    from textual.widgets import Input

    from ...core.looking.happenings import Happening
    from ...core.looking.status import ChrootStatus
    from ...core.process import Listener
    from ...core.trees.snapshots import TreeSnapshot
    from ..job_status import JobStatus
    from ..tables.filter_line import FilterLine
    from ..tables.table import Table
    from ..trend_points import Trend
    from .overview import Shown, Welcome
    from .searching import Searched

OVERVIEW, MOUNTS, PROCESSES, LOG = "overview", "mounts", "processes", "log"
TABS = (OVERVIEW, MOUNTS, PROCESSES, LOG)
"""The ids of the tabs, from left to right."""
_FILTER = 12
"""Cells of a filter that are shown beside the name of its tab."""


class Details(Searching):
    """A chroot in; the messages of `MountsTable` and `ProcessesTable` out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step_tab(-1)", "previous tab", id="tab.previous",
                show=False),
        Binding("right_square_bracket", "step_tab(1)", "next tab", id="tab.next", show=False),
        Binding("slash", "filter", "filter", id="environments.filter", show=False,
                tooltip="Show only the rows that have it; in the overview find it"),
        Binding("n", "step(False)", "after", id="overview.match_after",
                tooltip="What is searched for, the place after this one"),
        Binding("N", "step(True)", "before", id="overview.match_before",
                tooltip="What is searched for, the place before this one"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    Details {
        height: 1fr;
        & > FilterLine { display: none; }
        &.-filtering > TabLine { display: none; }
        &.-filtering > FilterLine { display: block; }
        &.-finding > TabLine { display: none; }
        &.-finding > FindBar { display: block; }
    }
    """

    line = getters.query_one(TabLine)

    class Turned(Telling):
        """The tab `tab` is shown now."""

        details: Details
        tab: str

    def __init__(
        self,
        *,
        columns: Mapping[str, tuple[str, ...]] | None = None,
        keys: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make the tabs, without a pane yet; *clock* tells ages from.

        *columns* are what the tables of tabs are to have (`tables.chosen`), *keys* those of the
        tabs, as they are shown.
        """
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._clock = clock
        self._columns = dict(columns or {})
        self._keys = dict(keys or {})
        self._chroot: ChrootStatus | None = None
        self._shown: Shown = (None, (), None, (), 0, ())
        self._welcome: Welcome = ()
        self._trend: Trend | None = None
        self._happened: tuple[Happening, ...] = ()
        self._panes: dict[str, Widget] = {}
        self._building = asyncio.Lock()
        self._stale: set[str] = set(TABS)
        self._filters: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Put the line and the first pane there."""
        line = TabLine()
        line.set_reactive(TabLine.current, OVERVIEW)
        line.set_reactive(TabLine.labels, self._labels())
        line.set_reactive(TabLine.keys, self._keys)
        yield line
        pane = self._panes[OVERVIEW] = self._make(OVERVIEW)
        yield pane

    def on_mount(self) -> None:
        """Show what was given while the pane was not there yet."""
        self._update()

    # -- values in -------------------------------------------------------------------------------

    def show(
        self,
        chroot: ChrootStatus | None,
        jobs: tuple[JobStatus, ...] = (),
        size: int | None = None,
        snapshots: tuple[TreeSnapshot, ...] = (),
        shared: int = 0,
        trend: Trend | None = None,
        happened: tuple[Happening, ...] = (),
        listening: tuple[Listener, ...] = (),
    ) -> None:
        """Show a chroot, or none; of *jobs* those that concern it.

        *size* is its bytes on disk, *shared* how many of them others have, too; of *snapshots* the
        oldest comes first; *trend* is what it has been doing, *happened* what happened
        to it, *listening* where those in it do.
        """
        path = chroot.path if chroot is not None else None
        other = path != (self._chroot.path if self._chroot is not None else None)
        jobs = tuple(job for job in jobs if job.path == path)
        shown = (chroot, jobs, size, snapshots, shared, listening)
        if shown == self._shown and trend is self._trend and happened is self._happened:
            return
        self._shown, self._trend, self._happened = shown, trend, happened
        self._chroot = chroot
        self._stale = set(TABS)
        self.line.labels = self._labels()
        self._update()
        if other and self.is_mounted and self.searched.sought:
            self.search_anew()

    def welcome(self, said: Welcome) -> None:
        """Say this in the overview where there is no chroot at all; () takes it away."""
        if said != self._welcome:
            self._welcome = said
            self._stale.add(OVERVIEW)
            self._update()

    def choose_columns(self, tab: str, wanted: tuple[str, ...]) -> None:
        """Have these columns in the table of a tab."""
        self._columns[tab] = wanted
        table = self._table_of(tab)
        if table is not None:
            table.choose_columns(wanted)

    def show_tab(self, tab: str, *, focus: bool = True) -> None:
        """Show the tab *tab*; *focus*: and go there. Raises KeyError for one that there is not."""
        if tab not in TABS:
            raise KeyError(tab)
        before = self._panes.get(self.line.current)
        focus = focus or (before is not None and before.has_focus_within)
        self.line.current = tab
        if tab in self._panes:
            self._turn(focus)
        else:
            self.call_next(self._add, tab, focus)

    def step_tab(self, step: int) -> None:
        """Show the tab before or after; the focus goes along if it is in here."""
        at = TABS.index(self.line.current) + step
        self.show_tab(TABS[at % len(TABS)], focus=False)

    @property
    def tab(self) -> str:
        """The id of the tab that is shown."""
        return self.line.current

    @property
    def chroot(self) -> ChrootStatus | None:
        """What is shown."""
        return self._chroot

    def focus(self, scroll_visible: bool = True) -> Details:
        """Give the focus to the pane that is shown."""
        pane = self._panes.get(self.line.current)
        if pane is not None:
            pane.focus(scroll_visible)
        return self

    def action_step_tab(self, step: int) -> None:
        """Show the tab before or after."""
        self.step_tab(step)

    @on(TabLine.Chosen)
    def _clicked(self, message: TabLine.Chosen) -> None:
        message.stop()
        self.show_tab(message.tab)

    # -- filter; in the overview search ----------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer no second line; go from place to place only where they are seen."""
        if action == "filter":
            return not self.has_class("-filtering") and not self.is_finding
        if action == "step":
            return self.tab == OVERVIEW and super().check_action(action, parameters)
        return True

    async def action_filter(self) -> None:
        """Open the line in which the filter of this tab, or what is to be found, is typed."""
        if self.tab == OVERVIEW:
            from .find_bar import FindBar  # Input takes its time to load

            if not self.query(FindBar):
                await self.mount(FindBar("overview"), before=self.line)  # keys wait for it
            self.action_find()
            return
        from ..tables.filter_line import FilterLine  # Input takes its time to load

        if not self.query(FilterLine):
            self.mount(FilterLine("any column"), before=self.line)
        line = self.query_one(FilterLine)
        line.value = self._filters.get(self.tab, "")
        self.add_class("-filtering")
        line.focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Filter by what is typed."""
        message.stop()
        if self.has_class("-filtering"):
            self._filter(message.value)

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        """Put the tabs back in their place."""
        message.stop()
        self.remove_class("-filtering")
        if message.clear:
            self.clear_filter()
        if message.refocus:
            self.focus()

    def clear_filter(self) -> bool:
        """Show all rows of this tab again, or end its search; tell whether there was one."""
        if self.tab == OVERVIEW:
            sought = bool(self.searched.sought)
            if sought:
                self.end_search()
            return sought
        was = bool(self._filters.get(self.tab))
        self._filter("")
        return was

    def _filter(self, text: str) -> None:
        table = self.table
        if table is not None and text != self._filters.get(self.tab, ""):
            self._filters[self.tab] = text
            table.search(text)
            self.line.labels = self._labels()

    @property
    def searched(self) -> Searched:
        """The overview."""
        from .overview import Overview

        pane = self._panes[OVERVIEW]
        assert isinstance(pane, Overview)
        return pane

    def show_search(self) -> None:
        """Show how the search stands."""
        from .find_bar import FindBar

        for bar in self.query(FindBar):
            bar.tell(self.place)
        self.line.labels = self._labels()

    @property
    def table(self) -> Table[Any] | None:
        """The rows of the tab that is shown, where it has any."""
        return self._table_of(self.tab)

    def _table_of(self, tab: str) -> Table[Any] | None:
        from ..tables.table import Table

        pane = self._panes.get(tab)
        if pane is None or isinstance(pane, Table):
            return pane
        return next(iter(pane.query(Table)), None)

    # -- panes -----------------------------------------------------------------------------------

    async def build(self, tab: str) -> None:
        """Make the pane of a tab, where there is none yet: then `show_tab` shows it at once."""
        async with self._building:
            if tab not in self._panes:
                pane = self._make(tab)
                await self.mount(pane)
                self._panes[tab] = pane

    async def _add(self, tab: str, focus: bool) -> None:
        await self.build(tab)
        self._turn(focus)

    def _turn(self, focus: bool) -> None:
        """Show the current pane and no other."""
        for name, pane in self._panes.items():
            pane.display = name == self.line.current
        self._update()
        if focus:
            self.focus()
        self.post_message(self.Turned(self, self.line.current))

    def _make(self, tab: str) -> Widget:
        if tab == MOUNTS:
            from ..tables.mounts_table import MountsTable

            return MountsTable(columns=self._columns.get(tab, ()), id=MOUNTS)
        if tab == PROCESSES:
            from ..tables.processes_table import ProcessesTable

            return ProcessesTable(
                wanted=self._columns.get(tab, ()), id=PROCESSES, clock=self._clock
            )
        if tab == LOG:
            from ..tables.log_table import LogTable

            return LogTable(id=LOG, clock=self._clock)
        from .overview import Overview

        return Overview(id=OVERVIEW, clock=self._clock)

    def _update(self) -> None:
        """Bring the pane that is seen up to date."""
        tab = self.line.current
        pane = self._panes.get(tab)
        if tab not in self._stale or pane is None or not pane.is_mounted:
            return
        self._stale.discard(tab)
        chroot = self._chroot
        if tab == OVERVIEW:
            from .overview import Overview

            assert isinstance(pane, Overview)
            pane.welcome(self._welcome)
            pane.show(*self._shown, self._trend, self._happened)
        elif tab == MOUNTS:
            from ..tables.mounts_table import MountsTable

            assert isinstance(pane, MountsTable)
            pane.path = chroot.path if chroot else ""
            pane.show(chroot.mounts if chroot else ())
        elif tab == LOG:
            from ..tables.log_table import LogTable

            assert isinstance(pane, LogTable)
            pane.show(self._happened)
        else:
            from ..tables.processes_table import ProcessesTable

            assert isinstance(pane, ProcessesTable)
            pane.path = chroot.path if chroot else ""
            pane.show(
                chroot.processes if chroot else (),
                unseen=bool(chroot and chroot.unseen),
                in_use=bool(chroot and chroot.in_use),
            )

    def _labels(self) -> tuple[tuple[str, str], ...]:
        chroot = self._chroot
        mounts = processes = ""
        problems = ""
        if chroot is not None:
            problems = f" ✗{len(chroot.problems)}" if chroot.problems else ""
            mounts = f" {chroot.mounted}/{chroot.wanted}" if chroot.wanted else ""
            mounts += f" +{len(chroot.foreign)}" if chroot.foreign else ""
            processes = f" {len(chroot.processes)}" if chroot.processes else ""
        labels = (
            (OVERVIEW, f"Overview{problems}"),
            (MOUNTS, f"Mounts{mounts}"),
            (PROCESSES, f"Processes{processes}"),
            (LOG, "Log"),
        )
        return tuple((tab, label + self._filter_label(tab)) for tab, label in labels)

    def _filter_label(self, tab: str) -> str:
        if tab == OVERVIEW and self.is_mounted and self.searched.sought:
            return f" /{shorten(safe(self.searched.sought), _FILTER)} {self.place}"
        text = self._filters.get(tab, "")
        return f" /{shorten(text, _FILTER)}" if text else ""
