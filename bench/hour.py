"""The UI for an hour, with fifty chroots on: does it grow? Not measured unless it is asked for."""

from __future__ import annotations

import time

import psutil

from chroot_tool.core.kernel import syscalls
from chroot_tool.core.local_engine import LocalEngine

from .chroots import chroots
from .rows import Row
from .ui import Screen, living, mount, screen_of, switch_on

_MINUTE = 60.0
_STEP = 5.0
"""Seconds from one key to the next."""
_KEYS = b"jj235jj1kk2k"
"""Down and up the list, through the tabs."""
_POINT = "c0/tmp"


def run() -> list[Row]:
    """Measure everything."""
    with chroots(50) as base:
        switch_on(LocalEngine(str(base)), base, 50)
        with living(base, 50), screen_of(base) as screen:
            process = psutil.Process(screen.process.pid)
            ended = time.monotonic() + 60 * _MINUTE
            first = 0
            for step in range(int(60 * _MINUTE / _STEP)):
                _live(screen, step, str(base / _POINT))
                if step * _STEP == _MINUTE:
                    first = process.memory_info().rss
            time.sleep(max(ended - time.monotonic(), 0))
            last = process.memory_info().rss
            used = sum(process.cpu_times()[:2]) / (60 * _MINUTE) * 100
    return [
        Row(
            "memory after an hour, 50 chroots on and lived in, a key in 5 s, a mount in a minute",
            last / 1e6,
            "MB",
            other=first / 1e6,
            beside="after a minute",
            times=1.1,
        ),
        Row("processor in that hour", used, "% CPU"),
    ]


def _live(screen: Screen, step: int, point: str) -> None:
    """Have something happen, and let it paint."""
    began = time.monotonic()
    screen.key(_KEYS[step % len(_KEYS) :][:1])
    if step % 24 == 0:
        syscalls.umount2(point, 0)
    elif step % 24 == 12:
        mount(point)
    screen.settle()
    time.sleep(max(began + _STEP - time.monotonic(), 0))
