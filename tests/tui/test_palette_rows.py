"""The rows of the command palette: one below the other in columns, whatever the width."""

from __future__ import annotations

import pytest
from textual.command import CommandList
from textual.content import Content

from chroot_tool.app.tui import palette
from chroot_tool.app.tui.palette import Entry, Rows, entries
from support.samples import CHROOTS
from support.whole_ui import ui

LONG = Entry(
    Content("columns"), "Which columns the table has, in which order, and how wide", int, "|"
)
ENTRIES = (
    Entry(Content("on/off"), "Switch on or off", int, "o"),
    LONG,
    Entry(Content("go to bookworm"), "on", int),
)


def test_names_keys_and_what_they_do_stand_below_each_other() -> None:
    rows = Rows(ENTRIES, 75)
    assert [rows.row(one).plain.splitlines()[0] for one in ENTRIES] == [
        "on/off          o  Switch on or off",
        "columns         |  Which columns the table has, in which order, and how",
        "go to bookworm     on",
    ]


@pytest.mark.parametrize("width", [40, 75, 155])
def test_nothing_of_what_they_do_is_lost_and_no_row_is_wider(width: int) -> None:
    lines = Rows(ENTRIES, width).row(LONG).plain.splitlines()
    assert max(map(len, lines)) <= width
    at = lines[0].index("Which")
    assert " ".join(line[at:] for line in lines) == LONG.does
    assert not any(line[:at].strip() for line in lines[1:])


async def test_all_that_is_offered_says_what_it_does() -> None:
    async with ui(*CHROOTS) as t:
        offered = tuple(entries(t.app.main))
        assert offered
        assert [one.name.plain for one in offered if not one.does] == []


@pytest.mark.slow
async def test_a_row_is_as_wide_as_the_list_has_room() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.press("colon")
        await t.until(lambda: t.app.screen.query(CommandList))
        rows = t.app.screen.query_one(CommandList)
        await t.until(lambda: rows.show_vertical_scrollbar)
        padding = rows.get_component_styles("option-list--option").padding.width
        room = rows.scrollable_content_region.width - padding
        assert room == 80 - palette._AROUND
