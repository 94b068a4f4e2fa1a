"""What can be done where the focus is, and why the rest can't be: for footer, help and menu.

One source for all: the bindings that apply, the actions of `actions`, and the reasons that those,
and the panes for their own keys (`why_not`), give.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ....core.text import safe
from ....core.value import Value
from ....widgets.dialogs.menu import MenuEntry, MenuGroup
from ...settings.keymap import BINDINGS, EVERYWHERE, MOUNTS, MOVING, PROCESSES
from .footer_keys import reason

if TYPE_CHECKING:
    from textual.screen import Screen

    from ..actions.action import Action
    from ..session import Session

_PLACES = {binding.id: binding.place for binding in BINDINGS}
_ORDER = {
    binding.id: (binding.place == EVERYWHERE, number) for number, binding in enumerate(BINDINGS)
}
_ROWS = {MOUNTS: "mount", PROCESSES: "process"}
"""The kinds of rows that commands of the user's own can be for, by the place of their keys."""
_OF_A_ROW = ("row.copy",)
"""Bindings that hold everywhere and are done to a row where there are rows."""
_OF_LOOKS = (
    "environments.filter", "environments.clear", "environments.group",
    "environments.mark_matching", "panel.leave", "panel.page_up", "panel.page_down",
    "panel.grow", "panel.shrink", "panel.match_before", "panel.match_after",
    "overview.match_after", "overview.match_before", "processes.tree",
)  # fmt: skip
"""Bindings of a place that are done to what is seen, not to the thing."""
_MOST_NAMES = 3


@runtime_checkable
class HasSubject(Protocol):
    """A pane whose keys are for one thing at a time."""

    @property
    def subject(self) -> str:
        """What that is, foreign text; "" for nothing."""


class Offers(Value):
    """A menu: its groups, and the doing of each entry by its id."""

    groups: tuple[MenuGroup, ...]
    doing: dict[str, Callable[[], Coroutine[Any, Any, object]]]
    of_focus: frozenset[str] = frozenset()
    """The entries that are done to what has the focus, a row say; the others are not."""


def offers(session: Session, actions: Mapping[str, Action], screen: Screen[Any]) -> Offers:
    """Return the menu for what has the focus, and for the chroot that it is about."""
    doing: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {}
    keys = _keys(screen, actions)
    own = _of_the_focus(session, actions, screen, doing)
    groups = [own] if own.entries else []
    marked = session.chosen if session.panes.table.marked else ()
    if marked:
        names = ", ".join(one.name for one in marked[:_MOST_NAMES])
        more = " …" if len(marked) > _MOST_NAMES else ""
        title = f"{len(marked)} marked{session.hidden}: {names}{more}"
        many = _entries(session, actions, keys, doing, lambda action: action.many)
        groups.insert(0, MenuGroup(title, many))
    one = session.highlighted
    if one is not None:
        left = _entries(
            session, actions, keys, doing,
            lambda action: action.of_chroot and not (marked and action.many),
        )  # fmt: skip
        if groups and groups[-1].title == one.name:
            first = groups.pop()
            left = (*first.entries[:1], *left, *first.entries[1:])
        groups.append(MenuGroup(one.name, left))
    if one is None and not own.entries:
        begin = _entries(session, actions, keys, doing, lambda action: not action.of_chroot)
        groups.append(MenuGroup("no chroot here", begin))
    return Offers(tuple(groups), doing, frozenset(entry.id for entry in own.entries))


def _of_the_focus(
    session: Session,
    actions: Mapping[str, Action],
    screen: Screen[Any],
    doing: dict[str, Callable[[], Coroutine[Any, Any, object]]],
) -> MenuGroup:
    """Return what the pane with the focus has keys for."""
    focused = screen.focused
    near = list(focused.ancestors_with_self) if focused else []
    subjects = (node.subject for node in near if isinstance(node, HasSubject))
    subject = next(subjects, "")
    entries: dict[str, MenuEntry] = {}
    for key, active in screen.active_bindings.items() if subject else ():
        ident, binding = active.binding.id or "", active.binding
        apart = _PLACES.get(ident, MOVING) not in (MOVING, EVERYWHERE) or ident in _OF_A_ROW
        if not apart or ident in _OF_LOOKS or active.node not in near:
            continue
        before = entries.get(ident)
        entries[ident] = MenuEntry(
            ident, binding.description, active.tooltip or "",
            (*(before.keys if before else ()), key),
            before.shown if before else screen.app.get_key_display(binding),
            reason(session, actions, active),
        )  # fmt: skip
        doing[ident] = partial(active.node.app.run_action, binding.action, active.node)
    in_order = sorted(entries.values(), key=lambda entry: _ORDER[entry.id])
    kinds = {_ROWS[_PLACES[ident]] for ident in entries if _PLACES.get(ident) in _ROWS}
    theirs = _entries(
        session, actions, _keys(screen, actions), doing, lambda action: action.row in kinds
    )
    return MenuGroup(subject, (*in_order, *theirs))


def _entries(
    session: Session,
    actions: Mapping[str, Action],
    keys: dict[str, tuple[list[str], str]],
    doing: dict[str, Callable[[], Coroutine[Any, Any, object]]],
    wanted: Callable[[Action], bool],
) -> tuple[MenuEntry, ...]:
    """Return an entry for each of our actions that is *wanted*."""
    found = []
    for ident, action in actions.items():
        if wanted(action) and ident not in doing:
            names, shown = keys.get(ident, ([], ""))
            why = action.why_not(session)
            found.append(
                MenuEntry(
                    ident, action.said(session), action.tooltip, tuple(names), shown, safe(why)
                )
            )
            doing[ident] = partial(action.attempt, session)
    return tuple(found)


def _keys(screen: Screen[Any], actions: Mapping[str, Action]) -> dict[str, tuple[list[str], str]]:
    """Return the names of the keys that do each of our actions here, and how one is shown."""
    found: dict[str, tuple[list[str], str]] = {}
    for key, active in screen.active_bindings.items():
        ident = active.binding.id or ""
        if ident in actions:
            shown = screen.app.get_key_display(active.binding)
            found.setdefault(ident, ([], shown))[0].append(key)
    return found
