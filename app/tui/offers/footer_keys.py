"""Which keys apply, and which of them the footer shows: it has one line, and where the focus is
comes first in it. What can't be done now is no key that applies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..reasons import BUSY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.binding import ActiveBinding
    from textual.widget import Widget

    from ..actions.action import Action
    from ..session import Session

_OF_CHROOTS = ("environments.", "command.")
"""How the ids of bindings begin that it can do without while jobs or panels have the focus."""
_OF_THE_LIST = ("environments.create", "environments.delete", "environments.filter")
"""Bindings that it can do without while the details have the focus."""


@runtime_checkable
class HasReasons(Protocol):
    """A pane that knows why something can't be done with what is under its cursor."""

    def why_not(self, action: str) -> str:
        """Return why the action of this name can't be done, "" where it can."""


def reason(session: Session, actions: Mapping[str, Action], active: ActiveBinding) -> str:
    """Return why what a key would do can't be done now, "" where it can."""
    binding, node = active.binding, active.node
    action = actions.get(binding.id or "")
    if action is not None:
        return action.why_not(session)
    if isinstance(node, HasReasons):
        return node.why_not(binding.action.partition("(")[0])
    return ""


def for_footer(
    session: Session,
    actions: Mapping[str, Action],
    found: dict[str, ActiveBinding],
    focused: Widget | None,
) -> dict[str, ActiveBinding]:
    """Return the keys that apply, those hidden that the footer can do without."""
    near = {one.id for one in focused.ancestors_with_self} if focused else set()
    for key, one in found.items():
        ident = one.binding.id or ""
        why = reason(session, actions, one) if one.enabled else ""
        if why and not why.startswith(BUSY):
            found[key] = one._replace(binding=replace(one.binding, show=False), enabled=False)
        elif ("dock" in near and ident.startswith(_OF_CHROOTS)) or (
            "details" in near and ident in _OF_THE_LIST
        ):
            found[key] = one._replace(binding=replace(one.binding, show=False))
    return found
