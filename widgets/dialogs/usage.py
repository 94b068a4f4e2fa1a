"""What takes the disk of a chroot: a folder at a time, the biggest first, as ncdu shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button

from ...core.text import size
from ...core.trees.usage import FOLDER, MOUNT, REST, Usage
from ...core.value import Value
from ..copying import CopyRequested
from ..light_message import Telling
from ..tables.columns import Column
from ..tables.table import Table
from ..text.amounts import percent
from ..text.foreign import foreign
from ..text.states import ACCENT, MUTED, PLAIN, WARN, Cell
from ..text.wrapped_text import WrappedText
from .dialog import button
from .filtered import FilteredDialog

_BAR = 10
"""Cells of the bar of what is the biggest."""

Begin = Callable[[str, Callable[[Message], object]], Callable[[], object]]
"""Begins to count what is in a folder, told of by messages of `UsageDialog` that are given to the
function; returns what stops it."""


class _Row(Value):
    """A thing, and what its folder and the biggest in it take."""

    usage: Usage
    whole: int
    biggest: int

    @property
    def bar(self) -> str:
        """How big it is beside the biggest."""
        return "━" * round(_BAR * self.usage.size / self.biggest) if self.biggest else ""

    @property
    def name(self) -> Cell:
        """Its name, and what it is where that is not a file."""
        if self.usage.kind == MOUNT:
            return f"{self.usage.name}  (mounted: not counted)", MUTED
        if self.usage.kind == REST:
            return "(all that is smaller)", MUTED
        if self.usage.unread:
            return f"{self.usage.name}/  ({self.usage.unread} not read)", WARN
        return f"{self.usage.name}/" if self.usage.kind == FOLDER else self.usage.name, PLAIN


def _items(one: _Row, _width: int) -> Cell:
    return f"{one.usage.items:,}" if one.usage.items else "-", MUTED


_COLUMNS: tuple[Column[_Row], ...] = (
    Column("size", "Disk", lambda one, _: (size(one.usage.size), PLAIN),
           lambda one: one.usage.size, 7, right=True, rank=0, biggest_first=True),
    Column("part", "Part", lambda one, _: (percent(one.usage.size / (one.whole or 1)), MUTED),
           lambda one: one.usage.size, 6, right=True, rank=2, biggest_first=True),
    Column("bar", "", lambda one, _: (one.bar, ACCENT), lambda one: one.usage.size, _BAR, rank=3),
    Column("name", "Name", lambda one, _: one.name, lambda one: one.usage.name, 16, rank=1,
           fills=True),
    Column("items", "Items", _items, lambda one: one.usage.items, 9, right=True, rank=4,
           biggest_first=True),
)  # fmt: skip


class UsageTable(Table[_Row]):
    """What is in the folder."""

    BINDING_GROUP_TITLE = "Disk"
    HELP = "Enter goes into a folder, backspace back. Nothing is changed here."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,right", "activate", "into", id="usage.into", tooltip="Into the folder"),
        Binding("backspace,left,h", "screen.out", "back", id="usage.back",
                tooltip="To the folder that this one is in"),
        Binding("r", "screen.again", "count again", id="usage.again", tooltip="Count it anew"),
        Binding("y", "copy", "copy", id="row.copy", show=False, tooltip="Copy the path"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    UsageTable { height: 1fr; min-height: 6; background: transparent; }
    """

    def action_copy(self) -> None:
        """Ask for the path to be copied."""
        row = self.cursor_row
        if row is not None and row.usage.name and isinstance(self.screen, UsageDialog):
            self.post_message(CopyRequested((self.screen.path_of(row.usage.name),)))


class UsageDialog(FilteredDialog[None]):
    """Shows what is in the folders of the chroot *name*; *begin* counts. Answers nothing."""

    HELP = "What each thing takes with all that is below; mounts are not entered."
    DEFAULT_CSS = """
    UsageDialog {
        & > .dialog--frame { width: 100%; max-width: 120; height: 100%; }
        & Body { height: 1fr; }
        & WrappedText { height: 2; color: $text-muted; }
    }
    """
    AUTO_FOCUS = "UsageTable"

    class Progressed(Telling):
        """How far the count of a folder is, in words."""

        folder: str
        said: str

    class Counted(Telling):
        """What is in a folder; or `why` it is not known."""

        folder: str
        found: tuple[Usage, ...]
        why: str = ""

    def __init__(self, name: str, begin: Begin) -> None:
        super().__init__(Content.assemble("disk of ", foreign(name)))
        self._begin = begin
        self._folder = ""
        self._known: dict[str, tuple[Usage, ...]] = {}
        self._cursors: dict[str, str] = {}
        self._stop: Callable[[], object] | None = None
        self._said = ""

    def content(self) -> Iterable[Widget]:
        """Return the table, and the line that says where one is."""
        yield WrappedText(most=2)
        yield UsageTable(_COLUMNS)

    def buttons(self) -> Iterable[Button]:
        """Return what goes back, and what leaves."""
        yield button("Back", "back")
        yield button("Close", "cancel")

    def cancelled(self) -> None:
        """Return nothing."""

    def on_mount(self) -> None:
        """Count the top."""
        self._go("")

    def on_unmount(self) -> None:
        """Count no more."""
        self._halt()

    def path_of(self, name: str) -> str:
        """Return the path inside of what is in the folder that is shown."""
        return f"/{self._folder}/{name}".replace("//", "/")

    # -- going -----------------------------------------------------------------------------------

    def _go(self, folder: str, at: str = "") -> None:
        """Show a folder, counting it where that was not done yet; the cursor on *at*."""
        self._halt()
        self.end_filter()
        self._folder = folder
        self._cursors.setdefault(folder, at)
        if folder in self._known:
            self._show()
            return
        self._table.show_rows({})
        self._tell("counting")
        self._stop = self._begin(folder, self._take)

    def _take(self, message: Message) -> None:
        if self.is_attached:
            self.post_message(message)

    def _halt(self) -> None:
        if self._stop is not None:
            self._stop()
            self._stop = None

    @on(Progressed)
    def _progressed(self, message: Progressed) -> None:
        if message.folder == self._folder and self._stop is not None:
            self._tell(message.said)

    @on(Counted)
    def _counted(self, message: Counted) -> None:
        if message.folder != self._folder:
            return
        self._stop = None
        if message.why:
            self._table.hint = (message.why,)
            self._tell("not counted")
            return
        self._known[message.folder] = message.found
        self._show()

    @property
    def _table(self) -> UsageTable:
        return self.query_one(UsageTable)

    def _show(self) -> None:
        found = self._known[self._folder]
        whole, biggest = _sums(found)
        self._table.hint = ("nothing is in it",)
        self._table.show_rows({one.name: _Row(one, whole, biggest) for one in found})
        self._table.move_to(self._cursors.get(self._folder, ""))
        unread = sum(one.unread for one in found)
        count = sum(one.items + (one.kind != REST) for one in found)
        note = f"; {unread} folders could not be read" if unread else ""
        self._tell(f"{size(whole)} in {count:,} files and folders{note}")

    def _tell(self, said: str) -> None:
        lines = ((f"/{self._folder}", "bold"), (said, ""))
        self.query_one(WrappedText).paragraphs = lines

    # -- keys ------------------------------------------------------------------------------------

    @on(Table.Activated)
    def _into(self, event: Table.Activated) -> None:
        event.stop()
        row = self._table.cursor_row
        if row is not None and row.usage.kind == FOLDER:
            self._cursors[self._folder] = row.usage.name
            inner = f"{self._folder}/{row.usage.name}".lstrip("/")
            self._cursors.pop(inner, None)
            self._go(inner)

    @on(CopyRequested)
    def _copied(self, event: CopyRequested) -> None:
        event.stop()
        self.copy(event.lines)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "back":
            self.action_out()
        else:
            self.action_cancel()

    def action_out(self) -> None:
        """Go to the folder that this one is in."""
        if self._folder:
            outer, _, name = self._folder.rpartition("/")
            self._go(outer, name)

    def action_again(self) -> None:
        """Count the folder anew."""
        if self._stop is None:
            self._known.pop(self._folder, None)
            self._go(self._folder)


def _sums(found: Sequence[Usage]) -> tuple[int, int]:
    """Return what all take, and what the biggest does."""
    return sum(one.size for one in found), max((one.size for one in found), default=0)
