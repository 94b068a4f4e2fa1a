"""Who is in the way of switching off, and whether they are to be ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from ...core.process import Holder
from ..lull import Lull
from ..tables.columns import Column
from ..tables.table import Table
from ..text.foreign import foreign
from ..text.states import PLAIN, Cell
from .dialog import Dialog, button

_DETAILS = 3


def _first(holder: Holder, _width: int) -> Cell:
    more = f" +{len(holder.holds) - 1}" if len(holder.holds) > 1 else ""
    return (holder.holds[0] if holder.holds else "") + more, PLAIN


COLUMNS: tuple[Column[Holder], ...] = (
    Column("pid", "PID", lambda one, _: (str(one.pid), PLAIN), lambda one: one.pid, 7,
           right=True, rank=0),
    Column("user", "User", lambda one, _: (one.user, PLAIN), lambda one: one.user, 8, most=16,
           rank=2),
    Column("command", "Command", lambda one, _: (one.command, PLAIN), lambda one: one.command, 20,
           most=60, rank=1),
    Column("holds", "Holds", _first, lambda one: one.holds, 14, rank=3, fills=True),
)  # fmt: skip


class Holders(Table[Holder]):
    """The processes, one a line."""

    BINDING_GROUP_TITLE = "Processes in the way"
    HELP = "Up and down: what each one holds stands below the table. Nothing is ended from here."
    DEFAULT_CSS = """
    Holders { height: auto; max-height: 11; background: transparent; }
    """


class StopProcesses(Dialog[bool]):
    """Lists the processes that switching off *name* would hit. Answers True to end them.

    Those that only have a copy of the mounts in another namespace (`Holder.blocks` False) are
    counted and left alone. *unasked*: it comes by itself, while something else may be typed: until
    there was a lull, nobody can be ended.
    """

    HELP = "*Stop them* sends TERM, waits, then sends KILL. Cancel leaves everything as it is."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="dialog.copy", tooltip="Copy the list of processes"),
    ]

    def __init__(self, name: str, holders: Sequence[Holder], *, unasked: bool = False) -> None:
        title = Content.assemble("switching off ", foreign(name))
        super().__init__(title, danger=True, wide=True)
        self._holders = tuple(holder for holder in holders if holder.blocks)
        self._others = len(holders) - len(self._holders)
        self._unasked = unasked
        self._lull: Lull | None = None

    def content(self) -> Iterable[Widget]:
        """Return the table, and below it the highlighted one in full."""
        count = len(self._holders)
        what = "this process" if count == 1 else f"these {count} processes"
        yield Static(f"would hit {what}:")
        yield Holders(COLUMNS)
        yield Static(id="details", classes="dialog--quiet dialog--gap")
        if self._others:
            yield Static(
                f"{self._others} more only have a copy of the mounts, and are left alone.",
                classes="dialog--quiet",
            )

    def buttons(self) -> Iterable[Button]:
        """Return Cancel, which has the focus, and what ends them."""
        yield button("Cancel", "cancel")
        label = "Stop it" if len(self._holders) == 1 else "Stop them"
        yield button(label, "stop", destructive=True, disabled=self._unasked)

    def cancelled(self) -> bool:
        """Return that nobody is to be ended."""
        return False

    def on_mount(self) -> None:
        """Fill the table and focus Cancel."""
        rows = {f"{one.pid} {one.started}": one for one in self._holders}
        self.query_one(Holders).show_rows(rows)
        self.query_one("#cancel").focus()
        if self._unasked:
            self._lull = Lull(self, self._be_asked)

    def on_key(self, _event: events.Key) -> None:
        """Wait for the lull anew."""
        if self._lull is not None:
            self._lull.begin_anew()

    def _be_asked(self) -> None:
        self.query_one("#stop").disabled = False

    @on(Table.Highlighted)
    def _highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        holder = self.query_one(Holders).cursor_row
        if holder is None:
            return
        lines = [foreign(holder.command), *[foreign(held) for held in holder.holds[:_DETAILS]]]
        if len(holder.holds) > _DETAILS:
            lines.append(Content(f"and {len(holder.holds) - _DETAILS} more"))
        self.query_one("#details", Static).update(Content("\n").join(lines))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.answer(event.button.id == "stop")

    def action_scroll_body(self, lines: int) -> None:
        """Go through the processes, also from the buttons, and to what stands below them."""
        self.query_one(Holders).action_move(lines)
        super().action_scroll_body(lines)

    def action_copy(self) -> None:
        """Copy all of them, one a line, with everything they hold."""
        self.copy(
            "\t".join((str(one.pid), one.user, one.command, ", ".join(one.holds)))
            for one in self._holders
        )
