"""What a process has open: a table to look through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import getters, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Button, Static

from ...core.process import OpenFile, Process
from ..tables.columns import Column
from ..tables.table import Table
from ..text.foreign import foreign
from ..text.states import ACCENT, MUTED, PLAIN
from .dialog import button
from .filtered import FilteredDialog

_NETWORK = ("tcp", "udp")

COLUMNS: tuple[Column[OpenFile], ...] = (
    Column("name", "FD", lambda one, _: (one.name, MUTED), lambda one: _number(one), 5, right=True,
           rank=1),
    Column("kind", "Kind", lambda one, _: (one.kind, ACCENT if one.kind in _NETWORK else MUTED),
           lambda one: one.kind, 6, rank=2),
    Column("what", "What", lambda one, _: (one.what, PLAIN), lambda one: one.what, 20, rank=0,
           fills=True),
)  # fmt: skip


def _number(one: OpenFile) -> int:
    """Order descriptors as numbers, before them where the process is and what it runs."""
    return int(one.name) if one.name.isdigit() else -1


class OpenTable(Table[OpenFile]):
    """The files, in the order of their descriptors."""

    BINDING_GROUP_TITLE = "Open files"
    HELP = "What the process has open: its directory and program first, then by descriptor."
    DEFAULT_CSS = """
    OpenTable { height: auto; background: transparent; }
    """


class OpenFilesDialog(FilteredDialog[None]):
    """Shows the *files* that *process* has open, as they were when they were asked for."""

    HELP = OpenTable.HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="dialog.copy", tooltip="Copy what is listed"),
    ]
    AUTO_FOCUS = "OpenTable"
    AROUND = 4
    DEFAULT_CSS = """
    OpenFilesDialog {
        & > .dialog--frame { width: 94%; max-width: 140; padding: 0 1; }
        &.-filtering #command { display: none; }
        & #command { padding: 0 1; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    table = getters.query_one(OpenTable)

    def __init__(self, process: Process, files: Sequence[OpenFile]) -> None:
        super().__init__(Content(f"what process {process.pid} has open: {len(files)}"))
        self._process = process
        self._files = tuple(files)

    def content(self) -> Iterable[Widget]:
        """Return the command, in its place the filter while there is one, and the table."""
        line = foreign(f"{self._process.user}  {self._process.command}")
        yield Static(line, id="command", classes="dialog--quiet")
        yield OpenTable(COLUMNS)

    def buttons(self) -> Iterable[Button]:
        """Return what leaves."""
        yield button("Close", "cancel")

    def cancelled(self) -> None:
        """Return nothing."""

    def on_mount(self) -> None:
        """Fill the table."""
        self.table.hint = ("nothing is open",)
        self.table.show_rows({f"{at} {one.name}": one for at, one in enumerate(self._files)})

    @on(Resize)
    def _fit_table(self, event: Resize) -> None:
        # In lines, as the doctor's; there are more than fit, mostly.
        self.table.styles.max_height = max(event.size.height - 8, 3)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.answer(None)

    def action_copy(self) -> None:
        """Copy what is listed."""
        rows = (self.table.known_rows[key] for key in self.table.keys)
        self.copy(f"{one.name}  {one.kind}  {one.what}" for one in rows)
