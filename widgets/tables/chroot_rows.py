"""The rows of the environments table: chroots and, above theirs, heads of machines or tags."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from .chroot_columns import ChrootRow
from .table import Table


class Rows(Table[ChrootRow]):
    """The table itself."""

    BINDING_GROUP_TITLE = "Chroots"
    HELP = (
        "The chroots under the base directory. What can be done to several is done to all that are"
        " marked, as the menu says; all else to the one under the cursor."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark", id="environments.mark",
                tooltip="Mark it, or take its mark away"),
        Binding("enter", "activate", "details", id="details.open", show=False,
                tooltip="All there is to say about it"),
    ]  # fmt: skip

    @property
    def subject(self) -> str:
        """The name of the chroot, or machine, under the cursor."""
        row = self.cursor_row
        return row.status.name if row is not None else ""

    @property
    def shown(self) -> tuple[str, ...]:
        """The keys of the chroots that are seen."""
        known = self.known_rows
        return tuple(key for key in self.keys if known[key].head is None)

    def set_marks(self, keys: frozenset[str]) -> None:
        """Mark these and no others."""
        changed = self.marked ^ keys
        if changed:
            self._mark(keys)
            self.refresh_rows(changed)

    def below(self, head: str) -> tuple[str, ...]:
        """Return the keys of the chroots below a head: those that are not marked, or else all."""
        known = self.known_rows
        every = [k for k, row in known.items() if not row.head and row.below == head]
        return tuple(key for key in every if key not in self.marked) or tuple(every)

    def why_not(self, action: str) -> str:
        """Say what needs a row."""
        return "there is no chroot here" if self.cursor_row is None else ""

    def action_mark(self) -> None:
        """Mark the chroot under the cursor, or all below the head, or take the marks away."""
        row = self.cursor_row
        if row is None or row.head is None:
            super().action_mark()
            return
        self.set_marks(self.marked ^ frozenset(self.below(row.head.key)))
