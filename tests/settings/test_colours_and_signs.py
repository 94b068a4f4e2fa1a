"""What the terminal can show, by the environment and the setting."""

from __future__ import annotations

import pytest

from chroot_tool.app.settings.terminal import ascii_for, no_colours
from chroot_tool.app.settings.themes import MONOCHROME, chosen


@pytest.mark.parametrize(
    ("environ", "encoding"),
    [
        ({}, ""),
        ({"LANG": "de_DE.UTF-8"}, ""),
        ({"LANG": "de_DE.utf8"}, ""),
        ({"LANG": "de_DE"}, ""),
        ({"LC_ALL": "C"}, "ascii"),
        ({"LANG": "POSIX"}, "ascii"),
        ({"LC_ALL": "", "LC_CTYPE": "C.UTF-8", "LANG": "C"}, ""),
        ({"LC_ALL": "C", "LC_CTYPE": "C.UTF-8"}, "ascii"),
        ({"LANG": "de_DE.ISO-8859-1"}, "iso8859-1"),
        ({"LANG": "de_DE.ISO-8859-15@euro"}, "iso8859-15"),
        ({"LANG": "ja_JP.eucJP"}, "euc_jp"),
        ({"LANG": "xx.nothing"}, ""),
        ({"LC_ALL": "C.\udcff"}, ""),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, "utf-8"),
        ({"TERM": "vt220"}, "utf-8"),
        ({"TERM": "xterm-256color"}, ""),
    ],
)
def test_signs_are_by_locale_and_terminal(environ: dict[str, str], encoding: str) -> None:
    assert ascii_for("auto", environ) == encoding


def test_the_setting_comes_first() -> None:
    assert ascii_for("unicode", {"LC_ALL": "C", "TERM": "linux"}) == ""
    assert ascii_for("ascii", {"LANG": "C.UTF-8"}) == "utf-8"


def test_no_color_comes_before_the_theme_that_was_chosen() -> None:
    many = {"COLORTERM": "truecolor"}
    assert chosen("light", {"NO_COLOR": "1", **many}) == MONOCHROME
    assert chosen("", {"NO_COLOR": "1", **many}) == MONOCHROME
    assert chosen("light", {"NO_COLOR": "", **many}) == "light"
    assert chosen("", many) == "dark"
    assert chosen("", {"TERM": "vt100"}) == "ansi-dark"
    assert not no_colours({"NO_COLOR": ""})
