"""The columns of a table: which are shown, in which order, and how wide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Button

from ...core.value import Value
from ..tables.chosen import LEAST, MOST, ident_and_width, wish
from ..tables.columns import Column
from ..tables.table import Table
from ..text.states import MUTED, PLAIN, Cell
from .dialog import Dialog, button


class ColumnRow(Value):
    """A column. `width` is what it is to have, 0: what it needs, which is `now`."""

    id: str
    title: str
    width: int
    now: int

    @property
    def takes(self) -> Cell:
        """Its width in words."""
        return (str(self.width), PLAIN) if self.width else ("as it needs", MUTED)


_COLUMNS: tuple[Column[ColumnRow], ...] = (
    Column("title", "Column", lambda one, _: (one.title, PLAIN), lambda one: one.title, 16,
           rank=0, fills=True),
    Column("width", "Width", lambda one, _: one.takes, lambda one: one.width, 12, right=True,
           rank=1),
)  # fmt: skip


class ColumnTable(Table[ColumnRow]):
    """The columns, those that are shown marked."""

    BINDING_GROUP_TITLE = "Columns"
    HELP = "Marked columns are shown. Where there is no room for all, some are left out."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.use", "use", id="columns.use",
                tooltip="Have them so, and keep that"),
        Binding("space", "screen.switch", "show", id="columns.switch",
                tooltip="Show this column, or leave it out"),
        Binding("K,shift+up", "screen.shift(-1)", "move", id="columns.up",
                tooltip="Put it before the one above"),
        Binding("J,shift+down", "screen.shift(1)", "move", id="columns.down",
                tooltip="Put it behind the one below"),
        Binding("plus,right", "screen.widen(1)", "size", id="columns.wider",
                tooltip="Give it a cell more"),
        Binding("minus,left", "screen.widen(-1)", "size", id="columns.narrower",
                tooltip="Give it a cell less"),
        Binding("0", "screen.widen(0)", "fit", id="columns.as_needed",
                tooltip="Give it the width that it needs"),
    ]  # fmt: skip

    def sort_by(self, column_id: str) -> None:
        """Stay as it is: the order of the rows is what is chosen here."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer no sorting."""
        return action not in ("sort_step", "sort_reverse")

    DEFAULT_CSS = """
    ColumnTable { height: auto; background: transparent; }
    """


class ColumnsDialog(Dialog[tuple[str, ...] | None]):
    """Shows the columns *every* (id and title) of the table *name*, those *wanted* marked.

    *widths* are the cells that columns have now; *must* is the one that is always shown. Answers
    what is wanted (`tables.chosen`), None where it was left.
    """

    HELP = "Space shows a column or leaves it out; the order here is that of the table."
    AUTO_FOCUS = "ColumnTable"

    def __init__(
        self,
        name: str,
        every: Sequence[tuple[str, str]],
        wanted: Sequence[str],
        widths: Mapping[str, int],
        must: str,
    ) -> None:
        super().__init__(Content(f"columns of {name}"))
        titles = dict(every)
        sizes = dict(map(ident_and_width, wanted or titles))
        self._shown = frozenset(sizes)
        self._must = must
        self._rows = {
            ident: ColumnRow(
                ident, titles[ident] or ident, sizes.get(ident, 0), widths.get(ident, 0)
            )
            for ident in dict.fromkeys((*sizes, *titles))
        }

    def content(self) -> Iterable[Widget]:
        """Return the table."""
        yield ColumnTable(_COLUMNS, markable=True)

    def buttons(self) -> Iterable[Button]:
        """Return what moves a column and sizes it, for the mouse, and what leaves."""
        for label, ident in (
            ("Up", "up"), ("Down", "down"), ("-", "narrower"), ("+", "wider"),
            ("Cancel", "cancel"), ("Use", "use"),
        ):  # fmt: skip
            yield button(label, ident)

    def cancelled(self) -> None:
        """Return that all stays."""

    def on_mount(self) -> None:
        """Fill the table."""
        self._show()
        for ident in self._shown:
            self._table.toggle_mark(ident)

    @on(Resize)
    def _fit_table(self, event: Resize) -> None:
        # There is nothing else in the body, and a table shows its cursor by itself.
        self._table.styles.max_height = max(event.size.height - self.AROUND, 3)

    @property
    def _table(self) -> ColumnTable:
        return self.query_one(ColumnTable)

    def _show(self) -> None:
        self._table.show_rows(self._rows)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        does = {
            "up": lambda: self.action_shift(-1), "down": lambda: self.action_shift(1),
            "narrower": lambda: self.action_widen(-1), "wider": lambda: self.action_widen(1),
            "use": self.action_use,
        }  # fmt: skip
        does.get(str(event.button.id), self.action_cancel)()

    @on(Table.Activated)
    def _activated(self, event: Table.Activated) -> None:
        event.stop()
        self.action_switch()

    @on(Table.Marked)
    def _marked(self, event: Table.Marked) -> None:
        event.stop()
        if self._must not in self._table.marked:
            self._table.toggle_mark(self._must)
            self.notify("this one is always shown", timeout=2)

    def action_switch(self) -> None:
        """Show the column under the cursor, or leave it out."""
        self._table.action_mark()

    def action_shift(self, by: int) -> None:
        """Put the column under the cursor elsewhere."""
        order, ident = list(self._rows), self._table.cursor_key
        if ident is None or not 0 <= (at := order.index(ident) + by) < len(order):
            return
        order.remove(ident)
        order.insert(at, ident)
        self._rows = {each: self._rows[each] for each in order}
        self._show()

    def action_widen(self, by: int) -> None:
        """Give the column under the cursor more cells, or with 0 as many as it needs."""
        row = self._table.cursor_row
        if row is None:
            return
        width = min(max((row.width or row.now or LEAST) + by, LEAST), MOST) if by else 0
        self._rows = {**self._rows, row.id: row.replace(width=width)}
        self._show()

    def action_use(self) -> None:
        """Answer with what is wanted now."""
        marked = self._table.marked
        rows = (row for ident, row in self._rows.items() if ident in marked)
        self.answer(tuple(wish(row.id, row.width) for row in rows))
