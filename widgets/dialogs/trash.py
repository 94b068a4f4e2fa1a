"""What is in the trash of a base, and what is to be done with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Button, Static

from ...core.errors import ChrootError
from ...core.text import duration, size
from ...core.trees.trash import Trashed
from ...core.value import Value
from ..tables.columns import Column
from ..tables.table import Table
from ..text.amounts import age, moment
from ..text.foreign import foreign
from ..text.states import MUTED, PLAIN
from .dialog import button
from .filtered import FilteredDialog

RESTORE, REMOVE, EMPTY = "restore", "remove", "empty"


class TrashWish(Value):
    """What is to be done: RESTORE or REMOVE, and with which one; EMPTY: with all."""

    action: str
    ident: str = ""


class TrashTable(Table[Trashed]):
    """What is in the trash, the latest first."""

    BINDING_GROUP_TITLE = "Trash"
    HELP = "Enter has the marked one back, `d` removes it for good; both ask first."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.restore", "restore", id="trash.restore",
                tooltip="Put it back where it was, after asking"),
        Binding("d", "screen.remove", "remove", id="trash.remove",
                tooltip="Remove it for good, after asking"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    TrashTable { height: auto; background: transparent; }
    """


class TrashDialog(FilteredDialog[TrashWish | None]):
    """Shows what is in the trash of *base*. Answers a TrashWish, None where it was left.

    *count* returns the same with their sizes; it is called in a thread, and may take a while.
    """

    HELP = TrashTable.HELP
    DEFAULT_CSS = "TrashDialog .dialog--buttons > Button { margin-left: 1; }"
    AUTO_FOCUS = "TrashTable:enabled, Button"
    AROUND = 4

    table = getters.query_one(TrashTable)

    def __init__(
        self,
        base: str,
        kept: Sequence[Trashed],
        *,
        count: Callable[[], Sequence[Trashed]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(Content.assemble("trash of ", foreign(base)), wide=True)
        self._kept = {one.id: one for one in kept}
        self._count = count
        self._clock = clock

    def content(self) -> Iterable[Widget]:
        """Return the table, and what all of it takes."""
        if not self._kept:
            yield Static("Nothing is in it. delete offers to keep what it removes.")
            return
        yield TrashTable(_columns(self._clock))
        yield Static("counting what it takes …", id="whole", classes="dialog--quiet")

    def buttons(self) -> Iterable[Button]:
        """Return what leaves, and what can be done."""
        yield button("Close", "cancel")
        if self._kept:
            yield button("Empty", EMPTY, destructive=True)
            yield button("Remove", REMOVE, destructive=True)
            yield button("Restore", RESTORE)

    def cancelled(self) -> None:
        """Return that nothing is to be done."""

    def on_mount(self) -> None:
        """Fill the table."""
        if self._kept:
            self.table.show_rows(self._kept)
            self._tell_sizes()

    @work(group="sizes", exit_on_error=False)
    async def _tell_sizes(self) -> None:
        said = ""
        try:
            counted = await asyncio.to_thread(self._count)
        except ChrootError as error:
            said = error.message
        else:
            sizes = {one.id: one.size for one in counted}
            self.table.show_rows(
                {name: one.replace(size=sizes.get(name, 0)) for name, one in self._kept.items()}
            )
            said = f"{size(sum(sizes.values()))} in all; what is over its time goes at a delete"
        self.query_one("#whole", Static).update(foreign(said))

    @on(Resize)
    def _fit_table(self, event: Resize) -> None:
        for table in self.query(TrashTable):
            table.styles.max_height = max(event.size.height - 10, 3)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        does = {RESTORE: self.action_restore, REMOVE: self.action_remove, EMPTY: self._empty}
        does.get(str(event.button.id), self.action_cancel)()

    @on(Table.Activated)
    def _activated(self, event: Table.Activated) -> None:
        event.stop()
        self.action_restore()

    def _empty(self) -> None:
        self.answer(TrashWish(EMPTY))

    def action_restore(self) -> None:
        """Answer that the marked one is to be had back."""
        self._answer_marked(RESTORE)

    def action_remove(self) -> None:
        """Answer that the marked one is to go for good."""
        self._answer_marked(REMOVE)

    def _answer_marked(self, action: str) -> None:
        one = self.table.cursor_row
        if one is not None:
            self.answer(TrashWish(action, one.id))


def _columns(clock: Callable[[], float]) -> tuple[Column[Trashed], ...]:
    return (
        Column("name", "Name", lambda one, _: (one.called, PLAIN), lambda one: one.name, 16,
               rank=0, fills=True),
        Column("deleted", "Deleted", lambda one, _: (moment(one.deleted, "%Y-%m-%d %H:%M"), PLAIN),
               lambda one: -one.deleted, 16, rank=3),
        Column("age", "Ago", lambda one, _: (age(clock() - one.deleted), MUTED),
               lambda one: -one.deleted, 5, right=True, rank=4),
        Column("goes", "Goes in", lambda one, _: (_left(one, clock()), MUTED),
               lambda one: one.until, 7, right=True, rank=2),
        Column("size", "Disk", lambda one, _: (size(one.size) if one.size else "…", PLAIN),
               lambda one: one.size, 6, right=True, rank=1),
    )  # fmt: skip


def _left(one: Trashed, now: float) -> str:
    return duration(one.until - now) if one.until > now else "over"
