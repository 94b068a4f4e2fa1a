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
    return DialogHost(ColumnsDialog("chroots", EVERY, wanted, {"name": 14}, "name"))


@SIZES
async def test_what_is_wanted_stands_first_and_marked(size: tuple[int, int]) -> None:
    app = host("name:20", "state")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        table = app.screen.query_one(ColumnTable)
        assert table.keys == ("name", "state", "size")
        assert table.marked == {"name", "state"}
        shown = screen_text(app)
        assert "columns of chroots" in shown
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


@pytest.mark.slow
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


@SIZES
async def test_they_stand_as_they_are_to_and_can_not_be_sorted(size: tuple[int, int]) -> None:
    app = host("state", "name")
    async with app.run_test(size=size) as pilot:
        table = app.screen.query_one(ColumnTable)
        await press(pilot, "greater_than_sign", "equals_sign", "less_than_sign")
        await pilot.click(ColumnTable, offset=(4, 0))
        await pilot.pause()
        assert table.keys == ("state", "name", "size")
        await press(pilot, "g", "J")
        assert table.keys == ("name", "state", "size")


@pytest.mark.parametrize("rows", [9, 12, 16])
async def test_the_cursor_is_seen_on_a_low_screen(rows: int) -> None:
    every = tuple((f"c{n}", f"Column {n}") for n in range(20))
    app = DialogHost(ColumnsDialog("environments", every, (), {}, "c0"))
    async with app.run_test(size=(80, rows)) as pilot:
        await press(pilot, "G")
        assert "Column 19" in screen_text(app)
        await press(pilot, "g")
        assert "Column 0" in screen_text(app)
