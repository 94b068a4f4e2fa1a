"""A key that is pressed, and all that comes of it."""

from __future__ import annotations

import asyncio
import time

from textual.pilot import Pilot

from support import PATIENCE


async def press_key(pilot: Pilot[None], key: str) -> None:
    """Press a key; return when the app has taken it, and the widgets what it caused.

    The app takes none while a dialog goes, and `pause` waits for widgets only.
    """
    await pilot.press(key)
    taken = asyncio.Event()
    pilot.app.call_later(taken.set)
    await pilot.pause()
    end = time.monotonic() + PATIENCE
    while not taken.is_set() and pilot.app.is_running:
        assert time.monotonic() < end, f"the app does not take {key}"
        await asyncio.sleep(0.01)
        await pilot.pause()
