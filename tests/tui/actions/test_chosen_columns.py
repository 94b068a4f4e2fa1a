"""Columns chosen, moved and sized in the UI, and remembered."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from chroot_tool.app.settings.all_settings import COLUMNS
from chroot_tool.app.settings.file import Settings, load
from chroot_tool.app.tui.threads.messages import SettingsRead
from chroot_tool.widgets.dialogs.columns import ColumnsDialog
from support.samples import CHROOTS
from support.screen import screen_lines
from support.whole_ui import Ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the settings are; not there yet."""
    return tmp_path / "home/config/chroot-tool/settings.toml"


def heads(t: Ui, *titles: str) -> bool:
    """Whether these titles stand side by side in the head of a table."""
    wanted = f" {' '.join(titles)} "
    lines = (" ".join(re.sub("[▲▼│]", " ", line).split()) for line in screen_lines(t.app))
    return any(wanted in f" {line} " for line in lines)


@pytest.mark.slow
@SIZES
async def test_the_environments(file: Path, size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await t.on_row("jammy")
        assert heads(t, "State", "Name")
        await t.press("vertical_line")
        await t.dialog(ColumnsDialog)
        # The name a cell narrower and first; without the system.
        await t.press("j", "minus", "K", "j", "j", "j", "space", "enter")
        await t.main()
        await t.until(lambda: heads(t, "Name", "State", "Mounts"))
        assert t.highlighted == "jammy"
        await t.until(file.exists)
        await t.until(lambda: len(load().columns) == len(COLUMNS) - 1)
    kept = tomllib.loads(file.read_text())["columns"]
    assert kept[0].startswith("name:")
    assert kept[1:3] == ["state", "host"]
    assert "system" not in kept
    async with ui(*CHROOTS, size=size, columns=load().columns) as t:
        await t.until(lambda: heads(t, "Name", "State", "Mounts"))


@pytest.mark.slow
@SIZES
@pytest.mark.parametrize(
    ("tab", "before", "after", "key"),
    [
        ("2", ["State", "Target"], ["Target", "State"], "mounts-columns"),
        ("3", ["PID", "User"], ["User", "PID"], "processes-columns"),
    ],
    ids=["mounts", "processes"],
)
async def test_the_tables_of_a_chroot(
    file: Path, size: tuple[int, int], tab: str, before: list[str], after: list[str], key: str
) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await t.on_row("deb12")
        await t.press(tab)
        await t.until(lambda: heads(t, *before))
        await t.press("vertical_line")
        await t.dialog(ColumnsDialog)
        await t.press("J", "enter")
        await t.main()
        await t.until(lambda: heads(t, *after))
        await t.until(lambda: file.exists() and key in tomllib.loads(file.read_text()))


@pytest.mark.slow
async def test_escape_leaves_all_as_it_was(file: Path) -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.on_row("deb12")
        await t.press("vertical_line")
        await t.dialog(ColumnsDialog)
        await t.press("J", "escape")
        await t.main()
        assert heads(t, "State", "Name")
    assert not file.exists()


@pytest.mark.slow
async def test_other_columns_in_the_file_hold_at_once() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.on_row("deb12")
        now = Settings(
            theme="dark", signs="unicode", columns=("name:20", "state"),
            processes_columns=("user", "pid"),
        )  # fmt: skip
        t.app.post_message(SettingsRead(now))
        await t.until(lambda: heads(t, "Name", "State"))
        assert t.app.main.table.rows.widths["name"] == 20
        await t.press("3")
        await t.until(lambda: heads(t, "User", "PID"))


@pytest.mark.slow
@pytest.mark.parametrize("signs", ["unicode", "ascii"])
async def test_the_keys_of_the_dialog_stand_in_its_border(signs: str) -> None:
    async with ui(*CHROOTS, size=(80, 24), signs=signs) as t:
        await t.on_row("deb12")
        await t.press("vertical_line")
        await t.dialog(ColumnsDialog)
        await t.shows("space show", "K/J move", "+/- size", "0 fit", "esc cancel")


@pytest.mark.slow
async def test_it_is_in_the_palette() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.on_row("deb12")
        await t.press("colon")
        await t.write("columns")
        await t.shows("Which columns the table has")
