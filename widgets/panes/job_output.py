"""Lines that a program printed: bounded, followed unless the reader has scrolled up.

Not Textual's Log: that measures each batch in a thread of its own, which then waits for the app,
also one that is about to quit; and where old lines fall off it lets the text slide away under a
reader who has scrolled up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from ..terminal.search import Match, Search
from ..text.fitting import width_of
from .output_lines import OutputLines, Painted, segments

_FOUND = Style(bold=True, underline=True)
_REVERSE = Style(reverse=True)


class JobOutput(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines in, nothing out. Text can be selected with the mouse, and looked for."""

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
        self._kept = OutputLines(most)
        self._width = 0
        self._follows = True
        self._search: Search | None = None
        self._began: tuple[bool, int] = (True, 0)
        """What was shown when the search began: whether the end, and which line first."""

    @property
    def lines(self) -> Sequence[str]:
        """What is shown, safe."""
        return self._kept.texts

    def set_lines(self, lines: Iterable[str]) -> None:
        """Show other lines, from their end; what was looked for was in those before."""
        self._kept.texts = []
        self._search = None
        self._width = 0
        self._add(lines)
        self._follows = True
        self.scroll_end(animate=False, immediate=True, x_axis=False)
        self.refresh()

    def append(self, lines: Iterable[str]) -> None:
        """Add lines, unsafe as they are."""
        follows = self._is_followed and not self.is_vertical_scrollbar_grabbed
        top, first = self.scroll_offset.y, self._kept.first
        self._add(lines)
        dropped = self._kept.first - first
        if dropped and self.text_selection:
            # It goes by the numbers of lines, which are others' now.
            self.screen.selections = {
                widget: one for widget, one in self.screen.selections.items() if widget is not self
            }
        if follows:
            self.scroll_end(animate=False, immediate=True, x_axis=False)
        elif dropped:
            self.scroll_to(y=max(top - dropped, 0), animate=False, immediate=True)
        self.refresh()

    def _add(self, lines: Iterable[str]) -> None:
        new = self._kept.add(lines)
        self._width = max(self._width, *map(width_of, new), 0)
        self.virtual_size = Size(self._width, len(self.lines))

    @property
    def _is_followed(self) -> bool:
        """Whether the end is shown, and what comes: not while a place is shown that was found."""
        return self._follows and self._search is None

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end, or stop doing so, as the reader scrolls."""
        super().watch_scroll_y(old_value, new_value)
        self._follows = self.is_vertical_scroll_end

    def on_resize(self) -> None:
        """Stay at the end, if that is where the reader is."""
        if self._is_followed:
            self.scroll_end(animate=False, immediate=True, x_axis=False)

    def render_line(self, y: int) -> Strip:
        """Return line *y* of the view."""
        if self._is_followed and not self.is_vertical_scroll_end:
            # Textual does not always tell a widget that was hidden what size it has got.
            self.call_later(self.on_resize)
        x, top = self.scroll_offset
        index = top + y
        width = self.size.width - self.scrollbar_size_vertical
        style = self.visual_style.rich_style
        if index >= len(self.lines):
            return Strip.blank(width, style)
        text = self.lines[index]
        painted = [*self._found_in(index), *self._chosen_in(index, len(text))]
        strip = Strip(segments(text, style, painted)).crop_extend(x, x + width, style)
        return strip.apply_offsets(x, index)

    def _chosen_in(self, index: int, length: int) -> Iterable[Painted]:
        span = self.text_selection.get_span(index) if self.text_selection else None
        if span is not None:
            start, stop = (length if at == -1 else min(at, length) for at in span)
            yield start, stop, self.screen.get_component_rich_style("screen--selection")

    def _found_in(self, index: int) -> Iterable[Painted]:
        if self._search is None:
            return
        number = self._kept.first + index
        for start, stop in self._search.marks(number):
            shown = self._search.at is not None and self._search.at[0] == (number, start)
            yield start, stop, _FOUND + _REVERSE if shown else _FOUND

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text."""
        return selection.extract("\n".join(self.lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show the selection."""
        self.refresh()

    # -- searching -------------------------------------------------------------------------------

    @property
    def sought(self) -> str:
        """What is looked for; "" for nothing."""
        return self._search.text if self._search else ""

    def find(self, text: str) -> Match | None:
        """Mark *text* everywhere and show the nearest place upwards of where this began.

        The end is followed no more meanwhile. None where there is none; "" ends it.
        """
        if self._search is None:
            self._began = self._follows, self._kept.first + self.scroll_offset.y
        if not text:
            self.end_search(back=True)
            return None
        self._search = Search(self._kept, text)
        return self.step(backwards=True)

    def step(self, *, backwards: bool) -> Match | None:
        """Show the place before, or after, the one that is shown; round at the end."""
        search = self._search
        if search is None:
            return None
        start = search.at[0] if search.at else (self._began[1] + self.size.height, 0)
        match = search.step(start, backwards=backwards)
        if match is not None:
            self._show(match)
        self.refresh()
        return match

    def _show(self, match: Match) -> None:
        (number, start), (_, stop) = match.span
        index = number - self._kept.first
        text, (x, y), (width, height) = self.lines[index], self.scroll_offset, self.size
        left, right = width_of(text[:start]), width_of(text[:stop])
        if not y <= index < y + height:
            y = max(index - height // 2, 0)
        if left < x or right > x + width - 1:
            x = max(right - width + 1, 0) if left >= width or right > width - 1 else 0
        self.scroll_to(x, y, animate=False, immediate=True)

    def end_search(self, *, back: bool = False) -> None:
        """Look for nothing; *back*: and show again what was shown before."""
        if self._search is not None and back:
            self._follows, number = self._began
            y = len(self.lines) if self._follows else max(number - self._kept.first, 0)
            self.scroll_to(0, y, animate=False, immediate=True)
        self._search = None
        self.refresh()
