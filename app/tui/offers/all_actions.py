"""All that can be done: our actions and the user's own commands, done by their ids or by a menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....widgets.tables.table import Table
from ..reasons import BUSY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from textual.binding import Binding
    from textual.geometry import Offset
    from textual.screen import Screen

    from ...settings.commands import Command
    from ..actions.action import Action
    from ..session import Session


class AllActions:
    """What keys, palette and menu of *screen* do."""

    def __init__(self, screen: Screen[Any], session: Session) -> None:
        self._screen = screen
        self._session = session
        self.own: dict[str, Action] = {}
        """Commands of the user's own."""
        self.actions: Mapping[str, Action] = {}
        """All that can be done, those among it, by their ids; nothing before `use`."""
        self._bound_before: dict[str, list[Binding]] | None = None
        """What keys do without any of these."""
        self._impossible: frozenset[str] = frozenset()
        """The actions that could not be done when the keys were shown last."""
        self._offers_later = False

    def use(self, commands: Iterable[Command], bound: dict[str, list[Binding]]) -> None:
        """Have what can be done, with these commands of the user's own and no others.

        *bound* is what keys do. All of it is imported here, after the first paint.
        """
        from ..actions import ACTIONS
        from ..actions.own import actions_of

        if self._bound_before is None:
            self._bound_before = dict(bound)
        self.own = actions_of(commands)
        self.actions = {**ACTIONS, **self.own}
        bound.clear()
        own = _bound(self.own)
        for key, bindings in _bound(ACTIONS).items():
            bound[_beside(key, own)] = bindings
        bound.update(own)
        for key, bindings in self._bound_before.items():
            bound.setdefault(_beside(key, own), bindings)
        if self._session.panes.complete:
            self.offer_anew()
            self._screen.refresh_bindings()

    def offer_anew(self) -> None:
        """Show other keys where others apply now: once, however much has changed until then."""
        if self._session.panes.complete and not self._offers_later:
            self._offers_later = True
            self._screen.call_later(self._offer_anew)

    def _offer_anew(self) -> None:
        self._offers_later = False
        said = ((one.id, one.why_not(self._session)) for one in self.actions.values())
        impossible = frozenset(ident for ident, why in said if why and not why.startswith(BUSY))
        if impossible != self._impossible:
            self._impossible = impossible
            self._screen.refresh_bindings()

    async def perform(self, ident: str) -> None:
        """Do what `actions` has under this id, or say why it can't be done."""
        action = self.actions.get(ident)
        if action is None:  # the settings were read again while the palette was open
            self._session.user.tell("the settings have this command no more", "warning")
            return
        await action.attempt(self._session)

    def menu(self, at: Offset | None = None) -> None:
        """Offer what can be done with what is under the cursor; *at*: of the mouse."""
        self._session.user.begin(self._offer(at))

    async def _offer(self, at: Offset | None) -> None:
        from ....widgets.dialogs.menu import Menu
        from .offers import offers

        there = offers(self._session, self.actions, self._screen)
        about, row = self._about(), self._row()
        chosen = await self._session.user.ask(Menu(there.groups, at=at))
        if chosen is None:
            return
        if self._about() != about or (chosen in there.of_focus and self._row() != row):
            said = "what the menu was of is under the cursor no more: nothing was done"
            self._session.user.tell(said, "warning")
            return
        await there.doing[chosen]()

    def _about(self) -> tuple[object, ...]:
        """Return what all keys are for now: the chroot, the marked ones."""
        one = self._session.highlighted
        return one and one.path, self._session.panes.table.marked

    def _row(self) -> tuple[object, ...]:
        """Return what has the focus, and which row of it."""
        focused = self._screen.focused
        return focused, focused.cursor_key if isinstance(focused, Table) else None


def _bound(actions: Mapping[str, Action]) -> dict[str, list[Binding]]:
    return {one.key: [one.binding()] for one in actions.values() if one.key}


def _beside(key: str, own: Collection[str]) -> str:
    """Return what ours is bound under: *key*, or what no terminal sends where that is one of *own*.

    The settings have given ours another key then. Textual moves it there, if it is bound at all.
    """
    return f"instead-of-{key}" if key in own else key
