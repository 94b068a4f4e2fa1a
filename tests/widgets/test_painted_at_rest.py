"""support.painting: what is painted later than Textual would is painted all the same."""

from __future__ import annotations

import asyncio

import pytest
from textual.widgets import Static

from support.widget_host import WidgetHost


class Counted(Static):
    """Counts what is painted of it; cannot be painted at all where it is broken."""

    painted = 0
    broken = False

    def render(self) -> str:
        if self.broken:
            raise ZeroDivisionError
        self.painted += 1
        return str(self.painted)


async def test_once_for_all_that_led_to_where_it_rests() -> None:
    one = Counted()
    async with WidgetHost(one).run_test() as pilot:
        await pilot.pause()
        before = one.painted
        for _ in range(3):
            one.refresh()
            one.screen._on_timer_update()
        await pilot.pause()
        assert one.painted == before + 1


@pytest.mark.slow
async def test_without_any_rest_too() -> None:
    one = Counted()
    async with WidgetHost(one).run_test() as pilot:
        await pilot.pause()
        before = one.painted
        one.refresh()
        while one.painted == before:
            await asyncio.sleep(0)


@pytest.mark.slow
@pytest.mark.parametrize("rests", [True, False])
async def test_what_cannot_be_painted_fails_the_test(rests: bool) -> None:
    one = Counted()
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with WidgetHost(one).run_test() as pilot:
            one.broken = True
            one.refresh()
            while not rests and pilot.app._exception is None:
                await asyncio.sleep(0)
            await pilot.pause()
