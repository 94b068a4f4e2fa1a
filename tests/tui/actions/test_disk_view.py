"""The disk view: a folder at a time, counted beside the rest."""

from __future__ import annotations

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.events import Stage
from chroot_tool.core.trees.usage import FILE, FOLDER, MOUNT, REST, Usage
from chroot_tool.widgets.dialogs.usage import UsageDialog, UsageTable
from support.samples import BASE, CHROOTS
from support.screen import HOSTILE, stray_controls
from support.whole_ui import Ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
MB = 1 << 20
PATH = f"{BASE}/deb12"
TOP = (
    Usage("usr", FOLDER, 300 * MB, 5000), Usage("var", FOLDER, 90 * MB, 700, unread=2),
    Usage("core", FILE, 10 * MB), Usage("proc", MOUNT),
)  # fmt: skip
USR = (Usage("lib", FOLDER, 200 * MB, 3000), Usage("bin", FOLDER, 99 * MB, 1999))


async def opened(t: Ui) -> UsageTable:
    t.engine.takes.update({"": TOP, "usr": USR})
    await t.on_row("deb12")
    await t.press("i")
    dialog = await t.dialog(UsageDialog)
    return dialog.query_one(UsageTable)


@pytest.mark.slow
@SIZES
async def test_into_a_folder_and_back(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        table = await opened(t)
        await t.until(lambda: table.keys == ("usr", "var", "core", "proc"))
        await t.shows("disk of deb12", "usr/", "400M in 5,704", "2 not read", "mounted: not")
        await t.press("enter")
        await t.until(lambda: table.keys == ("lib", "bin"))
        await t.shows("/usr")
        await t.press("j", "backspace")
        await t.until(lambda: table.cursor_key == "usr")
        await t.press("right")
        await t.until(lambda: table.cursor_key == "lib")
        await t.press("h", "j", "j", "enter")  # a file is no folder
        await t.press("j", "enter")  # nor is what is mounted
        await t.until(lambda: table.cursor_key == "proc")
        assert [call[:2] for call in t.engine.called("usage")] == [(PATH, ""), (PATH, "usr")]
        await t.press("r")
        await t.until(lambda: len(t.engine.called("usage")) == 3)
        await t.press("escape")
        await t.main()


@pytest.mark.slow
@SIZES
async def test_how_far_it_is_and_that_it_can_be_left(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        gate = t.engine.hold("usage")
        t.engine.reports["usage"] = (Stage(PATH, "counting: 12,345 files and folders, 1.2G"),)
        table = await opened(t)
        await t.shows("12,345 files")
        assert table.keys == ()
        await t.press("j", "enter", "backspace", "r")
        assert len(t.engine.called("usage")) == 1
        await t.press("escape")
        await t.main()
        gate.set()
        await t.press("j", "k")
        assert t.app.screen is t.app.main


@pytest.mark.slow
async def test_what_can_not_be_counted_is_said(
) -> None:  # fmt: skip
    async with ui(*CHROOTS, size=(80, 24)) as t:
        t.engine.fail("usage", ChrootError("it went away\x1b[2J", "look"))
        table = await opened(t)
        await t.shows("it went away")
        assert stray_controls(t.app) == []
        assert table.keys == ()
        await t.press("r")
        await t.until(lambda: table.keys)


@pytest.mark.slow
async def test_hostile_names_are_shown_and_do_nothing() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        names = tuple(Usage(name, FOLDER, MB, 1) for name in dict.fromkeys(HOSTILE))
        t.engine.takes.update(dict.fromkeys(HOSTILE, ()))
        table = await opened(t)
        await t.until(lambda: table.keys)
        t.engine.takes[""] = names
        await t.press("r")
        await t.until(lambda: len(table.keys) == len(names))
        assert stray_controls(t.app) == []
        for _ in names:
            await t.press("enter")
            await t.shows("nothing is in it")
            assert stray_controls(t.app) == []
            await t.press("backspace", "j")
        assert isinstance(t.app.screen, UsageDialog)


@pytest.mark.slow
async def test_it_is_in_menu_and_palette() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        t.engine.takes[""] = TOP
        await t.on_row("new")
        await t.press("i")
        await t.says("is being made")
        await t.on_row("deb12")
        await t.press("colon")
        await t.write("disk")
        await t.shows("What takes its disk")


@pytest.mark.slow
async def test_of_many_things_the_smaller_are_one_row() -> None:
    async with ui(*CHROOTS, size=(160, 50)) as t:
        table = await opened(t)
        await t.until(lambda: table.keys == ("usr", "var", "core", "proc"))
        t.engine.takes[""] = (*TOP[:1], Usage("", REST, 9 * MB, 4000))
        await t.press("r")
        await t.until(lambda: table.keys == ("usr", ""))
        await t.shows("309M in 9,001", "(all that is smaller)")
        await t.press("j", "enter", "y")  # which is no folder, and has no path
        await t.until(lambda: table.cursor_key == "")
        assert len(t.engine.called("usage")) == 2
