"""The environments: every chroot with its state, to move through, filter, sort and mark.

A line on top says how many there are, in which states, what they are filtered by and how many are
marked; the filter is typed there. The rest is a `Table`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.widgets import Static

from ...core.looking.status import ChrootStatus
from ..job_status import JobStatus
from ..light_message import Telling
from ..text.foreign import foreign
from ..text.name_pattern import name_matcher
from ..text.states import STYLES, counted_states
from .chroot_columns import COLUMNS, HEAD, columns
from .chroot_rows import Rows
from .group_heads import Grouping
from .listing import Listing
from .table import Table

if TYPE_CHECKING:
    from textual.widgets import Input

    from ...core.looking.snapshot import Machine
    from ..trend_points import Trend
    from .chroot_columns import Head
    from .filter_line import FilterLine
    from .mark_bar import MarkBar

_ABOVE = 2
"""Lines above the rows: the title, and the head of the table."""


class ChrootTable(Vertical):
    """Chroots in, messages out; see `show`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="environments.filter",
                tooltip="Show only what matches"),
        Binding("plus", "mark_matching", "mark by name", id="environments.mark_matching",
                show=False, tooltip="Mark all that have a name like that"),
        Binding("number_sign", "group", "by tag", id="environments.group", show=False,
                tooltip="Below their tags, or machines, or in one list again"),
        Binding("escape", "clear", "clear", id="environments.clear", show=False,
                tooltip="Take away the filter, then the marks"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    ChrootTable {
        height: 1fr;
        & > #title { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; }
        & > FilterLine { display: none; }
        & > MarkBar { display: none; }
        &.-filtering > #title, &.-marking > #title { display: none; }
        &.-filtering > FilterLine { display: block; }
        &.-marking > MarkBar { display: block; }
    }
    """

    empty_hint: var[tuple[str, ...]] = var(("no chroot yet", "press n to make one"), init=False)
    """What to say where there is no chroot at all, a paragraph each: what is so, what to do."""

    class Highlighted(Telling):
        """The cursor is on another chroot, or that one has changed; None where there is none."""

        table: ChrootTable
        status: ChrootStatus | None

        def can_replace(self, message: Message) -> bool:
            """Only the last of many moves counts."""
            return isinstance(message, ChrootTable.Highlighted) and message.table is self.table

    class Activated(Telling):
        """Enter, or a double click, on a chroot."""

        table: ChrootTable
        status: ChrootStatus

    class FilterChanged(Telling):
        """It is filtered by another text than before."""

        table: ChrootTable
        text: str

    class Regrouped(Telling):
        """The user has chosen another `grouping` than before."""

        table: ChrootTable

    def __init__(
        self,
        *,
        columns: tuple[str, ...] = COLUMNS,
        grouping: Grouping | None = None,
        clock: Callable[[], float] = time.time,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """Make an empty table with these columns, in this order (`chosen`)."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._columns = columns
        self._clock = clock
        self._listing = Listing(grouping or Grouping())
        self._line: FilterLine | None = None
        self._bar: MarkBar | None = None
        self._marked_before: frozenset[str] = frozenset()
        self._has_begun = False
        self._at_first: str | None = None
        """The head that the cursor was on as long as there was no chroot."""

    def compose(self) -> ComposeResult:
        """Put title and table together; the filter's line comes when it is first wanted."""
        yield Static(id="title")
        yield Rows(
            columns(COLUMNS, self._clock), wanted=self._columns, sort="name",
            markable=True, ages=True, clock=self._clock,
        )  # fmt: skip

    @property
    def rows(self) -> Rows:
        """The table itself."""
        return self.query_one(Rows)

    # -- values in -------------------------------------------------------------------------------

    def show(
        self,
        chroots: tuple[ChrootStatus, ...],
        jobs: tuple[JobStatus, ...] = (),
        sizes: Mapping[str, int] | None = None,
        trends: Mapping[str, Trend] | None = None,
        machines: tuple[Machine, ...] = (),
    ) -> None:
        """Show these chroots, what is being done to them, and by path bytes on disk and trends.

        Where they are of many *machines*, or have tags, they stand below these, and can be folded.
        Cursor, scroll and marks stay. Where everything is as it was, nothing is done.
        """
        if self._listing.take(chroots, jobs, sizes or {}, trends or {}, machines):
            self._show()

    def _show(self) -> None:
        shown = self._listing.shown()
        self.rows.group_by(shown.group)
        self.rows.show_rows(shown.rows)
        if self._listing.has_another_shape(shown):
            self.rows.set_filter(shown.accepts, shown.words)
        self._begin()
        self._tell()

    def _begin(self) -> None:
        """Have the cursor begin at the first chroot, not at the head above it."""
        rows = self.rows
        if self._has_begun:
            return
        if not rows.shown:
            self._at_first = self._at_first or rows.cursor_key
            return
        self._has_begun = True
        if rows.cursor_key in (self._at_first, rows.keys[0]):
            rows.move_to(rows.shown[0])

    def set_filter(self, text: str) -> None:
        """Show only chroots that have each word of *text* in name, system or state."""
        if text == self._listing.filter:
            return
        self._listing.filter = text
        self._show()
        self.post_message(self.FilterChanged(self, text))

    def set_columns(self, names: tuple[str, ...]) -> None:
        """Show these columns, in this order."""
        self.rows.choose_columns(names)

    # -- what there is ---------------------------------------------------------------------------

    @property
    def lines(self) -> int:
        """The lines that it takes to see every chroot, whatever is filtered; 0: there is none."""
        count = self._listing.count
        return count + _ABOVE if count else 0

    @property
    def filter_text(self) -> str:
        """What it is filtered by."""
        return self._listing.filter

    @property
    def highlighted(self) -> ChrootStatus | None:
        """The chroot under the cursor."""
        row = self.rows.cursor_row
        return row.status if row is not None and row.head is None else None

    @property
    def head(self) -> Head | None:
        """The head of a machine or a tag under the cursor."""
        row = self.rows.cursor_row
        return row.head if row is not None else None

    @property
    def machine(self) -> str:
        """The machine that the cursor is on, or that of its chroot; "" is this one."""
        row = self.rows.cursor_row
        return row.status.host if row is not None else ""

    def fold(self, head: str, *, folded: bool | None = None) -> None:
        """Fold what stands below a head, or show it; None: the other of both."""
        self._listing.fold(head, folded=folded)
        self._regroup()

    @property
    def grouping(self) -> Grouping:
        """What chroots stand below, and what of it is folded, as far as that was chosen."""
        return self._listing.grouping

    def _regroup(self) -> None:
        self._show()
        self.post_message(self.Regrouped(self))

    @property
    def marked(self) -> tuple[str, ...]:
        """The paths of the marked chroots, in the order in which they were given."""
        marked = self.rows.marked
        if not marked:  # mostly so, and every action asks
            return ()
        return tuple(path for path in self._listing.known if path in marked)

    @property
    def hidden_marks(self) -> str:
        """What to say behind how many are marked of those not seen: `, 1 hidden`; or ""."""
        marked = self.rows.marked
        count = len(marked.difference(self.rows.keys)) if marked else 0
        if not count:
            return ""
        return ", hidden" if count == len(marked) else f", {count} hidden"

    def move_to(self, path: str) -> bool:
        """Put the cursor on a chroot; say whether it is shown."""
        if self._listing.unfold_for(path):
            self._regroup()
        return self.rows.move_to(path)

    def mark(self, path: str) -> None:
        """Mark a chroot that is shown."""
        if path in self._listing.known and path not in self.rows.marked:
            self.rows.toggle_mark(path)

    def clear_marks(self) -> None:
        """Mark none."""
        self.rows.clear_marks()

    def focus(self, scroll_visible: bool = True) -> ChrootTable:
        """Give the focus to the table."""
        self.rows.focus(scroll_visible)
        return self

    # -- filter ----------------------------------------------------------------------------------

    def start_filter(self) -> None:
        """Open the line in which the filter is typed."""
        if self._line is None:
            from .filter_line import FilterLine  # Input takes its time to load

            self._line = FilterLine("name, system or state")
            self.mount(self._line, after="#title")
        line = self._line
        line.value = self._listing.filter
        self.add_class("-filtering")
        line.focus()

    def action_filter(self) -> None:
        """Open the line in which the filter is typed."""
        self.start_filter()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Filter, or mark, by what is typed."""
        message.stop()
        if self.has_class("-filtering"):
            self.set_filter(message.value)
        elif self.has_class("-marking"):
            self._mark_matching(message.value)

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        """Put the title back in its place."""
        message.stop()
        if message.clear and self.has_class("-filtering"):
            self.set_filter("")
        elif message.clear and self.has_class("-marking"):
            self.rows.set_marks(self._marked_before)
        self.remove_class("-filtering", "-marking")
        if message.refocus:
            self.rows.focus()

    async def start_marking(self) -> None:
        """Open the line in which a pattern is typed: what has such a name is marked, too."""
        if self._bar is None:
            from .mark_bar import MarkBar

            self._bar = MarkBar()
            await self.mount(self._bar, after="#title")  # keys wait for it
        self._marked_before = self.rows.marked
        self.add_class("-marking")
        self._bar.line.value = ""
        self._bar.line.focus()

    async def action_mark_matching(self) -> None:
        """Open the line in which a pattern is typed."""
        await self.start_marking()

    def _mark_matching(self, text: str) -> None:
        meant, known = name_matcher(text), self._listing.known
        shown = self.rows.shown
        found = frozenset(path for path in shown if meant(known[path].status.name))
        self.rows.set_marks(self._marked_before | found)
        if self._bar is not None:
            self._bar.tell(len(found), len(shown))

    def action_group(self) -> None:
        """Have the chroots stand below something else, or in one list."""
        if self._listing.group_otherwise():
            self._regroup()
        else:
            why = "none has a tag: tags, in the menu of one, gives it one"
            self.notify(why, severity="warning", timeout=4, markup=False)

    def action_clear(self) -> None:
        """Take away the filter, or else the marks."""
        if self._listing.filter:
            self.set_filter("")
        else:
            self.clear_marks()

    def why_not(self, action: str) -> str:
        """Say that there is nothing to filter."""
        needs = action in ("filter", "mark_matching")
        return "there is no chroot here" if needs and not self._listing.known else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave escape to others while there is nothing to clear; offer no filter within one."""
        if action == "clear":
            return bool(self._listing.filter or self.rows.marked)
        if action in ("filter", "mark_matching"):
            return not self.has_class("-filtering") and not self.has_class("-marking")
        return True

    # -- what the table says ---------------------------------------------------------------------

    @on(Table.Highlighted)
    def _moved(self, message: Table.Highlighted) -> None:
        message.stop()
        self.post_message(self.Highlighted(self, self.highlighted))

    @on(Table.Activated)
    def _chosen(self, message: Table.Activated) -> None:
        message.stop()
        row = self._listing.known.get(message.key)
        if message.key.startswith(HEAD):
            self.fold(message.key.removeprefix(HEAD))
        elif row is not None:
            self.post_message(self.Activated(self, row.status))

    @on(Table.Marked)
    def _marks(self, message: Table.Marked) -> None:
        message.stop()
        self._tell()
        self.refresh_bindings()

    def watch_empty_hint(self) -> None:
        """Show the new hint."""
        self._tell()

    def _tell(self) -> None:
        """Bring title and hint up to date."""
        title = self._title()
        if title != self.query_one("#title", Static).content:
            self.query_one("#title", Static).update(title, layout=False)
        if self._listing.known:
            self.rows.hint = (f"nothing matches {self._listing.filter}", "Esc shows all again")
        else:
            self.rows.hint = self.empty_hint

    def _title(self) -> Content:
        every, shown, marked = len(self._listing.known), len(self.rows.keys), len(self.rows.marked)
        parts = [Content(f"Chroots {shown} of {every}" if self._listing.filter else
                         f"Chroots {every}")]  # fmt: skip
        if self._listing.filter:
            parts.append(Content.assemble("/", foreign(self._listing.filter, "$text-primary")))
        if marked:
            said = f"✓ {marked} marked{self.hidden_marks}"
            parts.append(Content.styled(said, "$text-primary"))
        if not self._listing.filter:
            states = counted_states(row.status.state for row in self._listing.known.values())
            parts += [Content.styled(said, STYLES.get(tone, "")) for said, tone in states]
        return Content("  ").join(parts)
