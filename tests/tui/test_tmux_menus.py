"""What can be done with a thing, in a real terminal at both sizes: by a key, by the mouse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.at_both_sizes import Start, is_mounted
from support.tmux import Tmux

pytestmark = [pytest.mark.slow, pytest.mark.root]


def left(terminal: Tmux) -> None:
    """Leave a menu."""
    terminal.press("Escape")
    terminal.until(lambda text: "esc cancel" not in text)


def test_a_mount_and_its_menu(start: Start, tiny_chroot: Path) -> None:
    terminal = start()
    terminal.shows("○ off tiny", "quit")
    terminal.press("o")
    terminal.shows("● on tiny")
    terminal.press("2")
    terminal.shows("● mounted /tmp")
    terminal.press("G", "Enter")
    terminal.shows("╭─ mount /tmp ─", "o (un)mount", "Switch on or off", "esc cancel")
    left(terminal)
    terminal.press("g", "m")
    terminal.shows("╭─ mount /dev ─", "o (un)mount")
    left(terminal)
    terminal.click("/tmp", button=2)
    terminal.shows("╭─ mount /tmp ─", "o (un)mount")
    terminal.press("o")
    terminal.shows("○ missing /tmp", "◐ partial tiny")
    assert not is_mounted(tiny_chroot / "tmp")
    assert is_mounted(tiny_chroot / "proc")

    terminal.press("O")
    terminal.shows("what o would do to /tmp", "$ chroot-tool on -d", "mount tmpfs on /tmp")
    assert not is_mounted(tiny_chroot / "tmp")
    terminal.press("Enter")
    terminal.shows("● mounted /tmp", "● on tiny")
    assert is_mounted(tiny_chroot / "tmp")
    terminal.press("Escape")
    terminal.shows("space mark")  # at once it would be alt+o
    terminal.press("o")
    terminal.shows("○ off tiny")
    terminal.leave()


def test_processes_panels_and_jobs_and_their_menus(start: Start, tiny_chroot: Path) -> None:
    terminal = start()
    terminal.shows("○ off tiny", "quit")
    terminal.press("s")
    terminal.shows("shell running", "● on tiny")
    terminal.write("sleep 999 &")
    terminal.press("Enter", "C-]")
    terminal.shows("⏎ into it")
    terminal.press("m")
    terminal.shows("╭─ tiny: shell ─", "a again – it runs still", "x close")
    left(terminal)
    terminal.click("running", button=2)
    terminal.shows("╭─ tiny: shell ─", "a again – it runs still", "x close")
    left(terminal)

    def runs(text: str) -> object:
        return re.search(r"\d+ root .*sleep 999", text)

    terminal.press("3")
    terminal.until(runs)
    terminal.click("sleep 999", button=2)
    terminal.until(lambda text: re.search(r"╭─ process \d+ sleep 999 ─", text) and "t TERM" in text)
    left(terminal)
    terminal.press("Enter")
    terminal.until(lambda text: re.search(r"╭─ process \d+ sleep 999 ─", text) and "t TERM" in text)
    terminal.press("t")
    terminal.shows("Send TERM to this process?", "root sleep 999")
    terminal.press("Right", "Enter")
    terminal.until(lambda text: "Send TERM" not in text and not runs(text))

    terminal.press("4")
    for do in ("a", "x"):
        terminal.shows("shell running", "⏎ into it")
        terminal.press("Enter")
        terminal.shows("^] leave")
        terminal.write("exit")
        terminal.press("Enter")
        terminal.shows("shell exit 0")
        terminal.press("C-]")
        terminal.shows("a again")
        terminal.press("Enter")
        terminal.shows("╭─ tiny: shell ─", "a again Run the command again")
        terminal.press(do)
    terminal.until(lambda text: "tiny: shell" not in text and "space mark" in text)

    terminal.press("o")
    terminal.shows("○ off tiny")
    terminal.press("4")
    terminal.shows("✓ done off tiny", "x dismiss")
    terminal.press("Enter")
    terminal.shows("╭─ job: off tiny ─", "c cancel – it is over", "x dismiss")
    left(terminal)
    terminal.click("✓ done", button=2)
    terminal.shows("╭─ job: off tiny ─", "c cancel – it is over", "x dismiss")
    terminal.press("x")
    terminal.until(lambda text: "✓ done off" not in text and "space mark" in text)
    terminal.leave()


def test_marked_ones_and_their_menu(start: Start, tiny_chroot: Path, tidy: Path) -> None:
    terminal = start()
    terminal.shows("○ off tidy", "○ off tiny", "quit")
    terminal.press("g", "Space", "j", "Space")
    terminal.shows("2 marked")
    terminal.press("m")
    terminal.shows("╭─ 2 marked: tidy, tiny ─", "o on/off", "R rename")
    terminal.press("o")
    terminal.says("on: 2 done")
    terminal.shows("● on tidy", "● on tiny")
    assert is_mounted(tiny_chroot / "proc")
    assert is_mounted(tidy / "proc")
    terminal.click("● on", button=2)
    terminal.shows("╭─ 2 marked: tidy, tiny ─", "R rename – it is on")
    terminal.press("o")
    terminal.says("off: 2 done")
    terminal.shows("○ off tidy", "○ off tiny")
    terminal.leave()
