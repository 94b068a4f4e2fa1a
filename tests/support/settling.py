"""When the UI has nothing more to do at once: known from its event loop, not from the clock.

Textual's own `wait_for_idle` takes a process that the kernel does not let run for one that is idle,
and one with a busy thread for one that never is.
"""

from __future__ import annotations

import asyncio
import time

import textual.app
import textual.pilot
from textual.pilot import Pilot

from .painting import paint

WORK = 0.2
"""Seconds of the processor at most: in a flood a loop never comes to rest."""
AT_REST = 2
"""So many rounds in a row without anything ready: the first may have read what just came in."""
A_MOMENT = 0.001
SOON = 0.04
"""Seconds: longer than a frame of Textual's."""
MOMENTS = 200
"""So many for such timers and for what `asyncio.to_thread` began: a test may hold it at a gate."""


async def settle() -> None:
    """Paint and return when nothing is ready or due soon, and no thread is at work for the loop.

    What later timers, other threads and other processes bring is waited for by its condition.
    """
    loop = asyncio.get_running_loop()
    at_rest = moments = 0
    enough = time.process_time() + WORK
    while at_rest < AT_REST and time.process_time() < enough:
        working = moments < MOMENTS and (_threads_work(loop) or _due(loop))
        moments += bool(working)
        await asyncio.sleep(A_MOMENT if working else 0)
        at_rest = 0 if working or loop._ready else at_rest + 1  # type: ignore[attr-defined]
    paint(loop)


def _due(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a timer ends soon: Textual lays out and paints by them."""
    soon = loop.time() + SOON
    return any(one._when < soon and not one._cancelled for one in loop._scheduled)  # type: ignore[attr-defined]


def _threads_work(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether anything given to `asyncio.to_thread` is not done."""
    pool = loop._default_executor  # type: ignore[attr-defined]
    if pool is None:
        return False
    return bool(pool._work_queue.qsize() or pool._idle_semaphore._value < len(pool._threads))


async def _wait_for_idle(min_sleep: float = 0, max_sleep: float = 0) -> None:
    await settle()


async def _wait_for_screen(self: Pilot[object], timeout: float = 0) -> bool:
    await settle()
    return True


def let_pilots_settle() -> None:
    """Have Textual's pilots wait by `settle` from now on."""
    textual.app.wait_for_idle = textual.pilot.wait_for_idle = _wait_for_idle  # type: ignore[attr-defined]
    Pilot._wait_for_screen = _wait_for_screen  # type: ignore[assignment]
