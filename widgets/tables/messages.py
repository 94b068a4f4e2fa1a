"""What a table says: its cursor is elsewhere, a row was chosen, others are marked."""

from __future__ import annotations

from textual.message import Message
from textual.widget import Widget

from ..light_message import Telling


class _Said(Telling):
    table: Widget


class Highlighted(_Said):
    """The cursor is on another row, or its row has changed. `key` is None without rows."""

    key: str | None

    def can_replace(self, message: Message) -> bool:
        """Only the last of many moves counts."""
        return isinstance(message, Highlighted) and message.table is self.table


class Activated(_Said):
    """Enter, or a double click, on a row."""

    key: str


class Marked(_Said):
    """Other rows are marked than before."""
