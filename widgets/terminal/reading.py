"""Reading what a terminal shows and has shown: scrolling, selecting, copying, searching."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.widget import Widget

if TYPE_CHECKING:
    from .search import Match
    from .view import View


class Reading:
    """Moves the view of *widget*, as soon as `view` is what it shows; *moved* is called then."""

    def __init__(self, widget: Widget, *, moved: Callable[[], None]) -> None:
        self._widget = widget
        self._moved = moved
        self.view: View | None = None

    def text(self) -> str:
        """Return everything that is kept of the output, as plain text."""
        return "" if self.view is None else self.view.transcript.text()

    def scroll(self, rows: int) -> None:
        """Scroll down by *rows*, up if negative."""
        if self.view is not None and self.view.scroll(rows):
            self._moved()

    def page(self, pages: int) -> None:
        """Scroll by pages; a row stays in view."""
        self.scroll(pages * max(1, self._widget.size.height - 1))

    def follow(self) -> None:
        """Show the end of the output and stay there."""
        if self.view is not None and self.view.follow():
            self._moved()

    @property
    def selected_text(self) -> str:
        """The text that is selected, or nothing."""
        return "" if self.view is None else self.view.selected_text

    def clear_selection(self) -> None:
        """Select nothing."""
        if self.view is not None and self.view.selection is not None:
            self.view.selection = None
            self._widget.refresh()

    def copy(self) -> str:
        """Put the selection, else what the view shows, into the clipboard; return it."""
        text = self.selected_text
        if not text and self.view is not None:
            text = self.view.shown_text(self._widget.size.height)
        if text:
            self._widget.app.copy_to_clipboard(text)
        return text

    # -- searching -------------------------------------------------------------------------------

    @property
    def sought(self) -> str:
        """What is looked for; "" for nothing."""
        return self.view.search.text if self.view and self.view.search else ""

    def find(self, text: str) -> Match | None:
        """Mark *text* everywhere and show the nearest place of it upwards; see `View.find`."""
        if self.view is None:
            return None
        match = self.view.find(text)
        self._moved()
        return match

    def step(self, *, backwards: bool) -> Match | None:
        """Show the place before, or after, the one that is shown; goes round at the end."""
        match = self.view.step(backwards=backwards) if self.view else None
        if match is not None:
            self._moved()
        return match

    def end_search(self, *, back: bool = False) -> None:
        """Look for nothing; *back*: and show again what was shown before."""
        if self.view is not None and self.view.search is not None:
            self.view.end_search(back=back)
            self._moved()
