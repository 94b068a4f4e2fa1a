"""Every size of the terminal."""

from __future__ import annotations

import pytest

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
