"""Keeping the latest of something in a file, beside the UI: the last is the one that stays."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class LatestWriting(Generic[Kept]):
    """Has what is kept written, one writing at a time. The end of the UI waits for it."""

    def __init__(self, write: Callable[[Kept], None]) -> None:
        """*write* may raise OSError: then the next start finds what was kept before, no harm."""
        self._do = write
        self._writing = threading.Lock()
        self._latest: Kept

    def keep(self, latest: Kept) -> None:
        """Have it written in a thread; not by a worker, which is given up at the end."""
        self._latest = latest
        asyncio.get_running_loop().run_in_executor(None, self._write)

    def keep_now(self, latest: Kept) -> None:
        """Write it, after what is being written."""
        self._latest = latest
        self._write()

    def _write(self) -> None:
        with self._writing:
            try:
                self._do(self._latest)
            except OSError:
                pass
