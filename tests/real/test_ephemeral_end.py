"""Throw-away sessions: nothing of them is left, whatever happens."""

from __future__ import annotations

import os
import random
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from support import PATIENCE, Cli, lasting, mounts_in, next_line, wait_until
from support.session_traces import Start, sessions, starter

pytestmark = pytest.mark.root


@pytest.fixture
def start(tiny_chroot: Path, cli: Cli) -> Iterator[Start]:
    with starter(cli, tiny_chroot) as begin:
        yield begin


LEFT = "sleep 1000 >/dev/null 2>&1 & (sleep 1001 >/dev/null 2>&1 &); "
"""What the command leaves running: a child of its own, and one that nobody is the parent of."""


@pytest.mark.parametrize("ending", ["exit 0", "exit 4", "kill -KILL $$", "exec no-such"])
def test_what_the_command_leaves_running_ends_with_it(
    start: Start, tiny_chroot: Path, ending: str
) -> None:
    process = start(LEFT + ending)
    process.wait(PATIENCE)
    assert process.returncode == {"exit 0": 0, "exit 4": 4, "kill -KILL $$": 137}.get(ending, 127)
    assert not sessions(tiny_chroot)  # at once: nobody has to wait for it


def test_it_is_asked_to_end_first(cli: Cli, tmp_path: Path, tiny_chroot: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    config = tmp_path / "config"
    config.mkdir()
    (config / "tool.conf").write_text(f"[bind]\nsrc:{data} tgt:/data\n")
    script = """
        exec 2>/dev/null
        (trap ': >/data/saved; exit' TERM; : >/data/up; while :; do sleep 0.02; done) >&2 &
        while [ ! -e /data/up ]; do sleep 0.02; done
    """
    with starter(cli.without("session"), tiny_chroot) as start:
        assert start(script, "-c", config).wait(PATIENCE) == 0
    assert (data / "saved").exists()


@pytest.mark.slow
def test_who_does_not_end_is_killed(start: Start) -> None:
    loop = "trap '' TERM HUP; : >/tmp/up; while :; do sleep 0.02; done"
    process = start(f"({loop}) >/dev/null 2>&1 & while [ ! -e /tmp/up ]; do sleep 0.02; done")
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert b"ending what was left running" in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_all_of_it(start: Start, number: signal.Signals) -> None:
    process = start(LEFT + "echo up; exec sleep 1002")
    assert next_line(process) == b"up\n"
    process.send_signal(number)
    assert process.wait(PATIENCE) == 128 + number


@pytest.mark.parametrize("victim", ["tool", "first", "command"])
def test_kill_9_of_any_process_of_ours_ends_all(
    start: Start, tiny_chroot: Path, victim: str
) -> None:
    process = start(LEFT + "echo up; exec sleep 1002")
    assert next_line(process) == b"up\n"
    wait_until(lambda: len([p for p in sessions(tiny_chroot).values() if p == "sleep"]) == 3)
    found = sessions(tiny_chroot)
    first = next(pid for pid, program in found.items() if program.startswith("python"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    command = next(int(pid) for pid in children if int(pid) != first)
    os.kill({"tool": process.pid, "first": first, "command": command}[victim], signal.SIGKILL)
    assert process.wait(PATIENCE) == (-9 if victim == "tool" else 137)
    wait_until(lambda: not sessions(tiny_chroot))


@pytest.mark.slow
def test_kill_9_at_any_moment(start: Start, tiny_chroot: Path) -> None:
    chance = random.Random(7)
    for _ in range(40):
        process = start(LEFT + "exec sleep 1002")
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, 0.12))
        process.kill()
        process.wait()
        wait_until(lambda: not sessions(tiny_chroot))


def test_nothing_is_mounted_on_the_host_even_where_all_is_shared(
    cli: Cli, tiny_chroot: Path
) -> None:
    line = shlex.join(map(str, cli.argv("run", "-xd", tiny_chroot, "--", "sh", "-c", "read x")))
    script = f"""
        mount --make-rshared / 2>/dev/null || mount --make-rshared /proc
        cat /proc/self/mountinfo; echo
        mkfifo {tiny_chroot}/../fifo
        {line} <{tiny_chroot}/../fifo &
        exec 9>{tiny_chroot}/../fifo
        overlay=' - overlay {tiny_chroot} '
        tables() {{ printf '/proc/%s/mountinfo ' $(cat /proc/$!/task/*/children); }}
        until grep -qs "$overlay" $(tables); do kill -0 $!; sleep 0.05; done
        cat /proc/self/mountinfo; echo
        exec 9>&-; wait
        cat /proc/self/mountinfo
    """
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "unchanged", "sh", "-ec", script],
        env=cli.environment(), capture_output=True, text=True, timeout=2 * PATIENCE, check=False,
    )  # fmt: skip
    one, other, last = (lasting(mounts_in(part)) for part in done.stdout.split("\n\n"))
    assert one == other == last != {}, done.stderr
