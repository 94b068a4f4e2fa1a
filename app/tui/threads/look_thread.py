"""Looks at what nobody tells of, for one chroot at a time, in a thread of its own.

That is the highlighted one: its snapshots, say. It is looked at when the cursor comes, when a job
has ended, and, where that is wanted, now and then while it stays.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.message import Message

    from .watch_threads import Post

_AGAIN = 10.0
"""Seconds between two looks."""


class LookThread:
    """Posts what *look* makes of the chroot that was wanted last."""

    def __init__(
        self,
        name: str,
        look: Callable[[str], Message],
        post: Post,
        again: float | None = _AGAIN,
    ) -> None:
        """*look* takes the path of a chroot and returns the message that tells of it.

        *again* is in seconds; None: a look is made whenever it is wanted, and no other.
        """
        self._look = look
        self._again = again
        self._post = post
        self._path = ""
        self._woken = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def want(self, path: str) -> None:
        """Have this one looked at now, and no other any more; "": none."""
        self._path = path
        self._woken.set()
        if path and self._thread.ident is None:
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._woken.set()

    def _run(self) -> None:
        path = ""
        while not self._ended:
            self._woken.wait(self._again if path else None)
            self._woken.clear()
            path = self._path  # read after that: what is wanted from now on wakes it again
            if path and not self._ended:
                try:
                    found = self._look(path)
                except OSError:
                    continue  # no descriptor is left, say: it is looked at when it is wanted again
                if not self._ended:
                    self._post(found)
