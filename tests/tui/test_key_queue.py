"""What is typed ahead, by a clock of the test's own: held, handed on in turn, or given up."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest
from textual import events

from chroot_tool.app.tui import key_queue
from chroot_tool.app.tui.key_queue import DIALOGS, KeyQueue
from support.whole_ui import until


class Opening(KeyQueue):
    """An app that is about to open a dialog, until it is told that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.has_opened = asyncio.Event()
        self.had: list[str] = []

    def on_mount(self) -> None:
        self.run_worker(self.has_opened.wait(), group=DIALOGS)

    def on_key(self, event: events.Key) -> None:
        self.had.append(event.key)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made = SimpleNamespace(now=time.monotonic())
    made.monotonic = lambda: made.now
    monkeypatch.setattr(key_queue, "time", made)
    return made


async def test_what_is_typed_waits_for_what_is_opening(clock: SimpleNamespace) -> None:
    app = Opening()
    async with app.run_test() as pilot:
        await pilot.press("a", "b")
        clock.now += key_queue._PATIENCE - 0.1
        await pilot.press("c")
        await pilot.pause()
        assert app.had == []
        app.has_opened.set()
        await until(pilot, lambda: app.had == ["a", "b", "c"])


async def test_what_never_opens_has_nothing_of_it_and_holds_up_no_longer(
    clock: SimpleNamespace,
) -> None:
    app = Opening()
    async with app.run_test() as pilot:
        await pilot.press("a", "b")
        clock.now += key_queue._PATIENCE
        await until(pilot, lambda: not app._typed)
        assert app.had == []
        await pilot.press("c")
        await until(pilot, lambda: app.had == ["c"])
