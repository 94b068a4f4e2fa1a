"""Throw-away sessions from outside: starting them, and every trace that one could leave."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from . import Cli, lasting, read_mounts, wait_until

Start = Callable[..., "subprocess.Popen[bytes]"]
Done = subprocess.CompletedProcess[str]


def sessions(root: Path) -> dict[int, str]:
    """Every process in a session on *root*, by the mount table that it has: pid and program."""
    found = {}
    mark = b" / / rw,", b" - overlay %s " % os.fsencode(root)
    for entry in Path("/proc").iterdir():
        with suppress(OSError):  # it ended meanwhile
            if entry.name.isdecimal() and all(
                part in (entry / "mountinfo").read_bytes() for part in mark
            ):
                found[int(entry.name)] = os.path.basename(os.readlink(entry / "exe"))
    return found


def tree(root: Path) -> dict[str, tuple[int, ...]]:
    """What is in a directory, without what is mounted there."""
    found: dict[str, tuple[int, ...]] = {}
    for path in (root, *root.rglob("*")):
        there = path.lstat()
        if there.st_dev == root.stat().st_dev:
            facts = (there.st_mode, there.st_uid, there.st_size, there.st_mtime_ns, there.st_ino)
            found[str(path)] = facts
    return found


def host_table() -> list[str]:
    return [mount.line for mount in lasting(read_mounts()).values()]


def run(cli: Cli, root: Path, script: str, *options: str | Path) -> Done:
    """Run a script in a session to its end."""
    return cli("run", "-x", "-d", root, *options, "--", "/bin/sh", "-c", script)


@contextmanager
def starter(cli: Cli, root: Path) -> Iterator[Start]:
    """Give what starts a script in a session, with pipes; what is left of it at the end fails."""
    before: dict[str, tuple[int, ...]] = {}
    mounts: list[str] = []
    started: list[subprocess.Popen[bytes]] = []

    def begin(script: str, *options: str | Path) -> subprocess.Popen[bytes]:
        if not started:
            before.update(tree(root))
            mounts.extend(host_table())
        process = cli.start(
            "run", "-x", "-d", root, *options, "--", "/bin/sh", "-c", script,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()
    wait_until(lambda: not sessions(root))
    if started:
        assert tree(root) == before
        assert host_table() == mounts
