"""Menus of what can be done, with keys and reasons, and what an empty base offers."""

from __future__ import annotations

import errno
import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from textual.widgets import Button, OptionList

from chroot_tool.app.tui import start
from chroot_tool.app.tui.actions import ACTIONS, root
from chroot_tool.app.tui.actions.action import Action
from chroot_tool.app.tui.offers.all_actions import AllActions
from chroot_tool.app.tui.reasons import of_chosen
from chroot_tool.core.kernel import answering
from chroot_tool.core.looking import other_bases
from chroot_tool.core.looking.other_bases import OtherBase
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.widgets.dialogs.base_directory import BaseDirectoryDialog
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.create import CreateForm
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from chroot_tool.widgets.dialogs.menu import Menu
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from chroot_tool.widgets.dialogs.unpack import UnpackDialog
from chroot_tool.widgets.tables.table import Table
from support.samples import BASE, CHROOTS, DEB12, TRIXIE, hostile_chroot
from support.screen import HOSTILE, screen_lines, stray_controls
from support.whole_ui import Ui, ui

ARM = f"{BASE}/arm"
SIZES = [(80, 24), (160, 50)]


async def menu(t: Ui, key: str = "m") -> Menu:
    await t.press(key)
    return await t.dialog(Menu)


def offered(t: Ui) -> dict[str, str]:
    """The ids of what the open menu has, and why each can't be done."""
    dialog = t.app.screen
    assert isinstance(dialog, Menu)
    return {entry.id: entry.reason for group in dialog.groups for entry in group.entries}


def in_footer(t: Ui) -> set[str]:
    active = t.app.main.active_bindings.values()
    return {one.binding.id or "" for one in active if one.binding.show}


# -- what a menu has -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_the_menu_of_a_chroot_has_every_action_its_key_and_why_not(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root, "_asks", lambda: "ann")
    async with ui(*CHROOTS, size=size) as t:
        await t.on_row("deb12")
        await menu(t)
        await t.shows("deb12", "o on/off", "R rename – it is on: switch it off first")
        there = offered(t)
        assert set(there) >= {one.id for one in ACTIONS.values() if one.of_chroot}
        assert {ident for ident, why in there.items() if why} == {"environments.rename"}
        await t.press("escape")
        await t.main()
        assert t.engine.calls == []


@pytest.mark.slow
async def test_root_has_nobody_to_make_known_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root, "_asks", lambda: "root")
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await menu(t)
        assert offered(t)["environments.adopt"] == "root is known in every chroot"


@pytest.mark.slow
async def test_enter_in_a_menu_does_what_is_marked() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await menu(t)
        entries = t.app.screen.query_one(OptionList)
        while entries.get_option_at_index(entries.highlighted or 0).id != "environments.toggle":
            await t.press("down")
        await t.press("enter")
        await t.until(lambda: t.engine.calls == [("on", ARM)])


@pytest.mark.slow
async def test_a_key_in_a_menu_does_what_it_does_without() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await menu(t)
        await t.press("d")
        await t.dialog(DeleteDialog)
        assert t.engine.calls == []


@pytest.mark.slow
@pytest.mark.parametrize("by", ["filter", "mark", "mount"])
async def test_a_menu_does_nothing_to_what_has_come_under_the_cursor(by: str) -> None:
    """It was done to the next one, below the title of what had left its filter, or was gone."""
    other = DEB12.replace(name="other", path=f"{BASE}/other", state="off")
    arm = CHROOTS[0]
    async with ui(arm, DEB12, other) as t:
        await t.on_row("arm")
        if by == "filter":
            await t.press("slash")
            await t.write("off")
            await t.press("enter")
        elif by == "mark":
            await t.press("space")
            await t.on_row("other")
            await t.press("space")
        else:
            await t.on_row("deb12")
            await t.press("2")
            await t.until(lambda: t.app.main.details.query("MountRows:focus"))
            await t.until(lambda: t.app.screen.focused.move_to("/tmp\0system"))  # type: ignore[union-attr]
        await menu(t)
        if by == "filter":
            t.feed.show(arm.replace(state="on"), DEB12, other)
            await t.until(lambda: t.app.main.session.highlighted == other)
        elif by == "mark":
            t.feed.show(DEB12, other)
            await t.until(lambda: t.app.main.table.marked == (other.path,))
        else:
            mounts = tuple(one for one in DEB12.mounts if one.target != "/tmp")
            t.feed.show(arm, DEB12.replace(mounts=mounts), other)
            rows = t.app.main.focused
            await t.until(lambda: rows.cursor_key != "/tmp\0system")  # type: ignore[union-attr]
        await t.press("o")
        await t.says("nothing was done")
        await t.main()
        assert t.engine.calls == []


@pytest.mark.slow
async def test_what_a_menu_does_to_the_chroot_is_done_whatever_row_has_gone() -> None:
    async with ui(DEB12) as t:
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.until(lambda: t.app.screen.focused.move_to("/tmp\0system"))  # type: ignore[union-attr]
        await menu(t)
        mounts = tuple(one for one in DEB12.mounts if one.target != "/tmp")
        t.feed.show(DEB12.replace(mounts=mounts))
        rows = t.app.main.focused
        await t.until(lambda: rows.cursor_key != "/tmp\0system")  # type: ignore[union-attr]
        await t.press("r")
        await t.dialog(RunPrompt)


@pytest.mark.slow
async def test_a_menu_asks_again_whether_it_can_be_done() -> None:
    async with ui(DEB12.replace(state="off"), TRIXIE) as t:
        await menu(t)
        assert offered(t)["environments.rename"] == ""
        t.feed.show(DEB12, TRIXIE)
        await t.until(lambda: t.app.main.session.highlighted == DEB12)
        await t.press("R")
        await t.says("switch it off first")


@pytest.mark.slow
async def test_a_key_of_what_cannot_be_done_says_why_and_the_menu_stays() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        opened = await menu(t)
        await t.press("R")
        await t.says("switch it off first")
        assert t.app.screen is opened


@pytest.mark.slow
async def test_keys_of_the_users_own_are_those_of_the_menu() -> None:
    async with ui(*CHROOTS, keys=(("environments.toggle", ("f5",)), ("row.menu", ("M",)))) as t:
        await t.on_row("arm")
        await menu(t, "M")
        await t.shows("f5 on/off")
        await t.press("f5")
        await t.until(lambda: t.engine.calls == [("on", ARM)])


@pytest.mark.slow
async def test_enter_goes_to_the_details_and_there_opens_the_menu() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("enter")
        await t.until(lambda: t.app.main.details.has_focus_within)
        await menu(t, "enter")
        await t.shows("o on/off")


@pytest.mark.slow
async def test_the_menu_of_a_mount_switches_that_one_and_names_its_chroot_below() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.on_row("deb12")
        await t.press("2", "g")
        await menu(t, "enter")
        groups = [group.title for group in (await t.dialog(Menu)).groups]
        assert groups[0].startswith("mount /")
        assert groups[1] == "deb12"
        await t.press("o")
        await t.until(lambda: t.engine.called("switch_bind"))
        assert t.engine.called("off") == []


@pytest.mark.slow
async def test_the_menu_of_a_process_signals_after_asking() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("3", "g")
        await menu(t, "enter")
        await t.shows("process 4711 /usr/sbin/sshd -D", "t TERM", "K KILL")
        await t.press("t")
        await t.dialog(Confirm)
        assert t.app.screen.query_one("#cancel", Button).has_focus


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_the_menu_of_a_job_says_what_is_over(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await t.on_row("arm")
        await t.press("o")
        await t.until(lambda: t.job_states == {"arm": "done"})
        await t.press("4")
        await menu(t, "enter")
        await t.shows("job: on arm", "c cancel – it is over")
        await t.press("x")
        await t.until(lambda: t.job_states == {})


@pytest.mark.slow
async def test_a_key_that_a_job_has_no_use_for_is_not_the_chroots() -> None:
    """`x` on a job that runs once opened a shell, `c` on one that is over the dialog of clone."""
    async with ui(*CHROOTS) as t:
        gate = t.engine.hold("on")
        await t.on_row("arm")
        await t.press("o")
        await t.shows("switching on")
        await t.press("4", "x")
        await t.says("it runs: cancel it first")
        assert t.app.main.dock.panels == ()
        gate.set()
        await t.until(lambda: t.job_states == {"arm": "done"})
        await t.press("c")
        await t.says("it is over")
        await t.main()


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_the_menu_of_marked_ones_has_what_is_done_to_all_of_them(
    size: tuple[int, int],
) -> None:
    async with ui(*CHROOTS, size=size) as t:
        for name in ("arm", "jammy"):
            await t.on_row(name)
            await t.press("space")
        await t.on_row("deb12")
        opened = await menu(t)
        assert [group.title for group in opened.groups] == ["2 marked: arm, jammy", "deb12"]
        assert {one.id for one in opened.groups[0].entries} == {
            one.id for one in ACTIONS.values() if one.many
        }
        await t.shows("2 marked: arm, jammy", "switch off – nothing of them is mounted")
        await t.press("o")
        await t.until(lambda: sorted(t.engine.called("on")) == [(ARM,), (f"{BASE}/jammy",)])


@pytest.mark.slow
async def test_the_right_button_opens_the_menu_of_what_it_hits() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.until(lambda: t.highlighted == "arm")
        await t.pilot.click("Rows", offset=(20, 3), button=3)
        opened = await t.dialog(Menu)
        assert opened.groups[0].title == "deb12"
        frame = opened.query_one(".dialog--frame").region
        assert opened.region.contains_region(frame)
        await t.pilot.click(offset=(0, 0))
        await t.main()
        assert t.app.main.table.marked == ()


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("row", ["mount", "process"])
async def test_the_right_button_opens_the_menu_of_a_row_of_the_details(
    size: tuple[int, int], row: str
) -> None:
    """Whatever had the focus; what it does is done to that row."""
    async with ui(*CHROOTS, size=size) as t:
        await t.on_row("deb12")
        t.app.main.details.show_tab("mounts" if row == "mount" else "processes", focus=False)
        kind, key = ("MountRows", "/tmp\0system") if row == "mount" else ("ProcessesTable", "4890")
        await t.until(lambda: t.app.main.details.query(kind))
        opened = await click(t, kind, key)
        title = "mount /tmp" if row == "mount" else "process 4890 make -j8 bzImage"
        assert opened.groups[0].title == title
        await t.press("o" if row == "mount" else "t")
        if row == "mount":
            await t.until(lambda: t.engine.called("switch_bind"))
            assert t.engine.called("switch_bind")[0][:2] == (DEB12.path, "/tmp")
        else:
            await t.dialog(Confirm)
            await t.shows("4890")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_the_right_button_opens_the_menu_of_a_job(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        for name in ("arm", "jammy"):
            await t.on_row(name)
            await t.press("o")
            await t.until(lambda name=name: t.job_states.get(name) == "done")  # type: ignore[misc]
        await t.press("4")
        await t.until(lambda: t.app.main.query("JobRows:focus"))
        t.app.main.table.focus()
        await t.until(lambda: t.app.main.table.rows.has_focus)
        first = next(job for job in t.app.main.session.jobs.views if job.name == "arm")
        opened = await click(t, "JobRows", str(first.id))
        assert opened.groups[0].title == "job: on arm"
        await t.press("x")
        await t.until(lambda: t.job_states == {"jammy": "done"})


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("at", [".run-panel--line", "Terminal"])
async def test_the_right_button_opens_the_menu_of_a_panel(size: tuple[int, int], at: str) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await open_panel(t, "sleep", "1000")
        t.app.main.table.focus()
        await t.until(lambda: t.app.main.table.rows.has_focus)
        await t.pilot.click(at, offset=(2, 0), button=3)
        opened = await t.dialog(Menu)
        assert opened.groups[0].title == "arm: sleep"
        await t.press("t")
        await t.until(lambda: not t.app.main.dock.panels[0].running)


@pytest.mark.slow
async def test_the_right_button_is_the_programs_that_wants_it_and_with_shift_the_menus() -> None:
    wants = r"stty raw -echo; printf '\033[?1000h\033[?1006hready'; exec cat -vT"
    async with ui(*CHROOTS) as t:
        await open_panel(t, "sh", "-c", wants)
        await t.shows("ready")
        await t.pilot.click("Terminal", offset=(2, 1), button=3)
        await t.shows("^[[<2;3;2M^[[<2;3;2m")
        assert t.app.screen is t.app.main
        await t.pilot.click("Terminal", offset=(2, 1), button=3, shift=True)
        opened = await t.dialog(Menu)
        assert opened.groups[0].title == "arm: sh"
        await t.press("escape")
        await t.main()
        await t.until(lambda: t.app.main.dock.panels[0].has_focus)
        await t.press("enter", "k")
        await t.shows("^[[<2;3;2mk")


async def click(t: Ui, rows: str, begins: str) -> Menu:
    """Press the right button on the row whose key *begins* so; return what it opens."""
    table = t.app.main.query_one(rows, Table)

    def at() -> int | None:
        return next((i for i, key in enumerate(table.keys) if key.startswith(begins)), None)

    await t.until(lambda: table.is_on_screen and at() is not None)
    await t.pilot.click(table, offset=(12, 1 + (at() or 0)), button=3)  # below the head
    return await t.dialog(Menu)


async def open_panel(t: Ui, *words: str) -> None:
    """Have a program in a panel that has the focus."""
    await t.on_row("arm")
    one = t.app.main.session.highlighted
    assert one is not None
    await t.app.main.session.panels.open(one, words[0], list(words))
    await t.until(lambda: t.app.main.dock.panels[0].terminal.has_focus)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_the_menu_of_a_panel_closes_it(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await open_panel(t, "sleep", "1000")
        await t.press("ctrl+right_square_bracket")
        await menu(t)
        await t.shows("arm: sleep", "a again – it runs still")
        await t.press("t")
        await t.until(lambda: not t.app.main.dock.panels[0].running)
        await menu(t)
        await t.shows("t stop – the command has ended")


@pytest.mark.slow
async def test_no_line_of_a_menu_is_cut() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.on_row("arm")
        await t.press("o")
        await t.until(lambda: t.job_states == {"arm": "done"})
        places = {
            "1": "Overview", "2": "MountRows", "3": "ProcessesTable", "4": "JobRows",
            "C": "CommandRows",
        }  # fmt: skip
        await t.on_row("deb12")
        for key, kind in places.items():
            await t.press(key)
            await t.until(lambda kind=kind: t.app.main.query(f"{kind}:focus"))  # type: ignore[misc]
            opened = await menu(t)
            rows = [str(one.prompt) for one in opened.query_one(OptionList).options]
            assert len(rows) > 5
            assert not [row for row in rows if "…" in row], kind
            await t.press("escape")
            await t.main()


@pytest.mark.slow
async def test_foreign_names_in_a_menu_harm_nobody() -> None:
    every = {text: hostile_chroot(text) for text in HOSTILE}
    async with ui(*every.values(), size=(80, 24)) as t:
        table = t.app.main.table
        for one in every.values():
            await t.until(lambda one=one: table.move_to(one.path) and table.highlighted == one)  # type: ignore[misc]
            for tab, back in (("2", "1"), ("3", "1"), ("1", "escape")):
                await t.press(tab)
                await menu(t)
                assert stray_controls(t.app) == []
                await t.press("escape")
                await t.main()
                await t.press(back)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(40, 10), (80, 24), (160, 50)])
async def test_a_menu_stays_in_the_screen(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await t.on_row("deb12")
        opened = await menu(t)
        await t.until(lambda: opened.query_one(".dialog--frame").region.width > 20)
        assert opened.region.contains_region(opened.query_one(".dialog--frame").region)
        await t.press("end", "up")
        await t.shows("copy")


# -- what the footer offers ------------------------------------------------------------------------


@pytest.mark.slow
async def test_the_footer_follows_what_can_be_done() -> None:
    async with ui(DEB12.replace(state="creating"), TRIXIE) as t:
        await t.on_row("deb12")
        await t.until(lambda: "environments.shell" not in in_footer(t))
        await t.on_row("trixie-build")
        await t.until(lambda: "environments.shell" in in_footer(t))


async def test_a_key_of_what_cannot_be_done_says_why() -> None:
    async with ui(DEB12.replace(state="creating")) as t:
        await t.on_row("deb12")
        await t.press("s")
        await t.says("deb12 is being made by another chroot-tool: wait for it")
        assert t.app.main.dock.panels == ()


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["clone", "pack", "delete", "create"])
async def test_what_a_job_keeps_out_says_which_and_where_it_is_shown(verb: str) -> None:
    made = verb == "create"
    async with ui(DEB12.replace(state="creating" if made else "off")) as t:
        t.engine.hold("clone")
        t.app.main.session.start(
            verb, "deb12", DEB12.path,
            lambda report, _cancelled: t.engine.clone(DEB12.path, "new", report=report),
        )  # fmt: skip
        reads = verb in ("clone", "pack")  # beside which a session may be begun
        for key in ("b", "d", "R", "c", "s", "S", "r", "p", "o", *(() if reads else "x")):
            before = len(t.said)
            await t.press(key)
            await t.until(lambda before=before: len(t.said) > before)  # type: ignore[misc]
            said = f"has something under way already: {verb}"
            if made and key not in "dRo":
                said = "is being made"
            assert t.said[-1] == f"deb12 {said}; 4 shows how far it is", key
            assert t.app.screen is t.app.main
        assert t.app.main.dock.panels == ()


@pytest.mark.slow
async def test_what_is_on_is_entered_while_it_is_packed() -> None:
    async with ui(DEB12) as t:
        t.engine.hold("clone")
        t.app.main.session.start(
            "pack", "deb12", DEB12.path,
            lambda report, _cancelled: t.engine.clone(DEB12.path, "new", report=report),
        )  # fmt: skip
        await t.press("b")
        await t.says("deb12 has something under way already: pack")
        keys = ("environments.shell", "environments.shell_full", "environments.shell_ephemeral",
                "environments.run")  # fmt: skip
        for key in keys:
            assert ACTIONS[key].why_not(t.app.main.session) == "", key


@pytest.mark.slow
async def test_what_takes_a_moment_or_runs_inside_keeps_nobody_out() -> None:
    async with ui(DEB12) as t:
        for verb in ("on", "run"):
            t.engine.hold("clone")
            t.app.main.session.start(
                verb, "deb12", DEB12.path,
                lambda report, _cancelled: t.engine.clone(DEB12.path, "new", report=report),
            )  # fmt: skip
            await t.press("r")
            await t.dialog(RunPrompt)
            await t.press("escape")
            await t.main()
            t.engine.gates.pop("clone").set()
            await t.idle()


# -- an empty base ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_base_offers_what_can_be_done_and_three_ways_to_begin(
    size: tuple[int, int],
) -> None:
    async with ui(size=size) as t:
        await t.shows(
            "A chroot is a Debian of its own in a directory", "n a new one",
            "u one from an archive", "B those that lie elsewhere",
        )  # fmt: skip
        assert in_footer(t) == {"environments.create", "row.menu", "app.quit", "app.help"}
        await t.press("o")
        await t.says("there is no chroot here")
        await t.press("n")
        await t.dialog(CreateForm)
        await t.press("escape")
        await t.main()
        await t.press("u")
        await t.dialog(UnpackDialog)
        await t.press("escape")
        await t.main()
        await t.press("B")
        await t.dialog(BaseDirectoryDialog)


async def test_where_there_are_chroots_nothing_is_said_of_beginning() -> None:
    async with ui() as t:
        await t.shows("A chroot is a Debian")
        t.feed.show(*CHROOTS)
        await t.until(lambda: t.highlighted)
        await t.hides("A chroot is a Debian")


@pytest.mark.slow
async def test_another_base_is_begun_on_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "machines"
    base.mkdir()
    found = (OtherBase(str(base), "systemd-nspawn", ("deb", "web")),)
    monkeypatch.setattr(other_bases, "other_bases", lambda: found)
    async with ui(*CHROOTS) as t:
        await t.press("B")
        await t.dialog(BaseDirectoryDialog)
        await t.shows("2 of systemd-nspawn: deb, web")
        t.app.screen.query_one("#keep").focus()
        await t.press("space")
        t.app.screen.query_one(OptionList).focus()
        await t.press("enter")
        await t.until(lambda: t.app.wanted_base == str(base))
    settings = tmp_path / "home/config/chroot-tool/settings.toml"
    assert settings.read_text().endswith(f'base = "{base}"\n')


@pytest.mark.slow
async def test_other_bases_stand_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (
        OtherBase("/m", "systemd-nspawn", ("debian-12", "fedora")),
        OtherBase("/var/lib/schroot/chroots", "schroot", ("sid-amd64-sbuild", "trixie-arm64")),
    )  # fmt: skip
    monkeypatch.setattr(other_bases, "other_bases", lambda: found)
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.press("B")
        await t.dialog(BaseDirectoryDialog)
        await t.shows("2 of systemd-nspawn: debian-12, fedora", "2 of schroot: sid-amd64-sbuild, ")
        places = {line.find("2 of s") for line in screen_lines(t.app) if "2 of s" in line}
        assert len(places) == 1


@pytest.mark.slow
async def test_a_base_that_is_none_is_told_below_the_field_and_can_be_mended(
    tmp_path: Path,
) -> None:
    async with ui(*CHROOTS) as t:
        await t.press("B")
        dialog = await t.dialog(BaseDirectoryDialog)
        dialog.query_one("#directory Input").focus()
        await t.write(f"{tmp_path}/x")
        await t.press("enter")
        await t.shows("is no directory")
        assert t.app.screen is dialog
        assert dialog.value("directory") == f"{tmp_path}/x"
        await t.press("backspace", "backspace")
        await t.hides("is no directory")
        await t.press("enter")
        await t.until(lambda: t.app.wanted_base == str(tmp_path))


@pytest.mark.slow
async def test_a_base_that_can_not_be_looked_at_is_told_below_the_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> bool:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async with ui(*CHROOTS) as t:
        await t.press("B")
        dialog = await t.dialog(BaseDirectoryDialog)
        dialog.query_one("#directory Input").focus()
        await t.write(str(tmp_path))
        monkeypatch.setattr(answering, "may_wait", refuse)
        await t.press("enter")
        await t.shows("Too many open files")
        assert t.app.screen is dialog


@pytest.mark.slow
async def test_settings_that_cannot_keep_a_base_leave_its_dialog_open(tmp_path: Path) -> None:
    wrong = tmp_path / "home/config/chroot-tool/settings.toml"
    wrong.parent.mkdir(parents=True)
    async with ui(*CHROOTS) as t:
        wrong.write_text("nonsense")
        await t.press("B")
        dialog = await t.dialog(BaseDirectoryDialog)
        dialog.query_one("#directory Input").focus()
        await t.write(str(tmp_path))
        dialog.query_one("#keep").focus()
        await t.press("space")
        dialog.query_one("#directory Input").focus()
        await t.press("enter")
        await t.shows("expected TOML")
        assert t.app.screen is dialog
        assert t.app.wanted_base == ""


async def test_no_other_base_while_something_runs() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.hold("on")
        await t.on_row("arm")
        await t.press("o")
        await t.shows("switching on")
        await t.press("B")
        await t.says("something runs that would end with it")
        assert t.app.wanted_base == ""


def test_the_ui_begins_again_on_the_base_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    from chroot_tool.app.tui import app

    begun: list[str] = []

    def run(machines: object, *_: object) -> tuple[int, str]:
        begun.append(machines.of().base)  # type: ignore[attr-defined]
        return 0, "/var/lib/machines" if len(begun) == 1 else ""

    monkeypatch.setattr(app, "run", run)
    assert start.main("/srv/chroot") == 0
    assert begun == ["/srv/chroot", "/var/lib/machines"]


def test_what_can_be_done_is_looked_at_once_however_much_has_changed() -> None:
    """Each job that began, moved or ended had all reasons anew, of every marked one."""
    looks: list[int] = []

    def why_not(_session: object) -> str:
        looks.append(1)
        return ""

    later: list[Callable[[], None]] = []
    screen = Namespace(call_later=later.append, refresh_bindings=lambda: None)
    doing = AllActions(cast(Any, screen), cast(Any, Namespace(panes=Namespace(complete=True))))
    doing.actions = {"counted": Action("counted", "counted", "", lambda _: None, why_not=why_not)}
    for number in (1, 2):
        for _ in range(3):
            doing.offer_anew()
        assert len(later) == number
        later[-1]()
        assert len(looks) == number


@pytest.mark.slow
async def test_one_of_many_that_it_can_be_done_to_is_enough() -> None:
    asked: list[str] = []

    def check(_session: object, one: ChrootStatus) -> str:
        asked.append(one.name)
        return "" if one.name == "deb12" else "no"

    async with ui(*CHROOTS) as t:
        for name in ("arm", "deb12", "trixie-build"):
            await t.on_row(name)
            await t.press("space")
        await t.until(lambda: len(t.app.main.table.marked) == 3)
        assert of_chosen(check)(t.app.main.session) == ""
        assert asked == ["arm", "deb12"]
