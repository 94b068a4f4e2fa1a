"""What is looked for in an output, and which place of how many is shown; there while it is."""

from __future__ import annotations

from textual import getters
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from ...core.text import safe
from ..terminal.search import Match
from ..text.fitting import shorten
from .find_line import FindLine

_WIDEST = 40


class FindBar(Horizontal):
    """`FindLine` while one types, and words; hidden where nothing is looked for."""

    DEFAULT_CSS = """
    FindBar {
        display: none;
        height: 1;
        & > FindLine { display: none; }
        & > Static { height: 1; padding: 0 1; color: $text-muted; width: auto; }
        &.-found { display: block; }
        &.-typing { display: block; & > FindLine { display: block; } }
    }
    """

    line = getters.query_one(FindLine)

    match: Match | None = None
    """The place that was told last."""

    def compose(self) -> ComposeResult:
        """Put the line and the words there."""
        yield FindLine()
        yield Static()

    @property
    def is_typing(self) -> bool:
        """Whether what is looked for is being typed."""
        return self.has_class("-typing")

    def begin(self) -> None:
        """Have it typed, from what was looked for last."""
        self.add_class("-typing")
        self.line.focus()

    def tell(self, sought: str, match: Match | None) -> None:
        """Say where *sought* was found; "": nothing is looked for."""
        self.match = match
        said = f"{match.number} of {match.of}" if match else "not found" if sought else ""
        if sought and not self.is_typing:
            said = f"/{safe(shorten(sought, _WIDEST))}  {said}"
        self.set_class(bool(sought), "-found")
        self.query_one(Static).update(Content(said))

    def end_typing(self) -> None:
        """Hide the line; the words stay while something is looked for."""
        self.remove_class("-typing")
