"""The keys that apply, in one line that never loses the most important ones."""

from __future__ import annotations

from collections.abc import Collection

from textual.app import ComposeResult
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
        """Cells that all keys take."""
        self._room = 0
        self._composed: object = None

    async def recompose(self) -> None:
        """Make the keys anew only where others apply: each is a widget, and dear."""
        if not self.is_attached:
            return
        keys = [
            (binding.key, self.app.get_key_display(binding), binding, enabled, tooltip)
            for _, binding, enabled, tooltip in self.screen.active_bindings.values()
            if binding.show
        ]
        if (new := (self.size.width, keys)) != self._composed:
            self._composed = new
            await super().recompose()

    def compose(self) -> ComposeResult:
        """Yield the keys that fit."""
        keys = list(super().compose())
        taken = self._full = sum(map(_cells, keys))
        self._room = self.size.width
        left_out: set[Widget] = set()
        for key in reversed(keys):
            if taken <= self._room or not self._room:
                break
            if isinstance(key, FooterKey) and key.action not in self._keep:
                left_out.add(key)
                taken -= _cells(key)
        yield from (key for key in keys if key not in left_out)

    def on_resize(self) -> None:
        """Choose anew where another width leaves room for others."""
        width = self.size.width
        if width != self._room and min(width, self._room) < self._full:
            self.call_after_refresh(self.recompose)


def _cells(key: Widget) -> int:
    if not isinstance(key, FooterKey):
        return 0
    return width_of(key.key_display) + width_of(key.description) + 2
