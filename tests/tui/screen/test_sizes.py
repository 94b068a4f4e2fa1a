"""Every size of the terminal."""

from __future__ import annotations

import pytest
from textual.geometry import Region, Size

from chroot_tool.core.errors import ChrootError
from support.samples import CHROOTS, SIZES
from support.whole_ui import ui


@pytest.mark.slow
async def test_every_size_from_tiny_to_huge() -> None:
    async with ui(*CHROOTS, sizes=SIZES) as t:
        t.engine.fail("on", ChrootError("no", "hint"))
        await t.press("o")
        await t.until(lambda: t.job_states == {"arm": "failed"})
        for tab in ("1", "2", "3"):
            await t.press(tab)
            for size in [(1, 1), (20, 5), (250, 70), (80, 24)]:
                await t.pilot.resize_terminal(*size)
        await t.shows("Chroots", "q quit")
        await t.pilot.resize_terminal(250, 70)
        await t.until(lambda: t.app.main.dock.region.x > t.app.main.details.region.x)
        await t.pilot.resize_terminal(160, 50)
        await t.until(lambda: t.app.main.details.region.y > t.app.main.table.region.y)
        await t.pilot.resize_terminal(160, 24)  # where the list is long
        await t.until(lambda: t.app.main.details.region.x > t.app.main.table.region.x)


@pytest.mark.slow
@pytest.mark.parametrize(
    "sizes", [((160, 24), (80, 24)), ((80, 24), (160, 24)), ((230, 50), (80, 24))],
    ids=["narrow", "wide", "from broad"],
)  # fmt: skip
async def test_another_size_is_laid_out_once_as_it_stays(
    sizes: tuple[tuple[int, int], tuple[int, int]],
) -> None:
    """What stood beside the list was painted beside it once more, in a third of the screen."""
    before, now = sizes
    async with ui(*CHROOTS, size=before) as t:
        main = t.app.main
        await t.press("4", "escape")
        await t.until(lambda: main.dock.is_open and main.table.has_focus_within)
        laid_out: list[tuple[Region, ...]] = []

        def stands_as_it_stays() -> bool:
            beside = main.details.region.x > main.table.region.x
            return bool(laid_out) and beside == (now[0] >= 150) and main.dock.region.x == 0

        def note(_screen: object) -> None:
            if main.size == Size(*now):
                laid_out.append(tuple(one.region for one in (main.table, main.details, main.dock)))

        main.screen_layout_refresh_signal.subscribe(main, note, immediate=True)
        await t.pilot.resize_terminal(*now)
        await t.until(stands_as_it_stays)
        assert set(laid_out) == {laid_out[-1]}
