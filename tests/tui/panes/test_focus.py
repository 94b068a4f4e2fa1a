"""Where the keys go: never to what is not seen, also where the terminal was left for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual import events
from textual.widget import Widget

from chroot_tool.app.tui.user import key_queue
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.process import OpenFile
from chroot_tool.widgets.dialogs.columns import ColumnsDialog, ColumnTable
from chroot_tool.widgets.dialogs.open_files import OpenFilesDialog
from chroot_tool.widgets.panes.details import Details
from chroot_tool.widgets.panes.run_panel import RunPanel
from chroot_tool.widgets.tables.filter_line import FilterLine
from support.samples import (
    BASE,
    CHROOTS,
    PROCESSES,
)
from support.whole_ui import Late, RecordingEngine, Ui, recorded, ui, until

ARM = f"{BASE}/arm"
FILES = (OpenFile(PROCESSES[0].pid, "cwd", "file", "/"),)


async def leave(t: Ui) -> None:
    """As a terminal tells that another window has the focus now."""
    t.app.post_message(events.AppBlur())
    await t.until(lambda: not t.app.app_focus and t.app.focused is None)
    await t.pilot.pause()


async def come_back(t: Ui) -> None:
    """As it tells that this one has it again."""
    t.app.post_message(events.AppFocus())
    await t.until(lambda: t.app.app_focus)
    await t.pilot.pause()


def is_seen(t: Ui) -> bool:
    """Whether what has the focus is to be seen."""
    focused = t.app.focused
    return focused is not None and all(
        one.display for one in focused.ancestors_with_self if isinstance(one, Widget)
    )


async def panel_while_a_job_runs(t: Ui) -> tuple[RunPanel, Callable[[], None]]:
    """A panel in whose terminal one types, and what has a job fail that was begun before."""
    t.engine.fail("on", ChrootError("mount /proc: it is on fire", "put it out"))
    gate = t.engine.hold("on")
    await t.on_row("arm")
    await t.press("o")
    await t.until(lambda: t.job_states == {"arm": "running"})
    one = t.app.main.table.highlighted
    assert one is not None
    await t.app.main.session.panels.open(one, "cat", ["cat"])
    (panel,) = t.app.main.dock.panels
    await t.until(lambda: panel.terminal.emulator is not None and panel.terminal.has_focus)
    return panel, gate.set


async def failed(t: Ui) -> None:
    """Wait until the job has failed, and what comes of it is done."""
    await t.until(lambda: t.job_states == {"arm": "failed"})
    await t.says("it is on fire")
    await t.pilot.pause()


@pytest.mark.slow
async def test_a_job_that_fails_takes_no_panel_away_in_which_one_types() -> None:
    async with ui(*CHROOTS) as t:
        panel, go_wrong = await panel_while_a_job_runs(t)
        go_wrong()
        await failed(t)
        assert panel.display
        assert t.app.focused is panel.terminal


@pytest.mark.slow
async def test_nor_while_another_window_has_the_focus() -> None:
    async with ui(*CHROOTS) as t:
        panel, go_wrong = await panel_while_a_job_runs(t)
        await leave(t)
        go_wrong()
        await failed(t)
        await come_back(t)
        await t.until(lambda: t.app.focused is panel.terminal)
        assert panel.display


@pytest.mark.slow
@pytest.mark.parametrize("size", [(60, 15), (60, 9), (30, 5), (15, 3)])
async def test_what_is_typed_into_a_shell_stays_there_however_small_the_screen_gets(
    size: tuple[int, int],
) -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        one = t.app.main.table.highlighted
        assert one is not None
        await t.app.main.session.panels.open(one, "cat", ["cat"])
        (panel,) = t.app.main.dock.panels
        await t.until(lambda: panel.terminal.emulator is not None and panel.terminal.has_focus)
        await t.pilot.resize_terminal(*size)
        await t.until(lambda: t.app.size == size)
        await t.press("o", "x")
        await t.until(lambda: "ox" in panel.terminal.reading.text())
        if size[1] > 3:
            await t.shows("ox")  # where one types is to be seen
        await t.pilot.resize_terminal(80, 24)
        await t.until(lambda: not t.app.main.has_class("-zoomed"))
        assert t.app.focused is panel.terminal
        await t.shows("ox", "Chroots")
        assert t.engine.calls == []
        assert len(t.app.main.dock.panels) == 1


@pytest.mark.slow
@pytest.mark.parametrize("tab", ["panel", "commands"])
async def test_what_the_dock_hides_gives_the_focus_to_the_environments(tab: str) -> None:
    async with ui(*CHROOTS) as t:
        await panel_while_a_job_runs(t)
        if tab == "commands":
            await t.press("ctrl+right_square_bracket", "right_square_bracket")
            await t.until(lambda: t.app.main.dock.commands.has_focus_within)
        t.app.main.dock.open_jobs()
        await t.until(lambda: t.app.main.table.rows.has_focus)


@pytest.mark.slow
async def test_a_focus_that_went_nowhere_is_taken_back_at_the_next_layout() -> None:
    async with ui(*CHROOTS) as t:
        t.app.main.set_focus(None)
        await t.pilot.resize_terminal(110, 40)
        await t.until(lambda: t.app.main.table.rows.has_focus)


# -- the terminal is left, and come back to ------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("slash",), "#environments FilterLine"),
        (("plus",), "#environments MarkLine"),
        (("2", "slash"), "#details FilterLine"),
    ],
)
async def test_what_was_being_typed_goes_on(keys: tuple[str, ...], line: str) -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press(*keys)
        field = t.app.main.query_one(line, FilterLine)
        await t.until(lambda: field.has_focus)
        await t.write("de")
        await leave(t)
        assert field.display
        await come_back(t)
        await t.until(lambda: field.has_focus)
        assert is_seen(t)
        await t.write("b")
        assert field.value == "deb"


@pytest.mark.slow
async def test_and_in_a_dialog() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.opened = {PROCESSES[0].pid: FILES}
        await t.on_row("deb12")
        await t.press("3", "g", "l")
        await t.dialog(OpenFilesDialog)
        await t.press("slash")
        await t.write("a")
        await leave(t)
        await come_back(t)
        await t.until(lambda: isinstance(t.app.focused, FilterLine))
        assert is_seen(t)


@pytest.mark.slow
async def test_a_line_that_is_left_for_another_part_is_closed() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("slash")
        field = t.app.main.query_one("#environments FilterLine", FilterLine)
        await t.until(lambda: field.has_focus)
        await t.press("tab")
        await t.until(lambda: not field.display)
        assert is_seen(t)


@pytest.mark.slow
async def test_a_panel_whose_command_has_ended_is_come_back_to() -> None:
    async with ui(*CHROOTS) as t:
        panel, _ = await panel_while_a_job_runs(t)
        await leave(t)
        panel.terminal.stop()
        await t.until(lambda: panel.terminal.exit is not None)
        await come_back(t)
        await t.until(lambda: panel.has_focus_within and is_seen(t))


@pytest.mark.slow
async def test_a_dialog_that_came_while_another_window_had_the_focus_takes_the_first_key() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("vertical_line")
        await t.dialog(ColumnsDialog)
        await t.press("escape")
        await t.main()
        await leave(t)
        await t.app.main.doing.perform("columns")
        dialog = await t.dialog(ColumnsDialog)
        await t.pilot.pause()
        assert dialog.focused is None
        await come_back(t)
        await t.until(lambda: isinstance(t.app.focused, ColumnTable))


@pytest.mark.slow
async def test_a_key_says_that_this_window_has_the_focus() -> None:
    """Not every terminal tells so."""
    async with ui(*CHROOTS) as t:
        await leave(t)
        await t.app.main.doing.perform("columns")
        await t.dialog(ColumnsDialog)
        await t.press("escape")
        await t.main()
        await t.until(lambda: t.app.main.table.rows.has_focus)


# -- keys that are typed early, or together -------------------------------------------------------


@pytest.mark.slow
async def test_what_is_typed_before_all_is_there_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_queue, "_LOOKS", 1_000_000)
    engine, feed = RecordingEngine(), Late(*CHROOTS)
    app = recorded(engine, feed)
    async with app.run_test(size=(120, 40)) as pilot:
        app.post_message(events.Key("G", "G"))
        await pilot.pause()
        assert not app.main.is_built
        feed.show(*CHROOTS)
        await until(pilot, lambda: app.main.is_built)
        keys = app.main.table.rows
        await until(pilot, lambda: keys.keys and keys.cursor_key == keys.keys[-1])


async def test_where_nothing_is_to_be_seen_one_can_quit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_queue, "_LOOKS", 3)
    app = recorded(RecordingEngine(), Late())
    async with app.run_test() as pilot:
        app.post_message(events.Key("q", "q"))
        await until(pilot, lambda: app._exit)


async def type_filter(t: Ui) -> None:
    """Have the focus in the line of the filter, and arm below it."""
    await t.on_row("arm")
    await t.press("slash")
    await t.write("arm")


@pytest.mark.slow
async def test_a_key_goes_where_the_one_before_it_has_led() -> None:
    async with ui(*CHROOTS) as t:
        await type_filter(t)
        t.app.post_message(events.Key("escape", "\x1b"))
        t.app.post_message(events.Key("o", "o"))
        await t.until(lambda: t.engine.calls == [("on", ARM)])


@pytest.mark.slow
async def test_a_key_is_for_the_tab_that_the_one_before_it_has_shown_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mount = Details.mount

    async def slowly(details: Details, pane: Widget) -> None:
        await asyncio.sleep(0.2)
        await mount(details, pane)

    monkeypatch.setattr(key_queue, "_LOOKS", 1_000_000)
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        monkeypatch.setattr(Details, "mount", slowly)
        t.app.post_message(events.Key("2", "2"))
        t.app.post_message(events.Key("o", "o"))
        await t.until(lambda: t.engine.calls)
        assert [name for name, *_ in t.engine.calls] == ["switch_bind"]


@pytest.mark.slow
async def test_esc_and_a_letter_that_were_read_together_are_both_there() -> None:
    async with ui(*CHROOTS) as t:
        await type_filter(t)
        t.app.post_message(events.Key("alt+o", "o"))
        await t.until(lambda: t.engine.calls == [("on", ARM)])
        assert not t.app.main.table.filter_text


@pytest.mark.slow
async def test_alt_is_the_programs_in_a_panel() -> None:
    async with ui(*CHROOTS) as t:
        panel, _ = await panel_while_a_job_runs(t)
        t.app.post_message(events.Key("alt+q", "q"))
        await t.press("x")
        await t.shows("^[qx")
        assert t.app.focused is panel.terminal


@pytest.mark.slow
async def test_escape_goes_from_any_pane_to_the_environments() -> None:
    async with ui(*CHROOTS) as t:
        rows = t.app.main.table.rows
        for key in ("1", "2", "3", "enter", "4"):
            await t.press(key)
            await t.until(lambda: t.app.focused is not None and not rows.has_focus)
            await t.press("escape")
            await t.until(lambda: rows.has_focus)
        assert t.app.main.dock.is_open
        await t.press("4", "tab")
        await t.until(lambda: t.app.main.dock.jobs_pane.output.has_focus)
        await t.press("escape")
        await t.until(lambda: rows.has_focus)


@pytest.mark.slow
async def test_a_pane_that_gets_hidden_gives_the_focus_to_the_environments() -> None:
    async with ui(*CHROOTS, size=(120, 40)) as t:
        rows = t.app.main.table.rows
        await t.press("4", "2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.pilot.resize_terminal(60, 15)
        await t.until(lambda: rows.has_focus)
        await t.press("2")  # there is no room for it
        await t.until(lambda: rows.has_focus)
        await t.press("4")
        await t.until(lambda: t.app.main.dock.has_focus_within)
        await t.press("4", "2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        t.app.main.dock.open_jobs()  # as a job does that has failed
        await t.until(lambda: rows.has_focus)
