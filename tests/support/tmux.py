"""The whole program in a real terminal, as a person meets it: tmux, nothing faked."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

DEADLINE = 60.0
"""Seconds after which what is waited for will not come any more. No test expects a speed."""


class Tmux:
    """A terminal with one program in it."""

    def __init__(
        self, argv: list[str], env: dict[str, str], size: tuple[int, int] = (80, 24)
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(dir="/tmp")  # a socket's path has to be short
        self._written = Path(self._folder.name, "written")
        self._written.touch()
        self._base = ["tmux", "-S", f"{self._folder.name}/s", "-f", "/dev/null"]
        self._env = {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = f"{shlex.join(argv)}; echo left with $?; exec sleep 1000"
        columns, rows = map(str, size)
        # All of it in one go: nothing is written before it is recorded.
        self._run(
            "new-session", "-d", "-x", columns, "-y", rows, command, ";",
            "set-option", "-s", "set-clipboard", "on", ";",
            "pipe-pane", f"exec cat > {self._written}",
        )  # fmt: skip

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [*self._base, *words], env=self._env, capture_output=True, text=True, check=True,
            timeout=DEADLINE,
        )  # fmt: skip
        return done.stdout

    def press(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def write(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    def click(self, words: str, button: int = 0) -> None:
        """Click where *words* stand first, with the left button or another: 2 is the right one."""
        lines = self._run("capture-pane", "-p").splitlines()
        row, column = next(
            (row, line.index(words)) for row, line in enumerate(lines, 1) if words in line
        )
        for end in "Mm":  # as xterm tells it (SGR): down, up
            self.write(f"\x1b[<{button};{column + 1};{row}{end}")

    def choose(self, words: str, shown: str) -> None:
        """Choose an action of the palette by what is typed of it, when it shows *shown*."""
        self.press(":")
        self.shows("Search for commands")
        self.write(words)
        self.shows(shown)
        self.press("Enter")

    @property
    def text(self) -> str:
        """What stands on the screen, with one blank where there are many."""
        return re.sub(" +", " ", self._run("capture-pane", "-p"))

    @property
    def painted(self) -> str:
        """What stands on the screen, with the attributes (SGR) that it is painted with."""
        return self._run("capture-pane", "-p", "-e")

    @property
    def attributes(self) -> set[int]:
        """The numbers of the attributes that what stands on the screen is painted with."""
        found = re.findall(r"\x1b\[([\d;:]*)m", self.painted)
        return {int(number) for each in found for number in re.findall(r"\d+", each)}

    @property
    def clipboard(self) -> str:
        """What was copied last."""
        return self._run("show-buffer")

    @property
    def has_copied(self) -> bool:
        """Whether something was given to the clipboard, all of it."""
        return bool(re.search(rb"\x1b\]52;c;[^\x07\x1b]*[\x07\x1b]", self.written))

    @property
    def written(self) -> bytes:
        """All that was written to the terminal so far."""
        return self._written.read_bytes()

    @property
    def _size(self) -> str:
        pane, tty = self._run(
            "display-message", "-p", "#{pane_width}x#{pane_height} #{pane_tty}"
        ).split()
        with open(tty, "rb") as terminal:
            kernels = os.get_terminal_size(terminal.fileno())
        return f", {pane} ({kernels.columns}x{kernels.lines} says the kernel)"

    @property
    def _threads(self) -> str:
        """What each thread of the program is in, to tell one that stands still from one at work."""
        try:
            tasks = sorted(Path(f"/proc/{self.ui.pid}/task").iterdir())
            return "\n".join(
                f"{each.name} {(each / 'stat').read_text().rpartition(')')[2].split()[0]}"
                f" in call {(each / 'syscall').read_text().split()[0]},"
                f" ns of CPU, ns waited for it, turns: {(each / 'schedstat').read_text().strip()}"
                for each in tasks
            )
        except (OSError, IndexError, psutil.Error) as error:
            return f"no process of it: {error}"

    def until(self, condition: Callable[[str], object], patience: float = DEADLINE) -> str:
        end = time.monotonic() + patience
        while not condition(text := self.text):
            assert time.monotonic() < end, (
                f"it never came. On the screen{self._size}:\n{text}\n{self._threads}"
            )
            time.sleep(0.02)
        return text

    def shows(self, *texts: str, patience: float = DEADLINE) -> str:
        return self.until(lambda screen: all(text in screen for text in texts), patience)

    def says(self, text: str) -> None:
        """Wait for a notification, which may be gone again: on a near line it is written whole."""
        self.until(lambda screen: text in screen or text.encode() in self.written)

    def leave(self) -> None:
        """Quit, when nothing runs any more: who quits sooner is asked."""
        asked = "quit while something runs"
        while True:
            self.press("q")
            if "left with 0" in self.until(lambda text: asked in text or "left with 0" in text):
                return
            self.press("Escape")
            self.until(lambda text: asked not in text)

    @property
    def modes(self) -> str:
        """Whether the alternate screen is on, the mouse reported, the cursor shown."""
        asked = "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"
        return self._run("display-message", "-p", asked).strip()

    @property
    def ui(self) -> psutil.Process:
        """The process of the UI."""
        shell = int(self._run("display-message", "-p", "#{pane_pid}"))
        return psutil.Process(shell).children()[0]

    def close(self) -> None:
        subprocess.run([*self._base, "kill-server"], env=self._env, check=False, timeout=DEADLINE)
        self._folder.cleanup()
