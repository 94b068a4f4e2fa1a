"""Keys in turn: each is handed on when what the one before it has opened can take it.

Textual hands on what was typed at once, to whatever has the focus then. Typed ahead, or over a slow
line, `n` and a name come together, and the name would be keys of the list, `o` and `d` among them.
"""

from __future__ import annotations

import time
from collections import deque
from weakref import WeakSet

from textual import events, on
from textual.app import App
from textual.driver import Driver
from textual.message import Message

_PATIENCE = 1.0
"""Seconds after which nothing is waited for any more."""
_TICK = 0.01
"""Seconds between two looks whether there is a focus, while keys are held back."""
DIALOGS = "dialogs"
"""The group of workers that are about to show a dialog, or have one shown."""


class KeyHandled(Message):
    """Follows a key on its way: when it has come here, the key has had its effect."""


class KeysInTurn(App[None]):
    """An app that hands on what is typed key by key."""

    def __init__(self, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class)
        self._typed: deque[events.Key | events.Paste] = deque()
        self._handed_on = 0.0
        """When the key was handed on that is under way now; 0 where none is."""
        self._held = 0.0
        """Since when keys are held back; 0 where they are not."""
        self._waited_for: WeakSet[object] = WeakSet()
        """Screens and workers that can take keys, or have been waited for long enough."""

    async def on_event(self, event: events.Event) -> None:
        """Take what is typed; it is handed on in turn."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._typed.append(event)
        # A widget that was removed meanwhile tells nothing.
        if not self._handed_on or time.monotonic() > self._handed_on + _PATIENCE:
            await self._hand_on()

    async def _hand_on(self) -> None:
        self._handed_on = 0.0
        while self._typed:
            if opening := self._opening():
                self._hold_back(opening)
                return
            self._held = 0.0
            event = self._typed.popleft()
            target = self.focused or self.screen
            await super().on_event(event)
            if target.post_message(KeyHandled()):
                self._handed_on = time.monotonic()
                return

    @on(KeyHandled)
    def _handled(self) -> None:
        # Behind what the key has put off: whoever asks for the focus has it a little later.
        self.call_later(self._hand_on)

    def _opening(self) -> list[object]:
        """Return what is about to take the keys, but does not yet."""
        screen = self.screen
        if len(self.screen_stack) > 1:
            if screen.focused is not None:
                self._waited_for.add(screen)
            return [] if screen in self._waited_for else [screen]
        return [
            worker
            for worker in self.workers
            if worker.group == DIALOGS and not worker.is_finished and worker not in self._waited_for
        ]

    def _hold_back(self, opening: list[object]) -> None:
        now = time.monotonic()
        self._held = self._held or now
        if now > self._held + _PATIENCE:
            self._typed.clear()  # nobody knows any more whom it was meant for
            self._waited_for.update(opening)
            self._held = 0.0
            return
        self._handed_on = now
        self.set_timer(_TICK, self._hand_on)
