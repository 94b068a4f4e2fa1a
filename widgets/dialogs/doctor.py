"""What the doctor finds: comes in while it is found, the worst first, each with its mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import getters, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Button, Static

from ...core.diagnosis.finding import NOTE, OK, PROBLEM, SEVERITIES, WARNING, Finding
from ...core.value import Value
from ..light_message import Telling
from ..tables.columns import Column
from ..tables.table import Table
from ..text.foreign import foreign
from ..text.states import MUTED, PLAIN, severity
from ..text.wrapped_text import Paragraph, WrappedText
from .dialog import button
from .filtered import FilteredDialog

_STYLES = {PROBLEM: "$text-error", WARNING: "$text-warning"}
_HOST = "host"


class _Row(Value):
    """A finding, and what it is about."""

    about: tuple[str, ...]
    """The names of chroots, "" for the host."""
    finding: Finding
    number: int
    """Its place in the order in which they came."""

    @property
    def names(self) -> str:
        """Those of chroots, or `host`."""
        return ", ".join(filter(None, self.about)) or _HOST


def _columns(several: frozenset[str]) -> tuple[Column[_Row], ...]:
    return (
        Column("severity", "Severity", lambda one, _: severity(one.finding.severity),
               lambda one: SEVERITIES.index(one.finding.severity), 9, rank=0),
        Column("check", "Check", lambda one, _: (one.finding.check, PLAIN),
               lambda one: one.finding.check, 8, most=13, rank=1),
        Column("about", "Of", lambda one, _: (_whose(one, several), PLAIN if several else MUTED),
               lambda one: one.names, 10 if several else 4, most=20 if several else 10,
               rank=1 if several else 3),
        Column("found", "Found",
               lambda one, _: (one.finding.found, MUTED if one.finding.severity == OK else PLAIN),
               lambda one: one.finding.found, 20, rank=2, fills=True),
    )  # fmt: skip


class FindingTable(Table[_Row]):
    """The findings, the worst first."""

    BINDING_GROUP_TITLE = "Doctor"
    HELP = "Enter shows what a finding means and what mends it; `m` mends what is safe."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.tell", "meaning", id="doctor.tell",
                tooltip="Show what it means and what mends it, or hide that"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    FindingTable { height: auto; background: transparent; }
    """


class DoctorDialog(FilteredDialog[bool]):
    """Shows what is found of this host, and of *whose*, a chroot or several, where that is not "".

    With *several*, what chroots are called in `Came`, each finding says of which it is; what holds
    for more of them is said once. *host* is what the machine is called, or the machines are.
    *begin* is called with a function that posts, from any thread, the messages `Came` and `Ended`.
    With *at*, the name of a check, what that one found is gone to and told whole. Answers True to
    mend what is safe.
    """

    HELP = FindingTable.HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mend", "mend", id="doctor.mend",
                tooltip="Mend what is safe, after showing what would be done"),
        Binding("y", "copy", "copy", id="dialog.copy", tooltip="Copy all findings"),
    ]  # fmt: skip
    AUTO_FOCUS = "FindingTable"
    AROUND = 4
    DEFAULT_CSS = """
    DoctorDialog {
        & > .dialog--frame { width: 94%; max-width: 120; padding: 0 1; }
        & WrappedText { display: none; height: 5; margin-top: 1; }
        &.-told WrappedText { display: block; }
        & #summary { padding: 0 1; }
    }
    """

    class Came(Telling):
        """This was found; *about* is the name of a chroot or of another host, "" for this host."""

        about: str
        finding: Finding

    class Ended(Message):
        """No more will come."""

    table = getters.query_one(FindingTable)
    looking: reactive[bool] = reactive(True, init=False)
    """Whether more may come."""

    def __init__(
        self,
        whose: str,
        begin: Callable[[Callable[[Message], object]], object],
        *,
        at: str = "",
        several: frozenset[str] = frozenset(),
        host: str = "this host",
    ) -> None:
        said = (foreign(whose), " and ") if whose else ()
        super().__init__(Content.assemble("doctor: ", *said, foreign(host)))
        self._begin = begin
        self._several = several
        self._at = at
        self._rows: list[_Row] = []
        self._put = ""
        """The row that the cursor was put on; where it is elsewhere, somebody moved it."""

    def content(self) -> Iterable[Widget]:
        """Return the table, and what the highlighted finding means."""
        yield Static(id="summary", classes="dialog--quiet")
        yield FindingTable(_columns(self._several))
        yield WrappedText(most=2)

    def buttons(self) -> Iterable[Button]:
        """Return what leaves and what mends."""
        yield button("Close", "cancel")
        yield button("Mend", "mend", disabled=True)

    def cancelled(self) -> bool:
        """Return that nothing is to be mended."""
        return False

    def on_mount(self) -> None:
        """Begin to look."""
        self.set_class(bool(self._at), "-told")
        self._summarize()
        self._begin(self.post_message)

    @on(Resize)
    def _fit_table(self, event: Resize) -> None:
        # In lines: with 50vh the frame would be as high as if the table had all of its rows.
        self.table.styles.max_height = max(event.size.height // 2, 3)

    # -- what comes ------------------------------------------------------------------------------

    @on(Came)
    def _came(self, message: Came) -> None:
        message.stop()
        # What holds for more than one is said once.
        same = next((row for row in self._rows if row.finding == message.finding), None)
        if same is None:
            self._rows.append(_Row((message.about,), message.finding, len(self._rows)))
        else:
            about = tuple(dict.fromkeys((*same.about, message.about)))
            self._rows[self._rows.index(same)] = same.replace(about=about)
        self._rows.sort(key=_weight)
        is_still = self.table.cursor_key in (None, self._put)
        self.table.show_rows({str(row.number): row for row in self._rows})
        if is_still:
            wanted = next((row for row in self._rows if self._is_wanted(row)), self._rows[0])
            self._put = str(wanted.number)
            self.table.move_to(self._put)
        self._summarize()

    def _is_wanted(self, row: _Row) -> bool:
        return row.finding.check == self._at and row.finding.severity != OK

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        message.stop()
        self.looking = False
        self._summarize()

    def _summarize(self) -> None:
        counts = dict.fromkeys(SEVERITIES, 0)
        for row in self._rows:
            counts[row.finding.severity] += 1
        told = [f"{counts[word]} {word}{'s' * (counts[word] != 1)}"
                for word in (PROBLEM, WARNING, NOTE) if counts[word]]  # fmt: skip
        said = ", ".join([*told, f"{counts[OK]} ok"])
        if self.looking:
            said = f"looking … {said}"
        elif not counts[PROBLEM] and not counts[WARNING]:
            said = f"nothing is in the way: {said}"
        self.query_one("#summary", Static).update(Content(said))
        self.query_one("#mend", Button).disabled = not self._mends
        self.refresh_bindings()

    @property
    def _mends(self) -> bool:
        return any(row.finding.mends for row in self._rows)

    # -- what is asked ---------------------------------------------------------------------------

    @on(Table.Highlighted)
    def _highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        row = self.table.cursor_row
        about = f"{_whose(row, self._several)}: " if row and self._several else ""
        self.query_one(WrappedText).paragraphs = (
            _told(row.finding, about, self.key_of("doctor.mend")) if row else ()
        )

    @on(Table.Activated)
    def _activated(self, event: Table.Activated) -> None:
        event.stop()
        self.action_tell()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.answer(event.button.id == "mend")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to mend where something can be."""
        if action == "mend":
            return self._mends or None
        return super().check_action(action, parameters)

    def action_tell(self) -> None:
        """Show what the finding under the cursor means, or hide it again."""
        self.toggle_class("-told")

    def action_mend(self) -> None:
        """Answer that what is safe is to be mended."""
        if self._mends:
            self.answer(True)

    def action_copy(self) -> None:
        """Copy all findings, one a line."""
        self.copy(
            f"{one.severity}\t{one.check}\t{row.names}\t{one.found}\t{one.meaning}\t{one.mend}"
            for row in self._rows
            for one in (row.finding,)
        )


def _weight(row: _Row) -> tuple[int, bool, str, str, int]:
    """Return by what rows stand in order: severity, chroots before the host, the check."""
    one = row.finding
    return SEVERITIES.index(one.severity), not any(row.about), one.check, row.names, row.number


def _whose(row: _Row, several: frozenset[str]) -> str:
    """Return what a finding is about, where *several* chroots are looked at or one."""
    if several and several <= set(row.about):
        return f"all {len(several)}"
    return row.names


def _told(one: Finding, about: str, key: str) -> tuple[Paragraph, ...]:
    """Return all of a finding, what it is about before it; *key* mends it, where that is safe."""
    told: list[Paragraph] = [(f"{about}{one.found}", _STYLES.get(one.severity, ""))]
    if one.meaning:
        told.append((one.meaning, "$text-muted"))
    if one.mend:
        how = f"{key} mends it, or " if one.mends else ""
        told.append((f"→ {how}{one.mend}", ""))
    return tuple(told)
