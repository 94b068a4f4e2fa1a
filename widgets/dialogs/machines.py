"""The machines whose chroots are looked at: how each answers, and what is to be done with one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button

from ...core.errors import UsageError
from ...core.looking.snapshot import Machine
from ...core.remote.address import checked
from ...core.value import Value
from ..tables.columns import Column
from ..tables.table import Table
from ..text.states import LOOKS_ONLY, MUTED, PLAIN, Cell, machine_state
from ..text.wrapped_text import WrappedText
from .dialog import button
from .field import Field
from .filtered import FilteredDialog
from .form import FormDialog
from .suggestions import Prefixes

ADD, REMOVE, RETRY, LOG_IN, SHOW = "add", "remove", "retry", "log-in", "show"


class MachineWish(Value):
    """What is to be done, and with which machine."""

    action: str
    name: str


class MachineRow(Value):
    """A machine, and how many chroots are seen of it."""

    machine: Machine
    chroots: int

    @property
    def state(self) -> Cell:
        """Sign and word of how it answers."""
        return machine_state(self.machine)

    @property
    def says(self) -> str:
        """Why it does not answer, or is only looked at."""
        problem = self.machine.problem
        if problem is None:
            return LOOKS_ONLY if self.machine.looks_only else ""
        name = self.machine.name
        return problem.message.removeprefix(f"{name}: ").removeprefix(f"{name} ")


_COLUMNS: tuple[Column[MachineRow], ...] = (
    Column("state", "State", lambda one, _: one.state, lambda one: one.state[0], 9, rank=1),
    Column("name", "Host", lambda one, _: (one.machine.name, PLAIN),
           lambda one: one.machine.name, 8, most=24, rank=0),
    Column("chroots", "Chroots", lambda one, _: (str(one.chroots or "-"), PLAIN),
           lambda one: one.chroots, 8, right=True, rank=2),
    Column("says", "", lambda one, _: (one.says, MUTED), lambda one: one.says, 20, rank=3,
           fills=True),
)  # fmt: skip


class MachineTable(Table[MachineRow]):
    """The machines."""

    BINDING_GROUP_TITLE = "Hosts"
    HELP = (
        "Enter shows the chroots of this host alone; `l` gives ssh the terminal, where it has"
        " something to ask; `r` tries again now, `d` looks at it no more."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.wish('show')", "show alone", id="hosts.show",
                tooltip="Filter the chroots by it"),
        Binding("l", "screen.wish('log-in')", "log in", id="hosts.log_in",
                tooltip="Give ssh the terminal: for a passphrase, a password, a host key"),
        Binding("r", "screen.wish('retry')", "retry", id="hosts.retry",
                tooltip="Connect now"),
        Binding("d", "screen.wish('remove')", "remove", id="hosts.remove",
                tooltip="Look at it no more"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    MachineTable { height: auto; max-height: 12; background: transparent; margin-bottom: 1; }
    """


class MachinesDialog(FilteredDialog[MachineWish | None], FormDialog[MachineWish | None]):
    """Shows machines; see `show`. Answers a MachineWish, None where it was left.

    *known* are the names that ssh knows, for completion; *note* is said below the field.
    """

    HELP = "Enter in the field adds a host; ssh_config says how it is reached."
    DEFAULT_CSS = """
    MachinesDialog {
        & > .dialog--frame { width: 94%; max-width: 100; }
        & WrappedText { height: 3; margin-bottom: 1; padding: 0 1; color: $text-muted; }
    }
    """
    AUTO_FOCUS = "MachineTable:enabled, Input"

    def __init__(
        self,
        machines: Sequence[MachineRow],
        *,
        known: Sequence[str] = (),
        note: str = "",
    ) -> None:
        super().__init__("hosts")
        self._rows = {row.machine.name: row for row in machines}
        self._known = known
        self._note = note

    def content(self) -> Iterable[Widget]:
        """Return the table, and the field for another one."""
        if self._rows:
            yield MachineTable(_COLUMNS)
            yield WrappedText(most=2)
        yield Field(
            "Add", id="name", check=self._check, placeholder="a name of ssh_config, or USER@HOST",
            suggester=Prefixes(lambda: self._known),
            note=self._note or "chroot-tool deploy HOST puts chroot-tool there",
        )  # fmt: skip

    def buttons(self) -> Iterable[Button]:
        """Return what leaves, and what adds."""
        yield button("Close", "cancel")
        yield button("Add", ADD)

    def cancelled(self) -> None:
        """Return that nothing is to be done."""

    def on_mount(self) -> None:
        """Fill the table."""
        self._fill()

    def show(self, machines: Sequence[MachineRow]) -> None:
        """Show how they are now, or as soon as there is where."""
        self._rows = {row.machine.name: row for row in machines}
        if self.is_mounted:
            self._fill()

    def _fill(self) -> None:
        for table in self.query(MachineTable):
            table.show_rows(self._rows)
        self._tell()

    @on(Table.Highlighted)
    def _highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        self._tell()

    def _tell(self) -> None:
        """Say all of why the machine under the cursor does not answer."""
        for table in self.query(MachineTable):
            row = table.cursor_row
            problem = row.machine.problem if row else None
            said = [(problem.message, ""), (problem.hint, "")] if problem else []
            self.query_one(WrappedText).paragraphs = tuple(one for one in said if one[0])

    def _check(self, name: str) -> None:
        if name:
            checked(name)
        if name in self._rows:
            raise UsageError(f"{name} is there already", "choose another host")

    @on(Field.Submitted)
    def _entered(self, event: Field.Submitted) -> None:
        event.stop()
        self._add()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == ADD:
            self._add()
        else:
            self.leave()

    @on(Table.Activated)
    def _activated(self, event: Table.Activated) -> None:
        event.stop()
        self.action_wish(SHOW)

    def _add(self) -> None:
        if self.value("name") and not self.wrong():
            self.answer(MachineWish(ADD, self.value("name")))

    def action_wish(self, action: str) -> None:
        """Answer what is to be done with the machine under the cursor."""
        for table in self.query(MachineTable):
            if table.cursor_row is not None:
                self.answer(MachineWish(action, table.cursor_row.machine.name))
