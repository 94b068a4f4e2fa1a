"""The line in which a filter is typed: it holds from the first letter, Enter keeps, Esc clears."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from ..light_message import Telling
from ..text.safe_input import SafeInput


class FilterLine(SafeInput):
    """One line without a frame."""

    BINDING_GROUP_TITLE = "Filter"
    HELP = "Shows what has each of these words."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "keep", "keep", id="filter.keep", key_display="⏎",
                tooltip="Go back to the table, filtered"),
        Binding("escape", "clear", "clear", id="filter.clear",
                tooltip="Show all again"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    FilterLine.-textual-compact {
        padding: 0 1;
        background: $background;
    }
    """

    class Left(Telling):
        """It is done with: *clear* takes the filter away; *refocus* where keys ended it."""

        line: FilterLine
        clear: bool
        refocus: bool = True

    def __init__(self, looks_at: str, *, does: str = "filter") -> None:
        """Make an empty line; *looks_at* says where the words are looked for."""
        super().__init__(placeholder=f"{does}: {looks_at}", compact=True)

    def action_keep(self) -> None:
        """Go back to the table."""
        self.post_message(self.Left(self, clear=False))

    def action_clear(self) -> None:
        """Go back to the whole table."""
        self.post_message(self.Left(self, clear=True))

    def on_blur(self) -> None:
        """Keep what was typed when the focus goes elsewhere in here, not to another window."""
        if not self.is_attached or self.screen.focused in (None, self):
            return
        self.post_message(self.Left(self, clear=False, refocus=False))
