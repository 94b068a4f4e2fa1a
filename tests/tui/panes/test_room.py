"""How the panes share the screen: what is not needed by one is the other's."""

from __future__ import annotations

import pytest

from chroot_tool.core.looking.happenings import Happening
from chroot_tool.core.looking.status import OFF, ON, ChrootStatus
from chroot_tool.widgets.panes.graphs import Activity
from chroot_tool.widgets.panes.overview import Facts, Overview
from chroot_tool.widgets.trend_points import Trend
from support.samples import BASE, DEB12, NOW, clock
from support.screen import screen_text
from support.whole_ui import Ui, ui
from support.widget_host import WidgetHost

TREND = Trend(
    cpu=(50.0,) * 40, memory=(1 << 20,) * 40, processes=(1,) * 40, disk=(10.0,) * 40, at=40
)


def some(count: int, tags: tuple[str, ...] = ()) -> tuple[ChrootStatus, ...]:
    return tuple(
        ChrootStatus(f"c{n}", f"{BASE}/c{n}", ON if n else OFF, tags=tags) for n in range(count)
    )


def heights(t: Ui) -> tuple[int, int]:
    main = t.app.main
    return main.table.outer_size.height, main.query_one("#details-frame").outer_size.height


async def test_a_short_list_takes_what_it_needs_whatever_is_filtered() -> None:
    async with ui(*some(6)) as t:
        await t.until(lambda: heights(t)[0] == 6 + 2)
        assert sum(heights(t)) == 38
        t.app.main.table.set_filter("c3")
        await t.pilot.pause()
        assert heights(t)[0] == 6 + 2
        t.feed.show(*some(9))
        await t.until(lambda: heights(t)[0] == 9 + 2)
        t.feed.show()
        await t.until(lambda: heights(t)[0] == 10)  # what to do stands below


async def test_that_nothing_matches_has_room_where_there_is_one_alone() -> None:
    async with ui(*some(1), size=(80, 24)) as t:
        await t.until(lambda: heights(t) == (7, 15))
        t.app.main.table.set_filter("ox")
        await t.shows("nothing matches ox")


@pytest.mark.slow
async def test_heads_count_also_where_all_below_is_folded() -> None:
    async with ui(*some(6, ("web",))) as t:
        await t.until(lambda: heights(t)[0] == 1 + 6 + 2)
        t.app.main.table.fold("#web")
        await t.pilot.pause()
        assert heights(t)[0] == 1 + 6 + 2
        t.app.main.table.action_group()
        await t.until(lambda: heights(t)[0] == 6 + 2)


@pytest.mark.slow
async def test_a_long_list_has_half_and_beside_the_details_all() -> None:
    async with ui(*some(60)) as t:
        assert heights(t) == (19, 19)
    async with ui(*some(15), size=(160, 50)) as t:
        assert heights(t) == (48, 48)
        await t.pilot.resize_terminal(120, 40)
        await t.until(lambda: heights(t) == (17, 21))
        await t.pilot.resize_terminal(160, 50)
        await t.until(lambda: heights(t) == (48, 48))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(160, 50), (220, 60)], ids=["wide", "broad"])
async def test_on_a_wide_screen_what_a_short_list_leaves_is_below_it(size: tuple[int, int]) -> None:
    high = size[1] - 2
    async with ui(*some(6), size=size) as t:
        assert heights(t) == (6 + 2, high - 8)
        assert t.app.main.table.outer_size.width == size[0]
        t.feed.show(*some(size[1] // 3 - 1))
        await t.until(lambda: heights(t) == (high, high))
        assert t.app.main.table.outer_size.width == size[0] * 60 // 100
        t.app.main.table.set_filter("c3")
        await t.pilot.pause()
        assert heights(t) == (high, high)
        t.feed.show(*some(size[1] // 3 - 2))
        await t.until(lambda: heights(t)[0] == size[1] // 3)
        t.feed.show()
        await t.until(lambda: t.app.main.table.outer_size.width == size[0])


@pytest.mark.slow
@pytest.mark.parametrize("width", [70, 80, 120])
async def test_graphs_grow_into_what_is_free_and_never_beyond(width: int) -> None:
    found = []
    for height in (10, 30, 38, 60):
        pane = Overview(clock=clock)
        async with WidgetHost(pane).run_test(size=(width, height)) as pilot:
            pane.show(DEB12, trend=TREND)
            await pilot.pause()
            found.append(pane.query_one(Activity).size.height)
            if found[-1] > found[0]:
                assert pane.max_scroll_y == 0
    assert found[0] < found[2] <= found[3]
    assert found[3] == found[0] + 4 * 4


HAPPENED = tuple(Happening(NOW - 60 * n, "started", f"{n} root: one{n}\x1b[31m") for n in range(60))


async def test_what_happened_lately_stands_where_there_is_room() -> None:
    pane = Overview(clock=clock)
    host = WidgetHost(pane)
    async with host.run_test(size=(120, 20)) as pilot:
        pane.show(DEB12, trend=TREND, happened=HAPPENED)
        await pilot.pause()
        text = screen_text(host)
        assert "Lately" in text
        assert "one0" in text
        assert "one40" not in text
        assert "\x1b" not in text
        assert pane.query_one(Facts).size.height == 20
        await pilot.resize_terminal(120, 8)
        await pilot.pause()
        assert "Lately" not in screen_text(host)


@pytest.mark.slow
async def test_on_80x24_graphs_stand_beside_the_facts_and_no_line_of_them_goes_on() -> None:
    async with ui(DEB12, *some(4), size=(80, 24)) as t:
        await t.on_row("deb12")
        overview = t.app.main.query_one(Overview)
        overview.show(DEB12, trend=TREND)
        await t.pilot.pause()
        activity = overview.query_one(Activity)
        assert activity.region.y == overview.query_one(Facts).region.y
        assert max(line.cell_length for line in activity.lines) <= activity.size.width
        await t.press("C")  # which leaves it few lines
        await t.until(lambda: overview.size.height < 8)
        await t.until(lambda: activity.region.y > overview.query_one(Facts).region.y)


async def test_in_one_column_graphs_come_before_what_happened_lately() -> None:
    pane = Overview(clock=clock)
    host = WidgetHost(pane)
    async with host.run_test(size=(70, 30)) as pilot:
        pane.show(DEB12, trend=TREND, happened=HAPPENED)
        await pilot.pause()
        assert pane.max_scroll_y == 0
        assert "disks" in screen_text(host)
        assert "Lately" not in screen_text(host)
        pane.show(DEB12, happened=HAPPENED)
        await pilot.pause()
        assert pane.max_scroll_y == 0
        assert "Lately" in screen_text(host)
        pane.show(DEB12, trend=TREND, happened=HAPPENED)
        await pilot.pause()
        assert pane.max_scroll_y == 0
        assert "Lately" not in screen_text(host)


async def test_what_graphs_leave_free_tells_what_happened_lately() -> None:
    pane = Overview(clock=clock)
    host = WidgetHost(pane)
    async with host.run_test(size=(70, 58)) as pilot:
        pane.show(DEB12, trend=TREND)
        await pilot.pause()
        graphs = pane.query_one(Activity).size.height
        for count in (1, 3, 60, 2, 0):
            pane.show(DEB12, trend=TREND, happened=HAPPENED[:count])
            await pilot.pause()
            text = screen_text(host)
            assert pane.max_scroll_y == 0
            assert pane.query_one(Activity).size.height >= graphs
            assert all(f"one{n}" in text for n in range(min(count, 8)))
            assert ("Lately" in text) is bool(count)
            assert text.find("disks") < text.find("Lately") or not count


async def test_graphs_make_room_for_more_facts_and_take_it_back() -> None:
    few = DEB12.replace(description="")
    many = DEB12.replace(path=f"{DEB12.path}2", description="word " * 120)
    pane = Overview(clock=clock)
    async with WidgetHost(pane).run_test(size=(70, 38)) as pilot:
        found = []
        for one in (few, many, few):
            pane.show(one, trend=TREND)
            await pilot.pause()
            assert pane.max_scroll_y == 0
            found.append(pane.query_one(Activity).size.height)
        assert found[1] < found[0] == found[2]


@pytest.mark.slow
async def test_beside_a_dock_on_a_small_screen_what_has_the_focus_is_of_use() -> None:
    async with ui(DEB12, *some(20), size=(80, 24)) as t:
        main = t.app.main
        await t.press("C")
        await t.until(lambda: main.dock.is_open and main.dock.has_focus_within)
        await t.press("escape")
        await t.until(lambda: main.table.has_focus_within and heights(t)[0] >= 5)
        await t.press("2")
        await t.until(lambda: main.details.has_focus_within)
        await t.until(lambda: heights(t)[1] >= 8)
        assert sum(heights(t)) == main.query_one("#body").size.height, "nothing is cut"
        assert main.details.table is not None
        assert main.details.table.size.height >= 4, "rows below its head"
        assert main.table.size.height >= 3
