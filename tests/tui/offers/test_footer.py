"""The keys in the footer: those that hold now, whatever else goes on."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events
from textual.screen import Screen

from chroot_tool.widgets.bars.key_footer import KeyFooter
from chroot_tool.widgets.dialogs.columns import ColumnsDialog
from support.samples import CHROOTS
from support.whole_ui import Late, RecordingEngine, Ui, recorded, ui, until


def keys(t: Ui) -> list[str]:
    """The words of the keys that it shows."""
    return [key.word for footer in t.app.main.query(KeyFooter) for key in footer.in_sight]


def _of_the_footer(callback: Any) -> bool:
    return isinstance(getattr(getattr(callback, "func", None), "__self__", None), KeyFooter)


@pytest.mark.slow
async def test_a_dialog_that_closes_takes_no_change_along(monkeypatch: pytest.MonkeyPatch) -> None:
    later = Screen._invoke_later

    def unless_it_closes(screen: Screen[Any], callback: Any, sender: Any) -> None:
        """As of a screen that was taken away before it came to what it was to do."""
        if not (isinstance(screen, ColumnsDialog) and _of_the_footer(callback)):
            later(screen, callback, sender)

    async with ui(*CHROOTS) as t:
        await t.until(lambda: "on/off" in keys(t))
        await t.press("vertical_line")
        await t.dialog(ColumnsDialog)
        monkeypatch.setattr(Screen, "_invoke_later", unless_it_closes)
        t.feed.show()
        await t.until(lambda: not t.app.main.chroots)
        await t.pilot.pause()
        await t.press("escape")
        await t.main()
        await t.until(lambda: "on/off" not in keys(t))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_processes_say_how_they_become_a_tree(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await t.on_row("deb12")
        await t.press("3")
        await t.shows("T tree")


async def test_a_terminal_that_has_no_focus_at_the_start_shows_keys() -> None:
    engine, feed = RecordingEngine(), Late(*CHROOTS)
    app = recorded(engine, feed)
    async with app.run_test(size=(120, 40)) as pilot:
        app.post_message(events.AppBlur())
        await until(pilot, lambda: not app.app_focus)
        feed.show(*CHROOTS)
        t = Ui(app, pilot, engine, feed)
        await until(pilot, lambda: app.main.is_built)
        await until(pilot, lambda: keys(t))
        assert not app.app_focus


@pytest.mark.slow
@pytest.mark.parametrize("size", [(60, 15), (80, 24)])
async def test_help_and_quit_stay_in_the_footer(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await t.shows("q quit", "? help", "o on/off")
        await t.press("enter")
        await t.until(lambda: t.app.main.details.has_focus_within)
        await t.shows("q quit", "? help")
        await t.pilot.resize_terminal(120, 40)
        await t.press("escape")
        t.app.main.table.focus()
        await t.shows("d delete", "q quit", "? help")


@pytest.mark.slow
async def test_the_footer_offers_what_ends_the_filter() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.press("slash")
        await t.shows("⏎ keep", "esc clear")
        await t.hides("/ filter")
        await t.write("a/b")
        await t.until(lambda: t.app.main.table.filter_text == "a/b")
        await t.press("escape")
        await t.shows("/ filter")
