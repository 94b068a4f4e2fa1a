"""The whole app: hostile text through everything, and no motion where nothing happens."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.events import Output, Stage
from support.samples import CHROOTS, hostile_chroot
from support.screen import HOSTILE, stray_controls
from support.whole_ui import ui


@pytest.mark.slow
async def test_hostile_text_through_everything() -> None:
    every = {text: hostile_chroot(text) for text in HOSTILE}
    async with ui(*every.values()) as t:
        table = t.app.main.table
        await t.until(lambda: len(table.rows.keys) == len(every))
        for tab in ("1", "2", "3"):
            await t.press(tab)
            for one in every.values():
                await t.until(lambda one=one: table.move_to(one.path) and table.highlighted == one)  # type: ignore[misc]
                await t.pilot.pause(0)
                assert stray_controls(t.app) == []
        table.focus()
        t.engine.fail("on", *[ChrootError(text, text) for text in HOSTILE])
        t.engine.reports["on"] = tuple(
            event for text in HOSTILE for event in (Stage("/x", text, 0.5), Output("/x", text))
        )
        for key in table.rows.keys:
            table.rows.toggle_mark(key)
        await t.press("o")
        await t.until(
            lambda: [job.state for job in t.app.main.session.jobs.views] == ["failed"] * len(every)
        )
        for job in t.app.main.session.jobs.views:
            t.app.main.dock.jobs_pane.select(job.id)
            await t.pilot.pause(0)
            assert stray_controls(t.app) == []
        for key in ("d", "r", "b"):
            for text in HOSTILE[:4]:
                table.move_to(every[text].path)
                table.focus()
                await t.press(key)
                await t.until(lambda: t.app.screen is not t.app.main and t.app.screen.is_mounted)
                assert stray_controls(t.app) == []
                await t.press("escape")
                await t.main()
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.pilot.pause()
        assert stray_controls(t.app) == []


async def test_the_whole_screen_needs_a_real_terminal() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("S")
        await t.says("can't be handed over")


@pytest.mark.slow
@pytest.mark.parametrize("key", ["slash", "colon"])
async def test_nothing_moves_where_nothing_happens(key: str) -> None:
    async with ui(*CHROOTS) as t:
        assert t.app.animation_level == "none"
        await t.press(key)
        await t.until(lambda: isinstance(t.app.screen.focused, Input))
        line = t.app.screen.focused
        assert isinstance(line, Input)
        await t.until(lambda: not line.cursor_blink)
