"""The snapshots of a chroot: what there is, and what is to be done with one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button

from ...core.creating.names import check_name
from ...core.errors import UsageError
from ...core.text import size
from ...core.trees.snapshots import TreeSnapshot
from ...core.value import Value
from ..tables.columns import Column
from ..tables.table import Table
from ..text.amounts import age
from ..text.foreign import foreign
from ..text.states import MUTED, PLAIN
from .dialog import button
from .field import Field
from .filtered import FilteredDialog
from .form import FormDialog

TAKE, RESTORE, REMOVE = "take", "restore", "remove"


class SnapshotWish(Value):
    """What is to be done: TAKE, RESTORE or REMOVE, and with which one; "": called by the time."""

    action: str
    name: str


class SnapshotTable(Table[TreeSnapshot]):
    """The snapshots, the newest first."""

    BINDING_GROUP_TITLE = "Snapshots"
    HELP = "Enter goes back to the marked one, `d` removes it; both ask first."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.restore", "restore", id="snapshots.restore",
                tooltip="Go back to it, after asking"),
        Binding("d", "screen.remove", "remove", id="snapshots.remove",
                tooltip="Remove it, after asking"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    SnapshotTable { height: auto; max-height: 9; background: transparent; margin-bottom: 1; }
    """


class SnapshotsDialog(FilteredDialog[SnapshotWish | None], FormDialog[SnapshotWish | None]):
    """Shows the *snapshots* of the chroot *name*. Answers a SnapshotWish, None where it was left.

    *clock* tells ages from.
    """

    HELP = "Enter in the field takes a snapshot, Enter on one goes back to it, after asking."
    DEFAULT_CSS = "SnapshotsDialog .dialog--buttons > Button { margin-left: 1; }"
    AUTO_FOCUS = "SnapshotTable:enabled, Input"

    def __init__(
        self,
        name: str,
        snapshots: Sequence[TreeSnapshot],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(Content.assemble("snapshots of ", foreign(name)))
        self._snapshots = {one.name: one for one in reversed(snapshots)}
        self._clock = clock

    def content(self) -> Iterable[Widget]:
        """Return the table, and the field for the next one."""
        if self._snapshots:
            yield SnapshotTable(_columns(self._clock))
        yield Field(
            "New one", id="name", check=self._check, placeholder="the time",
            note="keeps the present state, to go back to"
            if self._snapshots else "none yet: keeps the present state to go back to",
        )  # fmt: skip

    def buttons(self) -> Iterable[Button]:
        """Return what leaves, and what can be done."""
        yield button("Close", "cancel")
        if self._snapshots:
            yield button("Remove", REMOVE, destructive=True)
            yield button("Restore", RESTORE)
        yield button("Take", TAKE)

    def cancelled(self) -> None:
        """Return that nothing is to be done."""

    def on_mount(self) -> None:
        """Fill the table."""
        for table in self.query(SnapshotTable):
            table.show_rows(self._snapshots)

    def _check(self, name: str) -> None:
        if name:
            check_name(name)
        if name in self._snapshots:
            raise UsageError(f"there is a snapshot {name!r} already", "choose another name")

    @on(Field.Submitted)
    def _entered(self, event: Field.Submitted) -> None:
        event.stop()
        self._take()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        does = {TAKE: self._take, RESTORE: self.action_restore, REMOVE: self.action_remove}
        does.get(str(event.button.id), self.leave)()

    @on(Table.Activated)
    def _activated(self, event: Table.Activated) -> None:
        event.stop()
        self.action_restore()

    def _take(self) -> None:
        if not self.wrong():
            self.answer(SnapshotWish(TAKE, self.value("name")))

    def action_restore(self) -> None:
        """Answer that the marked one is to be gone back to."""
        self._answer_marked(RESTORE)

    def action_remove(self) -> None:
        """Answer that the marked one is to be removed."""
        self._answer_marked(REMOVE)

    def _answer_marked(self, action: str) -> None:
        for table in self.query(SnapshotTable):
            if table.cursor_row is not None:
                self.answer(SnapshotWish(action, table.cursor_row.name))


def _columns(clock: Callable[[], float]) -> tuple[Column[TreeSnapshot], ...]:
    return (
        Column("name", "Snapshot", lambda one, _: (one.name, PLAIN), lambda one: one.name, 20,
               rank=0, fills=True),
        Column("age", "Age", lambda one, _: (age(clock() - one.created), PLAIN),
               lambda one: one.created, 5, right=True, rank=1),
        Column("made", "Made", lambda one, _: (_moment(one.created), MUTED),
               lambda one: one.created, 16, rank=3),
        Column("size", "Disk", lambda one, _: (_size(one), MUTED), lambda one: one.size, 6,
               right=True, rank=2),
    )  # fmt: skip


def _moment(then: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(then))


def _size(one: TreeSnapshot) -> str:
    return "shared" if one.shared else size(one.size) if one.size else "-"
