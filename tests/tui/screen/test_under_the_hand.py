"""What a key means, and where the cursor is, never changes while somebody is about to press."""

from __future__ import annotations

import pytest
from textual.widgets import Input, OptionList

from chroot_tool.app.tui.user import key_queue
from chroot_tool.widgets.dialogs.menu import Menu
from chroot_tool.widgets.dialogs.place import PlaceDialog
from chroot_tool.widgets.dialogs.quit import QuitDialog
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from chroot_tool.widgets.panes.overview import Facts
from support.samples import BASE, CHROOTS, DEB12
from support.whole_ui import Ui, runs, ui

NEW = DEB12.replace(name="twin", path=f"{BASE}/twin", state="off", mounts=(), processes=())
LEAVE = "ctrl+right_square_bracket"


@pytest.fixture
def shells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shells end at once, on this host."""
    runs(monkeypatch, lambda *_words: ["true"])


async def ended_shells(t: Ui, count: int) -> None:
    for number in range(1, count + 1):
        await t.press("escape", "s")
        await t.until(lambda number=number: len(t.app.main.dock.panels) == number)  # type: ignore[misc]
        one = t.app.main.dock.panels[-1]
        await t.until(lambda one=one: one.terminal.exit is not None and one.has_focus)  # type: ignore[misc]


@pytest.mark.slow
@pytest.mark.usefixtures("shells")
async def test_the_key_that_closed_the_last_tab_begins_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_queue, "_LULL", 1e9)
    async with ui(*CHROOTS) as t:
        await ended_shells(t, 2)
        await t.press(*"xxxxx")  # held
        await t.until(lambda: not t.app.main.dock.panels and t.app.main.table.has_focus_within)
        await t.press(*"xx")
        assert not t.app.main.dock.panels
        await t.press("down", "up", "x")  # after another key it is meant
        await t.until(lambda: len(t.app.main.dock.panels) == 1)
        assert t.app.main.dock.panels[0].command == "throw-away shell"


@pytest.mark.slow
@pytest.mark.usefixtures("shells")
async def test_it_is_meant_where_a_menu_has_closed_the_tab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_queue, "_LULL", 1e9)
    async with ui(*CHROOTS) as t:
        await ended_shells(t, 1)
        await t.press("m")
        menu = await t.dialog(Menu)
        options = menu.query_one(OptionList)
        options.highlighted = options.get_option_index("panel.close")
        await t.press("enter")
        await t.until(lambda: not t.app.main.dock.panels and t.app.main.table.has_focus_within)
        await t.press("x")
        await t.until(lambda: len(t.app.main.dock.panels) == 1)


@pytest.mark.slow
@pytest.mark.usefixtures("shells")
async def test_what_opens_by_itself_has_the_key_that_closed_the_last_tab(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_queue, "_LULL", 1e9)
    async with ui(*CHROOTS) as t:
        await ended_shells(t, 1)
        await t.press("x")
        await t.until(lambda: not t.app.main.dock.panels and t.app.main.table.has_focus_within)
        await t.app.main.doing.perform("environments.run")
        prompt = await t.dialog(RunPrompt)
        await t.press("x")
        await t.until(lambda: prompt.query_one("#line Input", Input).value == "x")


@pytest.mark.slow
@pytest.mark.usefixtures("shells")
async def test_after_a_while_it_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_queue, "_LULL", 0.0)
    async with ui(*CHROOTS) as t:
        await ended_shells(t, 1)
        await t.press("x")
        await t.until(lambda: not t.app.main.dock.panels and t.app.main.table.has_focus_within)
        await t.press("x")
        await t.until(lambda: len(t.app.main.dock.panels) == 1)


@pytest.mark.slow
async def test_the_key_that_took_the_last_job_off_the_list_begins_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_queue, "_LULL", 1e9)
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("o")
        await t.until(lambda: t.job_states.get("arm") == "done")
        await t.press("4")
        await t.until(lambda: t.app.main.dock.jobs_pane.has_focus_within)
        await t.press(*"xxx")
        await t.until(lambda: t.app.main.table.has_focus_within)
        assert t.app.main.dock.panels == ()
        assert not t.app.main.dock.is_open


async def clone(t: Ui) -> None:
    await t.on_row("arm")
    await t.press("c")
    await t.dialog(PlaceDialog)
    await t.write("twin")
    await t.press("enter")
    await t.main()
    await t.until(lambda: t.engine.called("clone"))


@pytest.mark.slow
async def test_the_cursor_goes_to_a_clone_while_nobody_does_anything() -> None:
    async with ui(*CHROOTS) as t:
        await clone(t)
        t.feed.show(*CHROOTS, NEW)
        await t.until(lambda: t.highlighted == "twin")


@pytest.mark.slow
async def test_the_cursor_stays_for_who_has_pressed_anything_since() -> None:
    async with ui(*CHROOTS) as t:
        await clone(t)
        await t.press("2", "escape")
        t.feed.show(*CHROOTS, NEW)
        await t.shows(f"Chroots {len(CHROOTS) + 1}")
        assert t.highlighted == "arm"
        t.feed.show(*CHROOTS)  # nor later, when it is there once more
        await t.hides(f"Chroots {len(CHROOTS) + 1}")
        t.feed.show(*CHROOTS, NEW)
        await t.shows(f"Chroots {len(CHROOTS) + 1}")
        assert t.highlighted == "arm"


@pytest.mark.slow
async def test_the_cursor_stays_for_who_has_clicked_since() -> None:
    async with ui(*CHROOTS) as t:
        await clone(t)
        await t.pilot.click("Rows", offset=(20, 3))
        await t.until(lambda: t.highlighted == "deb12")
        t.feed.show(*CHROOTS, NEW)
        await t.shows(f"Chroots {len(CHROOTS) + 1}")
        assert t.highlighted == "deb12"


@pytest.mark.slow
async def test_the_cursor_goes_along_with_the_one_that_it_is_on() -> None:
    arm = next(one for one in CHROOTS if one.name == "arm")
    others = tuple(one for one in CHROOTS if one.name != "arm")
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("R")
        await t.dialog(PlaceDialog)
        await t.press("end")
        await t.write("zz")
        await t.press("enter")
        await t.main()
        await t.until(lambda: t.engine.called("rename"))
        await t.press("2", "escape")
        t.feed.show(*others, arm.replace(name="armzz", path=f"{arm.path}zz"))
        await t.until(lambda: t.highlighted == "armzz")


async def test_where_a_clone_is_at_work_is_no_row_of_its_own() -> None:
    aside = NEW.replace(name=".twin.cloning", path=f"{BASE}/.twin.cloning", state="creating")
    async with ui(*CHROOTS, aside) as t:
        await t.shows(f"Chroots {len(CHROOTS)}")
        assert all(one.name != ".twin.cloning" for one in t.app.main.chroots)
        t.feed.show(*CHROOTS, aside.replace(state="incomplete"))  # it was killed
        await t.shows(f"Chroots {len(CHROOTS) + 1}")


@pytest.mark.slow
async def test_a_throw_away_shell_is_seen_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, lambda *_words: ["sleep", "1000"])
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("x")
        await t.shows("○ in use arm")
        await t.until(lambda: "in use" in str(t.app.main.details.query_one(Facts).render()))
        one = t.app.main.dock.panels[0]
        one.stop()
        await t.shows("○ off arm")
        await t.until(lambda: one.has_focus)
        await t.press("a")
        await t.shows("○ in use arm")
        await t.press("x")
        await t.dialog(QuitDialog)
        await t.press("right", "right", "enter")
        await t.until(lambda: not t.app.main.dock.panels)
        await t.shows("○ off arm")
