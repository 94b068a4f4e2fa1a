"""A queue of keys: each is handed on when what the one before it has opened can take it.

Textual hands on what was typed at once, to whatever has the focus then. Typed ahead, or over a slow
line, `n` and a name come together, and the name would be keys of the list, `o` and `d` among them.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Set as AbstractSet
from weakref import WeakSet

from textual import events, on
from textual.app import App
from textual.command import CommandPalette
from textual.driver import Driver
from textual.message import Message
from textual.message_pump import MessagePump
from textual.worker import Worker

from ....widgets.dialogs import DIALOGS
from ....widgets.sure_timers import SureTimers

_TICK = 0.01
"""Seconds between two looks whether there is a focus, while what was typed is held back."""
_LOOKS = 100
"""Looks after which nothing is waited for any more: a second. On a busy machine it is more, where
what is waited for takes longer, too: both are of one loop."""
_LULL = 2.0
"""Seconds without them after which keys that have closed something do what they are for again."""


class KeyHandled(Message):
    """Follows a key on its way: when it has come here, what is bound to the key was done.

    *again*: it goes that way once more, behind what was said because of that, as by a line that
    is left to those who give the focus to another.
    """

    def __init__(self, taker: MessagePump, *, again: bool) -> None:
        super().__init__()
        self.taker = taker
        self.again = again


class KeyQueue(SureTimers, App[None]):
    """An app that hands on what is typed key by key."""

    def __init__(self, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class)
        self._typed: deque[events.Key | events.Paste] = deque()
        self._taker: MessagePump | None = None
        """Who is at the key that was handed on last."""
        self._looks = 0
        """How often was looked since then, while more that was typed is held back."""
        self._ticks = False
        self._waited_for: WeakSet[object] = WeakSet()
        """Screens and workers that can take keys, or have been waited for long enough."""
        self.acts = 0
        """How often something was typed, or a button of the mouse pressed, that was handed on."""
        self.acted_at = -math.inf
        """When that was last, by `time.monotonic`."""
        self._worn: AbstractSet[str] = frozenset()
        """Keys that have closed what they were for."""
        self._worn_at = 0.0
        """When one of them was typed last."""
        self._last = ""
        """The key that was handed on last, if no button of the mouse was pressed since."""

    async def on_event(self, event: events.Event) -> None:
        """Take what is typed; it is handed on in turn."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            if isinstance(event, events.MouseDown):
                self._note_act()
                self._last, self._worn = "", frozenset()
            await super().on_event(event)
            return
        # Not every terminal tells so, and what had the focus then takes the key.
        self.app_focus = True
        self._typed.append(event)
        if self._taker is not None:
            self._look_again()
        elif not self._ticks:
            self._looks = 0
            await self._hand_on()

    @on(KeyHandled)
    def _handled(self, message: KeyHandled) -> None:
        taker = message.taker
        if taker is not self._taker:
            return  # it has been waited for long enough
        if message.again and taker.post_message(KeyHandled(taker, again=False)):
            return
        # Behind what the key has put off: whoever asks for the focus has it a little later.
        self.call_later(self._next)

    async def _next(self) -> None:
        self._taker = None
        self._looks = 0
        await self._hand_on()

    async def _hand_on(self) -> None:
        while self._typed:
            if opening := self._opening():
                if self._looks < _LOOKS:
                    self._look_again()
                    return
                self._waited_for.update(opening)
                if self.screen not in opening or len(self.screen_stack) > 1:
                    self._typed.clear()  # nobody knows any more whom it was meant for
                    return
            event = self._next_typed()
            if self._is_worn(event):
                continue
            self._note_act()
            self._last = event.key if isinstance(event, events.Key) else ""
            taker = self.focused or self.screen
            await super().on_event(event)
            if taker.post_message(KeyHandled(taker, again=True)):
                self._taker = taker
                self._looks = 0
                if self._typed:
                    self._look_again()
                return

    def _note_act(self) -> None:
        self.acts += 1
        self.acted_at = time.monotonic()

    def _next_typed(self) -> events.Key | events.Paste:
        """Take what was typed first.

        Esc and a letter that were read together are no Alt to anybody but a program in a panel.
        """
        event = self._typed.popleft()
        if not isinstance(event, events.Key) or not event.key.startswith("alt+"):
            return event
        letter, focused = event.character, self.focused
        takes_all = focused is not None and focused.check_consume_key("escape", "\x1b")
        if letter is None or not letter.isalnum() or takes_all:
            return event
        self._typed.appendleft(events.Key(letter, letter))
        return events.Key("escape", "\x1b")

    def wear_out(self, keys: AbstractSet[str]) -> None:
        """Have *keys* do nothing elsewhere by being held, if one of them closed what they are for.

        Not where that was done by the mouse, or by Enter in a menu. Until another is typed, or none
        of them for a while: who closes one after the other does not see at once that there is none
        left, and the key has another meaning where the focus goes.
        """
        if self._last in keys:
            self._worn, self._worn_at = keys, time.monotonic()

    def _is_worn(self, event: events.Key | events.Paste) -> bool:
        now = time.monotonic()
        is_late = now - self._worn_at >= _LULL or len(self.screen_stack) > 1
        if isinstance(event, events.Key) and event.key in self._worn and not is_late:
            self._worn_at = now
            return True
        self._worn = frozenset()
        return False

    def _look_again(self) -> None:
        """Look a little later whether what is typed can be handed on."""
        if not self._ticks:
            self._ticks = True
            self.set_timer(_TICK, self._tick)

    async def _tick(self) -> None:
        self._ticks = False
        self._looks += 1
        taker = self._taker
        # A widget that was removed meanwhile tells nothing.
        if taker and taker.is_attached and self._looks < _LOOKS:
            if self._typed:
                self._look_again()
            return
        self._taker = None
        await self._hand_on()

    @property
    def takes_keys(self) -> bool:
        """Whether the screen is so far that keys do what they are for."""
        return self.screen.focused is not None

    def _opening(self) -> list[object]:
        """Return what is about to take the keys, but does not yet."""
        screen = self.screen
        if self.takes_keys:
            self._waited_for.add(screen)
        elif screen not in self._waited_for:
            return [screen]
        return [
            worker
            for worker in self.workers
            if not worker.is_finished and worker not in self._waited_for and self._brings(worker)
        ]

    def _brings(self, worker: Worker[object]) -> bool:
        """Tell whether a worker is to bring what the next key is for."""
        if len(self.screen_stack) > 1 and worker.node is not self.screen:
            return False  # the dialog that it shows, or what lies below that
        if isinstance(self.screen, CommandPalette):
            # It chooses of what is listed, which may still be what was there before a letter.
            return isinstance(key := self._typed[0], events.Key) and key.key == "enter"
        return worker.group == DIALOGS
