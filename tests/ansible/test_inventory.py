"""The chroots of hosts as Ansible hosts, and what foreign machines may answer."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.fleet import Ansible

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def asked(ansible: Ansible, tiny_template: Path) -> Ansible:
    """Two machines of the group builders, with a chroot and two, and the file that asks them."""
    for name, chroots in {"build-1": ["deb"], "build-2": ["deb", "sid"]}.items():
        [host] = ansible.hosts.add(name)
        for chroot in chroots:
            subprocess.run(["cp", "-a", tiny_template, host.base / chroot], check=True)
    (ansible.hosts.hosts["build-2"].base / "sid/etc/os-release").write_text(
        'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n'
    )
    write_hosts(ansible, "build-1", "build-2")
    write_plugin(ansible)
    return ansible


def write_hosts(ansible: Ansible, *names: str, **variables: str) -> None:
    hosts: dict[str, Any] = {name: {} for name in names}
    group = {"builders": {"hosts": hosts, "vars": variables}}
    (ansible.inventory / "10-hosts.yml").write_text(json.dumps(group))


def write_plugin(ansible: Ansible, **options: Any) -> None:
    document = {"plugin": "chroot_tool.chroots.chroots", "hosts": ["builders"], **options}
    (ansible.inventory / "20-chroots.yml").write_text(json.dumps(document))


def listed(ansible: Ansible) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ansible.ok("ansible-inventory", "--list"))
    return found


def names(ansible: Ansible, group: str = "chroots") -> list[str]:
    return sorted(listed(ansible).get(group, {}).get("hosts", []))


def test_every_chroot_of_every_host_is_a_host_in_its_groups(asked: Ansible) -> None:
    asked.hosts.ssh("build-2", "chroot-tool", "on", "-d", "sid")
    found = listed(asked)
    groups = {name: sorted(group.get("hosts", [])) for name, group in found.items()}
    assert groups["chroots"] == ["deb@build-1", "deb@build-2", "sid@build-2"]
    assert groups["state_on"] == ["sid@build-2"]
    assert groups["state_off"] == ["deb@build-1", "deb@build-2"]
    assert groups["suite_trixie"] == ["sid@build-2"]
    assert groups["host_build_2"] == ["deb@build-2", "sid@build-2"]

    said = asked.ok("ansible", "chroots", "-m", "raw", "-a", "pwd && cat /etc/os-release")
    assert said.count('PRETTY_NAME="Tiny"') == 2
    assert said.count("(trixie)") == 1
    # The first task has switched them on.
    assert names(asked, "state_on") == ["deb@build-1", "deb@build-2", "sid@build-2"]
    said = asked.ok("ansible", "suite_trixie:&host_build_2", "-m", "raw", "-a", "id -u")
    assert said.split("\n")[:2] == ["sid@build-2 | CHANGED | rc=0 >>", "0"]


def test_the_way_to_a_host_is_what_the_inventory_says(asked: Ansible) -> None:
    host = asked.hosts.hosts["build-1"]
    (asked.inventory / "group_vars").mkdir()
    (asked.inventory / "group_vars/builders.yml").write_text('ansible_host: "{{ real }}"\n')
    write_hosts(asked, "alias", real="build-1")
    assert names(asked) == ["deb@alias"]
    said = asked.ok("ansible", "deb@alias", "-m", "raw", "-a", "id -u")
    assert said.split("\n")[1] == "0"

    # What is called by another's right is called by it inside, too.
    host.write_program("as-root", 'shift; echo "$@" >>"$HOME/called"; exec "$@"')
    write_plugin(asked, become=True, become_command="as-root --")
    asked.ok("ansible", "deb@alias", "-m", "raw", "-a", "id -u")
    called = (host.home / "called").read_text().splitlines()
    assert called[0] == "chroot-tool list --json"
    assert called[1].startswith("chroot-tool run ")


def test_who_does_not_answer_is_a_warning_and_the_others_are_there(asked: Ansible) -> None:
    asked.hosts.hosts["build-1"].stop()
    done = asked("ansible-inventory", "--list")
    assert done.returncode == 0
    assert "the chroots of build-1 are not known" in done.stderr
    assert names(asked) == ["deb@build-2", "sid@build-2"]
    write_plugin(asked, ignore_unreachable=False)
    done = asked("ansible-inventory", "--list")
    assert "build-1: " in done.stderr
    assert "sid@build-2" not in done.stdout


HOSTILE = {
    "yes '[{'": "it answers without end",
    "head -c 40000000 /dev/zero": "it answers without end",
    "echo '[]'; echo Welcome to build-1": "no JSON",
    'printf \'[{"name": "deb"\'': "no JSON",
    "echo '{}'": "no list",
    "printf '\\033]0;owned\\007\\033[2J' >&2; exit 1": "?]0;owned??[2J",
    "exit 1": "it ended with code 1",
}
"""What a machine's chroot-tool does, and what is told of it."""


def test_hostile_machines_have_no_chroots_and_do_no_harm(asked: Ansible) -> None:
    hostile = {f"bad-{number}": script for number, script in enumerate(HOSTILE)}
    for host in asked.hosts.add(*hostile):
        host.write_program("chroot-tool", hostile[host.name])
    old = asked.hosts.hosts["build-1"]
    old.welcome("", "")
    (old.folder / "motd").write_bytes("Grüße\n".encode("latin-1"))
    write_hosts(asked, "build-1", "build-2", *hostile)
    write_plugin(asked, timeout=250)
    done = asked("ansible-inventory", "--list")
    assert done.returncode == 0
    for name, script in hostile.items():
        assert f"the chroots of {name} are not known: {HOSTILE[script]}" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    there = json.loads(done.stdout)["chroots"]["hosts"]
    assert sorted(there) == ["deb@build-1", "deb@build-2", "sid@build-2"]


def test_one_that_does_not_come_to_an_end_is_given_up(asked: Ansible) -> None:
    asked.hosts.hosts["build-1"].write_program("chroot-tool", "exec sleep 1000")
    write_hosts(asked, "build-1")
    write_plugin(asked, timeout=1)
    done = asked("ansible-inventory", "--list")
    assert done.returncode == 0
    assert "the chroots of build-1 are not known: it did not answer in time" in done.stderr


def test_nothing_that_a_machine_says_is_taken_for_a_template(
    asked: Ansible, tmp_path: Path
) -> None:
    wish = tmp_path / "owned"
    template = f"{{{{ lookup('pipe', 'touch {wish}') }}}}"
    entries = [
        {"name": "one", "path": f"/srv/{template}", "state": "on", "os": template},
        {"name": template, "path": "/srv/two", "state": "on", "os": ""},
        {"name": "all", "path": "/srv/all", "state": "off", "os": "x"},
    ]
    answer = shlex.quote(json.dumps(entries))
    host = asked.hosts.hosts["build-1"]
    host.write_program(
        "chroot-tool", f'echo "$@" >>"$HOME/called"; [ "$1" = list ] && echo {answer}'
    )
    play = [{
        "hosts": "chroots", "gather_facts": False,
        "tasks": [{"debug": {"msg": "{{ chroot_os }} {{ ansible_chroot_path }}"}},
                  {"raw": "true"}],
    }]  # fmt: skip
    done = asked("ansible-playbook", asked.write("play.yml", play), "--limit", "host_build_1")
    assert "is left out" in done.stderr
    assert not wish.exists()
    # What was asked for is what the machine itself has named, as one word.
    assert f"--dir=/srv/{template} " in (host.home / "called").read_text()
    assert "all@build-1" in names(asked)


def test_the_cache_asks_nobody(asked: Ansible, tmp_path: Path) -> None:
    cached = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "c")}
    write_plugin(asked, **cached)
    before = names(asked)
    for host in asked.hosts.hosts.values():
        host.stop()
    assert names(asked) == before == ["deb@build-1", "deb@build-2", "sid@build-2"]
    flushed = asked("ansible-inventory", "--list", "--flush-cache")
    assert "sid@build-2" not in flushed.stdout


def test_what_constructed_inventories_can_do_it_can(asked: Ansible) -> None:
    write_plugin(
        asked,
        keyed_groups=[{"key": "chroot_name", "prefix": "named"}],
        groups={"new": "chroot_suite == 'trixie'"},
        compose={"ansible_chroot_user": "'app'"},
    )
    assert names(asked, "named_deb") == ["deb@build-1", "deb@build-2"]
    assert names(asked, "new") == ["sid@build-2"]
    said = asked.ok("ansible", "sid@build-2", "-m", "raw", "-a", "id -un")
    assert said.split("\n")[1] == "app"
