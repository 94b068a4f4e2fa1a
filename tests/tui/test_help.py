"""The help: it follows the focus, fits, and takes nothing away."""

from __future__ import annotations

import pytest

from support.samples import CHROOTS
from support.screen import screen_lines
from support.whole_ui import ui


@pytest.mark.slow
async def test_the_help_names_the_keys_of_textual_in_our_words() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("question_mark")
        await t.shows("tab next pane; shift: back", "^c copy what is selected")
        assert "Focus" not in t.text
        assert "super" not in t.text


@pytest.mark.slow
async def test_help_shows_the_keys_and_goes_again() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("question_mark")
        await t.until(lambda: t.app.screen.query("HelpPanel"))
        await t.shows("Chroots")
        await t.press("question_mark")
        await t.until(lambda: not t.app.screen.query("HelpPanel"))


@pytest.mark.slow
async def test_keys_of_moving_move_nothing_behind_a_help_that_fits() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.press("question_mark")
        await t.until(lambda: t.app.screen.query("HelpPanel"))
        await t.shows("Moving")
        (shown,) = t.app.screen.query("HelpPanel")
        assert shown.max_scroll_y == 0
        before = t.app.main.table.rows.cursor_row
        await t.press("j", "down", "pagedown", "G", "end")
        await t.press("question_mark")
        await t.until(lambda: not t.app.screen.query("HelpPanel"))
        assert t.app.main.table.rows.cursor_row == before
        await t.press("j")
        await t.until(lambda: t.app.main.table.rows.cursor_row != before)


async def test_help_fits_on_a_small_screen_the_keys_of_the_pane_first() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.press("question_mark")
        await t.shows("╭─ Chroots ─", "│ Chroots ", "│ ⏎ details", "Moving")
        text = t.text
        assert text.index("⏎ details") < text.index("o O on / off") < text.index("Everywhere")
        assert "j k a row down, up" in text
        (shown,) = t.app.screen.query("HelpPanel")
        assert shown.max_scroll_y == 0, "all of it is seen"
        assert shown.size.width > 76
        lines = screen_lines(t.app)
        for one, other in (("run a command", "what was done"), ("hosts, base", "a row down")):
            places = {line.index(said) for line in lines for said in (one, other) if said in line}
            assert len(places) == 1, "what keys do stands in one column"


@pytest.mark.slow
@pytest.mark.parametrize("pane", ["enter", "2", "escape"])
async def test_help_that_is_too_long_is_scrolled_by_keys_wherever_the_focus_is(pane: str) -> None:
    async with ui(*CHROOTS, size=(80, 18)) as t:
        await t.press(pane)
        await t.pilot.pause()
        focused, before = t.app.focused, t.highlighted
        await t.press("question_mark")
        await t.until(lambda: t.app.screen.query("HelpPanel"))
        (shown,) = t.app.screen.query("HelpPanel")
        await t.until(lambda: shown.max_scroll_y > 0)
        last = shown.max_scroll_y
        for key, at in (
            ("G", last), ("g", 0), ("end", last), ("home", 0), ("j", 1), ("down", 2),
            ("k", 1), ("up", 0),
        ):  # fmt: skip
            await t.press(key)
            await t.until(lambda at=at: shown.scroll_offset.y == at)  # type: ignore[misc]
        await t.press("pagedown")
        await t.until(lambda: shown.scroll_offset.y > 0)
        await t.press("pageup")
        await t.until(lambda: shown.scroll_offset.y == 0)
        assert (t.app.focused, t.highlighted) == (focused, before)
        await t.press("q")
        await t.until(lambda: not t.app.screen.query("HelpPanel"))
        assert t.app.is_running
        assert not t.app._exit


@pytest.mark.slow
async def test_help_follows_the_focus_and_the_keys_as_they_are_bound() -> None:
    async with ui(*CHROOTS, size=(80, 24), keys=(("environments.run", ("e",)),)) as t:
        await t.press("question_mark")
        await t.shows("e A run a command")
        await t.press("2")
        await t.shows("╭─ Mounts ─", "│ o O (un)mount it; only shown", "e A run a command")
        await t.press("1")
        await t.shows("╭─ Overview ─", "o O on / off")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50), (220, 60)])
async def test_help_leaves_the_panes_as_they_are(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        before = [(pane.region, pane.id) for pane in t.app.screen.query("#environments, #details")]
        await t.press("question_mark")
        await t.shows("Moving")
        after = [(pane.region, pane.id) for pane in t.app.screen.query("#environments, #details")]
        assert after == before


@pytest.mark.slow
async def test_escape_closes_the_help_before_it_does_anything_else() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("space", "question_mark")
        await t.shows("close help")
        await t.press("escape")
        await t.until(lambda: not t.app.screen.query("HelpPanel"))
        await t.hides("close help")
        await t.shows("1 marked")
        await t.press("escape")
        await t.hides("1 marked")
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.press("question_mark", "escape")
        await t.until(lambda: not t.app.screen.query("HelpPanel"))
        assert t.app.main.details.has_focus_within
