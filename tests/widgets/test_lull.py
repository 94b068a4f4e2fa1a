"""A moment without keys: the event loop has to be seen running in it."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest
from textual.app import App

from chroot_tool.widgets import lull
from chroot_tool.widgets.lull import Lull
from chroot_tool.widgets.sure_timers import SureTimers
from support.whole_ui import until


class Host(SureTimers, App[None]):
    """An app with nothing in it."""


async def test_it_ends_where_nobody_types() -> None:
    ended: list[str] = []
    app = Host()
    async with app.run_test() as pilot:
        Lull(app, lambda: ended.append("ended"))
        await until(pilot, lambda: ended)
    assert ended == ["ended"]


@pytest.mark.parametrize("at", [0, 1])
async def test_what_was_typed_while_the_loop_stood_still_comes_before_its_end(at: int) -> None:
    """The keys of that time are read after it, and each takes the loop some turns."""
    ended: list[str] = []
    app = Host()
    async with app.run_test() as pilot:
        one = Lull(app, lambda: ended.append("ended"))
        one._left -= at * (lull._TICKS - 1)  # at its beginning, and in the last part of it
        time.sleep(2 * lull._TICK * lull._TICKS)
        for _ in range(20):
            await asyncio.sleep(0)
        assert ended == []
        await until(pilot, lambda: ended)


@pytest.mark.slow
async def test_a_key_begins_it_anew_and_it_can_be_called_off() -> None:
    ended: list[str] = []
    app = Host()
    async with app.run_test() as pilot:
        Lull(app, partial(ended.append, "other"))
        one = Lull(app, partial(ended.append, "one"))
        while not ended:
            one.begin_anew()
            await pilot.pause()
        assert ended == ["other"]
        one.stop()
        Lull(app, lambda: ended.append("later"))
        await until(pilot, lambda: len(ended) > 1)
    assert ended == ["other", "later"]
