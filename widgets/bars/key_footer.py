"""The keys that apply, in one line that never loses the most important ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from textual.content import Content
from textual.events import Leave, MouseDown, MouseEvent, MouseMove
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from ...core.value import Value
from ..text.fitting import width_of


class FooterKey(Value):
    """A key, what it does in a word, and what stands in the line for both."""

    key: str
    """As Textual calls it: `ctrl+p`."""
    action: str
    shown: str
    """As people call it: `^p`."""
    word: str
    enabled: bool
    tooltip: str

    @property
    def cells(self) -> int:
        """How wide it is, with the blank behind it."""
        return width_of(self.shown) + width_of(self.word) + 2


class KeyFooter(Widget):
    """What does not fit is left out from the right, but for what is kept.

    Textual's own footer makes a widget of each key, anew whenever others apply, each with styles,
    layout and paint of its own. Here the line is one widget.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyFooter {
        height: 1;
        color: $footer-description-foreground;
        background: $footer-background;
        text-wrap: nowrap;
        &:hover { pointer: pointer; }
    }
    """

    keys: reactive[tuple[FooterKey, ...]] = reactive(())
    """Those that apply, whether or not there is room for all."""
    _hovered: reactive[FooterKey | None] = reactive(None)

    def __init__(self, keep: Collection[str]) -> None:
        """*keep* are the actions whose keys stay in sight however narrow it is."""
        super().__init__()
        self._keep = frozenset(keep)
        self._looked = False

    def on_mount(self) -> None:
        """Show what applies from now on."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[Any]) -> None:
        """Look which keys apply. While another window has the focus they stay, if there are any."""
        if self.is_attached and (self.app.app_focus or not self._looked):
            # Behind the paint; not behind that of a dialog, which may close before it comes to it.
            later = self.call_after_refresh if screen.is_current else self.call_later
            later(self._look)

    def _look(self) -> None:
        if self.is_attached:
            self._looked = True
            self.keys = tuple(_keys(self))

    @property
    def in_sight(self) -> tuple[FooterKey, ...]:
        """The keys that there is room for."""
        left = list(self.keys)
        room = self.content_size.width + 1
        for one in reversed(self.keys):
            if sum(key.cells for key in left) <= room:
                break
            if one.action not in self._keep:
                left.remove(one)
        return tuple(left)

    @property
    def gap(self) -> int:
        """The blanks between keys: two where all have room so, for colour is not all that parts."""
        wide = sum(key.cells + 1 for key in self.keys) - 2
        return 2 if wide <= self.content_size.width else 1

    def render(self) -> Content:
        """Return the line, as much of it as there is room for."""
        parts: list[tuple[str, str]] = []
        gap = " " * self.gap
        for key in self.in_sight:
            how = "" if key.enabled else " dim"
            if key == self._hovered:
                how += " $footer-key-foreground on $block-hover-background"
            parts += [
                (key.shown, f"bold $footer-key-foreground{how}"),
                (f" {key.word}", how.strip()),
                (gap, ""),
            ]
        return Content.assemble(*parts)

    # -- the mouse -------------------------------------------------------------------------------

    def _key_at(self, event: MouseEvent) -> FooterKey | None:
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        end = 0
        for key in self.in_sight:
            begin, end = end, end + key.cells - 1
            if begin <= offset.x < end:
                return key
            end += self.gap
        return None

    def on_mouse_down(self, event: MouseDown) -> None:
        """Press the key that stands there; another button than the left one is for a menu."""
        if event.button == 1 and (key := self._key_at(event)):
            if key.enabled:
                self.app.simulate_key(key.key)
            else:
                self.app.bell()

    def on_mouse_move(self, event: MouseMove) -> None:
        """Show which key a click would press, and say more about it."""
        self._hovered = self._key_at(event)
        self.tooltip = self._hovered.tooltip or None if self._hovered else None

    def on_leave(self, _event: Leave) -> None:
        """Show none."""
        self._hovered = None


def _keys(footer: KeyFooter) -> Iterator[FooterKey]:
    """What applies; of several keys that do the same the first."""
    known = set()
    for _, binding, enabled, tooltip in footer.screen.active_bindings.values():
        if binding.show and binding.action not in known:
            known.add(binding.action)
            shown = footer.app.get_key_display(binding)
            yield FooterKey(
                binding.key, binding.action, shown, binding.description, enabled, tooltip
            )
