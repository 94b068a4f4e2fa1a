"""What happened to a chroot, the latest first; below, the whole of what is under the cursor."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ...core.looking.happenings import Happening
from ..copying import CopyRequested
from ..text.amounts import moment
from ..text.states import MUTED, PLAIN, happening
from ..text.wrapped_text import Paragraph, WrappedText
from .columns import Column
from .explained_table import ExplainedTable
from .table import Table

_STAMP = "%m-%d %H:%M:%S"

COLUMNS: tuple[Column[Happening], ...] = (
    Column("time", "Time", lambda one, _: (moment(one.time, _STAMP), MUTED), lambda one: one.time,
           14, rank=1, biggest_first=True),
    Column("kind", "Kind", lambda one, _: happening(one.kind), lambda one: one.kind, 13, rank=0),
    Column("text", "What", lambda one, _: (one.text, PLAIN), lambda one: one.text, 12, rank=2,
           fills=True),
)  # fmt: skip


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
        if one is not None:
            self.post_message(CopyRequested((as_text(one),)))


class LogTable(ExplainedTable):
    """Happenings in, messages out."""

    rows = getters.query_one(LogRows)

    def __init__(self, *, clock: Callable[[], float], id: str) -> None:  # noqa: A002 (Textual's)
        """Make an empty table; *clock* is that of all tables."""
        super().__init__(id=id)
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
        # Not where it is there: the wheel may have scrolled away from it.
        if latest and rows and self.rows.cursor_key != self.rows.keys[0]:
            self.rows.action_edge(last=False)

    def explanation(self) -> tuple[Paragraph, ...]:
        """Say the whole of it."""
        one = self.rows.cursor_row
        return ((one.text, "$foreground-muted"),) if one and one.text else ()


def as_text(one: Happening) -> str:
    """Return a happening as one line of text: date, time, kind, what."""
    return f"{moment(one.time, '%Y-%m-%d %H:%M:%S')} {one.kind} {one.text}".rstrip()
