"""A list of what is or was done, and below it what the one under its cursor says, to search in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Self

from textual import getters, on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from ..tables.table import Table
from .find_bar import FindBar
from .find_line import FindLine
from .job_output import JobOutput

FINDING: tuple[BindingType, ...] = (
    Binding("slash", "find", "find", id="panel.find", tooltip="Search the output"),
    Binding("n", "step(True)", "before", id="panel.match_before",
            tooltip="What is searched for, the place before this one"),
    Binding("N", "step(False)", "after", id="panel.match_after",
            tooltip="What is searched for, the place after this one"),
    Binding("escape", "end_search", "end search", id="panel.leave", show=False,
            tooltip="End the search; else back to the environments"),
)  # fmt: skip
"""What subclasses have behind their own keys."""


class ListWithOutput(Vertical):
    """Subclasses put a `Table`, a `FindBar` and a `JobOutput` there."""

    DEFAULT_CSS = """
    ListWithOutput {
        height: 1fr;
        & > JobOutput { height: 1fr; border-top: solid $panel; }
    }
    """

    output = getters.query_one(JobOutput)
    find_bar = getters.query_one(FindBar)

    shown: int | None = None
    """What the output below is of."""

    def why_not(self, action: str) -> str:
        """Say what can't be done with the one under the cursor."""
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
            self.find_bar.tell("", None)

    def add_lines(self, lines: Sequence[str]) -> None:
        """Add lines, unsafe as they are, to the output that is shown."""
        was_empty = not self.output.lines
        self.output.append(lines)
        if was_empty:
            self.refresh_bindings()  # there is something to search now

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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what goes on with a search, or ends it, only where there is one."""
        if action in ("step", "end_search"):
            return self.is_mounted and bool(self.output.sought)
        return action != "find" or not (self.is_mounted and self.find_bar.is_typing)

    def action_find(self) -> None:
        """Open the line to search in, with what was searched for last."""
        if self.may("find"):
            self.find_bar.begin()
            self._search(self.find_bar.line.value)

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        message.stop()
        if self.find_bar.is_typing:
            self._search(message.value)

    def _search(self, text: str) -> None:
        self.find_bar.tell(text, self.output.find(text))

    def action_step(self, backwards: bool) -> None:
        """Show the place before, or after, the one that is shown; round at the end."""
        self.find_bar.tell(self.output.sought, self.output.step(backwards=backwards))

    @on(FindLine.Stepped)
    def _stepped(self, message: FindLine.Stepped) -> None:
        message.stop()
        if self.output.sought:
            self.action_step(message.backwards)

    @on(FindLine.Left)
    def _found_it(self, message: FindLine.Left) -> None:
        message.stop()
        if not self.find_bar.is_typing:
            return
        sought, match = self.output.sought, self.find_bar.match
        self.find_bar.end_typing()
        if message.clear or match is None:
            self._end_search(back=True)
            if sought and not message.clear:
                self.notify("not found", severity="warning", timeout=1.5)
        else:
            self.find_bar.tell(sought, match)
        if message.refocus:
            self.focus()
        self.refresh_bindings()

    def action_end_search(self) -> None:
        """Look for nothing any more."""
        self._end_search()
        self.refresh_bindings()

    def _end_search(self, *, back: bool = False) -> None:
        self.output.end_search(back=back)
        self.find_bar.tell("", None)
