"""The line in which a pattern is typed: names like it are marked from the first letter on."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from .filter_line import FilterLine


class MarkLine(FilterLine):
    """One line without a frame. `Input.Changed` says what is to be marked."""

    BINDING_GROUP_TITLE = "Mark"
    HELP = (
        "Marks what is listed and has one of these words in its name; with * ? [ ] the name has"
        " to be like that as a whole: deb*, *-build. Enter keeps the marks, Escape has those"
        " from before."
    )


class MarkBar(Horizontal):
    """The line, and how many are marked by it."""

    DEFAULT_CSS = """
    MarkBar {
        height: 1;
        & > MarkLine { width: 1fr; }
        & > Static { width: auto; padding: 0 1; color: $text-primary; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.line = MarkLine("part of a name, or deb*", does="mark")
        self._count = Static()

    def compose(self) -> ComposeResult:
        """Put both together."""
        yield self.line
        yield self._count

    def tell(self, count: int, every: int) -> None:
        """Say how many of how many are marked by what is typed."""
        self._count.update(f"{count} of {every} match" if self.line.value else "")
