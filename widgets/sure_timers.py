"""Timers that ring: one of Textual's now and then does not on a busy machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer, TimerCallback

if TYPE_CHECKING:
    from textual.dom import DOMNode as Node
else:
    Node = object  # as in broken_work


class SureTimers(Node):
    """Mixed into an app, screen or widget whose `set_timer` something waits for.

    Textual's timers leave out what they are late for (Timer._run). One that rings once is done with
    that: where the thread gets no processor for *delay* seconds just as it begins, it never rings.
    """

    def set_timer(
        self,
        delay: float,
        callback: TimerCallback | None = None,
        *,
        name: str | None = None,
        pause: bool = False,
    ) -> Timer:
        """As of MessagePump, and late rather than never."""
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False  # noqa: SLF001 (set_timer takes no such argument)
        return timer
