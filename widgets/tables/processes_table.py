"""The processes that live in a chroot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from ...core.process import Process
from ...core.text import size
from ..copying import CopyRequested
from ..light_message import Telling
from ..text.amounts import age, cpu
from ..text.states import MUTED, PLAIN, Cell
from .columns import Column
from .process_tree import tree
from .table import Table

_DEEPEST = 8
"""Levels of a tree that are moved in: the command has to have room."""
_NOBODY = "no process lives in it"
_APART = "throw-away sessions are open: what lives in one is not listed"
_OTHERS = "those of other users can't be seen: run as root"


def columns(
    clock: Callable[[], float], depth: Callable[[Process], int] = lambda _: 0
) -> tuple[Column[Process], ...]:
    """Return the columns of processes; *clock* tells ages from, *depth* how far in one stands."""
    return (
        Column("pid", "PID", lambda one, _: (str(one.pid), PLAIN),
               lambda one: one.pid, 7, right=True, rank=0),
        Column("user", "User", lambda one, _: (one.user, PLAIN),
               lambda one: one.user, 8, most=16, rank=3),
        Column("cpu", "CPU %", lambda one, _: _cpu(one), lambda one: one.cpu_percent, 6,
               right=True, rank=2, biggest_first=True),
        Column("memory", "Memory", lambda one, _: (size(one.rss), PLAIN), lambda one: one.rss, 7,
               right=True, rank=4, biggest_first=True),
        Column("started", "Age", lambda one, _: (age(clock() - one.started), MUTED),
               lambda one: -one.started, 4, right=True, rank=5),
        Column("command", "Command", lambda one, _: (_branch(depth(one)) + one.command, PLAIN),
               lambda one: one.command, 12, rank=1, fills=True),
    )  # fmt: skip


def _branch(depth: int) -> str:
    return "  " * (min(depth, _DEEPEST) - 1) + "└ " if depth else ""


def _cpu(process: Process) -> Cell:
    text = cpu(process.cpu_percent)
    return text, MUTED if text == "-" else PLAIN


class ProcessesTable(Table[Process]):
    """Processes in, messages out."""

    BINDING_GROUP_TITLE = "Processes"
    HELP = "Who lives in the chroot: whose root directory it is, or lies in it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "signal('TERM')", "TERM", id="processes.term",
                tooltip="Ask it to end, after asking you"),
        Binding("K", "signal('KILL')", "KILL", id="processes.kill",
                tooltip="End it at once, after asking you"),
        Binding("l", "open_files", "open files", id="processes.open",
                tooltip="Its files, sockets and ports"),
        Binding("T", "tree", "tree", id="processes.tree",
                tooltip="Each below the one that started it, or in one list again"),
        Binding("y", "copy", "copy", id="row.copy", show=False, tooltip="Copy the command"),
    ]  # fmt: skip

    class FilesRequested(Telling):
        """What this process has open is to be shown."""

        table: ProcessesTable
        process: Process
        path: str
        """Of its chroot."""

    class SignalRequested(Telling):
        """This process is to get the signal `name`: TERM or KILL. Nobody was asked yet."""

        table: ProcessesTable
        process: Process
        name: str
        path: str

    path = ""
    """Of the chroot that they are of."""

    def __init__(
        self,
        *,
        wanted: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make an empty table of the columns *wanted* (`chosen`); *clock* tells ages from."""
        super().__init__(
            columns(clock, lambda one: self._depths.get(_key(one), 0)), wanted=wanted,
            sort="pid", ages=True, clock=clock, name=name, id=id, classes=classes,
            disabled=disabled,
        )  # fmt: skip
        self.set_reactive(Table.hint, (_NOBODY,))
        self._depths: dict[str, int] = {}
        self._is_tree = False

    def show(
        self, processes: tuple[Process, ...], *, unseen: bool = False, in_use: bool = False
    ) -> None:
        """Show these processes; cursor and scroll stay on theirs.

        *unseen*: there may be others that this user can't see; *in_use*: by a throw-away session.
        """
        more = ((_APART, in_use), (_OTHERS, unseen))
        self.hint = (_NOBODY, *(text for text, holds in more if holds))
        self.show_rows({_key(one): one for one in processes})

    def action_tree(self) -> None:
        """Show each below the one that started it, or all in one list again."""
        self._is_tree = not self._is_tree
        self._depths = {}
        self.set_regroup(self._as_tree if self._is_tree else None)

    def _as_tree(self, keys: list[str]) -> list[str]:
        self._depths = tree(keys, self._model.rows)
        return list(self._depths)

    @property
    def subject(self) -> str:
        """The process under the cursor."""
        process = self.cursor_row
        return f"process {process.pid} {process.command}" if process is not None else ""

    def why_not(self, action: str) -> str:
        """Say that there is nobody to do it to."""
        return _NOBODY if self.cursor_row is None else ""

    def action_signal(self, name: str) -> None:
        """Ask for a signal to be sent."""
        process = self.cursor_row
        if process is not None:
            self.post_message(self.SignalRequested(self, process, name, self.path))

    def action_open_files(self) -> None:
        """Ask for what it has open to be shown."""
        process = self.cursor_row
        if process is not None:
            self.post_message(self.FilesRequested(self, process, self.path))

    def action_copy(self) -> None:
        """Ask for the command to be copied."""
        process = self.cursor_row
        if process is not None:
            self.post_message(CopyRequested((process.command,)))


def _key(process: Process) -> str:
    return f"{process.pid} {process.started}"
