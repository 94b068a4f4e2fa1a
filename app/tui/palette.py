"""What the command palette offers besides Textual's own: every action, and every chroot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from ...core.value import Value
from ...widgets.text.fitting import fit, width_of, wrap
from ...widgets.text.foreign import foreign

if TYPE_CHECKING:
    from .screen.main_screen import MainScreen

_GAP = 2
_AROUND = 6
"""Cells of a row that are not its text: the padding, the scrollbar."""
_MOST_NAME = 28
_LEAST_ROOM = 20
_ABOUT = "$text-muted not bold"


class Entry(Value):
    """Something to choose."""

    name: Content
    does: str
    """In a few words."""
    do: Callable[[], object]
    key: str = ""
    """As it is shown; "": it has none."""
    also: str = ""
    """Other words that it is found by."""


class Rows:
    """Puts entries below each other: name, key and what it does in columns, a line each.

    What it does goes on below itself where there is no room for it.
    """

    def __init__(self, every: Sequence[Entry], width: int) -> None:
        self._names = min(max([width_of(one.name.plain) for one in every] or [0]), _MOST_NAME)
        self._keys = max([width_of(one.key) for one in every] or [0])
        self._room = max(width - self._names - self._keys - 2 * _GAP, _LEAST_ROOM)

    def row(self, one: Entry) -> Content:
        """Return what is shown of *one*."""
        blank = " " * max(self._names - width_of(one.name.plain), 0)
        first, *more = wrap(one.does, self._room) or [""]
        row = Content.assemble(
            one.name, blank, " " * _GAP, (fit(one.key, self._keys), "$text-accent"), " " * _GAP,
            (first, _ABOUT),
        )  # fmt: skip
        indent = " " * (self._names + self._keys + 2 * _GAP)
        return Content("\n").join(
            [row, *(Content.assemble((indent + said, _ABOUT)) for said in more)]
        )


class Actions(Provider):
    """Searches the actions of the main screen, the chroots it shows, and then Textual's own."""

    async def startup(self) -> None:
        """Make the list once, when the palette opens."""
        main = self._main()
        textual = sorted(self.app.get_system_commands(main), key=lambda one: one.title)
        self._entries = (
            *entries(main),
            *(Entry(Content(one.title), one.help, one.callback) for one in textual if one.discover),
        )
        self._rows = Rows(self._entries, self.app.size.width - _AROUND)

    def _main(self) -> MainScreen:
        from .screen.main_screen import MainScreen

        screen = self.screen
        assert isinstance(screen, MainScreen)
        return screen

    async def discover(self) -> Hits:
        """Offer everything before a letter is typed."""
        for one in self._entries:
            yield DiscoveryHit(self._rows.row(one), one.do, text=one.name.plain)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for one in self._entries:
            score = max(matcher.match(said) for said in (one.name.plain, *one.also.split()))
            if score > 0:
                yield Hit(score, self._rows.row(one), one.do, text=one.name.plain)


def entries(main: MainScreen) -> Iterable[Entry]:
    """Return all that the palette offers of ours, in order."""
    actions, marked = main.doing.actions, len(main.session.several_chosen)
    ours = (one.binding() for one in actions.values() if one.key and one.id not in main.doing.own)
    for binding in (*ours, *main.BINDINGS):
        assert isinstance(binding, Binding)
        do = partial(main.run_action, f"screen.{binding.action}")
        action = actions.get(binding.id or "")
        to_each = (
            f": {marked} marked{main.session.hidden}" if marked and action and action.many else ""
        )
        key = main.session.bound_key(binding.id or "", binding.key)
        yield Entry(Content(binding.description), binding.tooltip + to_each, do, key)
    for action in actions.values():
        if not action.key or action.id in main.doing.own:
            to_each = f": {marked} marked{main.session.hidden}" if marked and action.many else ""
            do = partial(main.doing.perform, action.id)
            key = main.session.bound_key(action.id, action.key)
            said = Content(action.said(main.session))
            yield Entry(said, action.tooltip + to_each, do, key, action.also)
    for one in main.chroots:
        shown = Content.assemble("go to ", foreign(one.name))
        yield Entry(shown, one.state, partial(main.go_to, one.path))
