"""Who is not root on the machines asks for chroots and enters them by the rule of the role."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from support import let_in
from support.fleet import Ansible
from support.ordinary import ordinary
from support.outer_terminal import only
from support.users import users

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]


def test_a_user_with_the_rule_has_every_chroot_as_a_host(
    ansible: Ansible, tiny_template: Path, tmp_path: Path
) -> None:
    let_in(tmp_path)
    with users(tmp_path / "etc", "admin") as rules:
        [host] = ansible.hosts.add("build1")
        let_in(host.bin)
        subprocess.run(["cp", "-a", tiny_template, host.base / "deb"], check=True)
        tool = f"{host.bin}/chroot-tool"
        admin = {"builders": {"hosts": {"build1": {"ansible_user": "admin"}}}}
        (ansible.inventory / "10-hosts.yml").write_text(json.dumps(admin))
        plugin = {
            "plugin": "chroot_tool.chroots.chroots",
            "hosts": ["builders"], "become": True, "executable": tool,
        }  # fmt: skip
        (ansible.inventory / "20-chroots.yml").write_text(json.dumps(plugin))

        refused = ansible("ansible-inventory", "--list")
        assert "the chroots of build1 are not known: sudo: a password is required" in refused.stderr

        rule = rules / "chroot-tool"
        template = ansible.installed.collection / "roles/host/templates/sudoers.j2"
        variables = json.dumps({"chroot_tool_users": ["admin"], "chroot_tool_link": tool})
        written = ansible.module(
            "build1", "template", "-e", "ansible_user=root", "-e", variables,
            src=str(template), dest="/etc/sudoers.d/chroot-tool", mode="0440",
            validate="/usr/sbin/visudo --check --file=%s",
        )  # fmt: skip
        assert written["changed"], written
        assert rule.read_text() == f"admin ALL=(root) NOPASSWD: {tool}\n"

        said = ansible.ok("ansible", "chroots", "-m", "raw", "-a", "id -u")
        assert said.split("\n")[:2] == ["deb@build1 | CHANGED | rc=0 >>", "0"]
        assert "for admin from" in host.log
        ansible.hosts.ssh("build1", tool, "off", "-S", "-d", "deb")


def test_what_cannot_be_seen_inside_is_not_ended_unasked(
    ansible: Ansible, tiny_template: Path, tmp_path: Path
) -> None:
    """By the rule alone, without `become`, `delete` is root's, and would end others' processes."""
    with ordinary(tmp_path / "ann") as ann:
        ann.allow()
        let_in(tmp_path)
        ansible.hosts.add("build1")
        subprocess.run(["cp", "-a", tiny_template, ann.base / "deb"], check=True)
        hosts = {"builders": {"hosts": {"build1": {"ansible_user": ann.name}}}}
        (ansible.inventory / "10-hosts.yml").write_text(json.dumps(hosts))
        absent = {"path": str(ann.base / "deb"), "state": "absent", "executable": str(ann.program)}
        with subprocess.Popen(["chroot", ann.base / "deb", "sleep", "1000"]) as sleeper:
            try:
                only(ann.base / "deb", "sleep")
                refused = ansible.module("build1", "chroot_tool.chroots.chroot", **absent)
                assert sleeper.poll() is None
                assert (refused["failed"], refused["changed"], refused["rc"]) == (True, False, 5)
                assert "become: true, or kill: true" in refused["msg"]
            finally:
                sleeper.kill()
        gone = ansible.module("build1", "chroot_tool.chroots.chroot", **absent, kill=True)
        assert gone["changed"], gone
        assert not (ann.base / "deb").exists()
