"""docs/fleet.md, done as it stands: its files and its commands, on machines reached by ssh."""

from __future__ import annotations

import json
import platform
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import CHECKOUT
from support.fleet import Ansible

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]

FILE = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?(ansible(?:-playbook|-inventory)? .*)$", re.MULTILINE)
CHANGED = re.compile(r"^(\S+) +: .*changed=(\d+) +unreachable=0 +failed=0", re.MULTILINE)
PROGRAM = (
    "chroot-tool.sh", "pyproject.toml", "README.md", "LICENSE", ".pkg", "app", "core", "widgets",
)  # fmt: skip
DOCUMENT = (CHECKOUT / "docs/fleet.md").read_text()


def write_files(folder: Path) -> None:
    """Write the files of the document, for machines where root logs in and needs no sudo."""
    for name, text in FILE.findall(DOCUMENT):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text.replace("admin", "root").replace("become: true", "become: false"))


def command(ansible: Ansible, line: str, *options: str, **variables: Any) -> str:
    """Do a line that the document has, with more options and variables; return what it says."""
    assert line in COMMAND.findall(DOCUMENT), line
    program, *words = shlex.split(line)
    more = ("-e", json.dumps(variables)) if variables else ()
    return ansible.ok(program, *words, *options, *more)


def changes(said: str) -> dict[str, int]:
    """How many tasks have changed something on each host, by the recap of a playbook."""
    return {host: int(number) for host, number in CHANGED.findall(said)}


@pytest.fixture
def rules(tmp_path: Path) -> Iterator[Path]:
    """What lies over the host's rules of sudo meanwhile."""
    place = tmp_path / "rules"
    place.mkdir(mode=0o755)
    subprocess.run(["mount", "--bind", place, "/etc/sudoers.d"], check=True)
    yield place
    subprocess.run(["umount", "--lazy", "/etc/sudoers.d"], check=True)


@pytest.mark.usefixtures("rules")
def test_a_farm_from_nothing(ansible: Ansible) -> None:
    first, *_ = ansible.hosts.add("build1", "build2", "build3")
    folder = ansible.folder
    write_files(folder)
    (ansible.home / ".farm-vault").write_text("between us\n")
    vault = folder / "inventory/group_vars/builders/vault.yml"
    vault.write_text("vault_sudo: hidden\n")
    # Nobody needs to be asked before there is a tool to ask.
    chroots = (folder / "inventory/20-chroots.yml").rename(folder / "20-chroots.yml")
    ansible.ok("ansible-vault", "encrypt", vault)
    assert "hidden" not in vault.read_text()

    def pack(*options: str) -> None:
        # With the modes that git archive gives.
        subprocess.run(
            ["tar", "-czf", folder / "chroot-tool.tar.gz", "--exclude", "__pycache__",
             "--mode", "ug=rwX,o=rX", *options, "-C", CHECKOUT, *PROGRAM],
            check=True,
        )  # fmt: skip

    pack()
    there = {
        "chroot_tool_home": str(first.folder / "tool"),
        "chroot_tool_link": str(first.folder / "link"),
        "chroot_tool_packages": [],
        "chroot_tool_users": [],  # of the rules that lie over the host's
    }
    tool, play = first.folder / "tool", "ansible-playbook hosts.yml"
    for number, *options in ((1, "--check"), (4,), (0,)):
        said = command(ansible, play, "--limit", "build1", *options, **there)
        assert changes(said) == {"build1": number}
    written = ansible.hosts.ssh("build1", "find", tool, "-perm", "/022", "!", "-type", "l")
    assert written.stdout == ""
    pack("--mtime", "now")  # a newer pyproject.toml, whose packages may be others
    said = command(ansible, play, "--limit", "build1", **there)
    assert changes(said) == {"build1": 2}
    version = ansible.hosts.ssh("build1", first.folder / "link", "--version").stdout
    assert version.startswith("chroot-tool ")

    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    small = {"suites": [suite], "variant": "minbase", "packages": ["python3", "make"]}
    look = "ansible-playbook chroots.yml --check --diff --limit build1"
    assert changes(command(ansible, look, **small)) == {"build1": 1}
    two = ("--limit", "build1,build2")
    for number in (1, 0):
        said = command(ansible, "ansible-playbook chroots.yml", *two, **small)
        assert changes(said) == {"build1": number, "build2": number}

    chroots.rename(folder / "inventory/20-chroots.yml")
    inside = [f"{suite}@build1", f"{suite}@build2"]
    graph = command(ansible, "ansible-inventory --graph chroots")
    assert re.findall(r"--(\S+@\S+)", graph) == inside
    for number in (2, 0):
        said = command(ansible, "ansible-playbook inside.yml")
        assert changes(said) == dict.fromkeys(inside, number)

    (folder / "source").mkdir()
    (folder / "source/Makefile").write_text("all:\n\t@echo built by $$(id -un)\n")
    subprocess.run(["tar", "-cf", "source.tar", "source"], cwd=folder, check=True)
    build = "ansible-playbook build.yml --forks 50 --limit '!host_build3'"
    assert set(changes(command(ansible, build))) == set(inside)
    for name in inside:
        assert (folder / f"logs/{name}.log").read_text() == "built by builder\n"
