"""A list of what is or was done, and below it what the one under its cursor says, to search in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Self

from textual import getters, on
from textual.binding import Binding, BindingType

from ...core.text import safe
from ..tables.table import Table
from ..text.fitting import shorten
from . import searching
from .find_bar import FindBar
from .job_output import JobOutput
from .searching import Searched, Searching

FINDING: tuple[BindingType, ...] = (
    *searching.FINDING,
    Binding("escape", "end_search", "end search", id="panel.leave", show=False,
            tooltip="End the search; else back to the chroots"),
)  # fmt: skip
"""What subclasses have behind their own keys."""
_WIDEST = 40


class ListWithOutput(Searching):
    """Subclasses put a `Table`, a `FindBar` and a `JobOutput` there."""

    DEFAULT_CSS = """
    ListWithOutput {
        height: 1fr;
        & > JobOutput { height: 1fr; border-top: solid $panel; }
    }
    """

    output = getters.query_one(JobOutput)

    shown: int | None = None
    """What the output below is of."""

    def why_not(self, action: str) -> str:
        """Say what can't be done with the one under the cursor.

        As in an empty list, a search is not offered then, and opens all the same: who has pressed
        its key types on.
        """
        if action == "find" and not (self.is_mounted and self.output.lines):
            return "it has printed nothing"
        return ""

    def show_selected(self) -> None:
        """Show what the one under the cursor says."""
        raise NotImplementedError

    def turn_to(self, ident: int | None, said: Callable[[int], Iterable[str]]) -> None:
        """Have the output be that of *ident*, of which *said* returns the lines."""
        if ident != self.shown:
            self.shown = ident
            self.output.set_lines(said(ident) if ident is not None else ())
            self.search_anew()

    def add_lines(self, lines: Sequence[str]) -> None:
        """Add lines, unsafe as they are, to the output that is shown."""
        was_empty = not self.output.lines
        self.output.append(lines)
        if was_empty:
            self.refresh_bindings()  # there is something to search now
        if self.is_finding and self.output.sought and not self.match:  # it may be among them
            self.match = self.output.step(backwards=True)
            if self.match:
                self.show_search()

    def may(self, action: str) -> bool:
        """Tell whether that can be done with the one under the cursor; where not, say why."""
        why = self.why_not(action)
        if why:
            self.notify(why, severity="warning", timeout=3, markup=False)
        return not why

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the list."""
        self.query_one(Table).focus(scroll_visible)
        return self

    @on(Table.Highlighted)
    def _moved(self, message: Table.Highlighted) -> None:
        message.stop()
        self.show_selected()
        self.refresh_bindings()

    # -- searching the output --------------------------------------------------------------------

    @property
    def searched(self) -> Searched:
        """The output."""
        return self.output

    def show_search(self) -> None:
        """Show how the search stands."""
        bar, sought = self.query_one(FindBar), self.output.sought
        bar.display = self.is_finding or bool(sought)
        before = "" if self.is_finding else f"/{safe(shorten(sought, _WIDEST))}  "
        bar.tell(f"{before}{self.place}")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what ends a search only where there is one."""
        if action == "end_search":
            return self.is_mounted and bool(self.output.sought)
        return super().check_action(action, parameters)

    def action_end_search(self) -> None:
        """Look for nothing any more."""
        self.end_search()
