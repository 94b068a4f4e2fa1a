"""What is done to several marked chroots at once, in a real terminal at both sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import wait_until
from support.at_both_sizes import Start

pytestmark = [pytest.mark.slow, pytest.mark.root]


def test_verbs_for_several(start: Start, tiny_chroot: Path, tidy: Path) -> None:
    terminal = start()
    terminal.shows("○ off tidy", "○ off tiny", "quit")
    terminal.press("g", "Space", "j", "Space")
    terminal.shows("2 marked")
    terminal.press("L")
    terminal.shows("tags of 2 chroots")
    terminal.write("web")
    terminal.press("Enter")
    terminal.says("tag: 2 done")
    terminal.shows("▾ web", "2 chroots")
    terminal.press("r")
    terminal.shows("run in 2 chroots")
    terminal.write("/bin/id -u")
    terminal.press("Enter")
    terminal.says("run: 2 done")
    terminal.shows("● on tidy", "● on tiny")
    terminal.press("o")
    terminal.says("off: 2 done")
    terminal.shows("○ off tidy", "○ off tiny")
    terminal.press("v")
    terminal.shows("snapshots of 2 chroots", "Cancel Take")
    terminal.press("Enter")
    terminal.says("snapshot: 2 done")
    terminal.press("D")
    terminal.shows("doctor: 2 chroots", "terminfo tidy", "terminfo tiny", " all 2 ")
    terminal.press("Escape")
    terminal.until(lambda text: "╭─" not in text)
    terminal.press("d")
    terminal.shows("delete 2 chroots")
    terminal.write("delete 2")
    terminal.press("Enter", "Enter")
    terminal.says("delete: 2 done")
    terminal.shows("Chroots 0")
    assert not tiny_chroot.exists()
    assert not tidy.exists()
    terminal.press("U")
    terminal.shows("take all 2 back?", "$ chroot-tool delete -d")
    terminal.press("Enter")
    terminal.shows("Chroots 2", "○ off tidy", "○ off tiny")
    wait_until(lambda: (tiny_chroot / "bin/sh").exists() and (tidy / "bin/sh").exists())
    terminal.leave()
