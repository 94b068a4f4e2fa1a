"""The keys that apply, in one line that never loses the most important ones."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from ..text.fitting import width_of


class KeyFooter(Footer):
    """Textual's footer; what does not fit is left out from the right, but for what is kept."""

    def __init__(self, keep: Collection[str]) -> None:
        """*keep* are the actions whose keys stay in sight however narrow it is."""
        super().__init__(compact=True, show_command_palette=False)
        self._keep = frozenset(keep)
        self._full = 0
        """Cells that all keys take, each with a blank behind it."""
        self._room = 0
        self._composed: object = None

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """Make the keys anew. While another window has the focus they stay, if there are any."""
        self._bindings_ready = True
        if self.is_attached and (self.app.app_focus or self._composed is None):
            self._recompose_soon()

    def _recompose_soon(self) -> None:
        """Behind the paint; not behind that of a dialog, which may close before it comes to it."""
        later = self.call_after_refresh if self.screen.is_current else self.call_later
        later(self.recompose)

    async def recompose(self) -> None:
        """Make the keys anew only where others apply: each is a widget, and dear."""
        if self.is_attached and self._now() != self._composed:
            await super().recompose()

    def _now(self) -> object:
        return self.size.width, [
            (binding.key, self.app.get_key_display(binding), binding, enabled, tooltip)
            for _, binding, enabled, tooltip in self.screen.active_bindings.values()
            if binding.show
        ]

    def compose(self) -> ComposeResult:
        """Yield the keys that fit."""
        if not self._bindings_ready:
            return
        self._composed = self._now()
        keys = list(super().compose())
        taken = self._full = sum(map(_cells, keys))
        self._room = self.size.width
        left_out: set[Widget] = set()
        for key in reversed(keys):
            if taken - 1 <= self._room or not self._room:
                break
            if isinstance(key, FooterKey) and key.action not in self._keep:
                left_out.add(key)
                taken -= _cells(key)
        yield from (key for key in keys if key not in left_out)

    def on_resize(self) -> None:
        """Choose anew where another width leaves room for others."""
        width = self.size.width
        if width != self._room and min(width, self._room) < self._full:
            self._recompose_soon()


def _cells(key: Widget) -> int:
    if not isinstance(key, FooterKey):
        return 0
    return width_of(key.key_display) + width_of(key.description) + 2
