"""What happened to a chroot, the latest first; below, the whole of what is under the cursor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from ...core.looking.happenings import Happening
from ..text.states import MUTED, PLAIN, happening
from ..text.wrapped_text import WrappedText
from .columns import Column
from .table import Table

_STAMP = "%m-%d %H:%M:%S"

COLUMNS: tuple[Column[Happening], ...] = (
    Column("time", "Time", lambda one, _: (_moment(one.time), MUTED), lambda one: one.time, 14,
           rank=1, biggest_first=True),
    Column("kind", "What", lambda one, _: happening(one.kind), lambda one: one.kind, 13, rank=0),
    Column("text", "", lambda one, _: (one.text, PLAIN), lambda one: one.text, 12, rank=2,
           fills=True),
)  # fmt: skip


def _moment(then: float, form: str = _STAMP) -> str:
    try:
        return time.strftime(form, time.localtime(then))
    except (OverflowError, ValueError, OSError):  # beyond what a calendar has
        return "?"


class LogRows(Table[Happening]):
    """The table itself."""

    BINDING_GROUP_TITLE = "Log"
    HELP = (
        "What happened to the chroot while somebody looked, and what apt and dpkg did by its own"
        " log. Processes that last less than ten seconds are counted together."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="row.copy", show=False, tooltip="Copy the row"),
    ]

    def action_copy(self) -> None:
        """Ask for the row to be copied."""
        one = self.cursor_row
        if one is not None and isinstance(self.parent, LogTable):
            self.parent.post_message(LogTable.CopyRequested(self.parent, as_text(one)))


class LogTable(Vertical):
    """Happenings in, messages out."""

    DEFAULT_CSS = """
    LogTable {
        & > WrappedText { height: 2; }
    }
    """

    rows = getters.query_one(LogRows)

    @dataclass
    class CopyRequested(Message):
        """This text is to be copied; it is unsafe as it is."""

        table: LogTable
        text: str

        @property
        def control(self) -> LogTable:
            """The table."""
            return self.table

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make an empty table; *clock* is that of all tables."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._clock = clock

    def compose(self) -> ComposeResult:
        """Put table and text together."""
        rows = LogRows(COLUMNS, clock=self._clock)
        rows.set_reactive(Table.hint, ("nothing has happened to it while somebody looked",))
        yield rows
        yield WrappedText()

    def show(self, happened: tuple[Happening, ...]) -> None:
        """Show these; the cursor stays on its row, or on the latest where that is its place."""
        rows: dict[str, Happening] = {}
        for one in sorted(happened, key=lambda one: one.time, reverse=True):
            key = f"{one.time} {one.kind} {one.text}"
            while key in rows:
                key += "\0"
            rows[key] = one
        latest = self.rows.cursor_key == next(iter(self.rows.keys), None)
        self.rows.show_rows(rows)
        if latest and rows:
            self.rows.action_edge(last=False)

    def focus(self, scroll_visible: bool = True) -> LogTable:
        """Give the focus to the table."""
        self.rows.focus(scroll_visible)
        return self

    @on(Table.Highlighted)
    def _moved(self, message: Table.Highlighted) -> None:
        message.stop()
        one = self.rows.cursor_row
        self.query_one(WrappedText).paragraphs = ((one.text, ""),) if one and one.text else ()


def as_text(one: Happening) -> str:
    """Return a happening as one line of text: date, time, kind, what."""
    return f"{_moment(one.time, '%Y-%m-%d %H:%M:%S')} {one.kind} {one.text}".rstrip()
