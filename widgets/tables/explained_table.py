"""A table, and below it in words more of the row under its cursor."""

from __future__ import annotations

from typing import Self

from textual import on
from textual.containers import Vertical

from ..text.wrapped_text import Paragraph, WrappedText
from .table import Table


class ExplainedTable(Vertical):
    """Subclasses put a `Table` and a `WrappedText` there."""

    DEFAULT_CSS = """
    ExplainedTable {
        & > WrappedText { height: 2; }
    }
    """

    def explanation(self) -> tuple[Paragraph, ...]:
        """Return what is to be said of the row under the cursor."""
        raise NotImplementedError

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the table."""
        self.query_one(Table).focus(scroll_visible)
        return self

    @on(Table.Highlighted)
    def _moved(self, message: Table.Highlighted) -> None:
        message.stop()
        self.query_one(WrappedText).paragraphs = self.explanation()
