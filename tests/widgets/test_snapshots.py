"""How the panes of the main screen look, held as pictures.

After a change that is meant: `pytest tests/widgets/test_snapshots.py --snapshot-update`, and look
at the difference before it is committed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.containers import Container

from chroot_tool.widgets.bars.status_line import StatusLine
from chroot_tool.widgets.panes.details import Details
from chroot_tool.widgets.panes.jobs_pane import JobsPane
from chroot_tool.widgets.tables.chroot_table import ChrootTable
from support.samples import BASE, CHROOTS, JOBS, SIZES, clock

SMALL, LARGE = (80, 24), (120, 40)
Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dates are shown in the local time zone."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Panes(App[None]):
    """The panes as the main screen has them, without what moves."""

    CSS = """
    #body { height: 1fr; }
    #environments { height: 1fr; }
    #details { height: 1fr; border-top: solid $panel; }
    #dock { height: 12; border-top: solid $panel; }
    """

    def __init__(self, theme: str, *, tab: str = "overview", jobs: bool = False) -> None:
        super().__init__()
        self.theme = theme
        self._tab = tab
        self._jobs = jobs

    def compose(self) -> ComposeResult:
        with Container(id="body"):
            yield ChrootTable(id="environments", clock=clock)
            yield Details(id="details", clock=clock)
        if self._jobs:
            with Container(id="dock"):
                yield JobsPane(clock=clock)
        yield StatusLine()

    def on_mount(self) -> None:
        table = self.query_one(ChrootTable)
        table.show(CHROOTS, JOBS, SIZES)
        table.focus()
        table.move_to(f"{BASE}/trixie-build")
        details = self.query_one(Details)
        details.show(CHROOTS[-1], JOBS, SIZES[f"{BASE}/trixie-build"])
        details.show_tab(self._tab, focus=self._tab != "overview")
        self.query_one(StatusLine).show(BASE, JOBS, "root")
        for pane in self.query(JobsPane):
            pane.show(JOBS)
            pane.append_output(3, ["mount /proc", "mount /sys", "mount /tmp: failed"])
            pane.select(3)


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_environments_and_overview(snap_compare: Compare, size: Any, theme: str) -> None:
    assert snap_compare(Panes(theme), terminal_size=size, press=["space", "k"])


@pytest.mark.parametrize(
    ("size", "theme"), [(SMALL, "textual-light"), (LARGE, "textual-dark")], ids=["80x24", "120x40"]
)
def test_mounts(snap_compare: Compare, size: Any, theme: str) -> None:
    assert snap_compare(
        Panes(theme, tab="mounts"), terminal_size=size, press=["j", "j", "j", "j", "j"]
    )


@pytest.mark.parametrize(
    ("size", "theme"), [(SMALL, "textual-dark"), (LARGE, "textual-light")], ids=["80x24", "120x40"]
)
def test_jobs(snap_compare: Compare, size: Any, theme: str) -> None:
    assert snap_compare(Panes(theme, tab="processes", jobs=True), terminal_size=size)
