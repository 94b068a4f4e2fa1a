"""What is looked for in an output, and which place of how many is shown; there while it is."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from .find_line import FindLine


class FindBar(Horizontal):
    """`FindLine` and words; hidden where nothing is looked for."""

    DEFAULT_CSS = """
    FindBar {
        display: none;
        height: 1;
        & > Static { height: 1; padding: 0 1; color: $text-muted; width: auto; }
    }
    """

    def __init__(self, looks_at: str = "output") -> None:
        """Make an empty line; *looks_at* says what is searched."""
        super().__init__()
        self._looks_at = looks_at

    def compose(self) -> ComposeResult:
        """Put the line and the words there."""
        yield FindLine(self._looks_at)
        yield Static()

    def tell(self, words: str) -> None:
        """Say where the search is."""
        self.query_one(Static).update(Content(words))
