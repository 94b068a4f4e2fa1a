"""Commands of the user's own (`[[command]]`), in a real terminal at both sizes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.at_both_sizes import Start, WriteSettings
from support.tmux import Tmux

pytestmark = [pytest.mark.slow, pytest.mark.root]

FOUR = """
[[command]]
name = "where"
key = "e"
run = "echo b$((40+2)) {name} at {path}"
shell = true
output = "toast"

[[command]]
name = "kind"
key = "E"
run = "echo {target} of {name}"
rows = "mount"
output = "job"

[[command]]
name = "called"
key = "f5"
run = ["sed", "s/^/this is /", "/proc/{pid}/comm"]
rows = "process"

[[command]]
name = "careful"
run = ["touch", "{path}/touched"]
ask = true
output = "toast"
"""


def test_for_each_kind_of_row(
    start: Start, tiny_chroot: Path, write_settings: WriteSettings
) -> None:
    write_settings(FOUR)
    terminal = start()
    terminal.shows("○ off tiny", "quit")
    terminal.press("e")
    terminal.says("where: b42 tiny at")
    terminal.press("E")
    terminal.says("this is for a mount: go to one first")
    terminal.press("?")
    terminal.shows("e where", "E kind", "f5 called")
    terminal.press("?")
    terminal.until(lambda text: "E kind" not in text)

    terminal.press("s")
    terminal.shows("shell running", "● on tiny")
    terminal.press("C-]")
    terminal.shows("⏎ into it")
    terminal.press("3")
    terminal.until(lambda text: re.search(r"\d+ root .* -?sh$", text, re.MULTILINE))
    terminal.press("m")
    terminal.until(lambda text: re.search(r"╭─ process \d+ .*sh ─", text) and "f5 called" in text)
    terminal.press("F5")
    terminal.shows("this is sh", "exit 0")
    terminal.press("C-]")
    terminal.shows("a again")
    terminal.press("2")
    terminal.shows("o (un)mount", "E kind")
    terminal.press("G", "E")
    terminal.shows("✓ done run tiny: kind", "/tmp of tiny")
    terminal.press("Escape")
    terminal.shows("space mark")


def test_one_without_a_key_that_asks(
    start: Start, tiny_chroot: Path, write_settings: WriteSettings
) -> None:
    write_settings(FOUR)
    terminal = start()
    terminal.shows("○ off tiny", "quit")
    terminal.choose("caref", "touch '{path}/touched'")
    terminal.shows("╭─ careful? ─", "│ touch ", "Cancel Run")
    terminal.press("Enter")
    terminal.until(lambda text: "careful?" not in text)
    terminal.press("m")
    terminal.shows("╭─ tiny ─", "esc cancel")
    terminal.press("End")  # not all have room
    terminal.shows(" careful touch '{path}/touched'", "y copy")
    terminal.click("careful")
    terminal.shows("╭─ careful? ─", "│ touch ", "Cancel Run")
    assert not (tiny_chroot / "touched").exists()
    terminal.press("Right", "Enter")
    terminal.says("careful: done")
    assert (tiny_chroot / "touched").exists()
    terminal.leave()


def said(terminal: Tmux) -> str:
    """All that was ever painted, without blanks: where a toast is broken hangs on a path."""
    painted = re.sub(r"\x1b\[[\d;:?]*[A-Za-z]|▌", "", terminal.written.decode(errors="replace"))
    return "".join(painted.split())


def test_errors_are_told_with_their_line_and_what_held_goes_on(
    start: Start, tiny_chroot: Path, write_settings: WriteSettings
) -> None:
    write_settings(FOUR)
    terminal = start()
    terminal.shows("○ off tiny", "quit")
    wrong = f'{FOUR}\n[[command]]\nname = "of jobs"\nkey = "f6"\nrun = "true"\nrows = "jobs"\n'
    write_settings(wrong)
    line = wrong.splitlines().index('rows = "jobs"') + 1
    terminal.until(lambda _: f"settings.toml:{line}:rowsis'jobs'" in said(terminal))
    terminal.until(lambda _: "thesettingsofbeforeholdon" in said(terminal))
    terminal.press("e")
    terminal.says("where: b42 tiny at")
    write_settings(wrong.replace('"jobs"', '"any"'))
    terminal.says("the settings were read again")
    terminal.press("F6")
    terminal.shows("of jobs exit 0")
    terminal.press("C-]")
    terminal.shows("a again")
    terminal.press("Escape")
    terminal.shows("space mark")  # at once it would be alt+q
    terminal.leave()
