"""Messages of threads to a screen that is not there yet, is there, or is gone already."""

from __future__ import annotations

import threading

from textual.message import Message
from textual.message_pump import MessagePump


class ThreadMessages:
    """Posts to *target* from any thread; what comes before `deliver` waits for it."""

    def __init__(self, target: MessagePump) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._waiting: list[Message] | None = []

    def __call__(self, message: Message) -> None:
        """Post, or keep it until the target can take it. Raises nothing."""
        with self._lock:
            if self._waiting is not None:
                self._waiting.append(message)
                return
        try:
            self._target.post_message(message)
        except RuntimeError:
            pass  # the event loop is closed: whoever comes after the end speaks to nobody

    def deliver(self) -> tuple[Message, ...]:
        """Return what has waited; from now on everything goes straight to the target."""
        with self._lock:
            waiting, self._waiting = self._waiting or [], None
        return tuple(waiting)
