"""The terminal UI as a user has it: the real program in a real terminal, watched from outside.

Each app runs in a pty. What is timed is what a person waits for: from the start, a key press or a
change in the kernel to the bytes that paint it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from chroot_tool.core.engine import Engine
from chroot_tool.core.kernel import syscalls
from chroot_tool.core.local_engine import LocalEngine

from .chroots import TOOL, chroots, environment
from .rows import Row

_EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("painted")
Empty().run()
"""
_QUIET = 0.25
"""Seconds without a byte after which an app has painted all that it wants to."""
_IDLE = 60.0
"""Seconds in which nothing happens: long beside a tick of CPU time, which is all that is told."""
_LIVES = """
import os, signal, sys
os.chroot(sys.argv[1])
os.chdir("/")
signal.pause()
"""
_LATER = 25.0
"""Seconds within which what was changed is looked at again."""


class Screen:
    """A program in a terminal of its own."""

    def __init__(self, argv: Sequence[str], env: dict[str, str], *, size: tuple[int, int]) -> None:
        self.master, slave = pty.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)

    def until(self, text: bytes, seconds: float = 60) -> float:
        """Read until *text* was painted; return the time it was."""
        seen = b""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if select.select([self.master], [], [], 0.5)[0]:
                seen = seen[-4096:] + os.read(self.master, 1 << 16)
                if text in seen:
                    return time.perf_counter()
        raise TimeoutError(f"{text!r} was not painted")

    def settle(self) -> None:
        """Read until nothing more comes."""
        while select.select([self.master], [], [], _QUIET)[0]:
            os.read(self.master, 1 << 16)

    def first_byte(self, seconds: float = 5) -> float:
        """Return the time of the next byte."""
        if not select.select([self.master], [], [], seconds)[0]:
            raise TimeoutError("nothing was painted")
        now = time.perf_counter()
        os.read(self.master, 1 << 16)
        return now

    def count(self, seconds: float) -> int:
        """Return how many bytes come within so long."""
        taken = 0
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.master], [], [], left)[0]:
                taken += len(os.read(self.master, 1 << 16))
        return taken

    def before(self, text: bytes, seconds: float = 60) -> int:
        """Return how many bytes come before *text* does."""
        seen = bytearray()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if select.select([self.master], [], [], 0.5)[0]:
                seen += os.read(self.master, 1 << 16)
                if (at := seen.find(text)) >= 0:
                    return at
        raise TimeoutError(f"{text!r} was not painted")

    def key(self, key: bytes) -> None:
        """Press a key."""
        os.write(self.master, key)

    def cpu(self) -> float:
        """Return the CPU time of the program so far, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rest(self) -> None:
        """Wait until what it does in the background, counting sizes say, is over."""
        before = self.cpu()
        for _ in range(60):
            time.sleep(1)
            self.settle()
            now = self.cpu()
            if now - before < 0.02:
                return
            before = now

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.master)


def _env(home: Path) -> dict[str, str]:
    own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_CONFIG_HOME": str(home)}
    return environment(home) | own | {"XDG_STATE_HOME": str(home)}


@contextmanager
def screen_of(
    base: Path, *, size: tuple[int, int] = (120, 40), env: Mapping[str, str] | None = None
) -> Iterator[Screen]:
    """Give the UI of a base, once it is painted; end it after."""
    screen = Screen([*TOOL, "--base", str(base)], {**_env(base.parent), **(env or {})}, size=size)
    try:
        screen.until(b"c0 ")
        screen.settle()
        time.sleep(1)  # what is done after the first paint is over
        screen.settle()
        yield screen
    finally:
        screen.close()


def _first_paints(base: Path, rounds: int) -> tuple[float, float]:
    """Return the medians of our first paint and of an empty Textual app's, in ms."""
    times: tuple[list[float], list[float]] = ([], [])
    argvs = ([*TOOL, "--base", str(base)], [sys.executable, "-I", "-c", _EMPTY_APP])
    for _ in range(rounds):
        for argv, text, found in zip(argvs, (b"c0 ", b"painted"), times, strict=True):
            screen = Screen(argv, _env(base.parent), size=(120, 40))
            found.append((screen.until(text) - screen.started) * 1000)
            screen.close()
    return statistics.median(times[0]), statistics.median(times[1])


def switch_on(engine: Engine, base: Path, count: int) -> None:
    """Switch the first *count* chroots on."""
    for number in range(count):
        engine.on(str(base / f"c{number}"))


@contextmanager
def living(base: Path, count: int) -> Iterator[None]:
    """Have a process in each of the first *count* chroots, so that there is something to draw."""
    argv = [sys.executable, "-I", "-S", "-c", _LIVES]
    living = [subprocess.Popen([*argv, base / f"c{number}"]) for number in range(count)]
    try:
        yield
    finally:
        for one in living:
            one.kill()
            one.wait()


def _few() -> list[Row]:
    with chroots(50) as base:
        engine = LocalEngine(str(base))
        ours, empty = _first_paints(base, 11)
        switch_on(engine, base, 10)
        with living(base, 10), screen_of(base) as screen:
            before = screen.cpu()
            time.sleep(_IDLE)
            idle = (screen.cpu() - before) / _IDLE * 100
            seen = changes(screen, base, 20)
        busy = _ten_panels(base, 40)
        return [
            Row("first paint, 50 chroots", ours, "ms", other=empty, beside="empty app", times=1.3),
            Row("idle for 60 s, 50 chroots, 10 on and lived in", idle, "% CPU", limit=0.5),
            Row("umount elsewhere to screen, median", seen, "ms", limit=60),
            Row("ten panels, one in a flood: key to paint, 95th percentile", busy, "ms", limit=50),
        ]


def _ten_panels(base: Path, rounds: int) -> float:
    """Return the 95th percentile of ms from a key to its paint, ten panels open, one in a flood."""
    names = [f"c{number}" for number in range(50)]
    with screen_of(base) as screen:
        for number in range(10):
            screen.key(b"." if number else b"s")  # s alone would go to the one that runs
            screen.until(b"running")
            time.sleep(0.5)  # its prompt
            screen.key(b"\x1d")  # ctrl+] leaves the terminal, escape the panel
            screen.settle()
            screen.key(b"\x1b")
            screen.settle()
        for key in (b"4", b"\r"):  # to the last one, and into it
            screen.key(key)
            screen.settle()
        screen.key(b"while :; do echo flood; done\r")
        screen.until(b"flood")
        for key in (b"\x1d", b"\x1b"):
            screen.key(key)
            time.sleep(0.5)
        times = []
        for name in names[1 : rounds + 1]:
            time.sleep(0.1)
            began = time.perf_counter()
            screen.key(b"j")
            # The pane below names the chroot under the cursor.
            times.append((screen.until(f"{base.name}/{name}".encode()) - began) * 1000)
        return statistics.quantiles(times, n=20)[18]


_SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}
"""What says that the terminal is at the other end of ssh."""


def _floods() -> Iterator[Row]:
    """Yield what a flood in a panel writes, and what is in front of the answer to a key."""
    with chroots(3) as base:
        for size in ((80, 24), (160, 50)):
            for where, env, limit in (("", {}, 250_000), (" over ssh", _SSH, 6_000)):
                for what, pause in (("flood", ""), ("200 lines a second", "sleep 0.005; ")):
                    a_second, ahead = _flood(base, size, env, pause)
                    name = f"{what} in a panel at {size[0]}x{size[1]}{where}"
                    bound = limit if env or not pause else None
                    yield Row(f"{name}: written a second", a_second, "B", limit=bound)
                    yield Row(
                        f"{name}: before the answer to a key, most",
                        ahead,
                        "B",
                        limit=1_600 if env else None,
                    )


def _flood(
    base: Path, size: tuple[int, int], env: Mapping[str, str], pause: str
) -> tuple[float, float]:
    """Return the bytes a second that a loop writes, and how many come before a key's answer."""
    with screen_of(base, size=size, env=env) as screen:
        screen.key(b"s")
        screen.until(b"running")
        time.sleep(1)  # its prompt
        # What stands in the same place from line to line is not written again.
        words = "$((n += 1)) of a log $((n * 7919)) $((n * n)) $((n * n * n))"
        line = f"while :; do echo {words}; {pause}done\r"
        screen.key(line.encode())
        screen.until(b"of a log")
        screen.count(2)
        a_second = screen.count(5) / 5
        for key in (b"\x1d", b"\x1b"):
            screen.key(key)
            screen.count(1)
        ahead = []
        screen.key(b"j")
        screen.count(1)
        for key in (b"j", b"k") * 10:
            screen.count(0.3)
            screen.key(key)
            ahead.append(screen.before(b"c2 "))
        return a_second, max(ahead)


def changes(screen: Screen, base: Path, rounds: int) -> float:
    """Return the median ms from an unmount, or a mount, by somebody else to its paint."""
    point = str(base / "c0/tmp")
    times = []
    for number in range(rounds):
        began = time.perf_counter()
        if number % 2:
            mount(point)
        else:
            syscalls.umount2(point, 0)
        times.append((screen.first_byte() - began) * 1000)
        screen.settle()
    return statistics.median(times)


def mount(point: str) -> None:
    """Mount something at *point*, as somebody else might."""
    tree = syscalls.open_tree(syscalls.AT_FDCWD, "/proc", syscalls.OPEN_TREE_CLONE)
    directory, name = os.path.split(point)
    target = os.open(directory, os.O_PATH)
    syscalls.move_mount(tree, target, name, point)
    os.close(target)
    os.close(tree)


def _many() -> list[Row]:
    with chroots(1000) as base:
        engine = LocalEngine(str(base))
        switch_on(engine, base, 1000)
        for number in range(1000):  # the ninth
            mount(str(base / f"c{number}/home"))
        with screen_of(base) as screen:
            times = []
            for number in range(60):
                began = time.perf_counter()
                screen.key(b"j" if number % 8 else b"\x1b[6~")
                times.append((screen.first_byte() - began) * 1000)
                screen.settle()
            screen.key(b"g")  # the one that changes is to be seen
            screen.rest()
            changed, seconds = _cost(screen, lambda: changes(screen, base, 20))
            # In one of two at most is the look at everything, which comes once in minutes.
            idle = min(_cost(screen, lambda: None)[0] for _ in range(2))
            cost = (changed - idle * seconds / _LATER) / 20 * 1000
        slow = statistics.quantiles(times, n=20)[18]
        return [
            Row("1,000 chroots, 9,000 mounts: key to paint, 95th percentile", slow, "ms", limit=50),
            Row("1,000 chroots, 9,000 mounts: CPU of one change", cost, "ms", limit=20),
            Row("1,000 chroots, 9,000 mounts, idle", idle / _LATER * 100, "% CPU"),
        ]


def _cost(screen: Screen, do: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of CPU of what is done, with what is looked at again later, and for it.

    Those that went by come second.
    """
    before, began = screen.cpu(), time.monotonic()
    do()
    time.sleep(_LATER)
    return screen.cpu() - before, time.monotonic() - began


def run() -> list[Row]:
    """Measure everything."""
    return [*_few(), *_floods(), *_many()]
