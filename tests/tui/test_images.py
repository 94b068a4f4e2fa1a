"""Copies, archives, snapshots and throw-away sessions by keys, in the whole UI."""

from __future__ import annotations

from pathlib import Path

import pytest

from chroot_tool.app import history
from chroot_tool.app.tui.actions import commands
from chroot_tool.core.errors import BusyError, ChrootError
from chroot_tool.core.events import Stage
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.widgets.dialogs.place import PlaceDialog
from support.samples import BASE, CHROOTS, NOW
from support.whole_ui import Ui, real_ui, ui

ARM = f"{BASE}/arm"
FRESH = ChrootStatus("fresh", f"{BASE}/fresh", "off", changed=NOW)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "home" / kind.lower()))


async def name_it(t: Ui, key: str, name: str) -> None:
    """Press *key*, and answer the dialog with *name*."""
    await t.press(key)
    dialog = await t.dialog(PlaceDialog)
    dialog.field("name").value = name
    await t.press("enter")
    await t.main()


# -- clone and rename -----------------------------------------------------------------------------


async def test_clone_shows_how_far_it_is_and_goes_to_the_copy() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.reports["clone"] = (Stage(FRESH.path, "copying", 0.42),)
        gate = t.engine.hold("clone")
        await t.on_row("arm")
        await name_it(t, "c", "fresh")
        await t.shows("cloning 42 %", "clone arm → fresh")
        gate.set()
        await t.until(lambda: t.job_states == {"arm → fresh": "done"})
        assert t.engine.called("clone") == [(ARM, FRESH.path, False)]
        t.feed.show(*CHROOTS, FRESH)
        await t.until(lambda: t.highlighted == "fresh")


async def test_clone_can_be_exact_and_can_be_cancelled() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.hold("clone")
        await t.on_row("arm")
        await t.press("c")
        (await t.dialog(PlaceDialog)).field("name").value = "fresh"
        await t.press("tab", "space", "up", "enter")
        await t.main()
        await t.until(lambda: t.engine.called("clone") == [(ARM, FRESH.path, True)])
        await t.press("4")
        await t.until(lambda: t.app.main.dock.has_focus_within)
        await t.press("c")
        await t.until(lambda: t.job_states == {"arm → fresh": "cancelled"})


async def test_clone_of_one_that_is_on_says_what_that_means() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("c")
        await t.dialog(PlaceDialog)
        await t.shows("It is on: what is written meanwhile may be half there.")


async def test_rename_takes_mark_history_and_cursor_along() -> None:
    async with ui(*CHROOTS) as t:
        history.remember(ARM, "apt update")
        await t.on_row("arm")
        await t.press("space")
        await t.on_row("arm")
        await name_it(t, "R", "fresh")
        await t.until(lambda: t.job_states == {"arm → fresh": "done"})
        assert t.engine.called("rename") == [(ARM, FRESH.path)]
        assert history.commands(FRESH.path) == ("apt update",)
        t.feed.show(*[one for one in CHROOTS if one.name != "arm"], FRESH)
        await t.until(lambda: t.highlighted == "fresh")
        assert t.app.main.table.marked == (FRESH.path,)


async def test_rename_of_one_that_is_on_is_refused_before_a_name_is_typed() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("R")
        await t.says("deb12 is on: switch it off first")
        assert t.engine.calls == []


async def test_a_rename_that_fails_is_told_and_leaves_the_history() -> None:
    async with ui(*CHROOTS) as t:
        history.remember(ARM, "apt update")
        t.engine.fail("rename", BusyError("arm is in use", "", ()))
        await t.on_row("arm")
        await name_it(t, "R", "fresh")
        await t.says("rename arm → fresh: arm is in use")
        assert history.commands(ARM) == ("apt update",)
        t.feed.show(*CHROOTS, FRESH)  # somebody else's
        await t.shows("fresh")
        assert t.highlighted == "arm"


async def test_a_clone_that_fails_is_told() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("clone", ChrootError("cannot clone: no space left on device"))
        await t.on_row("arm")
        await name_it(t, "c", "fresh")
        await t.says("clone arm → fresh: cannot clone: no space left on device")


@pytest.mark.root
async def test_real_clone_and_rename(tiny_chroot: Path) -> None:
    base, name = tiny_chroot.parent, tiny_chroot.name
    async with real_ui(base) as t:
        await t.on_row(name)
        await name_it(t, "c", "other")
        await t.until(lambda: t.highlighted == "other")
        await t.until(lambda: t.job_states == {f"{name} → other": "done"})
        await name_it(t, "R", "another")
        await t.until(lambda: t.highlighted == "another")
        assert not (base / "other").exists()
        assert (base / "another/bin/sh").exists()


# -- throw-away sessions --------------------------------------------------------------------------


async def test_a_throw_away_shell_says_so_in_its_title(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def here(*words: str) -> list[str]:
        asked.append(words)
        return ["sh"]

    monkeypatch.setattr(commands, "own_command", here)
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.on_row("arm")
        await t.press("x")
        await t.shows("▶ arm throw-away shell")
        assert asked == [("shell", "-x", "-d", ARM)]
