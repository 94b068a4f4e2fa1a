"""How it looks by the settings, in a real terminal at both sizes."""

from __future__ import annotations

import re

import pytest
from textual.color import Color

from chroot_tool.app.settings.themes import every
from support.at_both_sizes import Start, WriteSettings
from support.tmux import Tmux

pytestmark = [pytest.mark.slow, pytest.mark.root]
_FEW = {*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)}
"""The terminal's own colours (SGR)."""
_MANY = {38, 48}
"""What any other begins with."""


def on_and_off(terminal: Tmux) -> set[int]:
    """Switch the chroot on and off again; return the attributes that were seen between."""
    terminal.shows("○ off tiny", "quit")
    terminal.press("o")
    terminal.shows("● on tiny")
    found = terminal.attributes
    terminal.press("o")
    terminal.shows("○ off tiny")
    return found


def ground(theme: str) -> str:
    """The ground of a theme, as it stands among attributes."""
    background = every()[theme].background
    assert background is not None
    return ";".join(map(str, Color.parse(background).rgb))


def test_it_is_as_large_as_the_terminal(start: Start, terminal_size: tuple[int, int]) -> None:
    """And not as whoever has exported COLUMNS and LINES."""
    terminal = start(COLUMNS="70", LINES="20")
    columns, rows = terminal_size
    text = terminal.shows("○ off tiny", "quit", "─" * columns)
    assert text.rstrip().count("\n") == rows - 1


@pytest.mark.parametrize("theme", ["light", "high-contrast", "nord"])
def test_in_another_theme(start: Start, write_settings: WriteSettings, theme: str) -> None:
    write_settings(f'theme = "{theme}"\n')
    terminal = start()
    on_and_off(terminal)
    grounds = re.findall(r"48;2;(\d+;\d+;\d+)", terminal.painted)
    assert ground(theme) in grounds
    assert ground("dark") not in grounds  # which it is by itself
    terminal.leave()


def test_in_the_colours_of_the_terminal(start: Start, write_settings: WriteSettings) -> None:
    write_settings('theme = "ansi-dark"\n')
    terminal = start()
    seen = on_and_off(terminal)
    assert seen & _FEW
    assert not seen & _MANY
    terminal.leave()


def test_in_one_colour(start: Start, write_settings: WriteSettings) -> None:
    write_settings('theme = "monochrome"\n')
    terminal = start()
    seen = on_and_off(terminal)
    assert not seen & (_FEW | _MANY)
    assert 7 in seen, "the cursor's row is reversed"
    terminal.leave()


def test_in_ascii_where_the_settings_say_so(start: Start, write_settings: WriteSettings) -> None:
    write_settings('signs = "ascii"\n')
    terminal = start(LC_ALL="C.UTF-8")
    terminal.shows("o off tiny", "quit")
    terminal.press("o")
    assert terminal.shows("@ on tiny").isascii()
    terminal.press("m")
    assert terminal.shows("+- tiny -", "esc cancel").isascii()
    terminal.press("o")
    assert terminal.shows("o off tiny", "quit").isascii()
    terminal.leave()
