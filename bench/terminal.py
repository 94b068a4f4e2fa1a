"""Measures the terminal panel from outside: a real app in a pty, keys in, painted bytes out.

tmux, where it is installed, shows the same files beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import random
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .rows import Row

_COLUMNS, _ROWS = 120, 40
_LIMIT = 120.0
_PROMPT = "READY-"
_SHELL = ("bash", "--norc", "--noprofile", "-i")
_APP = Path(__file__).with_name("terminal_app.py")


class Outer:
    """The terminal around a program: its screen is what comes out of the pty."""

    def __init__(self, argv: Sequence[str], env: dict[str, str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--", *argv], stdin=slave, stdout=slave, stderr=slave, env=env
        )
        os.close(slave)
        self.seen = b""

    def type(self, keys: str) -> float:
        """Type, and return when."""
        now = time.perf_counter()
        os.write(self.master, keys.encode())
        return now

    def wait(self, text: str, seconds: float = _LIMIT) -> float:
        """Wait until *text* has been painted, and return when; what came before it is forgotten."""
        end = time.perf_counter() + seconds
        wanted = text.encode()
        while wanted not in self.seen:
            left = end - time.perf_counter()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise TimeoutError(f"no {text!r} in {seconds} s; last seen: {self.seen[-300:]!r}")
            self.seen = self.seen[-256:] + os.read(self.master, 65536)
        now = time.perf_counter()
        self.seen = self.seen.partition(wanted)[2]
        return now

    def collect(self, seconds: float) -> bytes:
        """Return everything that is painted for a while."""
        end = time.perf_counter() + seconds
        painted = self.seen
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.master], [], [], left)[0]:
                painted += os.read(self.master, 65536)
        self.seen = b""
        return painted

    def drain(self, seconds: float) -> None:
        """Let some time pass."""
        self.collect(seconds)

    def close(self) -> None:
        """End the program."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.master)


class Shell:
    """A shell somewhere inside of an `Outer`, with a prompt that counts."""

    def __init__(self, outer: Outer) -> None:
        self.outer = outer
        self.prompts = 1

    def ready(self) -> float:
        """Wait for the prompt, and return when it was painted."""
        now = self.outer.wait(f"{_PROMPT}{self.prompts}>")
        self.prompts += 1
        return now

    def took(self, command: str) -> float:
        """Run a command; return the seconds until the next prompt is painted."""
        self.outer.drain(0.3)
        begun = self.outer.type(f"{command}\r")
        return self.ready() - begun

    def interrupted(self, command: str) -> float:
        """Start a flood, press ctrl+c; return the seconds until the prompt is painted."""
        self.outer.type(f"{command}\r")
        self.outer.drain(1.5)
        begun = self.outer.type("\x03")
        return self.ready() - begun


def run() -> list[Row]:
    """Measure everything; return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        files = _Files(Path(folder))
        beside = _in_tmux(files)
        return [*_in_panel(files, beside), *_start()]


class _Files:
    def __init__(self, folder: Path) -> None:
        draw = random.Random(1)
        words = ["connection", "from", "accepted", "closed", "timeout", "GET", "/index.html", "200"]
        self.plain = folder / "plain.log"
        with self.plain.open("w") as file:
            while file.tell() < 20_000_000:
                text = " ".join(draw.choices(words, k=draw.randrange(3, 9)))
                file.write(f"2026-01-01T00:00:{draw.randrange(60):02} host daemon[17]: {text}\n")
        self.color = folder / "color"
        with self.color.open("w") as file:
            while file.tell() < 5_000_000:
                color = ";".join(str(draw.randrange(256)) for _ in range(3))
                file.write(f"\x1b[38;2;{color}m{draw.choice('abcdefgh')}")

    def outputs(self) -> list[tuple[str, str, float | None]]:
        """Commands that end: what they are, how they are run, the most seconds they may take."""
        return [
            ("20 MB of plain log", f"cat {self.plain}", 7),
            ("200,000 lines of seq", "seq 1 200000", 4),
            ("5 MB of random true colour", f"cat {self.color}", None),
        ]

    def floods(self) -> dict[str, str]:
        """Commands that write without end."""
        return {
            "yes": "yes",
            "log": f"while :; do cat {self.plain}; done",
            "true colour": f"while :; do cat {self.color}; done",
            "seq": "while :; do seq 1 200000; done",
        }


def _environment() -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PS1": f"{_PROMPT}\\#> ",
        "PYTHONPATH": str(_APP.parent.parent),
    }


@contextlib.contextmanager
def _panel() -> Iterator[Outer]:
    outer = Outer([sys.executable, str(_APP), *_SHELL], _environment())
    try:
        outer.wait("<0>", 20)
        outer.drain(1.5)
        yield outer
    finally:
        outer.close()


def _in_panel(files: _Files, beside: dict[str, float]) -> Iterator[Row]:
    with _panel() as outer:
        pid = outer.process.pid
        without = _used(pid, outer)
        before = _memory(pid)
        outer.type("sf")
        shell = Shell(outer)
        shell.ready()
        for name, command, limit in files.outputs():
            yield Row(name, shell.took(command), "s", limit, beside.get(name), "tmux")
        for name, command in files.floods().items():
            shell.took("true")
            outer.type(f"{command}\r")
            outer.drain(1.0)
            delays = [delay * 1e3 for delay in _answers(outer)]
            outer.type("f")
            outer.drain(0.5)
            begun = outer.type("\x03")
            stopped = (shell.ready() - begun) * 1e3
            yield Row(f"another key in a flood of {name}, median", statistics.median(delays), "ms")
            yield Row(f"another key in a flood of {name}, p95", _p95(delays), "ms", 50)
            yield Row(
                f"ctrl+c on {name} to the prompt", stopped, "ms", 100, beside.get(name), "tmux"
            )
        yield Row("memory that all of it took at most", (_memory(pid) - before) / 1024, "MB", 120)
        outer.drain(2)
        yield Row("processor of an idle panel", _used(pid, outer) - without, "%", 0.2)


def _memory(pid: int) -> int:
    """Return the most kilobytes that a process has had in memory so far (proc(5), VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def _used(pid: int, outer: Outer) -> float:
    """Return how much of a core all threads of a process take in a quiet while, in percent.

    The least of three whiles: work of others on the machine only adds to it.
    """
    shares = []
    for _ in range(3):
        before = _run_time(pid)
        begun = time.perf_counter()
        outer.drain(10)
        shares.append((_run_time(pid) - before) / (time.perf_counter() - begun) / 1e7)
    return min(shares)


def _run_time(pid: int) -> int:
    """Return the nanoseconds that a process has run (proc(5), schedstat: the first number)."""
    return sum(
        int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")
    )


def _answers(outer: Outer) -> list[float]:
    """Take the focus from the panel, press other keys; return the seconds to each answer."""
    outer.type("\x1d")
    outer.drain(0.5)
    outer.type("x")
    count = int(re.findall(rb"<(\d+)>", outer.collect(1.0))[-1])
    delays = []
    draw = random.Random(2)
    for number in range(count + 1, count + 61):
        outer.drain(0.03 + draw.random() * 0.1)
        begun = outer.type("x")
        delays.append(outer.wait(f"<{number}>", 5) - begun)
    return delays


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def _start() -> Iterator[Row]:
    alone = min(_shell_alone() for _ in range(3))
    with _panel() as outer:
        begun = outer.type("s")
        first = Shell(outer).ready() - begun
    yield Row("first panel to the prompt, more than bash alone", (first - alone) * 1e3, "ms", 350)


def _shell_alone() -> float:
    begun = time.perf_counter()
    outer = Outer(_SHELL, _environment())
    try:
        return Shell(outer).ready() - begun
    finally:
        outer.close()


def _in_tmux(files: _Files) -> dict[str, float]:
    """Return tmux's figures for the same, none where it is not installed."""
    if shutil.which("tmux") is None:
        return {}
    socket = ["tmux", "-L", f"bench-{os.getpid()}"]
    outer = Outer([*socket, "-f", "/dev/null", "new-session", *_SHELL], _environment())
    try:
        shell = Shell(outer)
        shell.ready()
        figures = {name: shell.took(command) for name, command, _ in files.outputs()}
        for name, command in files.floods().items():
            figures[name] = shell.interrupted(command) * 1e3
        return figures
    finally:
        subprocess.run([*socket, "kill-server"], check=False)
        outer.close()
