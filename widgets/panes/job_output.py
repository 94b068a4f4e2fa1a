"""Lines that a program printed: bounded, followed unless the reader has scrolled up.

Not Textual's Log: that measures each batch in a thread of its own, which then waits for the app,
also one that is about to quit; and where old lines fall off it lets the text slide away under a
reader who has scrolled up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from ...core.text import safe
from ..text.fitting import width_of


class JobOutput(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines in, nothing out. Text can be selected with the mouse."""

    ALLOW_SELECT = True
    BINDING_GROUP_TITLE = "Output"
    HELP = "What the job printed. It follows the end unless you scroll up."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_down", "down", id="table.down", show=False),
        Binding("k,up", "scroll_up", "up", id="table.up", show=False),
        Binding("pagedown", "page_down", "page down", id="table.page_down", show=False),
        Binding("pageup", "page_up", "page up", id="table.page_up", show=False),
        Binding("g,home", "scroll_home", "first row", id="table.first", show=False),
        Binding("G,end", "scroll_end", "last row", id="table.last", show=False),
        Binding("left", "scroll_left", "scroll left", id="output.left", show=False),
        Binding("right", "scroll_right", "scroll right", id="output.right", show=False),
    ]
    DEFAULT_CSS = """
    JobOutput {
        height: 1fr;
        padding: 0 1;
        background: $background;
        color: $text-muted;
        scrollbar-size: 1 1;
        &:focus { color: $foreground; }
    }
    """

    def __init__(
        self,
        most: int,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make it empty; it keeps the last *most* lines."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._most = most
        self._lines: list[str] = []
        self._width = 0
        self._follows = True

    @property
    def lines(self) -> Sequence[str]:
        """What is shown, safe."""
        return self._lines

    def set_lines(self, lines: Iterable[str]) -> None:
        """Show other lines, from their end."""
        self._lines = []
        self._width = 0
        self._add(lines)
        self._follows = True
        self.scroll_end(animate=False, immediate=True, x_axis=False)
        self.refresh()

    def append(self, lines: Iterable[str]) -> None:
        """Add lines, unsafe as they are."""
        follows = self._follows and not self.is_vertical_scrollbar_grabbed
        top = self.scroll_offset.y
        dropped = self._add(lines)
        if follows:
            self.scroll_end(animate=False, immediate=True, x_axis=False)
        elif dropped:
            self.scroll_to(y=max(top - dropped, 0), animate=False, immediate=True)
        self.refresh()

    def _add(self, lines: Iterable[str]) -> int:
        """Add lines; return how many fell off at the top."""
        new = [safe(line.rstrip("\r\n").expandtabs()) for line in lines]
        self._lines += new
        dropped = max(0, len(self._lines) - self._most)
        del self._lines[:dropped]
        self._width = max(self._width, *map(width_of, new), 0)
        self.virtual_size = Size(self._width, len(self._lines))
        return dropped

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end, or stop doing so, as the reader scrolls."""
        super().watch_scroll_y(old_value, new_value)
        self._follows = self.is_vertical_scroll_end

    def on_resize(self) -> None:
        """Stay at the end, if that is where the reader is."""
        if self._follows:
            self.scroll_end(animate=False, immediate=True, x_axis=False)

    def render_line(self, y: int) -> Strip:
        """Return line *y* of the view."""
        if self._follows and not self.is_vertical_scroll_end:
            # Textual does not always tell a widget that was hidden what size it has got.
            self.call_later(self.on_resize)
        x, top = self.scroll_offset
        index = top + y
        width = self.size.width - self.scrollbar_size_vertical
        style = self.visual_style.rich_style
        if index >= len(self._lines):
            return Strip.blank(width, style)
        text = self._lines[index]
        segments = [Segment(text, style)]
        span = self.text_selection.get_span(index) if self.text_selection else None
        if span is not None:
            start, stop = span
            stop = len(text) if stop == -1 else stop
            chosen = style + self.screen.get_component_rich_style("screen--selection")
            segments = [
                Segment(text[:start], style),
                Segment(text[start:stop], chosen),
                Segment(text[stop:], style),
            ]
        strip = Strip(segments).crop_extend(x, x + width, style)
        return strip.apply_offsets(x, index)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text."""
        return selection.extract("\n".join(self._lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show the selection."""
        self.refresh()
