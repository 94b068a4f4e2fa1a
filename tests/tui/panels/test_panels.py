"""Run panels in the whole UI: real commands in real terminals, in tiny chroots or on this host."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from textual.widget import Widget
from textual.widgets import Input

from chroot_tool.app import paths, run_history
from chroot_tool.app.tui.panels import detached, detached_log
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking.snapshot import Machine, Snapshot
from chroot_tool.widgets import lull
from chroot_tool.widgets.dialogs.menu import Menu
from chroot_tool.widgets.dialogs.quit import QuitDialog
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from chroot_tool.widgets.panes.run_panel import RunPanel
from chroot_tool.widgets.terminal.terminal import Terminal
from support import kill, processes_below, wait_until
from support.samples import BASE, CHROOTS, DEB12
from support.screen import stray_controls
from support.whole_ui import DEADLINE, Ui, real_ui, runs, ui

LEAVE = "ctrl+right_square_bracket"


@pytest.fixture(autouse=True)
def nothing_goes_on(own_home: None) -> Iterator[None]:
    """After a test that failed, too."""
    yield
    for one in detached.found():
        if one.running:
            kill([one.keeper])  # what it keeps gets HUP


@pytest.fixture
def on_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run here instead of in a chroot, which takes root and time."""

    def here(verb: str, *words: str) -> list[str]:
        return ["sh"] if verb == "shell" else list(words[words.index("--") + 1 :])

    runs(monkeypatch, here)
    monkeypatch.setenv("PS1", "$ ")


def panel(t: Ui, index: int = -1) -> RunPanel:
    return t.app.main.dock.panels[index]


async def run(t: Ui, *words: str) -> RunPanel:
    """Run a command as `r` does once the prompt is answered, without the prompt."""
    one = t.app.main.table.highlighted
    assert one is not None
    before = len(t.app.main.dock.panels)
    line = " ".join(words)
    await t.app.main.session.panels.open(one, line, list(words))
    await t.until(lambda: len(t.app.main.dock.panels) == before + 1)
    made = panel(t)
    await t.until(lambda: made.terminal.emulator is not None)
    return made


async def says(t: Ui, pattern: str) -> None:
    """Wait until the program of the last panel has printed that: its command is on the screen."""
    await t.until(lambda: re.search(pattern, panel(t).terminal.reading.text()))


async def ended(t: Ui, one: RunPanel) -> None:
    await t.until(lambda: one.terminal.exit is not None and not one.running)


def ends(pid: int) -> Callable[[], bool]:
    """A condition: the process has ended, though nobody may have asked for its exit code."""

    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    return gone


@pytest.mark.usefixtures("on_this_host")
async def test_a_focus_that_was_lost_is_not_taken_from_a_panel_that_has_it_by_then() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "cat")
        await t.until(lambda: one.terminal.is_chosen)
        screen, panes = t.app.main, t.app.main.session.panes
        screen.set_focus(None)  # as where what had it is hidden
        panes.take_focus_from_hidden()
        t.app.call_later(screen.set_focus, one.terminal)  # as of a panel that is opened meanwhile
        await t.pilot.pause()
        assert one.terminal.is_chosen
        one.terminal.action_leave()
        screen.set_focus(t.app.main.table.rows)  # before that has come
        await t.pilot.pause()
        assert t.app.focused is t.app.main.table.rows
        one.stop()
        await ended(t, one)


# -- in real chroots ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.root
async def test_a_real_shell_in_a_panel(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.press("s")
        await t.until(lambda: t.app.main.dock.panels and panel(t).terminal.has_focus)
        await t.shows("▶ tiny shell running", "# ")
        await t.write("echo $((40+2))-$(tty) q")
        await t.press("enter")
        await t.shows("42-/dev/pts/0 q")
        await t.shows("● on")  # the shell has switched it on
        await t.write("exit 7")
        await t.press("enter")
        await t.shows("exit 7")
        await t.until(lambda: panel(t).has_focus)
        before = panel(t).terminal.emulator
        await t.press("a")
        await t.until(lambda: panel(t).terminal.emulator is not before)
        await says(t, "#")
        await t.press("enter", "ctrl+d")
        await t.shows("exit 0")
        await t.until(lambda: panel(t).has_focus)
        await t.press("x")
        await t.until(lambda: not t.app.main.dock.is_open)
        await t.until(lambda: t.app.main.table.has_focus_within)


@pytest.mark.slow
@pytest.mark.root
async def test_a_real_command_by_r_and_its_history(tiny_chroot: Path) -> None:
    script = tiny_chroot / "chroot.d/start"
    script.write_text("#!/bin/sh\necho started in $PWD\n")
    script.chmod(0o755)
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.press("r")
        await t.dialog(RunPrompt)
        await t.shows("script start")
        await t.write("start")
        await t.press("enter")
        await t.main()
        await t.shows("started in /chroot.d", "exit 0")
        await t.until(lambda: panel(t).has_focus)
        for count in (2, 3):
            await t.press("r")
            await t.dialog(RunPrompt)
            await t.write("sh -c 'exit 3'")
            await t.press("enter")
            await t.until(lambda count=count: len(t.app.main.dock.panels) == count)  # type: ignore[misc]
            await t.until(lambda: panel(t).has_focus and panel(t).outcome == "exit 3")
        assert run_history.commands(str(tiny_chroot)) == ("sh -c 'exit 3'", "start")
        await t.press("r")
        await t.dialog(RunPrompt)
        await t.shows("before sh -c 'exit 3'")
        assert t.text.count("exit 3'") == 2  # on offer, and in the tab of the panel


@pytest.mark.slow
@pytest.mark.root
async def test_closing_stops_what_runs_in_the_chroot(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        one = t.app.main.table.highlighted
        assert one is not None
        words = ("run", "-d", one.path, "--", "/bin/sleep", "1000")
        argv = list(LocalEngine("/").command(one.path, words))
        await t.app.main.session.panels.open(one, "sleep 1000", argv)
        await t.until(lambda: processes_below(tiny_chroot))
        await t.press(LEAVE)
        await t.until(lambda: panel(t).has_focus)
        await t.press("x")
        await t.dialog(QuitDialog)
        await t.press("right", "right", "enter")
        await t.main()
        await t.until(lambda: not t.app.main.dock.panels)
        await t.until(lambda: not processes_below(tiny_chroot))


# -- keys -----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_every_key_but_one_is_the_programs() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "sh", "-c", "stty raw -echo; echo ready; head -c 9 | od -An -tx1")
        await says(t, "ready")
        await t.press("q", "o", "question_mark", "colon", "1", "ctrl+p", "ctrl+q", "escape", "tab")
        await ended(t, one)
        await t.shows("71 6f 3f 3a 31 10 11 1b 09")
        assert t.engine.calls == []
        assert t.app.screen is t.app.main


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_ctrl_bracket_leaves_escape_goes_to_the_list_and_4_comes_back() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "sleep", "1000")
        await t.until(lambda: one.terminal.has_focus)
        await t.press(LEAVE)
        await t.until(lambda: one.has_focus)
        await t.press("enter")
        await t.until(lambda: one.terminal.has_focus)
        await t.press(LEAVE, "escape")
        await t.until(lambda: t.app.main.table.has_focus_within)
        await t.press("4")
        await t.until(lambda: one.has_focus)


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_no_tab_that_is_chosen_or_left_over_puts_the_focus_into_a_terminal() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "cat")
        two = await run(t, "cat")
        three = await run(t, "true")
        await t.until(lambda: three.has_focus)
        await t.press("left_square_bracket")
        await t.until(lambda: two.has_focus)
        await t.press("right_square_bracket")
        await t.until(lambda: three.has_focus)
        await t.press("x")
        await t.until(lambda: len(t.app.main.dock.panels) == 2 and two.has_focus)
        await t.pilot.click(t.app.main.dock.line, offset=(10, 0))
        await t.until(lambda: one.has_focus)
        await t.press("t")
        await ended(t, one)
        await t.press("x")
        await t.until(lambda: t.app.main.dock.panels == (two,) and two.has_focus)
        await t.press("t")
        await ended(t, two)
        gate = t.engine.hold("on")
        await t.press("escape", "o")
        await t.until(lambda: t.app.main.session.jobs.running)
        await t.press("4", "x")
        await t.until(lambda: not t.app.main.dock.panels)
        await t.until(lambda: t.app.main.table.rows.has_focus)
        assert t.app.main.dock.is_open  # a job still runs
        gate.set()


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_tab_goes_round_the_panes_and_into_no_terminal() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "cat")
        await t.press(LEAVE)
        await t.until(lambda: one.has_focus)
        panes = [t.app.main.table.rows, t.app.main.details.query_one("#overview"), one]
        for pane in (*panes, *panes):
            await t.press("tab")
            await t.until(lambda pane=pane: pane.has_focus)  # type: ignore[misc]
        for pane in (*panes[1::-1], *panes[::-1]):
            await t.press("shift+tab")
            await t.until(lambda pane=pane: pane.has_focus)  # type: ignore[misc]
        await t.press("tab", "tab", "enter")
        await t.until(lambda: one.terminal.has_focus)
        await t.press(LEAVE, "escape")
        await t.pilot.click(one.terminal)
        await t.until(lambda: one.terminal.has_focus)


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_nothing_leads_into_a_terminal_in_which_nothing_runs() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "sh", "-c", "echo begun; read line")
        await t.shows("begun")
        await t.press(LEAVE)
        await t.until(lambda: one.has_focus)
        await t.shows("into it")
        await t.press("enter", "enter")
        await ended(t, one)
        await t.until(lambda: one.has_focus)
        await t.hides("into it")
        await t.press("enter")
        assert one.has_focus
        await t.press("escape")
        await t.pilot.click(one.terminal)
        await t.until(lambda: one.has_focus)
        await t.press("a")
        await t.until(lambda: one.running)
        await t.shows("into it")
        await t.press("enter", "enter")
        await ended(t, one)
        await t.until(lambda: one.has_focus)
        await t.press("x")
        await t.until(lambda: not t.app.main.dock.panels)


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_again_leaves_the_focus_on_the_frame(tmp_path: Path) -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "sh", "-c", f"cat > {tmp_path}/typed")
        await t.until((tmp_path / "typed").exists)
        await t.press(LEAVE, "t")
        await ended(t, one)
        await t.until(lambda: one.has_focus)
        await t.press("a")
        await t.until(lambda: one.running)
        assert one.has_focus
        await t.press("t")  # for the panel, not for the program
        await ended(t, one)
        assert (tmp_path / "typed").read_bytes() == b""


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_keys_that_are_typed_when_the_program_ends_do_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lull, "_TICK", 1000.0)
    async with ui(*CHROOTS) as t:
        one = await run(t, "sh", "-c", "echo begun; read line")
        await t.shows("begun")
        await t.press("enter")
        await ended(t, one)
        await t.press("x", "t", "q", "enter")
        assert t.app.main.dock.panels == (one,)
        assert t.app.screen is t.app.main
        assert one.terminal.has_focus
        await t.press(LEAVE)
        await t.until(lambda: one.has_focus)
        await t.pilot.click(one.terminal)
        assert one.has_focus
        await t.press("x")
        await t.until(lambda: not t.app.main.dock.panels)


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_a_moment_without_keys_after_the_end_gives_them_to_the_panel() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "true")
        await ended(t, one)
        await t.until(lambda: one.has_focus)
        await t.press("a")
        await ended(t, one)
        await t.press("escape")  # elsewhere: nothing brings the focus back
        await t.pilot.pause(0.6)
        assert t.app.main.table.has_focus_within


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_a_command_that_ends_while_the_app_is_busy_gives_the_keys_to_its_panel() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "true")  # from now on the emulator is there at once
        await t.until(lambda: one.has_focus)
        await t.press("x")
        await t.until(lambda: t.app.main.table.has_focus_within)
        begun = asyncio.Event()

        async def busy() -> None:
            begun.set()
            async with asyncio.timeout(DEADLINE):
                while not (t.app.main.dock.panels and panel(t).end_was_seen):
                    await asyncio.sleep(0.005)

        t.app.call_later(busy)  # who asks the app for the focus has it behind that
        await asyncio.wait_for(begun.wait(), DEADLINE)
        two = await run(t, "true")
        await t.until(lambda: two.has_focus)


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_the_end_of_a_program_leaves_the_search_alone(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with ui(*CHROOTS) as t:
        one = await run(t, "cat", str(gate))
        await t.press(LEAVE, "slash")
        await t.until(lambda: one.query_one(Input).has_focus)
        gate.open("w").close()
        await ended(t, one)
        await t.write("x")
        assert one.query_one(Input).value == "x"


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_stop_again_and_the_way_it_ended() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "sh", "-c", "echo $((40+2)); exec sleep 1000")
        await t.shows("running", "42")
        await t.press(LEAVE, "t")
        await ended(t, one)
        await t.shows("signal 15")
        before = panel(t).terminal.emulator
        await t.press("a")
        await t.hides("signal 15")
        await t.until(lambda: panel(t).terminal.emulator is not before)
        await says(t, r"42\s")
        await t.press("enter", "ctrl+c")
        await ended(t, one)
        await t.shows("signal 2")


@pytest.mark.slow
async def test_a_program_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, lambda *_: ["/no/such/program"])
    async with ui(*CHROOTS) as t:
        await t.press("s")
        await t.shows("exit 127")


@pytest.mark.slow
async def test_a_program_starts_in_the_room_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui(*CHROOTS) as t:
        dock = t.app.main.dock
        sizes: list[int] = []
        resized, mount = Terminal.on_resize, dock.mount

        def on_resize(terminal: Terminal) -> None:
            sizes.append(terminal.size.height)
            resized(terminal)

        async def slowly(*widgets: Widget) -> None:  # so that a layout comes between
            await mount(*widgets)
            for _ in range(3):
                await asyncio.sleep(0)
                t.app.main._refresh_layout()

        monkeypatch.setattr(Terminal, "on_resize", on_resize)
        monkeypatch.setattr(dock, "mount", slowly)
        await t.press("4")
        await t.until(lambda: dock.has_focus_within)
        await dock.add(RunPanel(["sleep", "1000"], chroot="x", command="x", clock=lambda: 1.0))
        await t.until(lambda: panel(t).terminal.running)
        await t.pilot.pause()
        assert {one for one in sizes if one} == {panel(t).terminal.size.height}


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_zoom_gives_it_the_whole_screen_and_back() -> None:
    async with ui(*CHROOTS) as t:
        await run(t, "sh", "-c", "echo here")
        await t.shows("exit 0", "trixie-build")
        await t.until(lambda: panel(t).has_focus)
        await t.press("z")
        await t.hides("trixie-build")
        await t.shows("here")
        await t.press("z")
        await t.shows("trixie-build")
        await t.press("z")
        await t.hides("trixie-build")
        await t.press("escape")
        await t.shows("trixie-build")


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_a_pane_that_is_asked_for_while_a_panel_is_zoomed_is_seen() -> None:
    async with ui(*CHROOTS) as t:
        await run(t, "sh", "-c", "echo here")
        await t.shows("exit 0")
        await t.until(lambda: panel(t).has_focus)
        await t.press("z")
        await t.hides("trixie-build")
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.shows("trixie-build")


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_find_goes_from_hit_to_hit_and_says_when_there_is_none() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "sh", "-c", "seq -f need%1.0fle 7 7; seq 100; echo end")
        await t.shows("exit 0", "end")
        assert "need7le" not in t.text
        await t.until(lambda: one.has_focus)
        await t.press("slash")
        await t.write("need7")
        await t.press("enter")
        await t.shows("need7le")
        await t.press("escape")
        await t.until(lambda: one.has_focus)
        await t.press("slash")
        await t.write("zzz")
        await t.press("enter")
        await t.says("not found")


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_save_writes_a_new_file_each_time() -> None:
    async with ui(*CHROOTS) as t:
        await run(t, "sh", "-c", "echo saved; printf '\\033[31mred\\033[0m\\n'")
        await t.shows("exit 0", "red")
        await t.until(lambda: panel(t).has_focus)
        await t.press("w", "w")
        folder = Path(paths.output_directory())
        whole = [["saved", "red"]] * 2
        await t.until(
            lambda: (
                folder.exists() and [path.read_text().split() for path in folder.iterdir()] == whole
            )
        )
        for path in folder.iterdir():
            await t.says(f"saved to {path}")
        for path in folder.iterdir():
            assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_y_copies_what_is_seen() -> None:
    async with ui(*CHROOTS) as t:
        await run(t, "echo", "copy me")
        await t.shows("exit 0", "copy me")
        await t.until(lambda: panel(t).has_focus)
        await t.press("y")
        await t.until(lambda: "copy me" in t.app.clipboard)


# -- several, closing, quitting -------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_several_panels_for_different_chroots() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await run(t, "echo", "first")
        await t.shows("exit 0")
        t.app.main.table.focus()
        await t.on_row("jammy")
        await run(t, "echo", "second")
        await t.shows("■ arm: echo first", "■ jammy: echo second")
        await t.shows("■ jammy echo second")  # in the head of the panel, too
        await t.until(lambda: panel(t, 1).has_focus)
        await t.press("left_square_bracket")
        await t.until(lambda: panel(t, 0).has_focus and panel(t, 0).display)
        await t.press("left_square_bracket")
        await t.until(lambda: t.app.main.dock.jobs_pane.has_focus_within)
        await t.press("left_square_bracket")
        await t.until(lambda: t.app.main.dock.commands.has_focus_within)
        await t.press("left_square_bracket")
        await t.until(lambda: panel(t, 1).has_focus)
        await t.press("x")
        await t.until(lambda: len(t.app.main.dock.panels) == 1 and panel(t, 0).has_focus)
        await t.press("x")
        await t.until(lambda: not t.app.main.dock.is_open)


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_s_goes_to_the_shell_that_runs_and_another_is_told_apart() -> None:
    async def shells(*rows: str, key: str = "s") -> None:
        for row in rows:
            await t.on_row(row)
            if key:
                await t.press(key)
            else:
                await t.press("colon")
                await t.until(lambda: t.app.screen is not t.app.main)
                await t.write("another shell")
                await t.shows("One more beside those that run")
                await t.press("enter")
            await t.until(lambda: isinstance(t.app.focused, Terminal))
            await t.press(LEAVE, "escape")

    def names() -> list[str]:
        return [f"{one.chroot} {one.command}" for one in t.app.main.dock.panels]

    async with ui(*CHROOTS) as t:
        await shells("arm", "arm", "jammy", "arm")
        assert names() == ["arm shell", "jammy shell"]
        assert panel(t, 0).display  # it is the one that was gone to
        await shells("arm", "arm", key="")
        assert names() == ["arm shell", "jammy shell", "arm shell 2", "arm shell 3"]
        await t.shows("▶ arm: shell ", "▶ arm: shell 2", "▶ arm: shell 3", "▶ jammy: shell")
        # To the one that was seen last, from elsewhere to the newest.
        await t.press("4", "left_square_bracket")
        await t.until(lambda: panel(t, 2).has_focus)
        await t.press("escape")
        await shells("arm")
        assert panel(t, 2).display
        await shells("jammy", "arm")
        assert panel(t, 3).display
        await t.app.main.dock.remove_panel(panel(t, 2))
        await shells("arm", key="")
        assert panel(t).command == "shell 2"
        await t.press("4")
        await t.until(lambda: panel(t).has_focus)
        panel(t).stop()
        await ended(t, panel(t))
        await shells("arm")
        assert panel(t, 2).display  # one that has ended is none to go to
        assert len(names()) == 4


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_s_has_a_shell_back_whose_panel_was_closed() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("s")
        await t.until(lambda: isinstance(t.app.focused, Terminal))
        one = panel(t)
        await t.press(LEAVE, "x")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: not t.app.main.dock.panels)
        await t.on_row("jammy")
        await t.press("s")
        await t.until(lambda: isinstance(t.app.focused, Terminal))
        await t.press(LEAVE, "escape")
        await t.on_row("arm")
        await t.press("s")
        await t.until(lambda: one.terminal.has_focus)
        assert [each.chroot for each in t.app.main.dock.panels] == ["jammy", "arm"]


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_closing_what_runs_asks_and_may_let_it_go_on(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with ui(*CHROOTS) as t:
        one = await run(t, "sh", "-c", f"echo before; read line < {gate}; echo $line")
        await t.shows("before")
        await t.press(LEAVE)
        assert "A attach" not in t.text
        await t.press("x")
        await t.dialog(QuitDialog)
        await t.shows("only its tab is closed: A has it back", "esc stay")
        await t.press("escape")
        await t.main()
        assert one.running
        await t.press("x")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.main()
        await t.until(lambda: not t.app.main.dock.panels and not t.app.main.dock.is_open)
        await t.says("goes on: A has it back")
        assert one.running
        await t.shows("A attach")
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.shows("… arm: sh -c echo before", "the next start shows what it prints")
        await t.press("escape")
        await t.main()
        await t.press("A")
        await t.until(lambda: panel(t) is one and one.terminal.has_focus)
        await t.shows("▶ arm: sh", "before")
        await t.hides("A attach")
        gate.write_text("after\n")
        await t.shows("after", "exit 0")
    assert detached.found() == ()


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_what_was_closed_and_ends_has_its_tab_back_and_is_told(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with ui(*CHROOTS) as t:
        one = await run(t, "sh", "-c", f"cat {gate}; exit 3")
        await t.press(LEAVE, "x")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: not t.app.main.dock.panels)
        gate.open("w").close()
        await t.says("has ended: exit 3")
        assert t.app.main.dock.panels == (one,)
        assert t.app.main.table.has_focus_within  # nobody has asked for it just now
        await t.press("A")
        await t.says("no panel was closed while its program goes on")
        await t.press("4", "right_square_bracket")
        await t.until(lambda: one.has_focus)
        await t.shows("✗ arm sh -c", "exit 3")


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_of_several_that_go_on_one_is_chosen_and_the_rest_goes_on_without_the_ui() -> None:
    async with ui(*CHROOTS) as t:
        for number in ("one", "two", "three"):
            await run(t, "sh", "-c", f"echo {number}; exec sleep 900")
            await t.press(LEAVE, "x")
            await t.dialog(QuitDialog)
            await t.press("right", "enter")
            await t.until(lambda: not t.app.main.dock.panels)
        await t.press("A")
        await t.dialog(Menu)
        await t.shows("attach: what goes on")
        await t.press("escape")
        await t.main()
        assert t.app.main.dock.panels == ()
        await t.press("A")
        await t.dialog(Menu)
        await t.press("j", "enter")  # the latest stands first
        await t.until(lambda: panel(t).terminal.has_focus)
        assert "echo two" in panel(t).command
        await t.press(LEAVE, "q")
        await t.dialog(QuitDialog)
        await t.shows("echo one", "echo two", "echo three")
        await t.press("right", "enter")
        await t.until(lambda: t.app._exit)
    assert len(detached.found()) == 3
    async with ui(*CHROOTS) as t:  # the next session
        await t.until(lambda: [each.running for each in t.app.main.dock.panels] == [True] * 3)
        await t.press("4")
        await t.until(lambda: panel(t).has_focus)
        await t.press("x")
        await t.dialog(QuitDialog)
        await t.shows("only its tab is closed: A has it back")
        await t.press("right", "enter")
        await t.until(lambda: len(t.app.main.dock.panels) == 2)
        await t.press("A")
        await t.until(lambda: len(t.app.main.dock.panels) == 3 and panel(t).has_focus)
        await t.shows("echo three")
        await t.press("x")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: len(t.app.main.dock.panels) == 2)
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.shows("echo one", "echo two", "echo three")
        await t.press("right", "right", "enter")
        await t.until(lambda: t.app._exit)
    assert detached.found() == ()


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_quitting_lets_panels_go_on_and_shows_them_next_time() -> None:
    async with ui(*CHROOTS) as t:
        await run(t, "sh", "-c", "echo one; exec sleep 1000")
        await t.shows("one")
        await run(t, "echo", "over")
        await t.shows("exit 0")
        await t.until(lambda: panel(t).has_focus)
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.shows("arm: sh -c echo one")
        assert "echo over" not in t.app.screen.query_one("Body Static").render().plain  # type: ignore[union-attr]
        await t.press("right", "enter")
        await t.until(lambda: t.app._exit)
    (left,) = detached.found()
    async with ui(*CHROOTS) as t:
        await t.shows("(went on: its output)", "one")
        assert t.app.main.table.has_focus_within  # a panel that opens by itself takes no keys
        # Nothing can be typed into it any more, ctrl+c would end what shows its output.
        await t.press("4")
        await t.until(lambda: panel(t).has_focus)
        assert "into it" not in t.text
        await t.press("enter", "ctrl+c")
        assert panel(t).has_focus
        assert panel(t).running
        await t.press("escape")
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.shows("arm: sh -c echo one")
        await t.press("right", "enter")
        await t.until(lambda: t.app._exit)
    assert detached.found() == (left,)
    kill([left.keeper])


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_what_went_on_is_closed_and_ended_as_any_panel() -> None:
    async with ui(*CHROOTS) as t:
        for number in ("one", "two"):
            # Not for ever: a run of the tests may be killed.
            await run(t, "sh", "-c", f"trap : TERM; echo {number} $$; sleep 900; sleep 900; :")
            await says(t, rf"{number} \d+\s")
        await t.press(LEAVE, "q")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: t.app._exit)
    first, second = detached.found()
    pids = [int(Path(one.log).read_text().split()[1]) for one in (first, second)]
    async with ui(*CHROOTS) as t:
        await t.until(lambda: [each.running for each in t.app.main.dock.panels] == [True, True])
        # Also of the one that nobody has seen.
        tabs = t.app.main.dock.line
        await t.until(lambda: sum("▶ arm: sh" in label for _, label in tabs.labels) == 2)
        await t.press("4")
        await t.until(lambda: panel(t).has_focus)
        await t.press("x")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: len(t.app.main.dock.panels) == 1)
        assert second.running
        await t.until(lambda: panel(t).has_focus)
        await t.press("x")
        await t.dialog(QuitDialog)
        await t.press("right", "right", "enter")
        await t.until(lambda: t.app.main.dock.panels == ())
        wait_until(ends(pids[0]))
    assert detached.found() == (second,)
    async with ui(*CHROOTS) as t:
        await t.until(lambda: t.app.main.dock.panels and panel(t).running)
        await t.press("4")
        await t.until(lambda: panel(t).has_focus)
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.press("right", "right", "enter")
        await t.until(lambda: t.app._exit)
    wait_until(ends(pids[1]))
    assert detached.found() == ()


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_what_went_on_has_run_since_it_began_and_comes_back_until_its_end_was_seen(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with ui(*CHROOTS) as t:
        one = await run(t, "sh", "-c", f"cat {gate}; echo after; exit 3")
        one._began -= 3661  # it was started an hour ago
        await t.press(LEAVE, "q")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: t.app._exit)
    (left,) = detached.found()
    async with ui(*CHROOTS) as t:
        await t.shows("running 1h 1m")
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: t.app._exit)
    assert detached.found() == (left,)
    gate.open("w").close()
    deadline = time.monotonic() + DEADLINE
    while left.running:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.utime(left.log, (left.began, left.began + 65))  # it ended long ago
    async with ui(*CHROOTS) as t:
        # How, nobody knows: it is no child of whoever keeps its output.
        await t.shows("after", "■ arm sh", "ended 1m 5s")
        await t.hides("exit 0")
        await t.press("q")
        await t.until(lambda: t.app._exit)
    assert detached.found() == ()


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_what_went_on_and_ends_while_its_output_is_shown_or_away_has_ended_and_no_code(
    tmp_path: Path,
) -> None:
    gates = tmp_path / "first", tmp_path / "second"
    async with ui(*CHROOTS) as t:
        for gate in gates:
            os.mkfifo(gate)
            await run(t, "sh", "-c", f"cat {gate}; exit 3")
        await t.press(LEAVE, "q")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: t.app._exit)
    kept = detached.found()
    async with ui(*CHROOTS) as t:
        await t.until(lambda: [each.running for each in t.app.main.dock.panels] == [True, True])
        shown, away = t.app.main.dock.panels
        await t.press("4")
        await t.until(lambda: away.has_focus)
        await t.press("x")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: t.app.main.dock.panels == (shown,))
        for gate, one in zip(gates, kept, strict=True):
            gate.open("w").close()
            with suppress(
                ChildProcessError
            ):  # as who has it for a child in the place of this session
                await asyncio.to_thread(os.waitpid, one.keeper, 0)
        await t.says("has ended")
        await t.until(lambda: [one.outcome for one in (shown, away)] == ["ended", "ended"])
        assert not [said for said in t.said if "has ended:" in said]
        assert t.app.main.dock.panels == (shown, away)


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_stopping_the_rest_keeps_what_nobody_has_seen_the_end_of(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with ui(*CHROOTS) as t:
        await run(t, "sh", "-c", f"cat {gate}; echo after")
        await run(t, "sleep", "900")
        await t.press(LEAVE, "q")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: t.app._exit)
    first, second = detached.found()
    async with ui(*CHROOTS) as t:
        await t.until(lambda: [each.running for each in t.app.main.dock.panels] == [True, True])
        gate.open("w").close()
        with suppress(ChildProcessError):  # as who has it for a child in the place of this session
            await asyncio.to_thread(os.waitpid, first.keeper, 0)
        hidden = panel(t, 0)
        await ended(t, hidden)
        assert not hidden.end_was_seen
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.press("right", "right", "enter")
        await t.until(lambda: t.app._exit)
    assert detached.found() == (first,)
    await asyncio.to_thread(wait_until, lambda: not second.running)


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_in_use_is_the_one_of_that_path_also_after_the_next_start() -> None:
    here = DEB12.replace(name="twin", path=f"{BASE}/twin", state="off", mounts=(), processes=())
    there = here.replace(host="build1", path=f"build1:{here.path}")
    machines = (Machine("build1", answers=True),)

    def used(t: Ui) -> list[str]:
        known = t.app.main.table.rows.known_rows
        return [
            path for path in (here.path, there.path) if path in known and known[path].status.in_use
        ]

    async with ui(here) as t:
        t.feed.see(Snapshot(BASE, (here, there), machines=machines))
        await t.until(lambda: len(t.app.main.chroots) == 2)
        await t.app.main.session.panels.open(here, "throw-away notes", ["sleep", "900"])
        await t.until(lambda: t.app.main.dock.panels[0].running)
        await t.app.main.session.panels.open(there, "make", ["sleep", "900"], throw_away=True)
        await t.until(lambda: used(t) == [there.path])
        for one, said in ((there, "○ in use"), (here, "○ off")):
            t.app.main.table.move_to(one.path)
            await t.shows(f"state {said}")
        await t.press(LEAVE, "q")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: t.app._exit)
    async with ui(here) as t:
        t.feed.see(Snapshot(BASE, (here, there), machines=machines))
        await t.until(lambda: used(t) == [there.path])
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.press("right", "right", "enter")
        await t.until(lambda: t.app._exit)
    assert detached.found() == ()


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
@pytest.mark.parametrize("quits", [True, False], ids=["quit", "signal"])
async def test_what_was_let_go_on_does_so_where_the_end_is_not_asked_about(quits: bool) -> None:
    async with ui(*CHROOTS, confirm_quit=False) as t:
        await run(t, "sleep", "900")
        await t.press(LEAVE, "x")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: not t.app.main.dock.panels)
        await run(t, "sleep", "901")
        await t.press(LEAVE)
        if quits:
            await t.press("q")
        else:
            t.app._end()
        await t.until(lambda: t.app._exit)
    (left,) = detached.found()
    assert left.running
    assert left.command == "sleep 900"


def test_the_log_of_what_went_on_is_as_old_as_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    os.utime(log, (1, 1))
    argv = [sys.executable, detached_log.__file__, str(log)]
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    assert log.stat().st_mtime > 1


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_quitting_may_stop_panels() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "sleep", "1000")
        child = one.terminal._command.child
        assert child is not None
        pid = child.pid
        await t.press(LEAVE, "q")
        await t.dialog(QuitDialog)
        await t.press("right", "right", "enter")
        await t.until(lambda: t.app._exit)
    assert pid is not None
    wait_until(ends(pid))
    assert detached.found() == ()


# -- what programs may not ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_a_flood_leaves_the_keys_to_the_user() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(t, "yes", "a long line that is written again and again")
        await t.shows("again and again")
        await t.press(LEAVE, "escape", "j")
        await t.until(lambda: t.highlighted == "broken")
        await t.press("4", "enter", "ctrl+c")
        await ended(t, one)
        await t.shows("signal 2")


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_nothing_of_the_output_reaches_the_terminal_raw() -> None:
    titles = r"\033]0;title\007\033]52;c;aGk=\007"
    hostile = titles + r"\033[8;200;300t\220q\033\\\302\233x\033[?1049hin\n"
    async with ui(DEB12.replace(name="a[/x]\x1b[2J")) as t:
        await run(t, "printf", f"{hostile}[@click=app.quit]x\x1b[31m")
        await t.shows("exit 0", "[@click=app.quit]x")
        assert stray_controls(t.app) == []
        assert t.app.clipboard == ""


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_a_panel_lives_through_every_size() -> None:
    async with ui(*CHROOTS) as t:
        one = await run(
            t, "sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do read x; done"
        )
        await says(t, "ready")
        for size in [(80, 24), (20, 6), (250, 70), (120, 40)]:
            await t.pilot.resize_terminal(*size)
            await t.pilot.pause()
        columns, rows = one.terminal.size
        await t.shows(f"{rows} {columns}")


# -- what is kept ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_history_is_newest_first_and_each_line_once() -> None:
    for line in ("a", "b", "a", "c \udcff"):
        run_history.remember(line, "/srv/chroot/x")
    run_history.remember("other", "/srv/chroot/y")
    assert run_history.commands("/srv/chroot/x") == ("c \udcff", "a", "b")
    for number in range(300):
        run_history.remember(f"n{number}", "/srv/chroot/x")
    assert len(run_history.commands("/srv/chroot/x")) == 200
    run_history.forget("/srv/chroot/x")
    assert run_history.commands("/srv/chroot/x") == ()
    assert run_history.commands("/srv/chroot/y") == ("other",)
    Path(paths.history_file()).write_text("{broken")
    assert run_history.commands("/srv/chroot/x") == ()


def test_what_a_keeper_left_is_shown_though_its_pid_is_anothers() -> None:
    Path(paths.detached_directory()).mkdir(parents=True)
    log = Path(paths.detached_directory(), "1.log")
    log.write_text("output\n")
    one = detached.Detached(chroot="x", command="c", log=str(log), keeper=os.getpid(), began=0.0)
    assert not one.running
    assert one.argv()[0] == "cat"
