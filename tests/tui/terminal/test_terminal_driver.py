"""What is typed on a real terminal is waited for, and at the end nothing of it is left over."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from support import Cli
from support.outer_terminal import Terminal

APP = """
import os, select, sys, termios, time, tty
from types import SimpleNamespace
from textual.app import App
from textual.widgets import Label
from chroot_tool.app.tui.terminal import terminal_driver

go = sys.argv[1]
words = []

def wait(seconds):
    words.append("waited")
    end = time.monotonic() + 30
    while not os.path.exists(go) and time.monotonic() < end:
        time.sleep(0.01)

class Plain(App):
    typed = ""
    def compose(self):
        yield Label("there")
    def on_key(self, event):
        self.typed += event.key
        if event.key == "escape":
            terminal_driver.time = SimpleNamespace(sleep=wait)
            self.exit()

app = Plain(driver_class=terminal_driver.TerminalDriver)
app.run()
tty.setcbreak(0, termios.TCSANOW)
left = os.read(0, 100) if select.select([0], [], [], 0.3)[0] else b""
print("typed", app.typed, *words, "left", left)
"""


@pytest.fixture
def terminal(cli: Cli, tmp_path: Path) -> Iterator[Terminal]:
    """An app of nothing but this driver, which ends by ESC, once the file `go` is there."""
    script = tmp_path / "plain.py"
    script.write_text(APP)
    outer = Terminal([sys.executable, str(script), str(tmp_path / "go")], cli.environment())
    try:
        outer.wait_for("there")
        yield outer
    finally:
        outer.close()


def often(pid: int) -> list[int]:
    """How often each of its threads has gone to sleep: proc_pid_status(5)."""
    times = []
    for thread in sorted(Path(f"/proc/{pid}/task").iterdir()):
        with suppress(OSError):
            status = (thread / "status").read_text()
            times.append(int(status.rpartition("\nvoluntary_ctxt_switches:")[2].split()[0]))
    return times


@pytest.mark.slow
def test_who_waits_for_keys_does_not_look_again_and_again(terminal: Terminal) -> None:
    before: list[int] = []
    for _ in range(10):
        now = often(terminal.pid)
        if now == before:
            return
        before = now
        time.sleep(2)
    pytest.fail(f"woken in two seconds: {before}, {often(terminal.pid)}")


@pytest.mark.slow
def test_what_the_mouse_says_at_the_end_is_for_nobody_else(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.type("aé")
    terminal.type("\x1b")  # a key of its own soon after, though nothing follows it
    terminal.wait_for(r"\x1b\[\?1003l")
    terminal.type("\x1b[<35;52;23M")
    (tmp_path / "go").touch()
    assert terminal.wait_for("typed (.*)\r").group(1) == "aéescape waited left b''"


@pytest.mark.slow
def test_half_a_key_and_what_is_no_text_end_nothing(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    for byte in ("é".encode()[:1], "é".encode()[1:], b"\xff", b"z", b"\x1b"):
        os.write(terminal.fd, byte)
    assert terminal.wait_for("typed (.*)\r").group(1).endswith("zescape waited left b''")
