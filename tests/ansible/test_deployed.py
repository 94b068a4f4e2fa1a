"""The role `host` by deploy: from nothing, as docs/fleet.md has it, without a package index."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from support import CHECKOUT, Cli
from support.fleet import Ansible
from support.ssh_hosts import Where

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]

APART = """
for directory in /usr/local/lib /usr/local/bin /etc/sudoers.d
do mount -t tmpfs -o mode=755 tmpfs "$directory" || exit; done
exec "$@"
"""
PLAYBOOK = re.compile(r"^```yaml\n(- name: chroot-tool on every machine, by deploy\n.*?)^```$",
                      re.MULTILINE | re.DOTALL)  # fmt: skip
CHANGED = re.compile(r"^(\S+) +: .*changed=(\d+) +unreachable=0 +failed=0", re.MULTILINE)


def test_from_nothing(ansible: Ansible, cli: Cli, tmp_path: Path) -> None:
    there = Where(("unshare", "--mount", "--propagation", "private", "sh", "-c", APART, "sh"))
    names = ("build1", "build2")
    for name in names:
        [host] = ansible.hosts.add(name, where=there)
        (host.bin / "chroot-tool").unlink()
    (ansible.inventory / "10-hosts.yml").write_text(
        json.dumps({"builders": {"hosts": {name: {} for name in names}}})
    )
    [text] = PLAYBOOK.findall((CHECKOUT / "docs/fleet.md").read_text())
    (ansible.folder / "hosts.yml").write_text(text)
    program = tmp_path / "chroot-tool"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, cli.argv()))} "$@"\n')
    program.chmod(0o755)

    def play(*may: str, check: bool = False) -> dict[str, str]:
        given = {
            "chroot_tool_program": str(program), "chroot_tool_packages": [],
            "chroot_tool_users": may,
        }  # fmt: skip
        options = ("--check",) if check else ()
        said = ansible.ok("ansible-playbook", "hosts.yml", "-e", json.dumps(given), *options)
        return dict(CHANGED.findall(said))

    assert play("admin", check=True) == dict.fromkeys(names, "1"), "the rule"
    assert play("admin") == dict.fromkeys(names, "2")
    assert play("admin") == dict.fromkeys(names, "0")
    rule = "/etc/sudoers.d/chroot-tool"
    assert all(ansible.hosts.ssh(name, "cat", rule).stdout for name in names)
    assert play() == dict.fromkeys(names, "1")
    assert all(ansible.hosts.ssh(name, "cat", rule).returncode == 1 for name in names)
    made = ansible.modules("builders", "chroot_tool.chroots.chroot", path="deb", state="absent")
    assert {host: one["changed"] for host, one in made.items()} == dict.fromkeys(names, False)
    for name in names:
        said = ansible.hosts.ssh(name, "/usr/local/bin/chroot-tool", "--version").stdout
        assert said.startswith("chroot-tool ")
