"""Root by sudo with a password that vault keeps: a rule that asks, on a machine of one's own."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from support import let_in
from support.fleet import Ansible
from support.ordinary import PASSWORD, ordinary

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]


def test_a_password_of_sudo_out_of_the_vault(
    ansible: Ansible, tiny_template: Path, tmp_path: Path
) -> None:
    with ordinary(tmp_path / "own") as ann:
        [host] = ansible.hosts.add("build1")
        let_in(host.bin)
        (ann.rules / "all").write_text("ann ALL=(root) ALL\nDefaults:ann passwd_tries=1\n")
        (ann.rules / "all").chmod(0o440)
        ann.forget_password()
        subprocess.run(["cp", "-a", tiny_template, host.base / "deb"], check=True)
        (ansible.inventory / "10-hosts.yml").write_text(
            json.dumps({"builders": {"hosts": {"build1": {"ansible_user": "ann"}}}})
        )
        ours = ansible.inventory / "group_vars/builders"
        ours.mkdir(parents=True)
        (ours / "main.yml").write_text('ansible_become_password: "{{ vault_sudo }}"\n')
        key = ansible.folder / "vault-key"
        key.write_text("of the farm\n")
        vault = ours / "vault.yml"

        def keep(password: str) -> None:
            vault.write_text(f"vault_sudo: {password}\n")
            ansible.ok("ansible-vault", "encrypt", "--vault-password-file", key, vault)
            assert password not in vault.read_text()

        task = {"chroot_tool.chroots.chroot": {
            "path": "deb", "state": "on", "executable": str(host.bin / "chroot-tool"),
        }}  # fmt: skip
        play = ansible.write(
            "play.yml",
            [{"hosts": "builders", "gather_facts": False, "become": True, "tasks": [task]}],
        )
        keep("another")
        words = ("--vault-password-file", key, play, "-vvv")
        refused = ansible("ansible-playbook", *words)
        assert refused.returncode != 0
        # Ansible's word for it, or sudo's own, whichever it has read when the connection ends.
        assert re.search("incorrect (sudo )?password", refused.stdout, re.IGNORECASE)
        keep(PASSWORD)
        done = ansible("ansible-playbook", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "changed=1" in done.stdout
        assert PASSWORD not in done.stdout + done.stderr
        assert "for ann from" in host.log
        status = ansible.hosts.ssh("build1", "chroot-tool", "status", "--json", "-d", "deb")
        assert json.loads(status.stdout)["state"] == "on"
        assert "changed=0" in ansible.ok("ansible-playbook", *words)
        ansible.hosts.ssh("build1", "chroot-tool", "off", "-S", "-d", "deb")
