"""Keys in what is said: as they are bound now, and as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.screen import Screen


def key_of(screen: Screen[Any], ident: str) -> str:
    """Return the key of a binding that holds on *screen* now, as it is shown; "" for none."""
    for active in screen.active_bindings.values():
        if active.binding.id == ident:
            return screen.app.get_key_display(active.binding)
    return ""
