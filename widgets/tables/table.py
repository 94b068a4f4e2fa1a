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
from typing import Any, ClassVar, Generic, TypeAlias

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from . import messages
from .chosen import chosen
from .columns import Column, Layout, R
from .keys import KEYS
from .looks import Looks
from .painting import Painter, hint_lines
from .row_model import RowModel, same
from .searching import Searching
from .view import HEAD, View

_RIGHT = 3
"""The button of a mouse that chooses a row and nothing else: a menu is somebody else's."""
_TICK = 30.0
"""Seconds after which ages (`3m`) are painted again."""


class Table(ScrollView, Generic[R], can_focus=True, inherit_bindings=False):
    """Rows that can be moved through, sorted and, where a subclass says so, marked."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = KEYS
    COMPONENT_CLASSES = Looks.CLASSES
    DEFAULT_CSS = Looks.CSS

    hint: var[tuple[str, ...]] = var((), init=False)
    """What an empty table says, a paragraph each."""

    Highlighted: TypeAlias = messages.Highlighted
    Activated: TypeAlias = messages.Activated
    Marked: TypeAlias = messages.Marked

    def __init__(
        self,
        columns: Sequence[Column[R]],
        *,
        wanted: Sequence[str] = (),
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

        *wanted* are those that are shown, see `chosen`; (): all.
        *ages*: some cells hang on the clock, and are painted again now and then.
        """
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.clock = clock
        self.marked: frozenset[str] = frozenset()
        """The keys of the marked rows."""
        self._markable = markable
        self._ages = ages
        self._model: RowModel[R] = RowModel(sort)
        self._view = View(self, self._model)
        self._looks = Looks(self)
        self.every = tuple(columns)
        """All columns that it can have."""
        self.wanted = tuple(wanted) or tuple(column.id for column in columns)
        """Those that it is to have, as they were wanted."""
        self._layout: Layout[R] = Layout(chosen(columns, wanted), 2 if markable else 1)
        self._painter: Painter[R] = Painter(self._looks.style)
        self._announced: tuple[str | None, R | None] = (None, None)
        self._laid_out_for = Size(0, 0)
        self._searching: Searching[R] = Searching()

    # -- rows ------------------------------------------------------------------------------------

    def show_rows(self, rows: Mapping[str, R]) -> None:
        """Show *rows* by their keys, in the order given unless the table is sorted.

        What is equal to what was there is not touched. The cursor stays on its key; where that is
        gone, on the place it had.
        """
        changed = self._model.take(rows)
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
        self._model.accepts = accepts
        self._painter.words = words
        self._arrange()
        self.refresh()
        self._announce()

    def set_regroup(self, regroup: Callable[[list[str]], list[str]] | None) -> None:
        """Have *regroup* say in which order the sorted rows stand; None: as they are sorted."""
        self._model.regroup = regroup
        self._arrange()
        self.refresh()
        self._announce()

    def search(self, text: str) -> None:
        """Show only the rows in whose cells each word of *text* stands; "" shows all."""
        self._searching = Searching(text)
        self.set_filter(self._finds if self._searching.words else None, self._searching.words)

    def _finds(self, row: R) -> bool:
        return self._searching.finds(row, self.columns)

    @property
    def _hint(self) -> tuple[str, ...]:
        found_none = self._searching.words and self._model.rows
        return self._searching.hint if found_none else self.hint

    @property
    def known_rows(self) -> Mapping[str, R]:
        """All rows by their keys, also those that the filter hides."""
        return self._model.rows

    def group_by(self, group: Callable[[R], Any] | None) -> None:
        """Sort by this before all else, from the next rows on; None: not at all."""
        self._model.group = group

    @property
    def columns(self) -> tuple[Column[R], ...]:
        """The columns that it is to have, also those for which there is no room."""
        return self._layout.columns

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the rows that are shown, from top to bottom."""
        return tuple(self._model.keys)

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self._model.cursor_key

    @property
    def cursor_row(self) -> R | None:
        """The row under the cursor."""
        key = self._model.cursor_key
        return None if key is None else self._model.rows[key]

    def _measure(self, changed: Sequence[str]) -> bool:
        """Note what growing columns need; say whether columns stand elsewhere now."""
        self._layout.measure(self._model.rows, changed)
        return self._lay_out()

    def _lay_out(self) -> bool:
        self._laid_out_for = self.size
        return self._layout.lay_out(self._view.width)

    def _arrange(self) -> bool:
        """Filter and sort; say whether other keys, or the same in another order, are shown."""
        row_of_cursor = self._view.row_of_cursor
        if not self._model.arrange(self.every):
            return False
        self._view.take_over(row_of_cursor)
        return True

    def choose_columns(self, wanted: Sequence[str]) -> None:
        """Show these columns, in this order (`chosen`); sorting goes on by what it was."""
        self.wanted = tuple(wanted)
        self._layout.use(chosen(self.every, wanted))
        self._measure(tuple(self._model.rows))
        if self._searching.words and self._arrange():
            self._announce()
        self.refresh()

    @property
    def widths(self) -> dict[str, int]:
        """The cells that the columns for which there is room have now, by their ids."""
        return {placed.column.id: placed.width for placed in self._layout.placed}

    # -- the cursor ------------------------------------------------------------------------------

    def move_to(self, key: str) -> bool:
        """Put the cursor on *key*; say whether it is shown."""
        if key not in self._model.keys:
            return False
        self._move(self._model.keys.index(key))
        return True

    def _move(self, index: int) -> None:
        self._view.move(index)
        self._announce()

    def _announce(self) -> None:
        key, row = self.cursor_key, self.cursor_row
        last_key, last_row = self._announced
        if key != last_key or not same(last_row, row):
            self._announced = (key, row)
            self.post_message(self.Highlighted(self, key))

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._move(self._model.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move by pages; a row stays in view."""
        self._move(self._model.cursor + pages * max(1, self._view.page - 1))

    def action_edge(self, last: bool) -> None:
        """Go to the first row, or the last."""
        self._move(len(self._model.keys) - 1 if last else 0)

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

    def sort_by(self, column_id: str) -> None:
        """Sort by a column; a second time, the other way round."""
        self._model.sort_by(next(one for one in self.every if one.id == column_id))
        self._arrange()
        self.refresh()
        self._announce()

    def action_sort_step(self, step: int) -> None:
        """Sort by the visible column before or after the one that is sorted by now."""
        shown = [placed.column.id for placed in self._layout.placed]
        if shown:
            sort = self._model.sort
            at = shown.index(sort) + step if sort in shown else 0
            self.sort_by(shown[at % len(shown)])

    def action_sort_reverse(self) -> None:
        """Sort the other way round."""
        if self._model.sort:
            self.sort_by(self._model.sort)

    # -- painting --------------------------------------------------------------------------------

    def refresh_rows(self, keys: Iterable[str]) -> None:
        """Paint these rows again, as far as they are seen."""
        self._view.refresh_rows(keys)

    def render_line(self, y: int) -> Strip:
        """Return line *y* of the view: the header, a row, or the hint of an empty table."""
        if self.size != self._laid_out_for:
            # Textual does not always tell a widget that was hidden what size it has got.
            self._lay_out()
            self.call_later(self.on_resize)
        width, model, columns = self._view.width, self._model, self._layout.placed
        if y == 0:
            return self._painter.header(
                columns, width, sort=model.sort, descending=model.descending
            )
        index = self._view.top + y - HEAD
        if index < len(model.keys):
            key = model.keys[index]
            return self._painter.row(
                model.rows[key], columns, width,
                at_cursor=index == model.cursor, marked=key in self.marked,
            )  # fmt: skip
        if not model.keys:
            return self._painter.hint(self._hint, y - 2, width)
        return Strip.blank(width, self._looks.style(""))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines there are: for a table that is as high as its rows."""
        return HEAD + (len(self._model.keys) or 1 + len(hint_lines(self._hint, width)))

    def notify_style_update(self) -> None:
        """Forget the colours: theme or focus have changed."""
        super().notify_style_update()
        self._looks.forget()

    def watch_hint(self) -> None:
        """Show the new hint, if it is seen."""
        if not self._model.keys:
            self.refresh()

    # -- events ----------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Keep ages right."""
        if self._ages:
            self.set_interval(_TICK, self.refresh)

    def on_resize(self) -> None:
        """Lay out the columns anew and keep the cursor in view."""
        self._lay_out()
        self._view.fit()
        self._view.show_cursor()
        self.refresh()

    def on_focus(self) -> None:
        """Show the cursor as the one that keys move."""
        self._looks.forget()
        self.refresh()

    def on_blur(self) -> None:
        """Show the cursor as one that keys do not move."""
        self._looks.forget()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Sort by a column, mark or choose a row."""
        at = event.get_content_offset(self)
        if at is None:
            return
        if event.button != _RIGHT:
            event.stop()
        if at.y == 0:
            column = self._layout.at(at.x)
            if event.button != _RIGHT and column is not None:
                self.sort_by(column.id)
            return
        index = self._view.top + at.y - HEAD
        if index >= len(self._model.keys):
            return
        self._move(index)
        if event.button == _RIGHT:
            return
        if self._markable and at.x < self._layout.placed[0].start:
            self.action_mark()
        elif event.chain == 2:
            self.action_activate()
