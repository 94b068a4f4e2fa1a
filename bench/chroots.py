"""Real chroots to measure with, and commands timed against each other."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from chroot_tool.core.kernel import syscalls
from chroot_tool.core.kernel.mount_table import MountTable
from chroot_tool.core.trees import remove
from support import CHECKOUT, make_tiny_root

TOOL = (sys.executable, "-I", "-S", str(CHECKOUT / ".pkg/start.py"))
"""The tool as chroot-tool.sh starts it."""


@contextmanager
def chroots(count: int) -> Iterator[Path]:
    """Give a base directory with *count* tiny chroots, `c0` and on; take all of it away after.

    They share their files as hard links. Must be in a mount namespace of its own: what is still
    mounted at the end is detached.
    """
    # On Debian 13 /tmp is a tmpfs with nodev, in which no chroot can be made.
    base = Path(tempfile.mkdtemp(prefix="chroot-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    try:
        template = base / "c0"
        make_tiny_root(template)
        for number in range(1, count):
            copy = base / f"c{number}"
            subprocess.run(["cp", "--archive", "--link", template, copy], check=True)
        yield base
    finally:
        for entry in reversed(MountTable.read().below(str(base))):
            syscalls.umount2(entry.target, syscalls.MNT_DETACH)
        # Refuses where anything is still mounted: a bind of the host's may be among it.
        parent = os.open(base.parent, os.O_RDONLY)
        remove.tree(parent, base.name)
        os.close(parent)


def environment(home: Path) -> dict[str, str]:
    """Return the environment commands are started with: none of the user's settings."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm"}


class Command:
    """A program to be called."""

    def __init__(self, argv: Sequence[str | Path], env: Mapping[str, str]) -> None:
        self._argv = [os.fspath(word) for word in argv]
        self._env = env
        program = shutil.which(self._argv[0])
        if program is None:
            raise FileNotFoundError(self._argv[0])
        self._program = program

    def __call__(self) -> None:
        """Run it to its end, silently. Raises RuntimeError where it fails."""
        null = os.open(os.devnull, os.O_RDWR)
        try:
            actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
            # What a shell does: a fork of this large process would be measured otherwise.
            pid = os.posix_spawn(self._program, self._argv, self._env, file_actions=actions)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        finally:
            os.close(null)
        if code:
            raise RuntimeError(f"{self._argv} failed: {code}")


def medians(rounds: int, *calls: Callable[[], None]) -> list[float]:
    """Return the median milliseconds of each call; they take turns, so that all meet the same.

    One round before is not counted.
    """
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds + 1):
        for call, spent in zip(calls, times, strict=True):
            begun = time.perf_counter()
            call()
            spent.append((time.perf_counter() - begun) * 1000)
    return [statistics.median(spent[1:]) for spent in times]


_PEAK = (
    "import os, sys\n"
    "null = os.open(os.devnull, os.O_WRONLY)\n"
    "pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ,"
    " file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])\n"
    "print(os.wait4(pid, 0)[2].ru_maxrss)\n"
)


def peak_memory(argv: Sequence[str], env: Mapping[str, str]) -> float:
    """Return the most memory, in MB, that a program has while it runs.

    A child's figure begins with its parent's (execve keeps the higher), so a small one starts it.
    """
    command = [sys.executable, "-I", "-S", "-c", _PEAK, *argv]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024
