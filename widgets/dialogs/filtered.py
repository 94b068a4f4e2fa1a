"""A dialog around one table: `/` filters it, as the tables of the main screen."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import Input

from ..tables.filter_line import FilterLine
from ..tables.table import Table
from .dialog import Dialog

Answer = TypeVar("Answer")


class FilteredDialog(Dialog[Answer]):
    """Subclasses put a `Table` there, where they have something to list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="environments.filter",
                tooltip="Show only the rows that have it"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    FilteredDialog {
        & FilterLine { display: none; }
        &.-filtering FilterLine { display: block; }
    }
    """

    @property
    def _listed(self) -> Table[Any]:
        return self.query_one(Table)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to filter where something is listed, and nothing is typed."""
        if action == "filter":
            return bool(self.query(Table)) and not isinstance(self.focused, Input)
        return super().check_action(action, parameters)

    async def action_filter(self) -> None:
        """Open the line in which the filter is typed."""
        table = self._listed
        if not self.query(FilterLine):
            await self.mount(FilterLine("any column"), before=table)  # keys wait for it
        if table.styles.height is not None and table.styles.height.is_auto:
            table.styles.min_height = table.outer_size.height  # the frame stays as it is
        self.add_class("-filtering")
        self.query_one(FilterLine).focus()

    @on(Input.Changed, "FilterLine")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._listed.search(event.value)

    @on(FilterLine.Left)
    def _filter_left(self, event: FilterLine.Left) -> None:
        event.stop()
        if event.clear:
            event.line.value = ""
        if not event.line.value:
            self.end_filter()
        if event.refocus:
            self._listed.focus()

    def end_filter(self) -> bool:
        """Show all rows again; tell whether they were filtered."""
        was = self.has_class("-filtering")
        if was:
            self.remove_class("-filtering")
            self.query_one(FilterLine).value = ""
            self._listed.search("")
            self._listed.styles.min_height = None
        return was

    @on(Resize)
    def _let_go(self) -> None:
        for table in self.query(Table):
            table.styles.min_height = None

    def action_cancel(self) -> None:
        """Show all again where a filter holds; else close."""
        if not self.end_filter():
            super().action_cancel()
