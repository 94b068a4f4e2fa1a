"""Which rows of a table are in sight: its cursor kept there, what has changed painted again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from textual.geometry import Region, Size

from .row_model import RowModel

if TYPE_CHECKING:
    from textual.scroll_view import ScrollView

HEAD = 1
"""Lines of the header."""


class View:
    """The part of *model* that *table* shows, below a header."""

    def __init__(self, table: ScrollView, model: RowModel[Any]) -> None:
        self._table = table
        self._model = model

    @property
    def width(self) -> int:
        """The cells of a line."""
        return max(0, self._table.size.width - self._table.scrollbar_size_vertical)

    @property
    def page(self) -> int:
        """How many rows can be seen."""
        return max(1, self._table.size.height - HEAD)

    @property
    def top(self) -> int:
        """The place of the first row that is seen."""
        return self._table.scroll_offset.y

    @property
    def row_of_cursor(self) -> int:
        """Where the cursor is, counted from the first row that is seen."""
        return self._model.cursor - self.top

    def move(self, index: int) -> None:
        """Put the cursor on the row at *index*, or the nearest, and show it."""
        before, index = self._model.move(index)
        if before != index:
            self._refresh_index(before)
            self._refresh_index(index)
        self.show_cursor()

    def take_over(self, row_of_cursor: int) -> None:
        """There are other rows, or in another order: leave the cursor where it was seen, if so."""
        self.fit()
        if 0 <= row_of_cursor < self.page:
            self._scroll(self._model.cursor - row_of_cursor)
            self.show_cursor()

    def fit(self) -> None:
        """Scroll over as many rows as there are."""
        self._table.virtual_size = Size(self.width, len(self._model.keys) + HEAD)

    def show_cursor(self) -> None:
        """Scroll as far as is needed to see the cursor."""
        top = self.top
        if self._model.cursor < top:
            self._scroll(self._model.cursor)
        elif self._model.cursor >= top + self.page:
            self._scroll(self._model.cursor - self.page + 1)

    def _scroll(self, row: int) -> None:
        """Show *row* first, as far as there are rows below to fill the view."""
        row = max(0, min(row, len(self._model.keys) - self.page))
        # Without a size there is no view yet: what is scrolled then stays scrolled for no reason.
        if row != self.top and self._table.size.height:
            self._table.scroll_to(y=row, animate=False, force=True)

    def refresh_rows(self, keys: Iterable[str]) -> None:
        """Paint these rows again, as far as they are seen."""
        top = self.top
        wanted = frozenset(keys)
        for index, key in enumerate(self._model.keys[top : top + self.page], top):
            if key in wanted:
                self._refresh_index(index)

    def _refresh_index(self, index: int) -> None:
        y = index - self.top
        if 0 <= y < self.page:
            self._table.refresh(Region(0, y + HEAD, self.width, 1))
