"""One connection serves all commands to a host (ControlMaster), and holds up none of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support import Cli, wait_until
from support.ssh_hosts import SshHost, SshHosts

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def one(hosts: SshHosts) -> SshHost:
    return hosts.add("one")[0]


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A place whose path is short enough for a socket, as a user's has."""
    place = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))
    yield place
    shutil.rmtree(place)


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
    env = hosts.environment() | {"XDG_RUNTIME_DIR": str(sockets)}
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
