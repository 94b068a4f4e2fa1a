"""What a process with a terminal in it needs once: loading, and who keeps out of whose way."""

from __future__ import annotations

import gc
import sys

_COLLECTIONS = 200
"""Collections of the middle generation for each one of the oldest, which can take 100 ms."""

_tuned = False


def preload() -> None:
    """Load the emulator, an eighth of a second: call it in a thread once the app is painted."""
    from . import view  # noqa: F401


def tune() -> None:
    """Keep the collector and the threads out of the way, once in a process.

    A full collection walks everything there is: what the app is made of stays from now on. And a
    key waits in Textual's input thread until this one lets it run.
    """
    global _tuned
    if not _tuned:
        _tuned = True
        gc.collect()
        gc.freeze()
        gc.set_threshold(*gc.get_threshold()[:2], _COLLECTIONS)
        sys.setswitchinterval(0.001)
