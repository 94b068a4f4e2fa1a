"""Tabs in one line, with a count where there is something to count.

Not Textual's TabbedContent: that takes two lines, which an 80x24 terminal has not to spare, and
makes the first paint 30 ms later; this one 3 ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
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

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tab-line--current", "tab-line--other", "tab-line--key",
    }  # fmt: skip
    DEFAULT_CSS = """
    TabLine {
        height: 1;
        background: $background;
        & > .tab-line--current { color: $text-primary; text-style: bold underline; }
        & > .tab-line--other { color: $text-muted; }
        & > .tab-line--key { color: $text-muted; &:ansi { text-style: dim; } }
    }
    """

    labels: reactive[tuple[tuple[str, str], ...]] = reactive(())
    """(id, label) of each tab, from left to right."""
    keys: reactive[Mapping[str, str]] = reactive(MappingProxyType({}))
    """The key of each tab that has one, as it is shown: where there is room for all of them."""
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
        key_style = self.get_visual_style("tab-line--key").rich_style
        for name, key, label in self._said:
            kind = "current" if name == self.current else "other"
            style = self.get_visual_style(f"tab-line--{kind}").rich_style
            segments += [Segment(key, key_style), Segment(label, style)]
            segments.append(Segment(" " * _GAP, plain))
        left = self._left
        return Strip(segments).crop_extend(left, left + self.size.width, plain)

    @property
    def _said(self) -> list[tuple[str, str, str]]:
        """Each tab: its id, its key with a blank, or "" where not all have room, and its label."""
        said = [
            (name, f"{self.keys[name]} " if self.keys.get(name) else "", label)
            for name, label in self.labels
        ]
        width = 1 + sum(width_of(key + label) + _GAP for _, key, label in said)
        if width > self.size.width:
            return [(name, "", label) for name, label in self.labels]
        return said

    def _cells(self) -> Iterator[tuple[str, int, int]]:
        """Yield each tab, and the cells of the whole line from where to where it is."""
        start = 1
        for name, key, label in self._said:
            stop = start + width_of(key + label)
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
