"""At boot, by keys."""

from __future__ import annotations

import pytest

from support.samples import BASE, CHROOTS
from support.whole_ui import ui

ARM = f"{BASE}/arm"


@pytest.mark.slow
async def test_what_is_on_at_boot_is_changed_and_seen() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.app.main.action_perform("environments.boot")
        await t.until(lambda: t.engine.called("enable") == [(ARM,)])
        await t.says("arm is switched on at boot from now on")
        await t.hides("at boot")
        t.feed.show(*[one.replace(enabled=one.path == ARM) for one in CHROOTS])
        await t.shows("at boot on, and started")
        await t.app.main.action_perform("environments.boot")
        await t.until(lambda: t.engine.called("disable") == [(ARM,)])
