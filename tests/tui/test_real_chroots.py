"""The whole UI on real chroots, looked at from outside."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from chroot_tool.widgets.dialogs.stop_processes import StopProcesses
from support import Program, mounts_below, processes_below
from support.screen import stray_controls
from support.whole_ui import real_ui


@pytest.mark.slow
@pytest.mark.root
async def test_real_on_and_off(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.shows("○ off")
        await t.press("o")
        await t.shows("● on")
        assert str(tiny_chroot / "proc") in mounts_below(tiny_chroot)
        await t.idle()
        await t.press("o")
        await t.shows("○ off")
        assert mounts_below(tiny_chroot) == []


@pytest.mark.slow
@pytest.mark.root
async def test_real_two_at_once(tiny_chroot: Path) -> None:
    second = tiny_chroot.parent / "second"
    subprocess.run(["cp", "-a", tiny_chroot, second], check=True)
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.on_row("second")
        await t.press("space", "j", "space", "o")
        await t.until(lambda: [one.state for one in t.app.main.chroots] == ["on", "on"])
        assert len(mounts_below(second)) == len(mounts_below(tiny_chroot)) > 0
        await t.idle()
        await t.press("o")
        await t.until(lambda: [one.state for one in t.app.main.chroots] == ["off", "off"])
        assert mounts_below(tiny_chroot.parent) == []


@pytest.mark.slow
@pytest.mark.root
async def test_real_busy_one_is_ended_when_asked(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.press("o")
        await t.shows("● on")
        with Program(["chroot", tiny_chroot, "sleep", "1000"]) as child:
            await t.press("3")
            await t.shows("sleep 1000")
            t.app.main.table.focus()
            await t.idle()
            await t.press("o")
            await t.dialog(StopProcesses)
            await t.shows(str(child.pid), "sleep 1000")
            await t.press("escape")
            await t.main()
            assert child.poll() is None
            await t.idle()
            await t.press("o")
            dialog = await t.dialog(StopProcesses)
            await t.until(lambda: not dialog.query_one("#stop").disabled)
            await t.press("right", "enter")
            await t.until(lambda: child.poll() is not None)
        await t.shows("○ off")
        assert mounts_below(tiny_chroot) == []
        assert processes_below(tiny_chroot) == {}


@pytest.mark.slow
@pytest.mark.root
async def test_real_process_is_seen_and_ended(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        with Program(["chroot", tiny_chroot, "sleep", "1000"]) as child:
            await t.press("3")
            await t.shows("sleep 1000")
            await t.until(lambda: t.app.main.details.query("ProcessesTable:focus"))
            await t.press("t")
            await t.dialog(Confirm)
            await t.press("right", "enter")
            await t.until(lambda: child.poll() is not None)
            assert child.returncode == -15
        await t.shows("no process lives in it")


@pytest.mark.slow
@pytest.mark.root
async def test_real_change_from_outside_reaches_the_screen(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.press("o")
        await t.shows("● on")
        await t.press("2")
        subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
        await t.shows("◐ partial", "○ missing /tmp")
        (tiny_chroot / "root/extra").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "none", tiny_chroot / "root/extra"], check=True)
        await t.shows("? foreign")
        t.app.main.table.focus()
        await t.idle()
        await t.press("o")
        await t.shows("● on")
        await t.idle()
        await t.press("o")
        await t.dialog(Confirm)
        await t.shows("/root/extra tmpfs")
        await t.press("right", "enter")
        await t.shows("○ off")
        assert mounts_below(tiny_chroot) == []


@pytest.mark.slow
@pytest.mark.root
async def test_real_single_mount(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        rows = t.app.main.details.query_one("MountRows")
        await t.until(lambda: rows.move_to("/tmp\0system"))  # type: ignore[attr-defined]
        await t.press("o")
        await t.shows("● mounted /tmp", "◐ partial")
        assert mounts_below(tiny_chroot) == [str(tiny_chroot / "tmp")]
        await t.idle()
        await t.press("o")
        await t.shows("○ missing /tmp")
        assert mounts_below(tiny_chroot) == []


@pytest.mark.slow
@pytest.mark.root
async def test_real_delete_and_what_vanishes_and_appears(
    tiny_chroot: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    second = tiny_chroot.parent / "second"
    copied = tmp_path_factory.mktemp("aside") / "second"
    subprocess.run(["cp", "-a", tiny_chroot, copied], check=True)
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        copied.rename(second)  # whole at once: half of a copy is broken, and `o` leaves it alone
        await t.on_row("second")
        await t.press("o")
        await t.shows("● on")
        await t.idle()
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.write("second")
        await t.press("enter", "enter")
        await t.until(lambda: not second.exists())
        await t.until(lambda: t.highlighted == "tiny")
        (tiny_chroot.parent / "gone").symlink_to("tiny")  # no chroot of its own
        tiny_chroot.rename(tiny_chroot.parent / "renamed")
        await t.until(lambda: t.highlighted == "renamed")
        (tiny_chroot.parent / "renamed").rename(tiny_chroot)
        await t.until(lambda: t.highlighted == "tiny")


@pytest.mark.slow
@pytest.mark.root
async def test_real_names_that_mean_harm(tiny_chroot: Path) -> None:
    names = [
        b"[@click=app.quit]x",
        b"[bold",
        b"\x1b[2Jesc",
        b"c1\x9b",
        b"new\nline",
        "寬字".encode(),
        b"\xff raw",
    ]
    for name in names:
        os.mkdir(os.fsencode(tiny_chroot.parent) + b"/" + name)
        os.mkdir(os.fsencode(tiny_chroot.parent) + b"/" + name + b"/chroot.d")
    async with real_ui(tiny_chroot.parent) as t:
        await t.until(lambda: len(t.app.main.chroots) == len(names) + 1)
        for key in ("j", "j", "2", "3", "1"):
            await t.press(key)
            await t.pilot.pause()
            assert stray_controls(t.app) == []
        await t.on_row("tiny")
