"""When the UI has nothing more to do at once: known from its event loop, not from the clock.

Textual's own `wait_for_idle` takes a process that the kernel does not let run for one that is idle,
and one with a busy thread for one that never is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

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
        moments += working and not _gets_no_processor(loop)
        await asyncio.sleep(A_MOMENT if working else 0)
        at_rest = 0 if working or loop._ready else at_rest + 1  # type: ignore[attr-defined]
    paint(loop)


def _due(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a timer ends soon: Textual lays out and paints by them."""
    soon = loop.time() + SOON
    return any(one._when < soon and not one._cancelled for one in loop._scheduled)  # type: ignore[attr-defined]


_given: WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Future[Any]]] = WeakKeyDictionary()
"""What each loop has given to its threads, and has not had back."""
_run_in_executor = asyncio.BaseEventLoop.run_in_executor


def _noted(
    loop: asyncio.BaseEventLoop, executor: Any, func: Callable[..., Any], *arguments: Any
) -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = _run_in_executor(loop, executor, func, *arguments)
    if executor is None:
        given = _given.setdefault(loop, set())
        given.add(future)
        future.add_done_callback(given.discard)
    return future


def _threads_work(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether anything given to `asyncio.to_thread` is not done."""
    return bool(_given.get(loop))


def _gets_no_processor(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether one of the threads would go on if the kernel let it: at a gate it sleeps."""
    pool = loop._default_executor  # type: ignore[attr-defined]
    for thread in pool._threads if pool else ():
        try:
            with open(f"/proc/self/task/{thread.native_id}/stat", "rb") as file:
                state = file.read().rpartition(b")")[2].split()[0]
        except OSError:  # it has ended, or not begun
            continue
        if state in b"RD":
            return True
    return False


async def _wait_for_idle(min_sleep: float = 0, max_sleep: float = 0) -> None:
    await settle()


async def _wait_for_screen(self: Pilot[object], timeout: float = 0) -> bool:
    await settle()
    return True


def let_pilots_settle() -> None:
    """Have Textual's pilots wait by `settle` from now on."""
    asyncio.BaseEventLoop.run_in_executor = _noted  # type: ignore[assignment,method-assign]
    textual.app.wait_for_idle = textual.pilot.wait_for_idle = _wait_for_idle  # type: ignore[attr-defined]
    Pilot._wait_for_screen = _wait_for_screen  # type: ignore[assignment]
