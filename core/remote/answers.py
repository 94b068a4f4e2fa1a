"""What came of a request and is not taken yet, with a bound: the other may say more than is taken.

Who would put more waits, and with it the other end, whose pipe is full then.
"""

from __future__ import annotations

import threading
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Answer = dict[str, Any] | None

MOST = 1 << 20
"""Bytes of lines; a longer one waits alone."""


class Answers:
    """Handed from the thread that listens to the one that has asked."""

    def __init__(self) -> None:
        self._found: deque[tuple[Answer, int]] = deque()
        self._size = 0
        self._is_over = False
        self._changed = threading.Condition()

    def put(self, found: Answer, size: int = 0) -> None:
        """Add one of *size* bytes, once there is room; None: the connection has ended.

        After `close` it is dropped.
        """
        with self._changed:
            while size and self._found and self._size + size > MOST and not self._is_over:
                self._changed.wait()
            if not self._is_over:
                self._found.append((found, size))
                self._size += size
                self._changed.notify_all()

    def get(self, timeout: float) -> tuple[Answer, int]:
        """Return the next, and its size, waited for *timeout* seconds. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._found, timeout):
                raise TimeoutError
            found, size = self._found.popleft()
            self._size -= size
            self._changed.notify_all()
            return found, size

    def close(self) -> None:
        """Let nobody wait for room any more: no more is taken."""
        with self._changed:
            self._is_over = True
            self._found.clear()
            self._changed.notify_all()
