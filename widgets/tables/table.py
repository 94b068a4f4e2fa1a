"""A table of frozen values: the base of every list in this program.

Not Textual's DataTable, which was tried with 1,000 rows: one changed cell makes it render all that
are visible anew (21 ms at 80x24, 69 ms at 250x70), taking a row away costs a pass over all of them
(a filter that leaves 100: 0.3 s), and a column has one width for good. Here a row is a value and a
key, cells are made when they are painted, and an update costs a comparison for each row and a line
for each that has changed (1 to 2 ms). Cursor, scroll and marks belong to keys, so they stay through
every update.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ...core.text import safe
from .columns import Column, Layout, R
from .order import Order, same
from .painting import Painter, hint_lines

_HEAD = 1
"""Lines of the header."""
_RIGHT = 3
"""The button of a mouse that chooses a row and nothing else: a menu is somebody else's."""
_TICK = 30.0
_LONGEST = 4000
"""Cells of a text that is searched."""
"""Seconds after which ages (`3m`) are painted again."""


class Table(ScrollView, Generic[R], can_focus=True, inherit_bindings=False):
    """Rows that can be moved through, sorted and, where a subclass says so, marked.

    | Component class | Is |
    | :- | :- |
    | `table--header`, `table--sorted` | the header, and the column that is sorted by |
    | `table--cursor` | the row under the cursor |
    | `table--hint` | what an empty table says |
    | `table--muted`, `--good`, `--warn`, `--bad`, `--accent` | the tones of cells |
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "down", id="table.down", show=False),
        Binding("k,up", "move(-1)", "up", id="table.up", show=False),
        Binding("pagedown", "page(1)", "page down", id="table.page_down", show=False),
        Binding("pageup", "page(-1)", "page up", id="table.page_up", show=False),
        Binding("g,home", "edge(False)", "first row", id="table.first", show=False),
        Binding("G,end", "edge(True)", "last row", id="table.last", show=False),
        Binding("less_than_sign", "sort_step(-1)", "sort by the column before",
                id="table.sort_previous", show=False),
        Binding("greater_than_sign", "sort_step(1)", "sort by the next column",
                id="table.sort_next", show=False),
        Binding("equals_sign", "sort_reverse", "turn the order round",
                id="table.sort_reverse", show=False),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--sorted",
        "table--cursor",
        "table--hint",
        "table--muted",
        "table--good",
        "table--warn",
        "table--bad",
        "table--accent",
    }
    DEFAULT_CSS = """
    Table {
        height: 1fr;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size: 0 1;
        scrollbar-gutter: stable;
        & > .table--header { color: $text-muted; }
        & > .table--sorted { color: $text-primary; }
        & > .table--hint { color: $text-muted; }
        & > .table--muted { color: $text-muted; }
        & > .table--good { color: $text-success; }
        & > .table--warn { color: $text-warning; }
        & > .table--bad { color: $text-error; }
        & > .table--accent { color: $text-primary; }
        & > .table--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .table--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        &:ansi:blur > .table--cursor { text-style: underline; }
    }
    """

    hint: var[tuple[str, ...]] = var((), init=False)
    """What an empty table says, a paragraph each."""

    @dataclass
    class Highlighted(Message):
        """The cursor is on another row, or its row has changed. `key` is None without rows."""

        table: Table[Any]
        key: str | None

        def can_replace(self, message: Message) -> bool:
            """Only the last of many moves counts."""
            return isinstance(message, Table.Highlighted) and message.table is self.table

        @property
        def control(self) -> Table[Any]:
            """The table."""
            return self.table

    @dataclass
    class Activated(Message):
        """Enter, or a double click, on a row."""

        table: Table[Any]
        key: str

        @property
        def control(self) -> Table[Any]:
            """The table."""
            return self.table

    @dataclass
    class Marked(Message):
        """Other rows are marked than before."""

        table: Table[Any]

        @property
        def control(self) -> Table[Any]:
            """The table."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        sort: str = "",
        markable: bool = False,
        ages: bool = False,
        clock: Callable[[], float] = time.time,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make an empty table of *columns*, sorted by the id *sort*; "": as rows are given.

        *ages*: some cells hang on the clock, and are painted again now and then.
        """
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.clock = clock
        self.marked: frozenset[str] = frozenset()
        """The keys of the marked rows."""
        self._markable = markable
        self._ages = ages
        self._order: Order[R] = Order(sort)
        self._layout: Layout[R] = Layout(columns, 2 if markable else 1)
        self._painter: Painter[R] = Painter(self._style)
        self._announced: tuple[str | None, R | None] = (None, None)
        self._laid_out_for = Size(0, 0)
        self._styles: dict[str, Style] = {}
        self._searched = ""

    # -- rows ------------------------------------------------------------------------------------

    def show_rows(self, rows: Mapping[str, R]) -> None:
        """Show *rows* by their keys, in the order given unless the table is sorted.

        What is equal to what was there is not touched. The cursor stays on its key; where that is
        gone, on the place it had.
        """
        changed = self._order.take(rows)
        if changed is None:
            return
        if self.marked - rows.keys():
            self._mark(self.marked & rows.keys())
        wider = self._measure(changed)
        if self._arrange() or wider:
            self.refresh()
        else:
            self.refresh_rows(changed)
        self._announce()

    def set_filter(self, accepts: Callable[[R], bool] | None, words: tuple[str, ...] = ()) -> None:
        """Show only the rows that *accepts* takes, with *words* marked in them; None shows all."""
        self._order.accepts = accepts
        self._painter.words = words
        self._arrange()
        self.refresh()
        self._announce()

    def set_regroup(self, regroup: Callable[[list[str]], list[str]] | None) -> None:
        """Have *regroup* say in which order the sorted rows stand; None: as they are sorted."""
        self._order.regroup = regroup
        self._arrange()
        self.refresh()
        self._announce()

    def search(self, text: str) -> None:
        """Show only the rows in whose cells each word of *text* stands; "" shows all."""
        words = tuple(text.casefold().split())
        self._searched = text if words else ""
        self.set_filter((lambda row: self._has(row, words)) if words else None, words)

    @property
    def _hint(self) -> tuple[str, ...]:
        if self._searched and self._order.rows:
            return (f"nothing matches {self._searched}", "Esc shows all again")
        return self.hint

    def _has(self, row: R, words: tuple[str, ...]) -> bool:
        cells = (safe(column.cell(row, _LONGEST)[0]) for column in self.columns)
        text = "\n".join(cells).casefold()
        return all(word in text for word in words)

    @property
    def known_rows(self) -> Mapping[str, R]:
        """All rows by their keys, also those that the filter hides."""
        return self._order.rows

    def group_by(self, group: Callable[[R], Any] | None) -> None:
        """Sort by this before all else, from the next rows on; None: not at all."""
        self._order.group = group

    @property
    def columns(self) -> tuple[Column[R], ...]:
        """The columns, also those for which there is no room."""
        return self._layout.columns

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the rows that are shown, from top to bottom."""
        return tuple(self._order.keys)

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self._order.cursor_key

    @property
    def cursor_row(self) -> R | None:
        """The row under the cursor."""
        key = self._order.cursor_key
        return None if key is None else self._order.rows[key]

    def _measure(self, changed: Sequence[str]) -> bool:
        """Note what growing columns need; say whether columns stand elsewhere now."""
        self._layout.measure(self._order.rows, changed)
        return self._lay_out()

    def _lay_out(self) -> bool:
        self._laid_out_for = self.size
        return self._layout.lay_out(self._width)

    def _arrange(self) -> bool:
        """Filter and sort; say whether other keys, or the same in another order, are shown."""
        row_of_view = self._order.cursor - self.scroll_offset.y
        in_view = 0 <= row_of_view < self._page
        if not self._order.arrange(self.columns):
            return False
        self.virtual_size = Size(self._width, len(self._order.keys) + _HEAD)
        if in_view:
            self._scroll_top(self._order.cursor - row_of_view)
            self._scroll_to_cursor()
        return True

    def set_columns(self, columns: Sequence[Column[R]]) -> None:
        """Show other columns, or the same in another order; sorting goes on by what it was."""
        self._layout.use(columns)
        self._measure(tuple(self._order.rows))
        self.refresh()

    # -- the cursor ------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        """The cells of a line."""
        return max(0, self.size.width - self.scrollbar_size_vertical)

    @property
    def _page(self) -> int:
        """How many rows can be seen."""
        return max(1, self.size.height - _HEAD)

    def move_to(self, key: str) -> bool:
        """Put the cursor on *key*; say whether it is shown."""
        if key not in self._order.keys:
            return False
        self._move(self._order.keys.index(key))
        return True

    def _move(self, index: int) -> None:
        before, index = self._order.move(index)
        if before != index:
            self._refresh_index(before)
            self._refresh_index(index)
        self._scroll_to_cursor()
        self._announce()

    def _announce(self) -> None:
        key, row = self.cursor_key, self.cursor_row
        last_key, last_row = self._announced
        if key != last_key or not same(last_row, row):
            self._announced = (key, row)
            self.post_message(self.Highlighted(self, key))

    def _scroll_to_cursor(self) -> None:
        top = self.scroll_offset.y
        if self._order.cursor < top:
            self._scroll_top(self._order.cursor)
        elif self._order.cursor >= top + self._page:
            self._scroll_top(self._order.cursor - self._page + 1)

    def _scroll_top(self, row: int) -> None:
        """Show *row* first, as far as there are rows below to fill the view."""
        row = max(0, min(row, len(self._order.keys) - self._page))
        if row != self.scroll_offset.y:
            self.scroll_to(y=row, animate=False, force=True)

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._move(self._order.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move by pages; a row stays in view."""
        self._move(self._order.cursor + pages * max(1, self._page - 1))

    def action_edge(self, last: bool) -> None:
        """Go to the first row, or the last."""
        self._move(len(self._order.keys) - 1 if last else 0)

    def action_activate(self) -> None:
        """Tell that the row under the cursor was chosen."""
        key = self.cursor_key
        if key is not None:
            self.post_message(self.Activated(self, key))

    # -- marks -----------------------------------------------------------------------------------

    def toggle_mark(self, key: str) -> None:
        """Mark the row *key*, or take its mark away."""
        self._mark(self.marked ^ {key})
        self.refresh_rows([key])

    def clear_marks(self) -> None:
        """Mark nothing."""
        marked = self.marked
        if marked:
            self._mark(frozenset())
            self.refresh_rows(marked)

    def _mark(self, keys: frozenset[str]) -> None:
        self.marked = keys
        self.post_message(self.Marked(self))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        key = self.cursor_key
        if key is not None:
            self.toggle_mark(key)

    # -- sorting ---------------------------------------------------------------------------------

    @property
    def sorting(self) -> tuple[str, bool]:
        """The id of the column that is sorted by, and whether the order is turned round."""
        return self._order.sort, self._order.descending

    def sort_by(self, column_id: str) -> None:
        """Sort by a column; a second time, the other way round."""
        self._order.sort_by(next(one for one in self.columns if one.id == column_id))
        self._arrange()
        self.refresh()
        self._announce()

    def action_sort_step(self, step: int) -> None:
        """Sort by the visible column before or after the one that is sorted by now."""
        shown = [placed.column.id for placed in self._layout.placed]
        if shown:
            sort = self._order.sort
            at = shown.index(sort) + step if sort in shown else 0
            self.sort_by(shown[at % len(shown)])

    def action_sort_reverse(self) -> None:
        """Sort the other way round."""
        if self._order.sort:
            self.sort_by(self._order.sort)

    # -- painting --------------------------------------------------------------------------------

    def _refresh_index(self, index: int) -> None:
        y = index - self.scroll_offset.y
        if 0 <= y < self._page:
            self.refresh(Region(0, y + _HEAD, self._width, 1))

    def refresh_rows(self, keys: Iterable[str]) -> None:
        """Paint these rows again, as far as they are seen."""
        top = self.scroll_offset.y
        wanted = frozenset(keys)
        for index, key in enumerate(self._order.keys[top : top + self._page], top):
            if key in wanted:
                self._refresh_index(index)

    def render_line(self, y: int) -> Strip:
        """Return line *y* of the view: the header, a row, or the hint of an empty table."""
        if self.size != self._laid_out_for:
            # Textual does not always tell a widget that was hidden what size it has got.
            self._lay_out()
            self.call_later(self.on_resize)
        width, order, columns = self._width, self._order, self._layout.placed
        if y == 0:
            return self._painter.header(
                columns, width, sort=order.sort, descending=order.descending
            )
        index = self.scroll_offset.y + y - _HEAD
        if index < len(order.keys):
            key = order.keys[index]
            return self._painter.row(
                order.rows[key], columns, width,
                at_cursor=index == order.cursor, marked=key in self.marked,
            )  # fmt: skip
        if not order.keys:
            return self._painter.hint(self._hint, y - 2, width)
        return Strip.blank(width, self._style(""))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines there are: for a table that is as high as its rows."""
        return _HEAD + (len(self._order.keys) or 1 + len(hint_lines(self.hint, width)))

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            component = (f"table--{name}",) if name else ()
            style = self._styles[name] = self.get_visual_style(*component).rich_style
        return style

    def notify_style_update(self) -> None:
        """Forget the colours: theme or focus have changed."""
        super().notify_style_update()
        self._styles.clear()

    def watch_hint(self) -> None:
        """Show the new hint, if it is seen."""
        if not self._order.keys:
            self.refresh()

    # -- events ----------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Keep ages right."""
        if self._ages:
            self.set_interval(_TICK, self.refresh)

    def on_resize(self) -> None:
        """Lay out the columns anew and keep the cursor in view."""
        self._lay_out()
        self.virtual_size = Size(self._width, len(self._order.keys) + _HEAD)
        self._scroll_to_cursor()
        self.refresh()

    def on_focus(self) -> None:
        """Show the cursor as the one that keys move."""
        self._styles.clear()
        self.refresh()

    def on_blur(self) -> None:
        """Show the cursor as one that keys do not move."""
        self._styles.clear()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Sort by a column, mark or choose a row."""
        at = event.get_content_offset(self)
        if at is None:
            return
        if event.button != _RIGHT:
            event.stop()
        if at.y == 0:
            if event.button != _RIGHT:
                self._click_header(at.x)
            return
        index = self.scroll_offset.y + at.y - _HEAD
        if index >= len(self._order.keys):
            return
        self._move(index)
        if event.button == _RIGHT:
            return
        if self._markable and at.x < self._layout.placed[0].start:
            self.action_mark()
        elif event.chain == 2:
            self.action_activate()

    def _click_header(self, x: int) -> None:
        for placed in self._layout.placed:
            if placed.start - 1 <= x < placed.start + placed.width:
                self.sort_by(placed.column.id)
                return
