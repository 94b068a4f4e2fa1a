"""A Debian inside: its packages by the module, and every module of Ansible by the connection."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.config import exported
from support import Cli
from support.fleet import Ansible

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]

CHROOT = "chroot_tool.chroots.chroot"
PIPELINED = ("-e", "ansible_pipelining=true")


def write_inventory(ansible: Ansible, chroots: dict[str, Path]) -> None:
    """The chroots as hosts, all on the machine build1."""
    variables = {
        "ansible_connection": "chroot_tool.chroots.chroot",
        "ansible_host": "build1",
        "ansible_become_method": "su",
    }
    inside: dict[str, Any] = {
        name: {"ansible_chroot_path": str(path)} for name, path in chroots.items()
    }
    groups = {
        "chroots": {"hosts": inside, "vars": variables},
        "builders": {"hosts": {"build1": None}},
    }
    (ansible.inventory / "hosts.yml").write_text(json.dumps(groups))


def test_packages_come_once_and_then_every_module_works_inside(
    ansible: Ansible, chroot: Path, cli: Cli, tmp_path: Path
) -> None:
    ansible.hosts.add("build1")
    write_inventory(ansible, {"deb": chroot})

    def packages(*options: str, names: list[str]) -> dict[str, Any]:
        return ansible.module("build1", CHROOT, *options, path=str(chroot), packages=names)

    checked = packages("--check", names=["python3", "apt", "awk"])
    assert (checked["changed"], checked["installed"]) == (True, ["python3"])  # mawk provides awk
    installed = packages(names=["python3", "apt", "awk"])
    assert (installed["changed"], installed["installed"]) == (True, ["python3"])
    assert cli.json("status", "-d", chroot)["state"] == "off"
    for again in (packages(names=["python3", "awk"]), packages("--check", names=["python3"])):
        assert (again["changed"], again["installed"]) == (False, [])
    unknown = packages(names=["nosuchpackage"])
    assert (unknown["failed"], unknown["changed"]) == (True, False)
    assert "Unable to locate package nosuchpackage" in unknown["msg"]
    assert packages(names=["--purge"])["failed"]
    assert cli.json("status", "-d", chroot)["state"] == "off"

    assert ansible.module("deb", "ping")["ping"] == "pong"
    assert ansible.module("deb", "ping", *PIPELINED)["ping"] == "pong"
    facts = ansible.module("deb", "setup", *PIPELINED)["ansible_facts"]
    assert facts["ansible_is_chroot"] is True

    content, back = tmp_path / "content", tmp_path / "back"
    content.write_bytes(os.urandom(300_000) + b"\r\n\x04\x00")
    for changed in (True, False):
        copied = ansible.module("deb", "copy", src=str(content), dest="/root/a b")
        assert copied["changed"] is changed
    assert (chroot / "root/a b").read_bytes() == content.read_bytes()
    ansible.module("deb", "fetch", src="/root/a b", dest=str(back), flat=True)
    assert back.read_bytes() == content.read_bytes()

    def inside(*words: str, options: Sequence[str] = ()) -> list[str]:
        """What `command` says of a command, as people see it."""
        said = ansible("ansible", "deb", "-m", "command", "-a", shlex.join(words), *options)
        return said.stdout.split("\n")

    assert "rc=0" in inside("useradd", "--create-home", "worker")[0]
    for become in (["-b", "--become-user", "worker"], ["-e", "ansible_chroot_user=worker"]):
        for way in ((), PIPELINED):
            assert inside("whoami", options=[*become, *way])[1] == "worker"
    failed = "\n".join(inside("sh", "-c", "echo out; echo err >&2; exit 3"))
    assert re.search(r"^deb \| FAILED \| rc=3 >>\nout\s*err", failed, re.MULTILINE)

    # Several at once, by one connection to their host.
    copies = {name: tmp_path / name for name in ("deb2", "deb3")}
    for copy in copies.values():
        assert ansible.module("build1", CHROOT, path=str(copy), clone=str(chroot))["changed"]
    write_inventory(ansible, {"deb": chroot, **copies})
    pinged = ansible.modules("chroots", "ping", "--forks", "3")
    assert {host: result["ping"] for host, result in pinged.items()} == dict.fromkeys(
        ["deb", "deb2", "deb3"], "pong"
    )
    for root in copies.values():
        cli.ok("off", "-S", "-d", root)


def test_what_cannot_be_entered_is_unreachable_and_says_why(
    ansible: Ansible, tiny_chroot: Path, tmp_path: Path
) -> None:
    [host] = ansible.hosts.add("build1")
    write_inventory(ansible, {"tiny": tiny_chroot, "none": tmp_path / "none"})

    def raw(pattern: str, *options: str) -> str:
        done = ansible("ansible", pattern, "-m", "raw", "-a", "echo out; exit 5", *options)
        return done.stdout + done.stderr

    assert "rc=5" in raw("tiny")
    said = raw("none")
    assert "UNREACHABLE" in said
    assert "does not exist" in said
    said = raw("tiny", "-e", "ansible_chroot_user=nosuch")
    assert "UNREACHABLE" in said
    assert "no user 'nosuch'" in said
    said = raw("tiny", "-e", "ansible_chroot_executable=no-tool")
    assert "there is no no-tool on the host" in said
    assert "ansible_chroot_transport" in raw("tiny", "-e", "ansible_chroot_transport=nonsense")
    said = raw("tiny", "-e", "ansible_chroot_privilege='env WHO=me'")
    assert "rc=5" in said
    host.stop()
    assert "UNREACHABLE" in raw("tiny")


def test_what_export_prints_is_an_inventory(ansible: Ansible, cli: Cli, tiny_chroot: Path) -> None:
    """Of a chroot on another machine, and of one here, which needs no ssh."""
    [host] = ansible.hosts.add("build1")
    there, here = ansible.inventory / "there.yml", ansible.inventory / "here.yml"
    there.write_text(
        cli.ok("export", "ansible", "-d", f"build1:{tiny_chroot}", env=ansible.hosts.environment())
    )
    here.write_text(cli.ok("export", "ansible", "-d", tiny_chroot, "--name", "here"))

    def said(name: str, *options: str) -> list[str]:
        raw = ("-m", "raw", "-a", "id -u; echo $HOME")
        return ansible.ok("ansible", name, *raw, *options).split("\n")[1:3]

    assert said(tiny_chroot.name) == ["0", "/root"]
    host.stop()
    assert said("here", "-e", f"ansible_chroot_executable={host.bin}/chroot-tool") == ["0", "/root"]


def test_a_path_in_what_export_prints_is_no_template(ansible: Ansible) -> None:
    path = "/srv/{{ 6 * 7 }}{% if 1 %}x"
    (ansible.inventory / "odd.yml").write_text(exported.ansible("odd", path))
    shown = ("-m", "raw", "-a", "id", "-e", "ansible_chroot_executable=echo")
    said = ansible.ok("ansible", "odd", *shown)
    assert f"run --dir={path} --user=root" in said
