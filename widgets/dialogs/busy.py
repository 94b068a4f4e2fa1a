"""Who is in the way of switching off, and whether they are to be ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, DataTable, Static

from ...core.processes import Holder
from ..fit import fit, width_of
from ..text import foreign
from .base import Dialog, button, cell

_DETAILS = 3


class Holders(DataTable[object]):
    """The processes, one a line, columns as wide as what they hold."""

    BINDING_GROUP_TITLE = "Processes in the way"
    HELP = "Up and down: what each one holds stands below the table. Nothing is ended from here."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", id="dialog.row_down", show=False, tooltip="Down"),
        Binding("k", "cursor_up", "Up", id="dialog.row_up", show=False, tooltip="Up"),
        Binding("g,home", "scroll_top", "First", id="dialog.first", show=False, tooltip="First"),
        Binding("G,end", "scroll_bottom", "Last", id="dialog.last", show=False, tooltip="Last"),
    ]
    DEFAULT_CSS = """
    Holders {
        height: auto;
        max-height: 10;
        background: transparent;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        & > .datatable--header { background: transparent; color: $text-muted; text-style: none; }
        &:focus > .datatable--header { background-tint: transparent; }
    }
    """

    def __init__(self, holders: Sequence[Holder]) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False)
        self._holders = tuple(holders)

    def on_mount(self) -> None:
        """Fill the table."""
        # What the frame leaves to the two columns of text that may be long.
        width = (
            min(self.app.size.width * 94 // 100, 120)
            - 6
            - 8
            - _longest([str(one.pid) for one in self._holders] + ["PID"])
            - _longest([one.user for one in self._holders] + ["User"])
        )
        holds = min(width * 2 // 5, _longest([_first(one) for one in self._holders] + ["Holds"]))
        self.add_column(cell("PID", right=True), key="pid")
        for title in ("User", "Command", "Holds"):
            self.add_column(cell(title), key=title.lower())
        for holder in self._holders:
            self.add_row(
                cell(str(holder.pid), right=True),
                cell(holder.user),
                cell(fit(holder.command, width - holds)),
                cell(fit(_first(holder), holds)),
            )

    @property
    def current(self) -> Holder | None:
        """The one under the cursor."""
        row = self.cursor_row
        return self._holders[row] if 0 <= row < len(self._holders) else None


class Busy(Dialog[bool]):
    """Lists the processes that switching off *name* would hit. Answers True to end them.

    Those that only have a copy of the mounts in another namespace (`Holder.blocks` False) are
    counted and left alone.
    """

    HELP = "*Stop them* sends TERM, waits, then sends KILL. Cancel leaves everything as it is."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="dialog.copy", tooltip="Copy the list of processes"),
    ]

    def __init__(self, name: str, holders: Sequence[Holder]) -> None:
        title = Content.assemble("switching off ", foreign(name))
        super().__init__(title, danger=True, wide=True)
        self._holders = tuple(holder for holder in holders if holder.blocks)
        self._others = len(holders) - len(self._holders)

    def content(self) -> Iterable[Widget]:
        """Return the table, and below it the highlighted one in full."""
        count = len(self._holders)
        what = "this process" if count == 1 else f"these {count} processes"
        yield Static(f"would hit {what}:")
        yield Holders(self._holders)
        yield Static(id="details", classes="dialog--quiet dialog--gap")
        if self._others:
            yield Static(
                f"{self._others} more only have a copy of the mounts, and are left alone.",
                classes="dialog--quiet",
            )

    def buttons(self) -> Iterable[Button]:
        """Return Cancel, which has the focus, and what ends them."""
        yield button("Cancel", "cancel")
        yield button(
            "Stop it" if len(self._holders) == 1 else "Stop them", "stop", destructive=True
        )

    def cancelled(self) -> bool:
        """Return that nobody is to be ended."""
        return False

    def on_mount(self) -> None:
        """Focus Cancel."""
        self.query_one("#cancel").focus()

    @on(DataTable.RowHighlighted)
    def _highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        holder = self.query_one(Holders).current
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

    def action_copy(self) -> None:
        """Copy all of them, one a line, with everything they hold."""
        self.copy(
            "\t".join((str(one.pid), one.user, one.command, ", ".join(one.holds)))
            for one in self._holders
        )


def _first(holder: Holder) -> str:
    more = f" +{len(holder.holds) - 1}" if len(holder.holds) > 1 else ""
    return (holder.holds[0] if holder.holds else "") + more


def _longest(texts: list[str]) -> int:
    return max(width_of(text) for text in texts)
