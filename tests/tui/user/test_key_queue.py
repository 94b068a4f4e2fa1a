"""What is typed ahead of a dialog: held, handed on in turn, or given up after so many looks."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.app import ComposeResult
from textual.command import Hits
from textual.widgets import Button

from chroot_tool.app.tui.palette import Actions
from chroot_tool.app.tui.user import key_queue
from chroot_tool.app.tui.user.key_queue import KeyQueue
from chroot_tool.widgets.dialogs import DIALOGS
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from support.samples import CHROOTS
from support.whole_ui import ui, until


class Opening(KeyQueue):
    """An app that is about to open a dialog, until it is told that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.has_opened = asyncio.Event()
        self.had: list[str] = []

    def compose(self) -> ComposeResult:
        yield Button()

    def on_mount(self) -> None:
        self.run_worker(self.has_opened.wait(), group=DIALOGS)

    def on_key(self, event: events.Key) -> None:
        self.had.append(event.key)


@pytest.mark.slow
async def test_what_is_typed_waits_for_what_is_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_queue, "_LOOKS", 1_000_000)
    app = Opening()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.takes_keys)
        await pilot.press("a", "b")
        await until(pilot, lambda: app._looks > 5)
        await pilot.press("c")
        assert app.had == []
        app.has_opened.set()
        await until(pilot, lambda: app.had == ["a", "b", "c"])


async def test_what_never_opens_has_nothing_of_it_and_holds_up_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_queue, "_LOOKS", 5)
    app = Opening()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.takes_keys)
        await pilot.press("a")
        await until(pilot, lambda: app._waited_for and not app._typed)
        assert app.had == []
        await pilot.press("c")
        await until(pilot, lambda: app.had == ["c"])


async def test_only_a_key_that_was_typed_is_worn_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_queue, "_LULL", 1e9)
    app = Opening()
    app.has_opened.set()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.takes_keys)
        await pilot.press("a")
        app.wear_out({"x"})
        await pilot.press("x")
        await until(pilot, lambda: app.had == ["a", "x"])
        await pilot.click(Button)
        app.wear_out({"x"})
        await pilot.press("x")
        await until(pilot, lambda: app.had == ["a", "x", "x"])
        app.wear_out({"x"})
        await pilot.press("x", "b")
        await until(pilot, lambda: app.had == ["a", "x", "x", "b"])
        await pilot.press("x")
        await until(pilot, lambda: app.had == ["a", "x", "x", "b", "x"])
        app.wear_out({"x"})
        await pilot.click(Button)
        await pilot.press("x")
        await until(pilot, lambda: app.had == ["a", "x", "x", "b", "x", "x"])


@pytest.mark.slow
async def test_enter_chooses_of_what_was_typed_not_of_what_was_listed_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_queue, "_LOOKS", 1_000_000)
    found, search = asyncio.Event(), Actions.search

    async def slowly(self: Actions, query: str) -> Hits:
        await found.wait()
        async for hit in search(self, query):
            yield hit

    monkeypatch.setattr(Actions, "search", slowly)
    async with ui(*CHROOTS) as t:
        await t.press("colon")
        await t.shows("on/off")  # all that there is
        await t.press(*"run", "enter")
        await t.until(lambda: t.app._looks > 5)
        found.set()
        await t.dialog(RunPrompt)
        assert not t.engine.called("on")  # the first of all
