"""The dialog of columns: what keys and buttons make of them, and what it answers."""

from __future__ import annotations

import pytest
from textual.widgets import Button

from chroot_tool.widgets.dialogs.columns import ColumnsDialog, ColumnTable
from support.dialog_host import OPEN, DialogHost, press
from support.screen import screen_text

EVERY = (("state", "State"), ("name", "Name"), ("size", "Disk"))
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])


def host(*wanted: str) -> DialogHost:
    return DialogHost(ColumnsDialog("environments", EVERY, wanted, {"name": 14}, "name"))


@SIZES
async def test_what_is_wanted_stands_first_and_marked(size: tuple[int, int]) -> None:
    app = host("name:20", "state")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        table = app.screen.query_one(ColumnTable)
        assert table.keys == ("name", "state", "size")
        assert table.marked == {"name", "state"}
        shown = screen_text(app)
        assert "columns of environments" in shown
        assert "as it needs" in shown
        await press(pilot, "enter")
    assert app.answer == ("name:20", "state")


@SIZES
async def test_moved_sized_shown_and_hidden(size: tuple[int, int]) -> None:
    app = host("state", "name")
    async with app.run_test(size=size) as pilot:
        await press(pilot, "j", "plus", "plus", "K")  # name, which has 14 cells now
        await press(pilot, "j", "space", "J", "G", "k", "space")
        await press(pilot, "enter")
    assert app.answer == ("name:16", "size")


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("minus", "enter"), ("name:19", "state")),
        (("0", "enter"), ("name", "state")),
        (("K", "enter"), ("name:20", "state")),
        (("J", "J", "J", "enter"), ("state", "name:20")),
        (("space", "enter"), ("name:20", "state")),
        (("j", *(["minus"] * 9), "enter"), ("name:20", "state:3")),
        (("j", "space", "escape"), None),
    ],
)
async def test_the_keys(keys: tuple[str, ...], answer: object) -> None:
    app = host("name:20", "state")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        for key in keys:
            await press(pilot, key)
    assert app.answer == answer


async def test_the_mouse_does_all_of_it() -> None:
    app = host("name", "state")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot)
        for ident in ("down", "wider", "up", "narrower", "wider"):
            app.screen.query_one(f"#{ident}", Button).press()
            await pilot.pause()
        assert app.answer == OPEN
        await pilot.click("#use")
        await pilot.pause()
    assert app.answer == ("name:15", "state")
