"""Looks for the snapshots of one chroot, the highlighted one, in a thread of its own.

Nobody tells of them: they are looked at anew when the cursor comes, when a job has ended, and now
and then while it stays.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ...core.errors import ChrootError

if TYPE_CHECKING:
    from ...core.engine import Engine
    from .watch_threads import Post

_AGAIN = 10.0
"""Seconds between two looks."""


class SnapshotThread:
    """Posts `Shelved` for the chroot that was wanted last."""

    def __init__(self, engine: Engine, post: Post) -> None:
        self._engine = engine
        self._post = post
        self._path = ""
        self._woken = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def want(self, path: str) -> None:
        """Have the snapshots of this one looked for now, and of no other any more."""
        self._path = path
        self._woken.set()
        if not self._thread.is_alive():
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._woken.set()

    def _run(self) -> None:
        from .messages import Shelved

        while not self._ended:
            self._woken.clear()
            path = self._path
            try:
                found = self._engine.snapshots(path)
            except ChrootError:
                found = ()  # not ours to read, or gone: then there are none to show
            if not self._ended:
                self._post(Shelved(path, found))
            self._woken.wait(_AGAIN)
