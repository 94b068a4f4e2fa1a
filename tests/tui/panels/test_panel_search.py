"""`/` in a panel: what is looked for is marked, n and N go from one to the next, Escape ends it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from chroot_tool.widgets.panes.find_line import FindLine
from chroot_tool.widgets.panes.run_panel import RunPanel
from support import settling
from support.finding import found_as_one_types, gone_on_while_typing, gone_through
from support.samples import CHROOTS
from support.whole_ui import Ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
LEAVE = "ctrl+right_square_bracket"


async def run(t: Ui, script: str, until: str) -> RunPanel:
    """Run a shell's script in a panel of this host, and leave it for its frame."""
    one = t.app.main.table.highlighted
    assert one is not None
    await t.app.main.session.panels.open(one, "script", ["sh", "-c", script])
    made = t.app.main.dock.panels[-1]
    await t.until(lambda: until in made.terminal.reading.text())
    await t.press(LEAVE)
    await t.until(lambda: made.has_focus)
    return made


def shown(panel: RunPanel) -> str:
    """The place that is shown, as the text that stands there."""
    view = panel.terminal.reading.view
    assert view is not None
    assert view.search is not None
    return view.transcript.text_of(view.search.at) if view.search.at else ""


def marked(panel: RunPanel) -> int:
    """How many places are marked on the screen."""
    terminal = panel.terminal
    lines = (terminal.render_line(y) for y in range(terminal.size.height))
    return sum(bool(part.style and part.style.underline) for line in lines for part in line)


@pytest.mark.slow
@SIZES
async def test_it_is_found_as_one_types_and_n_goes_on(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        one = await run(t, "seq -f 'row %g' 1 500; exec sleep 1000", "row 500")
        await found_as_one_types(t)
        assert shown(one) == "row 12"
        assert marked(one) > 1
        await gone_on_while_typing(t)
        await t.until(lambda: one.has_focus)
        await t.shows("script running")
        await gone_through(t)
        assert one.has_focus
        assert not marked(one)
        await t.press("escape")
        await t.until(lambda: t.app.main.table.has_focus_within)


@pytest.mark.slow
async def test_escape_while_one_types_leads_back_to_the_end_which_is_followed_again(
    tmp_path: Path,
) -> None:
    go = tmp_path / "go"
    script = f"seq -f 'row %g' 1 500; until [ -e {go} ]; do sleep .1; done; echo more; sleep 1000"
    async with ui(*CHROOTS) as t:
        one = await run(t, script, "row 500")
        await t.press("slash")
        await t.write("row 7")
        await t.shows("row 79")
        await t.press("escape")
        await t.shows("row 500")
        go.touch()
        await t.shows("more")
        assert one.terminal.scrolled == 0


@pytest.mark.slow
async def test_nothing_of_it_reaches_the_program_nor_does_another_size() -> None:
    script = "trap 'echo resized' WINCH; stty -echo; echo ready; exec cat -v"
    async with ui(*CHROOTS) as t:
        one = await run(t, script, "ready")
        size = one.terminal.size
        await t.press("slash")
        await t.write("rea")
        await t.press("enter", "n", "N", "slash", "escape", "slash")
        await t.shows("1 of 1")
        assert one.terminal.size == size
        await t.press("escape", "enter")
        await t.until(lambda: one.terminal.is_chosen)
        await t.write("end of it")
        await t.press("enter")
        await t.until(lambda: "end of it" in one.terminal.reading.text())
        assert one.terminal.reading.text() == "ready\nend of it\n"


@pytest.mark.slow
async def test_in_a_flood_there_is_always_a_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "i=0; while :; do seq $i $((i+999)); echo needle $i; i=$((i+1000)); done"
    monkeypatch.setattr(settling, "WORK", 0.01)  # it never comes to rest
    async with ui(*CHROOTS) as t:
        one = await run(t, script, "needle")
        twice_what_is_kept = re.compile(r"^needle ([2-9]\d|\d{3,})\d{3}$", re.MULTILINE)
        await t.until(lambda: twice_what_is_kept.search(one.terminal.reading.text()))
        await t.press("slash")
        await t.write("needle")
        await t.shows(" of ")
        await t.press("enter")
        await t.until(lambda: one.has_focus)
        await t.press(*"nnnNnnnnnnnnnnnnnn")  # round, too
        await t.until(lambda: re.search(r"/needle \d+ of 1\d", t.text))
        await t.press("escape")
        await t.until(lambda: not one.terminal.reading.sought)
        await t.press("t")
        await t.until(lambda: not one.running)


@pytest.mark.slow
async def test_who_goes_into_the_program_looks_for_nothing_any_more() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "seq 500; exec cat", "500")
        await t.press("slash", "4", "4", "enter")
        await t.shows("/44")
        await t.press("enter")
        await t.until(lambda: one.terminal.is_chosen)
        await t.hides("/44")
        assert not one.terminal.reading.sought


@pytest.mark.slow
async def test_without_a_search_n_is_what_it_is_elsewhere() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "seq 5; exec sleep 1000", "5")
        await t.press("slash", "x", "enter")
        await t.says("not found")
        await t.until(lambda: one.has_focus)
        await t.press("n")
        await t.shows("new chroot")


@pytest.mark.slow
async def test_a_name_of_control_characters_is_looked_for_and_shown_safely() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "echo '[/x] [@click=quit]here'; exec sleep 1000", "here")
        await t.press("slash")
        one.query_one(Input).value = "[@click=quit]\x1b"
        await t.shows("not found")
        one.query_one(Input).value = "[@click=quit]"
        await t.shows("1 of 1")
        await t.press("enter")
        await t.shows("/[@click=quit]")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["keys", "mouse"])
async def test_who_goes_elsewhere_leaves_the_line_and_can_come_back_to_it(way: str) -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "seq -f 'row %g' 1 500; exec sleep 1000", "row 500")
        line = one.query_one(FindLine)
        await t.press("slash")
        await t.write("row 12")
        if way == "keys":
            await t.press("tab")
        else:
            await t.pilot.click("#environments Rows")
        await t.until(lambda: not line.display and not line.has_focus)
        await t.shows("/row 12 11 of 11", "script running")
        t.app.main.dock.focus_shown()
        await t.until(lambda: one.has_focus)
        await t.press("n")
        await t.shows("10 of 11")
        await t.press("slash")
        await t.until(lambda: line.has_focus and line.display)


@pytest.mark.slow
async def test_who_goes_into_the_terminal_leaves_the_line(tmp_path: Path) -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "seq -f 'row %g' 1 500; exec sleep 1000", "row 500")
        await t.press("slash")
        await t.write("row 12")
        one.action_enter()
        await t.until(lambda: one.terminal.has_focus and not one.query_one(FindLine).display)
        await t.shows("script running")
        await t.hides("/row 12")
        assert not marked(one)


@pytest.mark.slow
async def test_the_line_stays_while_another_window_has_the_focus() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "seq -f 'row %g' 1 500; exec sleep 1000", "row 500")
        line = one.query_one(FindLine)
        await t.press("slash")
        await t.write("row 12")
        t.app.post_message(events.AppBlur())
        await t.until(lambda: not line.has_focus)
        t.app.post_message(events.AppFocus())
        await t.until(lambda: line.has_focus)
        assert line.display
