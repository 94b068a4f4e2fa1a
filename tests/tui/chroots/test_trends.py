"""What chroots have been doing: what is kept of it, and what is painted when."""

from __future__ import annotations

import pytest

from chroot_tool.app.tui.chroots.trends import Trends
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.widgets.tables import listing
from chroot_tool.widgets.tables.chroot_columns import Recent, recent
from chroot_tool.widgets.tables.group_heads import Grouping
from chroot_tool.widgets.trend_points import MOST, SPAN, Trend
from support.samples import CHROOTS, DEB12, OFF, PROCESSES
from support.whole_ui import ui

IDLE = DEB12.replace(processes=tuple(one.replace(cpu_percent=0.0) for one in PROCESSES[:1]))
EMPTY = DEB12.replace(processes=())
PATH = DEB12.path
OFF_ONE = CHROOTS[0]


def busy(share: float, **fields: object) -> ChrootStatus:
    return DEB12.replace(processes=(PROCESSES[0].replace(cpu_percent=share, **fields),))


def test_of_each_span_the_highest_is_kept_and_what_was_seen_holds() -> None:
    trends = Trends()
    for now, share in [(100, 3.0), (101, 40.0), (103, 5.0), (116, 7.0)]:
        trends.take([busy(share)], now)
    trend = trends.all()[PATH]
    assert trend.cpu == (40.0, 5.0, 5.0, 7.0)
    assert trend.processes == (1, 1, 1, 1)
    assert trend.memory == (PROCESSES[0].rss,) * 4


def test_reading_and_writing_are_one_graph() -> None:
    trends = Trends()
    trends.take([busy(0.0, read_rate=1000.0, write_rate=50.0)], 0)
    assert trends.all()[PATH].disk == (1050.0,)


def test_it_forgets_what_is_older() -> None:
    trends = Trends()
    trends.take([busy(90.0)], 0)
    for number in range(1, 3 * MOST):
        trends.take([IDLE], number * SPAN)
    assert trends.all()[PATH].cpu == (0.0,) * MOST
    trends.take([busy(1.0)], 1e9)
    assert trends.all()[PATH].cpu == (0.0,) * (MOST - 1) + (1.0,)


@pytest.mark.parametrize("gone", [CHROOTS[0].replace(path=PATH), None])
def test_what_is_off_or_gone_is_forgotten(gone: ChrootStatus | None) -> None:
    trends = Trends()
    trends.take([busy(90.0)], 0)
    trends.take([gone] if gone else [], 1)
    assert trends.all() == {}
    assert not trends.are_moving


def test_a_chroot_that_is_on_and_does_nothing_costs_nothing() -> None:
    trends = Trends()
    trends.take([EMPTY, CHROOTS[0]], 0)
    assert trends.all() == {}
    assert not trends.are_moving


def test_it_moves_until_nothing_more_is_seen_of_what_was_done() -> None:
    trends = Trends()
    trends.take([busy(90.0)], 0)
    trends.take([EMPTY], SPAN)
    moved = 0
    while trends.are_moving:
        moved += 1
        trends.advance((1 + moved) * SPAN)
    assert moved == MOST - 1 or moved == MOST
    assert trends.all() == {}


def test_what_only_sits_there_stops_moving() -> None:
    trends = Trends()
    trends.take([IDLE], 0)
    trends.advance(MOST * SPAN)
    assert not trends.are_moving
    assert trends.all()[PATH] is trends.all()[PATH]


def test_a_peak_keeps_its_height_while_it_moves_on() -> None:
    trends = Trends()
    trends.take([busy(70.0)], 100 * SPAN)
    seen = []
    for number in range(1, 40):
        trends.take([IDLE], (100 + number) * SPAN)
        seen.append(recent(trends.all()[PATH]).cpu)
    assert {max(levels) for levels in seen} == {3}
    assert {sum(levels) for levels in seen} == {3}, "one point of three dots"


MIB = 1024**2


@pytest.mark.parametrize(
    ("seen", "dots"),
    [
        ((0.0, 0, 0), (0, 0, 0)),
        ((0.1, MIB, 1), (1, 1, 1)),
        ((10.0, 64 * MIB, 4), (2, 2, 2)),
        ((50.0, 512 * MIB, 16), (3, 3, 3)),
        ((99.0, 4095 * MIB, 63), (3, 3, 3)),
        ((100.0, 4096 * MIB, 64), (4, 4, 4)),
    ],
)
def test_a_full_cell_is_as_much_in_every_chroot(
    seen: tuple[float, int, int], dots: tuple[int, int, int]
) -> None:
    share, rss, count = seen
    done = recent(Trend(cpu=(share,), memory=(rss,), processes=(count,)))
    lasts = tuple(levels[-1] if levels else 0 for levels in (done.cpu, done.memory, done.processes))
    assert lasts == dots


def test_the_course_of_memory_and_of_processes() -> None:
    trends = Trends()
    for number, count in enumerate((1, 4, 16, 2)):
        many = tuple(PROCESSES[0].replace(pid=pid, rss=40 * MIB) for pid in range(count))
        for at in range(3):  # three spans are a point
            trends.take([DEB12.replace(processes=many)], (300 + 3 * number + at) * SPAN)
    done = recent(trends.all()[PATH])
    assert done.processes[-4:] == (1, 2, 3, 1)
    assert done.memory[-4:] == (1, 2, 3, 2)
    assert not any(done.processes[:-4])


def test_what_has_not_moved_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []

    def draw(trend: Trend | None) -> Recent:
        drawn.append(trend)
        return recent(trend)

    monkeypatch.setattr(listing, "recent", draw)
    trends = Trends()
    trends.take([busy(90.0)], 0)
    rows = listing.Listing(Grouping())
    assert rows.take((DEB12, OFF_ONE), (), {}, trends.all(), ())
    before = rows.known[PATH]
    assert drawn == [trends.all()[PATH], None]
    assert rows.take((DEB12, OFF_ONE), (), {OFF_ONE.path: 5}, trends.all(), ())
    assert rows.known[PATH] is before
    assert len(drawn) == 2
    assert rows.take((DEB12, OFF_ONE), (), {}, {}, ())
    assert rows.known[PATH].recent == Recent(), "what is off has none"


@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
@pytest.mark.slow
async def test_graphs_stand_where_there_is_room(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as run:
        await run.on_row("deb12")
        await run.press("1", "G")
        await run.shows("memory 448M, peak 448M", "processes 3, peak 3")
        await run.press("escape")
        assert ("CPU 4m" in run.text) is (size[0] > 80)
        await run.on_row("arm")
        await run.hides("peak")


@pytest.mark.slow
async def test_the_second_column_of_a_wide_screen() -> None:
    async with ui(*CHROOTS, size=(120, 40)) as run:
        await run.on_row("deb12")
        await run.shows("CPU 247 %, peak 247", "processes 3, peak 3")
        line = next(line for line in run.text.splitlines() if "CPU 247" in line)
        assert "name deb12" in line
        run.feed.show(*(one.replace(processes=()) for one in CHROOTS))
        await run.shows("CPU 0 %, peak 247")
        run.feed.show(DEB12.replace(state="off", processes=(), mounts=OFF))
        await run.hides("peak")


@pytest.mark.slow
async def test_while_nothing_changes_nothing_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui(busy(0.0), size=(120, 40)) as run:
        await run.shows("CPU 0 %, peak 0")
        run.app.main.session.inventory.trends.advance(1e9)  # so long that nothing is to come
        run.app.main._sight.let_time_go_on()
        await run.until(lambda: "⣀" * 8 in run.text)
        painted: list[int] = []
        rows = run.app.main.table.rows
        monkeypatch.setattr(rows, "render_line", painted.append)
        run.app.main.session.inventory.trends.advance(2e9)
        run.app.main._sight.let_time_go_on()
        run.feed.show(busy(0.0))
        await run.pilot.pause()
        assert painted == []
