"""Moving, filter, sort, marks; by keys and by the mouse."""

from __future__ import annotations

import pytest

from chroot_tool.core.looking.status import ChrootStatus
from support.samples import BASE, CHROOTS, DEB12, OFF, SIZES
from support.whole_ui import ui

ARM = f"{BASE}/arm"


@pytest.mark.slow
async def test_moving() -> None:
    many = [ChrootStatus(f"c{i:03}", f"{BASE}/c{i:03}", "off", mounts=OFF) for i in range(100)]
    async with ui(*many, size=(80, 24)) as t:
        await t.until(lambda: t.highlighted == "c000")
        for keys, name in [
            ("j", "c001"), ("down", "c002"), ("k", "c001"), ("up", "c000"), ("k", "c000"),
            ("G", "c099"), ("g", "c000"), ("end", "c099"), ("home", "c000"),
        ]:  # fmt: skip
            await t.press(keys)
            await t.until(lambda name=name: t.highlighted == name)  # type: ignore[misc]
        await t.press("pagedown")
        await t.until(lambda: t.highlighted > "c003")
        await t.press("pageup")
        await t.until(lambda: t.highlighted == "c000")


@pytest.mark.slow
async def test_filter_as_one_types() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("slash")
        await t.write("arm")
        await t.hides("trixie-build")
        assert t.app.main.table.rows.keys == (ARM,)
        await t.press("enter")
        await t.until(lambda: t.app.main.table.rows.has_focus)
        await t.shows("1 of 7", "/arm")
        await t.press("o")
        await t.until(lambda: t.engine.calls == [("on", ARM)])
        await t.press("escape")
        await t.shows("trixie-build")
        await t.press("slash")
        await t.write("zzz")
        await t.shows("nothing matches zzz")
        await t.press("escape")
        await t.shows("trixie-build")


@pytest.mark.slow
async def test_keys_of_actions_are_letters_while_the_filter_is_typed() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("slash")
        await t.write("qosn")
        await t.until(lambda: t.app.main.table.filter_text == "qosn")
        assert t.engine.calls == []
        await t.main()


@pytest.mark.slow
async def test_sort_by_every_column_keeps_the_cursor() -> None:
    async with ui(*CHROOTS, sizes=SIZES) as t:
        await t.on_row("deb12")
        seen = set()
        for _ in range(9):
            await t.press("greater_than_sign")
            seen.add(t.app.main.table.rows._model.sort)
            before = t.app.main.table.rows.keys
            await t.press("equals_sign")
            assert t.app.main.table.rows.keys != before
            assert t.highlighted == "deb12"
        assert len(seen) == 9


@pytest.mark.slow
async def test_escape_takes_away_the_marks() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("space", "j", "space")
        await t.shows("2 marked")
        await t.press("escape")
        await t.hides("2 marked")


@pytest.mark.slow
async def test_a_mark_goes_with_its_chroot() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("space")
        await t.shows("1 marked")
        t.feed.show(*[one for one in CHROOTS if one != DEB12])
        await t.hides("1 marked", "deb12")


@pytest.mark.slow
async def test_cursor_and_scroll_stay_while_others_come_and_go() -> None:
    many = [ChrootStatus(f"c{i:03}", f"{BASE}/c{i:03}", "off", mounts=OFF) for i in range(60)]
    async with ui(*many, size=(80, 24)) as t:
        await t.on_row("c040")
        rows = t.app.main.table.rows
        at = rows.keys.index(f"{BASE}/c040") - rows.scroll_offset.y
        first = ChrootStatus("aaa", f"{BASE}/aaa", "off", mounts=OFF)
        t.feed.show(first, *many[5:])
        await t.until(lambda: len(rows.keys) == 56)
        assert rows.cursor_key == f"{BASE}/c040"
        assert rows.keys.index(f"{BASE}/c040") - rows.scroll_offset.y == at
        t.feed.show()
        await t.shows("press n")
        await t.until(lambda: t.highlighted == "")


@pytest.mark.slow
async def test_the_mouse_does_what_keys_do() -> None:
    async with ui(*CHROOTS) as t:
        await t.until(lambda: t.highlighted == "arm")
        await t.pilot.click("Rows", offset=(20, 3))
        await t.until(lambda: t.highlighted == "deb12")
        await t.pilot.click("Rows", offset=(0, 3))
        await t.shows("1 marked")
        await t.pilot.click("Details TabLine", offset=(14, 0))
        await t.until(lambda: t.app.main.details.tab == "mounts")
        await t.pilot.click("Rows", offset=(20, 1), times=2)
        await t.until(lambda: t.highlighted == "arm" and t.app.main.details.has_focus_within)
