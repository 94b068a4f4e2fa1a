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
_BEFORE, _AFTER = "‹ ", " ›"
"""What stands where tabs have no room, on that side; as wide as a gap."""


class TabLine(Widget):
    """The names of tabs; the one that is shown stands out.

    It always has room. Where others have none, a mark stands at that side; a click on it chooses
    the nearest of them.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tab-line--current", "tab-line--other", "tab-line--key", "tab-line--more",
    }  # fmt: skip
    DEFAULT_CSS = """
    TabLine {
        height: 1;
        background: $background;
        & > .tab-line--current { color: $text-primary; text-style: bold underline; }
        & > .tab-line--other { color: $text-muted; }
        & > .tab-line--key { color: $text-muted; &:ansi { text-style: dim; } }
        & > .tab-line--more { color: $text-accent; text-style: bold; }
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
        left, width = self._left, self.size.width
        line = Strip(segments).crop_extend(left, left + width, plain)
        more = self.get_visual_style("tab-line--more").rich_style
        if self._before(left):
            line = Strip.join([Strip([Segment(_BEFORE, more)]), line.crop(_GAP)])
        if self._after(left):
            line = Strip.join([line.crop(0, width - _GAP), Strip([Segment(_AFTER, more)])])
        return line.crop(0, width)

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
        cells = list(self._cells())
        if not cells or cells[-1][2] <= self.size.width:
            return 0
        for name, start, stop in cells:
            if name == self.current:
                return max(0, min(stop + _GAP - self.size.width, start - _GAP))
        return 0

    def _before(self, left: int) -> str:
        """Return the nearest tab that has no room on the left, or not enough; "" for none."""
        least = left + _GAP if left else 0
        return next((name for name, start, _ in reversed([*self._cells()]) if start < least), "")

    def _after(self, left: int) -> str:
        """Return the nearest tab that has no room on the right, or not enough; "" for none."""
        cells = list(self._cells())
        most = left + self.size.width
        if not cells or cells[-1][2] <= most:
            return ""
        return next(name for name, _, stop in cells if stop > most - _GAP)

    def on_click(self, event: events.Click) -> None:
        """Choose the tab that was hit, or the nearest where it is not seen."""
        name = self._hit(event.x)
        if name:
            self.post_message(self.Chosen(self, name))

    def _hit(self, x: int) -> str:
        left = self._left
        if x < _GAP and (before := self._before(left)):
            return before
        if x >= self.size.width - _GAP and (after := self._after(left)):
            return after
        found = (name for name, start, stop in self._cells() if start <= left + x < stop)
        return next(found, "")
