"""Tabs in one line, with a count where there is something to count.

Not Textual's TabbedContent: that takes two lines, which an 80x24 terminal has not to spare, and
makes the first paint 30 ms later; this one 3 ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from ..light_message import Telling
from ..text.fitting import width_of

_GAP = 2


class TabLine(Widget):
    """The names of tabs; the one that is shown stands out."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab-line--current", "tab-line--other"}
    DEFAULT_CSS = """
    TabLine {
        height: 1;
        background: $background;
        & > .tab-line--current { color: $text-primary; text-style: bold underline; }
        & > .tab-line--other { color: $text-muted; }
    }
    """

    labels: reactive[tuple[tuple[str, str], ...]] = reactive(())
    """(id, label) of each tab, from left to right."""
    current: reactive[str] = reactive("")
    """The id of the tab that is shown."""

    class Chosen(Telling):
        """The tab `tab` was clicked."""

        line: TabLine
        tab: str

    def render_line(self, y: int) -> Strip:
        """Return the line."""
        plain = self.visual_style.rich_style
        segments = [Segment(" ", plain)]
        for name, label in self.labels:
            kind = "current" if name == self.current else "other"
            style = self.get_visual_style(f"tab-line--{kind}").rich_style
            segments += [Segment(label, style), Segment(" " * _GAP, plain)]
        left = self._left
        return Strip(segments).crop_extend(left, left + self.size.width, plain)

    def _cells(self) -> Iterator[tuple[str, int, int]]:
        """Yield each tab, and the cells of the whole line from where to where it is."""
        start = 1
        for name, label in self.labels:
            stop = start + width_of(label)
            yield name, start, stop
            start = stop + _GAP

    @property
    def _left(self) -> int:
        """How many cells on the left have no room, so that the tab that is shown has."""
        for name, start, stop in self._cells():
            if name == self.current:
                return max(0, min(stop + 1 - self.size.width, start - 1))
        return 0

    def on_click(self, event: events.Click) -> None:
        """Choose the tab that was hit."""
        at = event.x + self._left
        for name, start, stop in self._cells():
            if start <= at < stop:
                self.post_message(self.Chosen(self, name))
