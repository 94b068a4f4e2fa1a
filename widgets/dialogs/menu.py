"""A menu: what can be done with a thing, each with its key; what can't be, dimmed, and why.

A key that stands in it does what it stands at, as it would without the menu.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset, Size
from textual.widget import Widget
from textual.widgets import Button, OptionList
from textual.widgets.option_list import Option

from ...core.value import Value
from ..text.fitting import fit, shorten, width_of
from ..text.foreign import foreign
from .dialog import Body, Dialog

_GAP = "  "
_AROUND = 6
"""Cells of a row that are not its text: the border, the frame's padding, the list's."""
_EDGES = 2
"""Rows of the frame."""
_WIDEST = 76


class MenuEntry(Value):
    """Something that can be done."""

    id: str
    """What the menu answers."""
    label: str
    about: str = ""
    keys: tuple[str, ...] = ()
    """Textual's names of the keys that do it."""
    shown: str = ""
    """The first of them, as it is shown."""
    reason: str = ""
    """Why it can't be done now."""


class MenuGroup(Value):
    """Entries that concern one thing; title and entries may hold foreign text."""

    title: str
    entries: tuple[MenuEntry, ...]


class MenuList(OptionList):
    """The entries, from top to bottom."""

    BINDING_GROUP_TITLE = "Menu"
    HELP = "Enter does what is marked; the key that stands before it does so, too."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "do it", id="menu.choose", tooltip="Do what is marked"),
        Binding("j", "cursor_down", "down", id="menu.down", show=False, tooltip="An entry down"),
        Binding("k", "cursor_up", "up", id="menu.up", show=False, tooltip="An entry up"),
    ]
    DEFAULT_CSS = """
    MenuList {
        height: auto;
        background: transparent;
        scrollbar-size-vertical: 1;
        &:focus { background-tint: transparent; }
        & > .option-list--option-disabled { color: $text-muted; text-style: none; }
    }
    """


class Menu(Dialog[str | None]):
    """Shows *groups*; answers the id of an entry, None where it was left.

    The first group's title is the menu's. *at* is where the mouse was, if it was the mouse.
    """

    AUTO_FOCUS = "MenuList"
    AROUND = _EDGES
    DEFAULT_CSS = """
    Menu {
        & > .dialog--frame { padding: 0 1; width: auto; }
        & > .dialog--frame > .dialog--buttons { display: none; }
        &.-at { align: left top; }
    }
    """

    def __init__(self, groups: Sequence[MenuGroup], *, at: Offset | None = None) -> None:
        super().__init__(foreign(shorten(groups[0].title, _WIDEST - _AROUND)))
        self.groups = tuple(groups)
        """As it was made with them."""
        self._at = at
        self._rows: list[Option] = []
        self._marked: int | None = None
        self._placed: Size | None = None
        """The size of the screen that it has its place in."""
        self._entries = {entry.id: entry for group in groups for entry in group.entries}
        self.set_class(at is not None, "-at")

    def content(self) -> Iterable[Widget]:
        """Return the list."""
        yield MenuList(*self._options(_WIDEST - _AROUND), compact=True, markup=False)

    def buttons(self) -> Iterable[Button]:
        """Return none: there is nothing to go on with but an entry."""
        return ()

    def cancelled(self) -> None:
        """Return that nothing is to be done."""

    def on_mount(self) -> None:
        """Mark the first entry that can be done.

        It has its place before it is laid out: else it would be painted twice.
        """
        self._place(self.app.size)
        entries = self.query_one(MenuList)
        entries.highlighted = next(
            (i for i, option in enumerate(entries.options) if not option.disabled), None
        )

    def on_resize(self, event: events.Resize) -> None:
        """Stay in a screen of another size."""
        if event.size != self._placed:
            self._place(event.size)

    def _place(self, size: Size) -> None:
        """Be as wide as the rows and no wider than the screen, and stay in it."""
        self._placed = size
        entries = self.query_one(MenuList)
        widest = max(width_of(option.prompt.plain) for option in self._options(_WIDEST))  # type: ignore[union-attr]
        title = width_of(self.groups[0].title) + 2
        width = min(max(widest, title, 24) + _AROUND, size.width)
        height = min(len(entries.options) + _EDGES, size.height)
        self._rows = self._options(width - _AROUND)
        for index, option in enumerate(self._rows):
            entries.replace_option_prompt_at_index(index, option.prompt)
        self._mark(entries.highlighted)
        frame = self.query_one(".dialog--frame")
        frame.styles.width = width
        entries.styles.max_height = self.query_one(Body).styles.max_height = height - _EDGES
        if self._at is not None:
            frame.styles.offset = (
                max(min(self._at.x, size.width - width), 0),
                max(min(self._at.y, size.height - height), 0),
            )

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._mark(event.option_index)

    def _mark(self, index: int | None) -> None:
        """Show the marked row in the colours of the cursor alone: no other is read on them."""
        entries = self.query_one(MenuList)
        before, self._marked = self._marked, index
        if before is not None and before < len(self._rows):
            entries.replace_option_prompt_at_index(before, self._rows[before].prompt)
        if index is not None and index < len(self._rows):
            row = self._rows[index].prompt
            assert isinstance(row, Content)
            entries.replace_option_prompt_at_index(index, Content(row.plain))

    def _options(self, width: int) -> list[Option]:
        """Return a row for each entry, cut to *width* cells, and a heading for each other group."""
        keys = max([width_of(one.shown) for one in self._entries.values()] or [0])
        labels = max([width_of(one.label) for one in self._entries.values()] or [0])
        labels = min(labels, 28)
        options: list[Option] = []
        for number, group in enumerate(self.groups):
            if number:
                title = shorten(group.title, width)
                options.append(Option(foreign(title, "$text-primary bold"), disabled=True))
            for entry in group.entries:
                said = f"– {entry.reason}" if entry.reason else entry.about
                room = width - keys - labels - 2 * len(_GAP)
                row = (
                    (fit(entry.shown, keys), "" if entry.reason else "$text-accent bold"),
                    _GAP, fit(entry.label, labels), _GAP,
                    (fit(said, max(room, 0)).rstrip(), "" if entry.reason else "$text-muted"),
                )  # fmt: skip
                options.append(
                    Option(Content.assemble(*row), id=entry.id, disabled=bool(entry.reason))
                )
        return options

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.answer(event.option.id)

    def on_key(self, event: events.Key) -> None:
        """Do what the key does; say why not where it can't be done."""
        entry = next((one for one in self._entries.values() if event.key in one.keys), None)
        if entry is None or event.key == "enter":
            return
        event.stop()
        event.prevent_default()
        if entry.reason:
            self.notify(entry.reason, severity="warning", markup=False, timeout=3)
        else:
            self.answer(entry.id)

    def on_click(self, event: events.Click) -> None:
        """Close it where something else is clicked."""
        if event.widget is self:
            self.answer(None)
