"""Which keys the footer shows: it has one line, and where the focus is comes first in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.binding import ActiveBinding
    from textual.widget import Widget

_OF_THE_LIST = ("environments.create", "environments.delete", "environments.filter")
"""Bindings that it can do without while the details have the focus."""


def for_footer(found: dict[str, ActiveBinding], focused: Widget | None) -> dict[str, ActiveBinding]:
    """Return the keys that apply, those hidden that the footer can do without."""
    near = {one.id for one in focused.ancestors_with_self} if focused else set()
    if "dock" in near:
        hidden = [key for key in found if _ident(found[key]).startswith("environments.")]
    elif "details" in near:
        hidden = [key for key in found if _ident(found[key]) in _OF_THE_LIST]
    else:
        hidden = []
    for key in hidden:
        one = found[key]
        found[key] = one._replace(binding=replace(one.binding, show=False))
    return found


def _ident(active: ActiveBinding) -> str:
    return active.binding.id or ""
