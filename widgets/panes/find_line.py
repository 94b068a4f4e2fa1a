"""The line in which one types what to look for in a panel: it is found from the first letter on."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from ..light_message import Telling
from ..text.safe_input import SafeInput

_LONGEST = 200


class FindLine(SafeInput):
    """One line without a frame. `Input.Changed` says what is looked for."""

    BINDING_GROUP_TITLE = "Find"
    HELP = (
        "Marks it everywhere and shows the nearest one; nothing of it is typed into a program."
        " Capitals count where there are some."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "leave(False)", "keep", id="find.keep",
                tooltip="Back to what is searched: n and N go from one to the next"),
        Binding("up", "step(True)", "before", id="find.before", tooltip="The one before"),
        Binding("down", "step(False)", "after", id="find.after", tooltip="The one after"),
        Binding("escape", "leave(True)", "end", id="find.clear",
                tooltip="Back to what was shown before"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    FindLine.-textual-compact {
        width: 1fr;
        padding: 0 1;
        background: $background;
    }
    """

    class Left(Telling):
        """It is done with; *clear*: and so is the search; *refocus* where keys ended it."""

        line: FindLine
        clear: bool
        refocus: bool = True

    class Stepped(Telling):
        """The one before is wanted, or the one after."""

        line: FindLine
        backwards: bool

    def __init__(self, looks_at: str = "output") -> None:
        """Make an empty line; *looks_at* says what is searched."""
        super().__init__(placeholder=f"find in the {looks_at}", compact=True, max_length=_LONGEST)

    def action_leave(self, clear: bool) -> None:
        """Go back to the panel."""
        self.post_message(self.Left(self, clear))

    def on_blur(self) -> None:
        """Keep what was found when the focus goes elsewhere in here, not to another window."""
        if self.is_attached and self.screen.focused not in (None, self):
            self.post_message(self.Left(self, clear=False, refocus=False))

    def action_step(self, backwards: bool) -> None:
        """Ask for the next one."""
        self.post_message(self.Stepped(self, backwards))
