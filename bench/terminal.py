"""Measures the terminal panel from outside: a real app in a pty, keys in, painted bytes out.

Run it as `python -m bench.terminal`. tmux, where it is installed, shows the same files beside it.
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
from typing import NamedTuple

import psutil

_COLUMNS, _ROWS = 120, 40
_LIMIT = 120.0
_PROMPT = "READY-"
_SHELL = ("bash", "--norc", "--noprofile", "-i")
_APP = Path(__file__).with_name("terminal_app.py")


class Row(NamedTuple):
    """One figure: what was measured, how much, the most that it may be, what tmux takes."""

    name: str
    value: float
    unit: str
    limit: float
    tmux: float | None = None


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
        return [*_in_panel(files, beside), *_start(beside)]


class _Files:
    def __init__(self, folder: Path) -> None:
        draw = random.Random(1)
        words = "connection from accepted closed timeout user request GET /index.html 200".split()
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
        process = psutil.Process(outer.process.pid)
        before = process.memory_info().rss
        outer.type("sf")
        shell = Shell(outer)
        shell.ready()
        yield Row("20 MB log", shell.took(f"cat {files.plain}"), "s", 7, beside.get("log"))
        yield Row("seq 1 200000", shell.took("seq 1 200000"), "s", 4, beside.get("seq"))
        yield Row(
            "5 MB true colour", shell.took(f"cat {files.color}"), "s", 30, beside.get("color")
        )
        for name, command in files.floods().items():
            shell.took("true")
            outer.type(f"{command}\r")
            outer.drain(1.0)
            delays = _answers(outer)
            outer.type("f")
            outer.drain(0.5)
            begun = outer.type("\x03")
            stopped = shell.ready() - begun
            yield Row(f"key during {name}, p50", statistics.median(delays) * 1000, "ms", 50)
            yield Row(f"key during {name}, p95", _p95(delays) * 1000, "ms", 50)
            tmux = beside.get(f"ctrl+c {name}")
            yield Row(f"ctrl+c during {name}", stopped * 1000, "ms", 100, tmux)
        yield Row("memory of all that", (process.memory_info().rss - before) / 2**20, "MB", 120)
        outer.drain(2)
        used = sum(process.cpu_times()[:2])
        outer.drain(10)
        yield Row("idle panel", (sum(process.cpu_times()[:2]) - used) * 10, "% CPU", 0.2)


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


def _start(beside: dict[str, float]) -> Iterator[Row]:
    alone = min(_shell_alone() for _ in range(3))
    with _panel() as outer:
        begun = outer.type("s")
        first = Shell(outer).ready() - begun
    more = (first - alone) * 1000
    yield Row("start to prompt, beyond the shell", more, "ms", 350, beside.get("start"))


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
        figures = {
            "log": shell.took(f"cat {files.plain}"),
            "seq": shell.took("seq 1 200000"),
            "color": shell.took(f"cat {files.color}"),
        }
        for name, command in files.floods().items():
            figures[f"ctrl+c {name}"] = shell.interrupted(command) * 1000
        return figures
    finally:
        subprocess.run([*socket, "kill-server"], check=False)
        outer.close()


def table(rows: Sequence[Row]) -> str:
    """Return the figures as a table; what misses its limit is marked."""
    lines = [f"{'':36} {'here':>9} {'limit':>8} {'tmux':>8}"]
    for row in rows:
        tmux = "" if row.tmux is None else f"{row.tmux:8.2f}"
        missed = "  !" if row.value > row.limit else ""
        lines.append(
            f"{row.name:36} {row.value:9.2f} {row.limit:8.1f} {tmux:>8} {row.unit}{missed}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(run()))
