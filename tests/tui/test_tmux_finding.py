"""Finding: in lists, tables and texts, in a real terminal at both sizes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from support import Cli, Program, processes_below, wait_until
from support.at_both_sizes import Start

pytestmark = [pytest.mark.slow, pytest.mark.root]


def test_whatever_is_searched(start: Start, tiny_chroot: Path, tidy: Path, cli: Cli) -> None:
    terminal = start()
    terminal.shows("○ off tidy", "○ off tiny", "quit")
    terminal.press("/")
    terminal.write("tidy")
    terminal.until(lambda text: "off tidy" in text and "off tiny" not in text)
    terminal.press("Enter")
    terminal.shows("1 of 2")
    terminal.press("Escape")
    terminal.shows("○ off tidy", "○ off tiny")
    terminal.press("G", "o")
    terminal.shows("● on tiny")
    terminal.press("2")
    terminal.shows("● mounted /sys")
    terminal.press("/")
    terminal.write("proc")
    terminal.until(lambda text: "● mounted /proc" in text and "mounted /sys" not in text)
    terminal.press("Escape")
    terminal.shows("● mounted /sys")
    script = "trap 'kill $!; exit' TERM; sleep 999 & wait"
    words = cli.argv("run", "-d", tiny_chroot, "--", "sh", "-c", script)

    def is_listed(text: str) -> object:
        return re.search("root .* sleep 999$", text, re.MULTILINE)

    with Program(words, env=cli.environment(), stdin=subprocess.DEVNULL) as inside:
        try:
            terminal.press("3")
            terminal.until(is_listed)
            terminal.press("/")
            terminal.write("trap")
            terminal.until(lambda text: "sh -c trap" in text and not is_listed(text))
            terminal.press("Escape")
            terminal.until(is_listed)
            terminal.press("1", "/")
            terminal.write("peak")
            terminal.until(lambda text: re.search(r"1 of \d", text))
            terminal.press("Enter")
            terminal.until(lambda text: re.search(r"/peak 1 of \d", text))
            terminal.press("n")
            terminal.until(lambda text: re.search(r"/peak 2 of \d", text))
            terminal.press("N")
            terminal.until(lambda text: re.search(r"/peak 1 of \d", text))
            terminal.press("Escape")
            terminal.until(lambda text: "/peak" not in text)
        finally:
            inside.terminate()
    for pane, there in (("4", "x dismiss"), ("C", ". repeat")):
        terminal.press(pane)
        terminal.shows("✓ done", there)
        terminal.press("/")
        terminal.shows("find in the output")
        terminal.write("tmpfs")
        terminal.shows("4 of 4")
        terminal.press("Enter")
        terminal.shows("/tmpfs 4 of 4")
        terminal.press("n")
        terminal.shows("/tmpfs 3 of 4")
        terminal.press("N")
        terminal.shows("/tmpfs 4 of 4")
        terminal.press("Escape")
        terminal.until(lambda text: "/tmpfs" not in text)
    terminal.press("Escape")
    terminal.shows("space mark")  # at once it would be alt+o
    wait_until(lambda: not processes_below(tiny_chroot))
    terminal.press("o")
    terminal.shows("○ off tiny")
    terminal.leave()
