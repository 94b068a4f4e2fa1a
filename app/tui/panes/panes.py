"""The panes of the main screen: which there are, how they share it, which has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual.errors import NoWidget

from ....widgets.bars.status_line import StatusLine
from ....widgets.tables.chroot_table import ChrootTable
from ....widgets.tables.table import Table
from ...settings.all_settings import COLUMNS_OF, LEAST_DOCK, MOST_DOCK
from ...settings.file import Settings
from ..user.key_queue import KeyQueue

if TYPE_CHECKING:
    from textual.screen import Screen

    from ....widgets.panes.details import Details
    from ....widgets.panes.dock import Dock
    from ..user.ask_and_tell import User

BREAKPOINTS = ((150, "-wide"), (210, "-broad"))
"""The cells from which on panes may stand beside each other, and the class of the screen then."""
_SHORT = 3
"""The part of the screen up to which a list leaves more room below it than beside it."""
_LEAST_TABLE = 7
"""Lines in which the environments can say that nothing matches."""
_EMPTY_TABLE = 10
"""Lines in which they can say why there are none; what to do then stands in the details."""


class Panes:
    """The panes of *screen*, whose dock has *share* percent of it."""

    def __init__(self, screen: Screen[Any], user: User, share: int) -> None:
        self._screen = screen
        self._user = user
        self._share = share
        self._was_in_dock = False
        """Whether the focus was in the dock when it was anywhere last."""
        self._is_zoomed_for_room = False
        self._most_lines = 0
        """Lines that the environments have at most; 0: their share of the screen."""
        self.complete = False
        """Whether details and dock are there: they are built after the first paint."""

    @property
    def table(self) -> ChrootTable:
        """The environments."""
        return self._screen.query_one("#environments", ChrootTable)

    @property
    def status_line(self) -> StatusLine:
        """The line below: where, what runs, as whom."""
        return self._screen.query_one(StatusLine)

    @property
    def details(self) -> Details:
        """The pane of the highlighted chroot; imported and built after the first paint."""
        return cast("Details", self._screen.query_one("#details"))

    @property
    def dock(self) -> Dock:
        """Where jobs and panels are; imported and built after the first paint."""
        return cast("Dock", self._screen.query_one("#dock"))

    @property
    def row_in_focus(self) -> object:
        """The value of the row under the cursor of the table that has the focus; None for none."""
        focused = self._screen.focused
        return focused.cursor_row if isinstance(focused, Table) else None

    @property
    def table_with_columns(self) -> tuple[str, Table[Any]]:
        """Name (`COLUMNS_OF`) and table that has the focus; of those without choice the first."""
        if self.complete and self.details.has_focus_within:
            tab, table = self.details.tab, self.details.table
            if tab in COLUMNS_OF and table is not None:
                return tab, table
        return "environments", self.table.rows

    def use_columns(self, name: str, wanted: tuple[str, ...]) -> None:
        """Have these columns in the table *name* (`COLUMNS_OF`) from now on."""
        if name == "environments":
            self.table.set_columns(wanted)
        elif self.complete:
            self.details.choose_columns(name, wanted)

    def key_of(self, ident: str) -> str:
        """Return the key of a binding that holds now, as it is shown; "" where it has none."""
        from ....widgets.text.shown_keys import key_of

        return key_of(self._screen, ident)

    def wear_out(self, ident: str) -> None:
        """Have the keys of a binding, which has closed the last of its kind, do nothing for now."""
        keys = {key for key, active in self._screen.active_bindings.items()
                if active.binding.id == ident}  # fmt: skip
        app = self._screen.app
        if isinstance(app, KeyQueue):
            app.wear_out(keys)

    def toggle_dock(self) -> None:
        """Show the dock and go there; from there back, and hide it."""
        if self.dock.is_open and self.dock.has_focus_within:
            self.leave_dock(close=True)
        elif self.dock.panels or self.dock.is_open:
            self.dock.add_class("-open")
            self.dock.focus_shown()
        else:
            self.dock.open_jobs()
            self.dock.focus_shown()

    def leave_dock(self, *, close: bool = False) -> None:
        """Give the focus back to the environments; *close*: and hide the dock."""
        self._screen.remove_class("-zoomed")
        if close:
            self.dock.close()
        # At once: by `focus` it would be behind a panel that takes the focus meanwhile.
        self._screen.set_focus(self.table.rows)

    def toggle_zoom(self) -> None:
        """Give the dock the whole screen, or take it back."""
        self._is_zoomed_for_room = False
        self._screen.toggle_class("-zoomed")

    def focus_went(self) -> None:
        """Give the whole screen back when the focus goes to what the zoomed dock covers.

        Where it has gone to what there is no room for, nothing is laid out anew because of that.
        """
        self._was_in_dock = self.complete and self.dock.has_focus_within
        if self._screen.has_class("-zoomed") and not self._was_in_dock:
            self._screen.remove_class("-zoomed")
        else:
            self.take_focus_from_hidden()

    def open_jobs_unasked(self) -> None:
        """Show the jobs, unless what is typed goes to another tab of the dock, or soon does again.

        While another window has the focus, nothing here has it.
        """
        in_dock = self.dock.has_focus_within if self._screen.focused else self._was_in_dock
        if not in_dock:
            self.dock.open_jobs()

    def take_focus_from_hidden(self) -> None:
        """Take the focus back from a pane that is hidden, or too large for the screen by now."""
        if self._focus_is_lost():
            # Behind those who are giving it to another pane just now.
            self._screen.app.call_later(self._take_focus_back)

    def _take_focus_back(self) -> None:
        if not self._focus_is_lost():
            return
        if not self._types_in_dock:
            self.leave_dock()
        elif not self._screen.has_class("-zoomed"):
            # What is typed into a shell must not become keys of the list, whatever the size.
            self._screen.add_class("-zoomed")
            self._is_zoomed_for_room = True

    @property
    def _types_in_dock(self) -> bool:
        """Whether a tab that the dock shows has the focus."""
        return self.complete and self.dock.has_focus_within and not self.dock.hides_focus

    def _focus_is_lost(self) -> bool:
        focused = self._screen.focused
        if focused is None:
            return self._screen.app.app_focus
        if self.table.has_focus_within:
            return False
        if self.complete and self.dock.hides_focus:
            return True
        try:
            place = self._screen.find_widget(focused)
        except NoWidget:
            return False  # it has no place yet
        # Of a terminal the end is where one types.
        seen = place.visible_region
        return seen != place.region if self._types_in_dock else not seen

    def share_dock(self, share: int) -> None:
        """Give the dock *share* percent of the screen."""
        if share != self._share:
            self._share = share
            self._divide()

    def resize_dock(self, by: int) -> None:
        """Give the dock *by* percent more of the screen, or less, and keep that."""
        share = min(max(self._share + by, LEAST_DOCK), MOST_DOCK)
        if share == self._share:
            return
        self._share = share
        self._divide()
        self._user.keep({"dock": share})

    def stand(self) -> None:
        """Stand as the width asks for, before it is laid out: Textual's own would be after that."""
        width = self._screen.app.size.width
        name = next((name for least, name in reversed(BREAKPOINTS) if width >= least), "")
        self._screen.update_classes({each: each == name for _, each in BREAKPOINTS}, animate=False)

    def fit_table(self) -> None:
        """Give the environments no more lines than they need, where others stand below them.

        Of those that fill half of the screen nothing is taken: they scroll. On a wide one the
        details stand beside a long list; beside a short one both would be narrow and half empty.
        """
        lines, height = self.table.lines, self._screen.app.size.height
        is_wide = self._screen.has_class("-wide") or self._screen.has_class("-broad")
        beside = is_wide and lines > height // _SHORT
        self._screen.query_one("#body").set_class(beside, "-beside")
        lines = max(lines, _LEAST_TABLE) if lines else _EMPTY_TABLE
        most = 0 if beside or lines > height // 2 else lines
        if most != self._most_lines:
            self._most_lines = most
            self.table.styles.max_height = most or None

    def divide_anew(self) -> None:
        """Divide a screen of another size; the dock may stand elsewhere in it.

        At once: it is laid out, and painted, right after this.
        """
        if self._is_zoomed_for_room:  # there may be room for both again
            self._is_zoomed_for_room = False
            self._screen.remove_class("-zoomed")
        self.stand()
        self.fit_table()
        if self._share != Settings().dock:
            self._divide()

    def _divide(self) -> None:
        """Divide the screen between the dock and the rest as it was chosen.

        By styles, not by classes: rules for each share would have to be read before the first
        paint.
        """
        length = "width" if self._screen.has_class("-broad") else "height"
        for ident, share in (("#body", 100 - self._share), ("#dock", self._share)):
            styles = self._screen.query_one(ident).styles
            styles.clear_rule("width")
            styles.clear_rule("height")
            setattr(styles, length, f"{share}fr")
