"""The mounts of a chroot: what is wanted and what is there, side by side.

Below the table two lines say why the mount under the cursor is not as it should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from ...core.looking.status import DRIFTED, FOREIGN_MOUNT, IGNORED, MISSING, MOUNTED, MountStatus
from ..copying import CopyRequested
from ..light_message import Telling
from ..text.states import MUTED, PLAIN, WARN, Cell, mount_state
from ..text.wrapped_text import Paragraph, WrappedText
from .columns import Column
from .explained_table import ExplainedTable
from .table import Table

_STATES = (DRIFTED, MISSING, FOREIGN_MOUNT, MOUNTED, IGNORED)


def _real(mount: MountStatus, _width: int) -> Cell:
    return (mount.real if mount.state in (DRIFTED, FOREIGN_MOUNT) else ""), WARN


COLUMNS: tuple[Column[MountStatus], ...] = (
    Column("state", "State", lambda one, _: mount_state(one.state),
           lambda one: _STATES.index(one.state), 9, rank=0),
    Column("target", "Target", lambda one, _: (one.target, PLAIN),
           lambda one: one.target, 12, most=40, rank=1),
    Column("source", "Source", lambda one, _: (one.source, PLAIN),
           lambda one: one.source, 10, most=40, rank=2),
    Column("fs", "Type", lambda one, _: (one.fs, MUTED), lambda one: one.fs, 6, most=9, rank=3),
    Column("options", "Options", lambda one, _: (",".join(one.options), MUTED),
           lambda one: one.options, 8, most=56, rank=5),
    Column("origin", "Origin", lambda one, _: (one.origin, MUTED),
           lambda one: one.origin, 9, most=12, rank=4),
    Column("real", "Really there", _real, lambda one: one.real, 0, most=80, rank=6),
)  # fmt: skip


class MountRows(Table[MountStatus]):
    """The table itself."""

    BINDING_GROUP_TITLE = "Mounts"
    HELP = (
        "What the configuration wants to be mounted, and what is. A drifted mount is there, but"
        " not as it is wanted; a foreign one is not in the configuration."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "switch", "(un)mount", id="mounts.toggle",
                tooltip="Mount or unmount this one alone"),
        Binding("O", "plan", "plan", id="mounts.plan", show=False,
                tooltip="What that would do, before it does"),
        Binding("y", "copy", "copy", id="row.copy", show=False, tooltip="Copy the row"),
    ]  # fmt: skip

    @property
    def subject(self) -> str:
        """The mount under the cursor."""
        mount = self.cursor_row
        return f"mount {mount.target}" if mount is not None else ""

    def why_not(self, action: str) -> str:
        """Say what can't be done with the mount under the cursor."""
        mount = self.cursor_row
        if mount is None:
            return "nothing is mounted here"
        if action in ("switch", "plan") and mount.state == IGNORED and not mount.real:
            return "it is left out by the configuration"
        return ""

    def action_switch(self) -> None:
        """Ask for this mount to be switched."""
        mount = self.cursor_row
        if mount is not None and isinstance(self.parent, MountsTable):
            self.parent.post_message(
                MountsTable.ToggleRequested(self.parent, mount, self.parent.path)
            )

    def action_plan(self) -> None:
        """Ask for what switching this mount would do."""
        mount = self.cursor_row
        if mount is not None and isinstance(self.parent, MountsTable):
            self.parent.post_message(
                MountsTable.PlanRequested(self.parent, mount, self.parent.path)
            )

    def action_copy(self) -> None:
        """Ask for the row to be copied."""
        mount = self.cursor_row
        if mount is not None:
            self.post_message(CopyRequested((as_text(mount),)))


class MountsTable(ExplainedTable):
    """Mounts in, messages out."""

    rows = getters.query_one(MountRows)

    class ToggleRequested(Telling):
        """This mount is to be switched on or off."""

        table: MountsTable
        mount: MountStatus
        path: str
        """Of its chroot."""

    class PlanRequested(Telling):
        """What switching this mount would do is to be shown."""

        table: MountsTable
        mount: MountStatus
        path: str

    path = ""
    """Of the chroot that they are of."""

    def __init__(self, *, columns: Sequence[str] = (), id: str | None = None) -> None:  # noqa: A002 (Textual's own name for it)
        """Make an empty table with these columns (`chosen`)."""
        super().__init__(id=id)
        self._columns = columns

    def compose(self) -> ComposeResult:
        """Put table and reason together."""
        yield MountRows(COLUMNS, wanted=self._columns, sort="state")  # what is wrong comes first
        yield WrappedText()

    def show(self, mounts: tuple[MountStatus, ...]) -> None:
        """Show these mounts; cursor and scroll stay on their targets."""
        rows: dict[str, MountStatus] = {}
        for mount in mounts:
            # A target can be there twice: as it is wanted, and what somebody put on top of it.
            key = f"{mount.target}\0{mount.origin}"
            while key in rows:
                key += "\0"
            rows[key] = mount
        self.rows.hint = ("nothing is mounted here, and nothing is wanted",)
        self.rows.show_rows(rows)

    def explanation(self) -> tuple[Paragraph, ...]:
        """Say why the mount is not as it should be."""
        mount = self.rows.cursor_row
        text = reason(mount) if mount is not None else ""
        return ((text, "$text-warning"),) if text else ()


def reason(mount: MountStatus) -> str:
    """Return in a sentence why a mount is not as it should be, "" where it is."""
    parts = [mount.reason] if mount.reason else []
    if mount.real and mount.state in (DRIFTED, FOREIGN_MOUNT):
        parts.append(f"really there: {mount.real}")
    return f"{mount.target}: {'; '.join(parts)}" if parts else ""


def as_text(mount: MountStatus) -> str:
    """Return a mount as one line of text: state, source, target, type, options."""
    options = ",".join(mount.options) or "-"
    return f"{mount.state} {mount.source} {mount.target} {mount.fs} {options}"
