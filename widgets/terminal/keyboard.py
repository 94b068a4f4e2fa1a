"""The keyboard of a terminal: keys and pastes go to the command, in its own terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events

from ..lull import Lull
from ..sure_timers import SureTimers

if TYPE_CHECKING:
    from .reading import Reading


class Keyboard:
    """Takes what is typed into *widget* and gives it to *send*; what is read then is the end.

    What comes before there is an emulator to say what it is for the command waits for `begin`, as
    does what comes after `hold`.
    """

    def __init__(
        self, widget: SureTimers, *, reading: Reading, send: Callable[[bytes], None]
    ) -> None:
        self._widget = widget
        self._reading = reading
        self._send = send
        self._early: list[events.Key | events.Paste] = []
        self._lull: Lull | None = None
        self._is_held = False

    def hold(self) -> None:
        """Give nothing until `begin`: the emulator is that of the command before."""
        self._is_held = True

    def begin(self) -> None:
        """Give what was typed too early."""
        self._is_held = False
        early, self._early = self._early, []
        for event in early:
            self._give(event)

    def take(self, event: events.Key | events.Paste) -> None:
        """Give a key, or pasted text, in brackets if the command asked for them, to nobody else."""
        event.stop()
        event.prevent_default()
        if self._lull is not None and isinstance(event, events.Key):
            self._lull.begin_anew()
        self._give(event)

    def _give(self, event: events.Key | events.Paste) -> None:
        """Give it, or keep it until there is somebody to have it."""
        view = self._reading.view
        if view is None or self._is_held:
            self._early.append(event)
            return
        if isinstance(event, events.Paste):
            data = view.emulator.input.paste(event.text)
        else:
            data = view.emulator.input.key(event.key, event.character)
        if data:
            self._reading.clear_selection()
            self._reading.follow()
            self._send(data)

    def after_a_lull(self, do: Callable[[], object]) -> None:
        """Call *do* after a moment without keys."""
        if self._lull is None:
            self._lull = Lull(self._widget, do)

    def drop_lull(self) -> None:
        """Call it no more."""
        if self._lull is not None:
            self._lull.stop()
            self._lull = None
