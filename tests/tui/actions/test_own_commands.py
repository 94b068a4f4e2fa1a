"""Commands of the user's own in the UI: by key, menu, palette, help and footer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.command import CommandPalette

from chroot_tool.app.settings.commands import Command
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.menu import Menu
from support.samples import BASE, CHROOTS
from support.screen import screen_lines
from support.whole_ui import Ui, ui

ECHO = ("/bin/echo", "{name}", "at", "{path}")


def line(t: Ui) -> str:
    entries = t.app.main.session.log.entries
    return entries[0].lines[0] if entries else ""


def within(t: Ui, widget: str) -> list[str]:
    """What stands on the screen where that widget is; nothing where there is none."""
    regions = [one.region for one in t.app.screen.query(widget)]
    lines = screen_lines(t.app)
    return [lines[y][one.x : one.right] for one in regions for y in range(one.y, one.bottom)]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_a_key_runs_it_in_a_panel(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size, commands=(Command("tell", ECHO, "f5"),)) as t:
        await t.on_row("arm")
        await t.press("f5")
        await t.shows(f"arm at {BASE}/arm", "exit 0")
        assert line(t) == f"/bin/echo arm at {BASE}/arm"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_it_is_in_footer_menu_help_and_palette(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size, commands=(Command("tell", ECHO, "f5"),)) as t:
        await t.on_row("arm")
        in_footer = t.app.main.active_bindings["f5"].binding
        assert (in_footer.show, in_footer.description) == (True, "tell")
        if size == (160, 50):  # at 80 columns those of ours have all the room
            await t.shows("f5 tell")
        await t.press("question_mark")
        await t.until(lambda: re.search(r"f5 +tell", "\n".join(within(t, "HelpPanel"))))
        await t.press("escape")
        await t.press("m")
        await t.dialog(Menu)
        await t.shows("f5 tell", "/bin/echo '{name}' at '{path}'")
        await t.press("escape")
        await t.main()
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.write("tell")
        await t.shows("/bin/echo")
        await t.press("enter")
        await t.shows(f"arm at {BASE}/arm")


@pytest.mark.slow
async def test_one_that_is_gone_when_it_is_chosen_in_the_palette_says_so() -> None:
    async with ui(*CHROOTS, commands=(Command("tell", ECHO),)) as t:
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.write("tell")
        await t.shows("/bin/echo")
        before = t.app.main.session.settings()
        t.app.main.use(before, before.replace(commands=()))
        await t.press("enter")
        await t.says("have this command no more")
        await t.main()


@pytest.mark.slow
async def test_those_for_no_chroot_run_beside_each_other(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    waits = Command("wait", ("sh", "-c", f"until [ -e {gate} ]; do sleep 0.05; done"), "f5",
                    output="job", rows="any")  # fmt: skip
    tell = Command("tell", ("/bin/echo", "here"), "f6", output="toast", rows="any")
    async with ui(*CHROOTS, commands=(waits, tell)) as t:
        await t.press("f5")
        await t.until(lambda: t.app.main.session.jobs.running)
        t.app.main.table.focus()
        await t.press("f6")
        try:
            await t.until(lambda: len(t.app.main.session.jobs.views) == 2)
        finally:
            gate.touch()
        await t.idle()


@pytest.mark.slow
async def test_one_without_a_key_asks_where_it_is_to_and_does_it_from_the_menu() -> None:
    asked = Command("tell", ECHO, ask=True, output="toast")
    async with ui(*CHROOTS, commands=(asked,)) as t:
        await t.on_row("arm")
        for answer in ("escape", "tab"):
            await t.press("m")
            menu = await t.dialog(Menu)
            assert "command.tell" in {one.id for one in menu.groups[0].entries}
            menu.answer("command.tell")
            await t.dialog(Confirm)
            await t.shows(f"/bin/echo arm at {BASE}/arm")
            assert not t.app.main.session.jobs.views
            await t.press(answer)
        await t.press("enter")
        await t.says(f"tell: arm at {BASE}/arm")
        await t.press("full_stop")
        await t.dialog(Confirm)
        await t.shows("do it once more?", f"/bin/echo arm at {BASE}/arm")
        await t.press("enter")  # Cancel has the focus
        await t.main()
        assert len(t.app.main.session.log.entries) == 1


@pytest.mark.slow
async def test_a_job_has_its_output_and_its_failure() -> None:
    script = "echo one; echo two >&2; echo {name}; exit 3"
    said = Command("tell", (script,), "f5", "host", "chroot", "job", False, True)
    async with ui(*CHROOTS, commands=(said,)) as t:
        await t.on_row("arm")
        await t.press("f5")
        await t.until(lambda: t.job_states == {"arm: tell": "failed"})
        await t.shows("exit 3: arm", "one", "two")
        assert line(t).startswith("env CHROOT_PATH=/srv/chroot/arm CHROOT_NAME=arm /bin/sh -c ")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
@pytest.mark.parametrize("output", ["job", "toast"])
async def test_what_is_marked_has_it_each_and_is_told_of_once(
    size: tuple[int, int], output: str
) -> None:
    script = "echo out of {name}; [ {name} != arm ] || exit 3"
    said = Command("tell", (script,), "f5", "host", "chroot", output, True, True)
    async with ui(*CHROOTS, size=size, commands=(said,)) as t:
        for name in ("arm", "jammy"):
            await t.on_row(name)
            await t.press("space")
        await t.on_row("deb12")
        await t.press("m")
        menu = await t.dialog(Menu)
        assert "command.tell" in {one.id for one in menu.groups[0].entries}
        menu.answer("command.tell")
        await t.dialog(Confirm)
        await t.shows("tell for 2 chroots?", "CHROOT_NAME=arm", "CHROOT_NAME=jammy")
        await t.press("tab", "enter")
        await t.says("run: 1 done, 1 failed (arm: tell: exit 3: out of arm)")
        assert len(t.said) == 1
        assert t.job_states == {"arm: tell": "failed", "jammy: tell": "done"}
        await t.shows("out of jammy")  # in the list of jobs


@pytest.mark.slow
async def test_inside_of_each_and_in_a_panel_of_the_one_under_the_cursor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside = Command("in", ("true",), "f5", "inside", "chroot", "job")
    panel = Command("look", ECHO, "f6")
    monkeypatch.setattr(LocalEngine, "command", lambda _s, _p, words: ("/bin/echo", *words))
    async with ui(*CHROOTS, commands=(inside, panel)) as t:
        for name in ("arm", "jammy"):
            await t.on_row(name)
            await t.press("space")
        await t.on_row("deb12")
        await t.press("f5")
        await t.says("run: 2 done")
        lines = {line for one in t.app.main.session.log.entries for line in one.lines}
        assert lines == {f"chroot-tool run -d {BASE}/{name} -- true" for name in ("arm", "jammy")}
        await t.press("f6")
        await t.shows(f"deb12 at {BASE}/deb12")
        assert [one.chroot for one in t.app.main.dock.panels] == ["deb12"]


@pytest.mark.slow
async def test_a_mount_and_a_process_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = (
        Command("du", ("/bin/echo", "{target}"), "e", rows="mount"),
        Command("trace", ("/bin/echo", "pid", "{pid}"), "f", rows="process", where="inside"),
    )
    monkeypatch.setattr(LocalEngine, "command", lambda _s, _p, words: ("/bin/echo", *words))
    async with ui(*CHROOTS, commands=commands) as t:
        await t.on_row("deb12")
        await t.press("e")
        await t.says("is for a mount: go to one first")
        await t.press("2", "g")
        await t.press("m")
        menu = await t.dialog(Menu)
        assert [one.id for one in menu.groups[0].entries][-1] == "command.du"
        await t.press("e")
        await t.until(lambda: line(t).startswith("/bin/echo /"))
        await t.until(lambda: len(t.app.main.dock.panels) == 1)
        await t.until(lambda: not t.app.main.dock.panels[0].running)
        t.app.main.details.show_tab("processes")
        await t.until(lambda: t.app.main.details.query("ProcessesTable:focus"))
        await t.press("f")
        await t.until(lambda: line(t) == f"chroot-tool run -d {BASE}/deb12 -- /bin/echo pid 4711")


@pytest.mark.slow
async def test_one_for_no_row_works_on_an_empty_base() -> None:
    async with ui(commands=(Command("df", ("/bin/echo", "disks"), "f5", rows="any"),)) as t:
        await t.shows("f5 df")
        await t.press("f5")
        await t.shows("disks", "exit 0")


@pytest.mark.slow
async def test_other_commands_take_the_place_of_those_before() -> None:
    async with ui(*CHROOTS, commands=(Command("tell", ECHO, "f5"),)) as t:
        await t.on_row("arm")
        await t.shows("f5 tell")
        main = t.app.main
        main.doing.use((Command("other", ECHO, "f6"),), main._bindings.key_to_bindings)
        await t.shows("f6 other")
        await t.hides("f5 tell")
        await t.press("f5")
        assert line(t) == ""


@pytest.mark.slow
async def test_a_key_of_ours_is_free_for_one_where_ours_has_another() -> None:
    keys = (("environments.toggle", ("space",)), ("environments.mark", ("x",)))
    async with ui(*CHROOTS, commands=(Command("tell", ECHO, "o"),), keys=keys) as t:
        await t.on_row("arm")
        await t.shows("o tell", "space on/off")
        await t.press("space")
        await t.until(lambda: t.engine.called("on"))
        await t.press("o")
        await t.shows(f"arm at {BASE}/arm", "exit 0")
