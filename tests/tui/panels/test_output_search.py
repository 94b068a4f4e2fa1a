"""`/` in what a job, or a command of the log, has printed: as in a panel."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from chroot_tool.core.events import Output
from chroot_tool.widgets.done_command import DoneCommand
from chroot_tool.widgets.job_status import DONE
from chroot_tool.widgets.panes.job_output import JobOutput
from chroot_tool.widgets.panes.list_with_output import ListWithOutput
from support.finding import found_as_one_types, gone_on_while_typing, gone_through
from support.samples import BASE, CHROOTS
from support.whole_ui import Ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
PATH = f"{BASE}/jammy"


async def printed(t: Ui, *lines: str) -> ListWithOutput:
    """Have a job print lines, and go to the list of jobs."""
    t.engine.reports["on"] = tuple(Output(PATH, line) for line in lines)
    await t.on_row("jammy")
    await t.press("o")
    pane = t.app.main.dock.jobs_pane
    await t.until(lambda: pane.output.lines[-1:] == [lines[-1]])
    if not t.app.main.dock.has_focus_within:
        await t.press("4")
    await t.until(lambda: pane.has_focus_within)
    return pane


def marked(output: JobOutput) -> list[str]:
    """What is marked on the screen, from top to bottom; in capitals what is shown."""
    parts = (part for y in range(output.size.height) for part in output.render_line(y))
    found = ((text, style) for text, style, _ in parts if style and style.underline)
    return [text.upper() if style.reverse else text for text, style in found]


@pytest.mark.slow
@SIZES
@pytest.mark.parametrize("tab", ["jobs", "commands"])
async def test_it_is_found_as_one_types_and_n_goes_on(size: tuple[int, int], tab: str) -> None:
    async with ui(*CHROOTS, size=size) as t:
        pane: ListWithOutput = await printed(t, *(f"row {number}" for number in range(1, 501)))
        if tab == "commands":
            await t.press("left_square_bracket")
            pane = t.app.main.dock.commands
            await t.until(lambda: len(pane.output.lines) == 500)
        await found_as_one_types(t)
        await t.until(lambda: "ROW 12" in marked(pane.output))
        await gone_on_while_typing(t)
        await t.until(lambda: not pane.is_finding)
        await gone_through(t)
        assert pane.has_focus_within
        assert not marked(pane.output)
        await t.press("escape")
        await t.until(lambda: t.app.main.table.has_focus_within)


@pytest.mark.slow
async def test_escape_while_one_types_leads_back_to_the_end_which_is_followed_again() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        pane = await printed(t, *(f"row {number}" for number in range(1, 501)))
        await t.press("slash")
        await t.write("row 7")
        await t.shows("row 79")
        t.app.main.dock.jobs_pane.append_output(pane.shown or 0, ["row 501"])
        await t.hides("row 501")
        await t.press("escape")
        await t.shows("row 501")
        t.app.main.dock.jobs_pane.append_output(pane.shown or 0, ["row 502"])
        await t.shows("row 502")


@pytest.mark.slow
async def test_what_is_printed_while_one_types_is_found_in_it() -> None:
    async with ui(*CHROOTS) as t:
        pane = await printed(t, "first")
        await t.press("slash")
        await t.write("err")
        await t.shows("not found")
        t.app.main.dock.jobs_pane.append_output(pane.shown or 0, ["an error"])
        await t.shows("1 of 1")
        await t.press("enter")
        await t.shows("/err 1 of 1")


@pytest.mark.slow
async def test_a_place_far_to_the_right_is_shown_and_so_is_one_in_wide_letters() -> None:
    far = "x" * 300 + "needle" + "y" * 300
    wide = "日本" * 100 + "needle"
    async with ui(*CHROOTS, size=(80, 24)) as t:
        pane = await printed(t, far, wide)
        await t.press("slash")
        await t.write("needle")
        await t.shows("2 of 2")
        await t.until(lambda: "NEEDLE" in marked(pane.output))
        await t.press("up")
        await t.shows("1 of 2")
        await t.until(lambda: "NEEDLE" in marked(pane.output))


@pytest.mark.slow
async def test_another_job_is_not_searched_any_more_and_n_is_what_it_is_elsewhere() -> None:
    async with ui(*CHROOTS, size=(120, 40)) as t:
        pane = await printed(t, "one", "two")
        await t.press("slash")
        await t.write("two")
        await t.press("enter")
        await t.shows("/two 1 of 1")
        t.app.main.table.focus()
        await t.on_row("arm")
        await t.press("o")
        await t.hides("/two")
        assert not pane.output.sought
        await t.press("4", "n")
        await t.shows("new chroot")


@pytest.mark.slow
@pytest.mark.parametrize("tab", ["jobs", "commands"])
async def test_where_nothing_was_printed_what_is_typed_is_searched_for_all_the_same(
    tab: str,
) -> None:
    """It was refused, and the letters were keys: `.` did it once more, `x` took it off the list."""
    async with ui(*CHROOTS) as t:
        await t.on_row("jammy")
        await t.press("o")
        await t.until(lambda: t.app.main.dock.commands.rows.keys)
        if not t.app.main.dock.has_focus_within:
            await t.press("4")
        pane: ListWithOutput = t.app.main.dock.jobs_pane
        if tab == "commands":
            await t.press("left_square_bracket")
            pane = t.app.main.dock.commands
        await t.until(lambda: pane.has_focus_within)
        await t.press("slash")
        await t.write("o.x")
        assert pane.query_one(Input).value == "o.x"
        assert len(t.engine.called("on")) == 1
        await t.shows("not found")
        await t.press("enter")
        assert pane.has_focus_within
        assert not pane.output.sought


@pytest.mark.slow
async def test_the_search_stays_open_when_what_it_is_of_comes_while_one_types() -> None:
    """As the commands of earlier sessions, which are read when the UI is there."""
    async with ui(*CHROOTS) as t:
        await t.press("4", "left_square_bracket")
        pane = t.app.main.dock.commands
        await t.until(lambda: pane.has_focus_within)
        await t.press("slash")
        await t.write("o")
        t.app.main.session.log.remember((DoneCommand(0, ("ls",), "", DONE, is_past=True),))
        await t.until(lambda: pane.shown is not None)
        await t.write("ff")
        assert pane.query_one(Input).value == "off"
        assert pane.output.sought == "off"


@pytest.mark.slow
async def test_what_is_nowhere_is_said_and_forgotten() -> None:
    async with ui(*CHROOTS) as t:
        pane = await printed(t, "one [/x] [@click=quit]here")
        await t.press("slash", "z", "enter")
        await t.says("not found")
        assert not pane.output.sought
        await t.press("slash")
        pane.query_one(Input).value = "[@click=quit]\x1b"
        await t.shows("not found")
        pane.query_one(Input).value = "[@click=quit]"
        await t.shows("1 of 1")
        await t.press("enter")
        await t.shows("/[@click=quit]")
