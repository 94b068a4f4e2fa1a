"""Jump hosts and host keys are OpenSSH's business: what ssh_config says of them is what happens."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support import Cli
from support.ssh_hosts import SshHosts

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_by_a_jump_host(cli: Cli, hosts: SshHosts, tiny_template: Path) -> None:
    one, two = hosts.add("one", "two")
    subprocess.run(["cp", "-a", tiny_template, two.base / "deb"], check=True)
    behind = two.ssh_config.replace("Host two", "Host behind") + "    ProxyJump one\n"
    hosts.config.write_text(behind + hosts.config.read_text())
    assert "deb" in cli.ok("list", "-H", "behind", env=hosts.environment())
    one.stop()
    done = cli("list", "-H", "behind", env=hosts.environment())
    assert done.returncode == 1
    assert done.stderr.startswith("chroot-tool: behind: ")
    assert "deb" in cli.ok("list", "-H", "two", env=hosts.environment())


def test_a_host_key_that_is_another_ends_it(cli: Cli, hosts: SshHosts) -> None:
    (one,) = hosts.add("one")
    started = one.folder / "started"
    one.write_program("chroot-tool", f"touch {started}")
    keys = hosts.folder / "keys"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / "other"], check=True
    )
    (keys / "known_hosts").write_text(f"chroot-tool-tests {(keys / 'other.pub').read_text()}")
    done = cli("list", "-H", "one", env=hosts.environment())
    assert done.returncode == 1
    assert done.stderr.startswith("chroot-tool: one: ")
    assert "Host key verification failed" in done.stderr
    assert not started.exists()
