"""The machines that other tests reach by OpenSSH: tests/support/ssh_hosts.py itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from support import PATIENCE, Cli, wait_until
from support.ssh_hosts import SshHosts

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_each_has_a_home_and_a_base_of_its_own(
    hosts: SshHosts, tiny_template: Path, cli: Cli
) -> None:
    one, two = hosts.add("one", "two")
    subprocess.run(["cp", "-a", tiny_template, one.base / "deb"], check=True)
    assert hosts.ssh("one", "echo", "$HOME").stdout == f"{one.home}\n"
    there = {
        name: json.loads(hosts.ssh(name, "chroot-tool", "list", "--json").stdout)
        for name in hosts.hosts
    }
    assert [[chroot["name"] for chroot in there[name]] for name in ("one", "two")] == [["deb"], []]
    two.write_program("chroot-tool", "echo another; exit 7")
    done = hosts.ssh("two", "chroot-tool", "list")
    assert (done.stdout, done.returncode) == ("another\n", 7)


def test_one_can_be_cut_and_come_back_and_nothing_is_left(cli: Cli, tmp_path: Path) -> None:
    with SshHosts(tmp_path / "hosts", cli) as hosts:
        [host] = hosts.add("one")
        waits = subprocess.Popen(
            ["ssh", "one", "echo begun; setsid sleep 1000 & sleep 1000"],
            env=hosts.environment(), stdout=subprocess.PIPE,
        )  # fmt: skip
        assert waits.stdout is not None
        assert waits.stdout.readline() == b"begun\n"
        host.stop()
        assert waits.wait(PATIENCE) == 255
        waits.stdout.close()
        assert hosts.ssh("one", "true").returncode == 255
        host.start()
        assert hosts.ssh("one", "true").returncode == 0
        master = subprocess.run(
            ["ssh", "-fN", "-M", "-S", "master", "one"], env=hosts.environment(), cwd=tmp_path,
            stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        assert master.returncode == 0
        assert (tmp_path / "master").exists()
    wait_until(lambda: not (tmp_path / "master").exists() or _is_deaf(tmp_path / "master"))


def _is_deaf(socket: Path) -> bool:
    asked = subprocess.run(
        ["ssh", "-S", socket, "-O", "check", "one"], capture_output=True, check=False
    )
    return asked.returncode != 0
