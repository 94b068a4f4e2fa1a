"""What others do while somebody waits for them: at a point of the code, not of the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace


def waiting(do: Callable[[], object]) -> SimpleNamespace:
    """Return what stands for the module time: who begins to sleep finds *do* done."""
    return SimpleNamespace(monotonic=time.monotonic, sleep=lambda _seconds: do())
