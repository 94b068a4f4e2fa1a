"""One connection serves all commands to a host (ControlMaster), and holds up none of them."""

from __future__ import annotations

import os
import subprocess
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from chroot_tool.app.tui.actions import captured
from chroot_tool.core.errors import Cancelled
from chroot_tool.core.events import ignore
from chroot_tool.core.remote.ssh import Host
from support import PATIENCE, Cli, wait_until
from support.outer_terminal import Terminal
from support.ssh_hosts import DEBIANS, SshHost, SshHosts

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def one(hosts: SshHosts) -> SshHost:
    return hosts.add("one")[0]


@pytest.fixture
def sockets(hosts: SshHosts) -> Path:
    return hosts.sockets


def masters(sockets: Path) -> list[psutil.Process]:
    """The processes that keep a connection open."""
    return [p for p in psutil.process_iter() if f"ssh: {sockets}" in " ".join(_words(p))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_the_second_command_needs_no_new_one_and_no_pipe_is_held_open(
    cli: Cli, hosts: SshHosts, one: SshHost, sockets: Path
) -> None:
    env = hosts.environment()
    for _ in range(2):
        # Returns when the last writer of either pipe has closed it.
        done = subprocess.run(
            cli.argv("list", "-H", "one"), env=env, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert one.log.count("Accepted publickey") == 1
    (master,) = masters(sockets)
    assert list((sockets / "chroot-tool/ssh").iterdir())
    # A socket that nobody listens at any more is in nobody's way.
    master.kill()
    wait_until(lambda: not masters(sockets))
    assert cli("list", "-H", "one", env=env).returncode == 0
    assert one.log.count("Accepted publickey") == 2
    # Nor is one whose host is gone: the sshd is another one by now.
    one.stop()
    one.start()
    done = cli("list", "-H", "one", env=env)
    assert done.returncode == 0, done.stderr
    for left in masters(sockets):
        left.kill()


def test_a_place_with_a_path_that_is_too_long_for_a_socket(
    cli: Cli, hosts: SshHosts, one: SshHost, tmp_path: Path
) -> None:
    place = tmp_path / ("x" * 100)
    place.mkdir()
    done = cli("list", "-H", "one", env=hosts.environment() | {"XDG_RUNTIME_DIR": str(place)})
    assert done.returncode == 0, done.stderr
    assert list(place.iterdir()) == []


def test_a_place_of_who_has_become_root_is_theirs(
    cli: Cli, hosts: SshHosts, one: SshHost, sockets: Path
) -> None:
    """`su` leaves XDG_RUNTIME_DIR as it is."""
    theirs, home = sockets / "theirs", sockets / "home"
    for place in (theirs, home):
        place.mkdir(mode=0o700)
    os.chown(theirs, 47110, 47110)
    env = hosts.environment() | {"XDG_RUNTIME_DIR": str(theirs), "HOME": str(home)}
    done = cli("list", "-H", "one", env=env)
    assert done.returncode == 0, done.stderr
    assert list(theirs.iterdir()) == []
    assert (home / ".cache/chroot-tool/ssh").is_dir()
    for left in masters(home):
        left.kill()


def test_more_at_a_time_than_one_connection_carries(
    hosts: SshHosts, sockets: Path, tiny_template: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    """Ten sessions are in one by Debian's sshd: panels find another, and jobs need none."""
    (one,) = hosts.add("one", limits=DEBIANS)
    deb = one.base / "deb"
    subprocess.run(["cp", "-a", tiny_template, deb], check=True)
    for name, value in hosts.environment().items():
        monkeypatch.setenv(name, value)
    engine = Host("one").engine()
    there = engine.of()
    there.on(str(deb))
    words = ("run", "-d", "deb", "--", "sh", "-c", "echo be''gun; exec sleep 1000")
    with ExitStack() as stack:
        argv = engine.unasked("deb", words)
        panels = [Terminal(list(argv), dict(os.environ)) for _ in range(12)]
        for panel in panels:
            stack.callback(panel.close)
        for panel in panels:
            panel.wait_for("begun")
        with ThreadPoolExecutor(12) as pool:
            jobs = [pool.submit(there.run_captured, str(deb), ("true",)) for _ in range(12)]
            assert [one.result() for one in jobs] == [0] * 12
        assert "deb" in cli.ok("list", "-H", "one", env=dict(os.environ))
        ran = cli.ok("run", "-d", "one:deb", "--", "sh", "-c", "echo x", env=dict(os.environ))
        assert ran == "x\n"
    engine.close()
    for left in masters(sockets):
        left.kill()


def test_jobs_by_ssh_take_turns_and_need_no_connection_of_their_own(
    hosts: SshHosts, sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what comes at once to Debian's sshd, and has not logged in yet, some is thrown out."""
    (one,) = hosts.add("one", limits=DEBIANS)
    for name, value in hosts.environment().items():
        monkeypatch.setenv(name, value)
    engine = Host("one").engine()
    engine.connection()
    session: Any = SimpleNamespace(machines=SimpleNamespace(has_risen=False))
    flags = [Event() for _ in range(25)]
    waits = (
        f"touch {one.folder}/begun-$0; until [ -e {one.folder}/go ]; do sleep 0.1; done; echo $0"
    )

    def run(number: int) -> str:
        argv = Host("one").beside(("sh", "-c", waits, str(number)), terminal=False)
        return captured.run(session, argv, "one:/b", deque(), ignore, flags[number])

    with ThreadPoolExecutor(len(flags)) as pool:
        try:
            jobs = [pool.submit(run, number) for number in range(len(flags))]
            wait_until(lambda: len(list(one.folder.glob("begun-*"))) >= captured._AT_A_TIME)
            begun = {int(path.name[6:]) for path in one.folder.glob("begun-*")}
            waiting = min(set(range(len(flags))) - begun)
            flags[waiting].set()
            with pytest.raises(Cancelled, match="stopped by you"):
                jobs.pop(waiting).result(PATIENCE)
        finally:
            (one.folder / "go").touch()
        done = {job.result(PATIENCE) for job in jobs}
    assert done == {str(number) for number in range(len(flags))} - {str(waiting)}
    assert not (one.folder / f"begun-{waiting}").exists()
    assert one.log.count("Accepted publickey") == 1
    engine.close()
    for left in masters(sockets):
        left.kill()
