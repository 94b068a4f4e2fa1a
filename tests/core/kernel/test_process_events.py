"""The process connector: real processes of this machine, among those of everybody else."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.kernel.process_events import ProcessChanges, ProcessEvents
from support import CHECKOUT, IN_CHROOT, PATIENCE, next_line

pytestmark = pytest.mark.alone


@pytest.fixture
def events() -> Iterator[ProcessEvents]:
    try:
        opened = ProcessEvents()
    except ChrootError as error:
        pytest.skip(f"{error}")
    yield opened
    opened.close()


def drain_until(events: ProcessEvents, seen: set[int], pid: int, what: str) -> bool:
    """Collect pids of *what* until *pid* is among them; False after ten seconds."""
    end = time.monotonic() + PATIENCE
    while pid not in seen and time.monotonic() < end:
        select.select([events], [], [], 1)
        changes = events.drain()
        seen |= getattr(changes, what)
        if changes.lost:
            pytest.skip("this machine is too busy to tell one process from all others")
    return pid in seen


def test_start_and_end_of_a_process_are_told(events: ProcessEvents) -> None:
    process = subprocess.Popen(["sleep", "1000"])
    assert drain_until(events, set(), process.pid, "began")
    process.kill()
    process.wait(PATIENCE)
    assert drain_until(events, set(), process.pid, "ended")


def test_a_process_that_was_short_is_only_told_as_ended(events: ProcessEvents) -> None:
    later = ProcessEvents()
    try:
        process = subprocess.Popen(["true"])
        process.wait(PATIENCE)
        # The kernel tells of an end after who waited for it knows, and who opened last first.
        assert drain_until(events, set(), process.pid, "ended")
        changes = later.drain()
    finally:
        later.close()
    if not changes.lost:
        assert process.pid in changes.ended
        assert process.pid not in changes.began


def test_exec_alone_is_told(events: ProcessEvents) -> None:
    """chroot(1) forks nothing: what it becomes inside is known by its exec."""
    shell = subprocess.Popen(
        ["sh", "-c", "echo ready; read line; exec sleep 1000"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert shell.stdout is not None
    assert next_line(shell) == b"ready\n"  # its own exec has been told
    assert drain_until(events, set(), shell.pid, "began")
    events.drain()
    assert shell.stdin is not None
    shell.stdin.close()
    try:
        assert drain_until(events, set(), shell.pid, "began")
    finally:
        shell.kill()
        shell.wait(PATIENCE)
        shell.stdout.close()


def test_threads_are_no_news(events: ProcessEvents) -> None:
    threads = []

    def work() -> None:
        threads.append(threading.get_native_id())

    end = time.monotonic() + PATIENCE
    changes = ProcessChanges(frozenset(), frozenset(), lost=True)
    # What others start meanwhile may be too much to be told.
    while changes.lost and time.monotonic() < end:
        threads.clear()
        for _ in range(20):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        changes = events.drain()
    if changes.lost:
        pytest.skip("this machine is too busy to tell one process from all others")
    assert not (changes.began | changes.ended) & set(threads)


@pytest.mark.slow
def test_a_storm_is_told_as_lost_and_leaves_a_working_connection(events: ProcessEvents) -> None:
    for _ in range(20):
        subprocess.run(
            ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done"], check=True
        )
    assert events.drain().lost
    test_start_and_end_of_a_process_are_told(events)


def test_nothing_to_tell_is_false() -> None:
    nothing: frozenset[int] = frozenset()
    assert not ProcessChanges(nothing, nothing)
    assert ProcessChanges(nothing, nothing, lost=True)
    assert ProcessChanges(nothing, frozenset({1}))


def test_closing_twice_is_no_error(events: ProcessEvents) -> None:
    events.close()
    events.close()
    assert events.fileno() == -1


NO_USERS = pytest.mark.skipif(IN_CHROOT, reason="a chroot can't make a user namespace")
OPEN = """
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.kernel.process_events import ProcessEvents
try:
    ProcessEvents()
except ChrootError as error:
    print(type(error).__name__)
"""


@pytest.mark.root
@pytest.mark.parametrize(
    ("namespace", "expected"),
    [
        ("--pid", "PrivilegeError"),
        pytest.param("--user", "ChrootError", marks=NO_USERS),
        ("--net", "ChrootError"),
    ],
)
def test_another_namespace_is_an_error_not_silence(namespace: str, expected: str) -> None:
    done = subprocess.run(
        ["unshare", namespace, "--fork", sys.executable, "-c", OPEN],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / ".pkg")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() in {expected, "PrivilegeError"}
