"""The command log: what keys did, as command lines, the latest first; below, the steps of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ...core.text import duration
from ..copying import CopyRequested
from ..done_command import DoneCommand
from ..job_status import FAILED, RUNNING
from ..light_message import Telling
from ..tables.columns import Column
from ..tables.table import Table
from ..text.states import MUTED, PLAIN, job_state
from ..text.wrapped_text import Paragraph, WrappedText
from .find_bar import FindBar
from .job_output import JobOutput
from .list_with_output import FINDING, ListWithOutput

_MOST_LINES = 2000

COLUMNS: tuple[Column[DoneCommand], ...] = (
    Column("time", "Time", lambda one, _: (_clock(one), MUTED), lambda one: -one.started,
           8, rank=1),
    Column("state", "State", lambda one, _: job_state(one.state), lambda one: one.state, 11,
           rank=2),
    Column("took", "Took", lambda one, _: (_took(one), MUTED),
           lambda one: one.ended - one.started, 6, right=True, rank=3, biggest_first=True),
    Column("line", "Command", lambda one, _: (" && ".join(one.lines), PLAIN),
           lambda one: one.lines, 20, rank=0, fills=True),
)  # fmt: skip


def _clock(one: DoneCommand) -> str:
    at = time.localtime(one.started)
    is_old = one.is_past and time.strftime("%F", at) != time.strftime("%F")
    return time.strftime("%y-%m-%d" if is_old else "%H:%M:%S", at)


def _took(one: DoneCommand) -> str:
    return duration(max(one.ended - one.started, 0.0)) if one.ended else ""


class CommandRows(Table[DoneCommand]):
    """The list of commands."""

    BINDING_GROUP_TITLE = "Commands"
    HELP = (
        "What keys did, as the command line that does the same: to learn, to copy, to repeat, to"
        " take back. Below: its steps, and how it ended."
    )


class CommandsPane(ListWithOutput):
    """Commands and their output in, messages out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("full_stop", "repeat", "repeat", id="log.repeat", tooltip="Do it once more"),
        Binding("U", "undo", "undo", id="log.undo",
                tooltip="Take it back, after showing what that would do"),
        Binding("y", "copy", "copy", id="row.copy", tooltip="Copy the command line"),
        *FINDING,
    ]  # fmt: skip
    DEFAULT_CSS = """
    CommandsPane {
        & > CommandRows { height: auto; min-height: 2; max-height: 60%; }
    }
    """

    rows = getters.query_one(CommandRows)

    class RepeatRequested(Telling):
        """This command is to be done once more."""

        ident: int

    class UndoRequested(Telling):
        """This command is to be taken back. Nobody was asked yet."""

        ident: int

    def __init__(self, output_of: Callable[[int], Sequence[str]]) -> None:
        """*output_of* returns the lines that a command has said."""
        super().__init__()
        self._output_of = output_of

    def compose(self) -> ComposeResult:
        """Put list, command line and steps together."""
        rows = CommandRows(COLUMNS)
        rows.set_reactive(Table.hint, ("no key has done anything yet",))
        yield rows
        yield WrappedText()
        yield FindBar()
        yield JobOutput(_MOST_LINES)

    # -- values in -------------------------------------------------------------------------------

    def show(self, commands: tuple[DoneCommand, ...]) -> None:
        """Show these, in this order: the latest first, where the cursor goes unless one reads."""
        before = self.rows.keys
        self.rows.show_rows({str(one.id): one for one in commands})
        if commands and str(commands[0].id) not in before and not self.has_focus_within:
            self.rows.move_to(str(commands[0].id))
        self.show_selected()
        self.refresh_bindings()

    def append_output(self, ident: int, lines: Sequence[str]) -> None:
        """Add lines that a command has said, unsafe as they are."""
        if ident == self.shown:
            self.add_lines(lines)

    @property
    def selected(self) -> DoneCommand | None:
        """The command under the cursor."""
        return self.rows.cursor_row

    # -- keys ------------------------------------------------------------------------------------

    @property
    def subject(self) -> str:
        """The command under the cursor."""
        one = self.selected
        return one.lines[0] if one is not None else ""

    def why_not(self, action: str) -> str:
        """Say what can't be done with the command under the cursor."""
        one = self.selected if self.is_mounted else None
        if action not in ("repeat", "undo", "copy"):
            return super().why_not(action)
        if one is None:
            return "nothing was done yet"
        if action == "repeat" and one.state == RUNNING:
            return "it runs still"
        if action == "repeat" and one.is_past:
            return "it is of an earlier session"
        return one.fixed if action == "undo" else ""

    def action_repeat(self) -> None:
        """Ask for it to be done once more."""
        if self.may("repeat") and (one := self.selected):
            self.post_message(self.RepeatRequested(one.id))

    def action_undo(self) -> None:
        """Ask for it to be taken back."""
        if self.may("undo") and (one := self.selected):
            self.post_message(self.UndoRequested(one.id))

    def action_copy(self) -> None:
        """Ask for its line to be copied."""
        if self.may("copy") and (one := self.selected):
            self.post_message(CopyRequested(one.lines))

    # -- painting --------------------------------------------------------------------------------

    def show_selected(self) -> None:
        """Show what the one under the cursor says."""
        one = self.selected
        self.turn_to(one.id if one is not None else None, self._output_of)
        said: list[Paragraph] = []
        if one is not None:
            said = [(f"$ {line}", "") for line in one.lines]
            if one.said:
                bad = one.state == FAILED
                said.append((f"{'✗ ' if bad else ''}{one.said}", "$text-error" if bad else ""))
        self.query_one(WrappedText).paragraphs = tuple(said)
