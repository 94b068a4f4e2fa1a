"""Searching what a pane shows: the line that is typed in, the place that is shown, and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from textual.binding import Binding, BindingType
from textual.containers import Vertical

if TYPE_CHECKING:  # they take their time to load, and the details are there from the start
    from textual.widgets import Input

    from ..terminal.search import Match
    from .find_line import FindLine

FINDING: tuple[BindingType, ...] = (
    Binding("slash", "find", "find", id="panel.find", tooltip="Search the output"),
    Binding("n", "step(True)", "before", id="panel.match_before",
            tooltip="What is searched for, the place before this one"),
    Binding("N", "step(False)", "after", id="panel.match_after",
            tooltip="What is searched for, the place after this one"),
)  # fmt: skip
"""What subclasses have among their own keys."""


class Searched(Protocol):
    """What can be searched."""

    @property
    def sought(self) -> str:
        """What is looked for; "" for nothing."""
        raise NotImplementedError

    def find(self, text: str) -> Match | None:
        """Mark *text* everywhere and show the nearest place of it upwards; "" ends the search."""
        raise NotImplementedError

    def step(self, *, backwards: bool) -> Match | None:
        """Show the place before, or after, the one that is shown; round at the end."""
        raise NotImplementedError

    def end_search(self, *, back: bool = False) -> None:
        """Look for nothing; *back*: and show again what was shown before."""
        raise NotImplementedError


class Searching(Vertical):
    """Subclasses put a `FindLine` there, hidden unless the pane is `-finding`."""

    DEFAULT_CSS = """
    Searching FindLine { display: none; }
    Searching.-finding FindLine { display: block; }
    """

    match: Match | None = None
    """The place that the search has shown last."""

    @property
    def searched(self) -> Searched:
        """What is searched."""
        raise NotImplementedError

    def show_search(self) -> None:
        """Show how the search stands."""
        raise NotImplementedError

    @property
    def is_finding(self) -> bool:
        """Whether what is looked for is being typed."""
        return self.has_class("-finding")

    @property
    def place(self) -> str:
        """Where the search is, in words."""
        if not self.searched.sought:
            return ""
        return f"{self.match.number} of {self.match.of}" if self.match else "not found"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what goes on with a search only where there is one."""
        if action == "step":
            return self.is_mounted and bool(self.searched.sought)
        return action != "find" or not self.is_finding

    def action_find(self) -> None:
        """Open the line to search in, with what was searched for last."""
        from .find_line import FindLine

        self.add_class("-finding")
        line = self.query_one(FindLine)
        self._search(line.value)
        line.focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Search for what is typed."""
        message.stop()
        if self.is_finding:
            self._search(message.value)

    def _search(self, text: str) -> None:
        self.match = self.searched.find(text)
        self.show_search()

    def search_anew(self) -> None:
        """Search what is shown from now on for what is being typed, or for nothing any more."""
        if self.is_finding:
            from .find_line import FindLine

            self._search(self.query_one(FindLine).value)
        else:
            self.end_search()

    def action_step(self, backwards: bool) -> None:
        """Show the place before, or after, the one that is shown; round at the end."""
        self.match = self.searched.step(backwards=backwards)
        self.show_search()

    def on_find_line_stepped(self, message: FindLine.Stepped) -> None:
        """Show the place before, or after."""
        message.stop()
        self.action_step(message.backwards)

    def on_find_line_left(self, message: FindLine.Left) -> None:
        """Go back to what is searched."""
        message.stop()
        if not self.is_finding:
            return
        sought = self.searched.sought
        self.remove_class("-finding")
        if message.clear or not self.match:
            self.end_search(back=True)
        if sought and not message.clear and not self.match:
            self.notify("not found", severity="warning", timeout=1.5)
        if message.refocus:
            self.focus()
        self.show_search()
        self.refresh_bindings()

    def end_search(self, *, back: bool = False) -> None:
        """Look for nothing any more; *back*: and show again what was shown before."""
        self.remove_class("-finding")
        self.searched.end_search(back=back)
        self.match = None
        self.show_search()
        self.refresh_bindings()
