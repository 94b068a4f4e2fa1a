"""What the command palette offers besides Textual's own: every action, and every chroot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits
from textual.content import Content
from textual.system_commands import SystemCommandsProvider

from ...core.value import Value
from ...widgets.text.foreign import foreign

if TYPE_CHECKING:
    from .screen.main_screen import MainScreen


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

    @property
    def shown(self) -> Content:
        """Its name, and its key behind it."""
        return (
            Content.assemble(self.name, ("  " + self.key, "$text-muted")) if self.key else self.name
        )


class Actions(SystemCommandsProvider):
    """Searches the actions of the main screen, the chroots it shows, and then Textual's own."""

    async def startup(self) -> None:
        """Make the list once, when the palette opens."""
        self._entries = tuple(entries(self._main()))

    def _main(self) -> MainScreen:
        from .screen.main_screen import MainScreen

        screen = self.screen
        assert isinstance(screen, MainScreen)
        return screen

    async def discover(self) -> Hits:
        """Offer everything before a letter is typed."""
        for one in self._entries:
            yield DiscoveryHit(one.shown, one.do, help=one.does)
        async for hit in super().discover():
            yield hit

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for one in self._entries:
            score = max(matcher.match(said) for said in (one.name.plain, *one.also.split()))
            if score > 0:
                yield Hit(score, one.shown, one.do, text=one.name.plain, help=one.does)
        async for hit in super().search(query):
            yield hit


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
