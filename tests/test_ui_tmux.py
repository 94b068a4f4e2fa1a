"""The whole program in a real terminal, as a person meets it: tmux, 80x24, nothing faked."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import Cli, mounts_below

DEADLINE = 30.0
"""Seconds after which what is waited for will not come any more. No test expects a speed."""


class Tmux:
    """A terminal of 80x24 with one program in it."""

    def __init__(self, socket: Path, argv: list[str], env: dict[str, str]) -> None:
        self._base = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        self._env = {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = f"{shlex.join(argv)}; echo left with $?; exec sleep 1000"
        self._run("new-session", "-d", "-x", "80", "-y", "24", command)

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [*self._base, *words], env=self._env, capture_output=True, text=True, check=True
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def write(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    @property
    def text(self) -> str:
        """What stands on the screen, with one blank where there are many."""
        return re.sub(" +", " ", self._run("capture-pane", "-p"))

    def until(self, condition: Callable[[str], object]) -> str:
        end = time.monotonic() + DEADLINE
        while not condition(text := self.text):
            assert time.monotonic() < end, f"it never came. On the screen:\n{text}"
            time.sleep(0.02)
        return text

    def shows(self, *texts: str) -> str:
        return self.until(lambda screen: all(text in screen for text in texts))

    def close(self) -> None:
        subprocess.run([*self._base, "kill-server"], env=self._env, check=False)


@pytest.fixture
def terminal(tiny_chroot: Path, cli: Cli, tmp_path: Path) -> Iterator[Tmux]:
    """The UI, as chroot-tool.sh starts it, on the folder in which tiny_chroot is."""
    argv = [os.fsdecode(word) for word in cli.argv("--base", tiny_chroot.parent)]
    made = Tmux(tmp_path / "tmux", argv, cli.environment())
    yield made
    made.close()


def mounted(root: Path) -> list[str]:
    """Ask findmnt, which is not ours."""
    lines = subprocess.run(
        ["findmnt", "--raw", "--noheadings", "--output", "TARGET"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return [line for line in lines if line.startswith(f"{root}/")]


@pytest.mark.root
def test_on_seen_by_findmnt_umount_seen_by_us_and_a_shell(
    terminal: Tmux, tiny_chroot: Path
) -> None:
    terminal.shows("○ off tiny", "quit")
    terminal.press("o")
    terminal.shows("● on tiny")
    assert str(tiny_chroot / "proc") in mounted(tiny_chroot)

    subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
    terminal.shows("◐ partial tiny")
    terminal.press("o")
    terminal.shows("● on tiny")
    assert str(tiny_chroot / "tmp") in mounted(tiny_chroot)

    before = terminal.text
    terminal.press("S")
    terminal.until(lambda text: "Environments" not in text and "#" in text)
    terminal.write("echo $((40+2))-$(tty); ls -d /chroot.d")
    terminal.press("Enter")
    terminal.shows("42-/dev/pts/0", "/chroot.d")
    terminal.press("C-d")
    after = terminal.shows("● on tiny", "quit")
    assert "42-" not in after
    assert frame(after) == frame(before)

    terminal.press("o")
    terminal.shows("○ off tiny")
    assert mounted(tiny_chroot) == []
    terminal.press("q")
    left = terminal.shows("left with 0")
    assert "Environments" not in left  # the screen that was there before is back
    assert mounts_below(tiny_chroot) == []


def frame(text: str) -> list[str]:
    """What does not change by itself: the line of each pane and the footer."""
    return [line for line in text.splitlines() if re.search("Environments|State|q quit", line)]


@pytest.mark.root
def test_a_shell_that_is_killed_leaves_the_screen_whole(terminal: Tmux, tiny_chroot: Path) -> None:
    terminal.shows("○ off tiny", "quit")
    terminal.press("S")
    terminal.until(lambda text: "Environments" not in text and "#" in text)
    terminal.write("stty raw -echo; kill -KILL $$")
    terminal.press("Enter")
    terminal.shows("● on tiny", "exit code 137")
    terminal.press("2")
    terminal.shows("● mounted /proc")
    terminal.press("C-c")  # is no way out
    terminal.press("1")
    terminal.shows("architecture")
    terminal.press("o")
    terminal.shows("○ off tiny")
    terminal.press("q")
    terminal.shows("left with 0")
