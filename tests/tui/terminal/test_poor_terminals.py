"""The UI without colours, and without signs beyond ASCII: nothing is lost, and nothing written."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from chroot_tool.app.settings.file import Settings
from chroot_tool.app.tui.terminal.line_filters import NoColours
from chroot_tool.app.tui.threads.messages import SettingsRead
from support import Cli
from support.outer_terminal import Terminal
from support.samples import CHROOTS
from support.screen import screen_lines
from support.whole_ui import Ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
WAY = ("j", "space", "2", "T", "3", "4", "5", "question_mark", "question_mark", "m", "escape", "n",
       "escape", "escape", "C")  # fmt: skip
"""Keys through tables, help, a menu, a form and the commands."""
_COLOUR = re.compile(rb"\x1b\[[\d;:]*m")
_CODES = {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)}


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test says itself that there are none."""
    monkeypatch.delenv("NO_COLOR", raising=False)


def _coloured(t: Ui) -> list[str]:
    strips = t.app.screen._compositor.render_strips()
    styles = {s.style for strip in strips for s in strip if s.style is not None}
    return [
        str(style)
        for style in styles
        if any(one and not one.is_default for one in (style.color, style.bgcolor))
    ]


@pytest.mark.slow
@SIZES
async def test_nothing_is_coloured(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with ui(*CHROOTS, size=size, theme="light") as t:
        await t.on_row("jammy")
        for key in WAY:
            await t.press(key)
            assert _coloured(t) == [], key
        t.app.search_themes()
        await t.says("NO_COLOR")


@pytest.mark.slow
@SIZES
async def test_nothing_is_but_ascii(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size, signs="ascii") as t:
        await t.on_row("jammy")
        await t.shows("@ on", "o off")
        for key in WAY:
            await t.press(key)
            assert [line for line in screen_lines(t.app) if not line.isascii()] == [], key


@pytest.mark.slow
async def test_the_row_of_the_cursor_can_be_seen_without_colours() -> None:
    async with ui(*CHROOTS, size=(80, 24), theme="monochrome") as t:
        await t.on_row("jammy")
        assert "reverse" in _style_of(t, "jammy")
        await t.press("2")
        style = _style_of(t, "jammy")
        assert "underline" in style
        assert "not reverse" in style


def _style_of(t: Ui, text: str) -> str:
    """The style of the first segment that has *text*."""
    strips = t.app.screen._compositor.render_strips()
    return next(str(s.style) for strip in strips for s in strip if text in s.text)


@pytest.mark.slow
async def test_other_signs_hold_at_once() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.shows("● on")
        now = Settings(theme="dark", signs="ascii")
        t.app.post_message(SettingsRead(now))
        await t.shows("@ on")
        await t.hides("●")
        t.app.post_message(SettingsRead(now.replace(signs="unicode")))
        await t.shows("● on")


@pytest.mark.parametrize(
    ("style", "becomes"),
    [
        ("#ffffff on #000000", "not bold not dim not reverse"),
        ("#999999 on #000000", "not bold dim not reverse"),
        ("#ffff99 on #000000", "bold not dim not reverse"),
        ("#000000 on #ffffff", "not bold not dim reverse"),
        ("reverse #ffffff on #000000", "not bold not dim reverse"),
        ("reverse #000000 on #ffffff", "not bold not dim not reverse"),
        ("italic", "not bold not dim italic not reverse"),
        ("#ffffff on #2a2a2a", "not bold not dim not reverse underline"),
    ],
)
def test_what_colours_become(style: str, becomes: str) -> None:
    black = Color.parse("#000000")
    (found,) = NoColours().apply([Segment("x", Style.parse(style))], black)
    assert found.style is not None
    assert found.style.color is not None
    assert found.style.color.is_default
    wanted = Style.parse(becomes)
    for name in ("bold", "dim", "italic", "reverse", "underline"):
        assert bool(getattr(found.style, name)) == bool(getattr(wanted, name)), name


@pytest.mark.slow
def test_what_the_real_program_writes(tiny_chroot: Path, cli: Cli) -> None:
    argv = [os.fsdecode(word) for word in cli.argv("--base", tiny_chroot.parent)]
    env = cli.environment({"NO_COLOR": "1", "LC_ALL": "C", "TERM": "xterm-256color"})
    terminal = Terminal(argv, env)
    try:
        written = terminal.read_to(b"tiny")
        written += terminal.read_to(b"help")
        terminal.type("q")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()
    assert written.isascii()
    assert b"o off" in written
    codes = {
        int(code or 0)
        for found in _COLOUR.findall(written)
        for code in re.split(rb"[;:]", found[2:-1])
    }
    assert codes
    assert codes & _CODES == set()
