"""Real Ansible, in an environment of its own, with our collection as `ansible-galaxy` installs it.

The environment is made once a run, by the worker that asks for it first. The version is pinned by
the group `ansible` of pyproject.toml.
"""

from __future__ import annotations

import fcntl
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support import CHECKOUT
from support.ssh_hosts import SshHosts
from support.warm import Warm
from workers import shared_folder

_RECAP = re.compile(r"^(\S+)\s+: (ok=.*)$", re.MULTILINE)
_ONE_LINE = re.compile(r"^(\S+) \| ([A-Z!]+) => (\{.*\})$", re.MULTILINE)
_WHERE = "ansible_collections/chroot_tool/chroots"


class Installed(NamedTuple):
    """What all tests share: Ansible's programs, the collection, and its archive."""

    bin: Path
    collections: Path
    archive: Path

    @property
    def collection(self) -> Path:
        """The collection as it is installed."""
        return self.collections / _WHERE


class Ansible:
    """Ansible on a controller of its own, to which `hosts` are known by ssh."""

    def __init__(self, installed: Installed, folder: Path, hosts: SshHosts, sockets: str) -> None:
        self.installed, self.folder, self.hosts = installed, folder, hosts
        self._sockets = sockets
        self._warm: Warm | None = None
        self._configured = ""
        folder.mkdir()
        self.config = folder / "ansible.cfg"
        self.config.touch()
        self.inventory = folder / "inventory"
        self.inventory.mkdir()
        self.home = folder / "home"
        self.home.mkdir()

    def environment(self) -> dict[str, str]:
        """Nothing of the real user's Ansible, and ssh as the hosts want it."""
        own = self.hosts.environment()
        kept = {name: value for name, value in own.items() if not name.startswith("ANSIBLE_")}
        return kept | {
            "PATH": f"{self.installed.bin}:{own['PATH']}",
            "HOME": str(self.home),
            "ANSIBLE_CONFIG": str(self.config),
            "ANSIBLE_COLLECTIONS_PATH": str(self.installed.collections),
            "ANSIBLE_TIMEOUT": "250",  # seconds: a busy sshd is given up by nobody
            "ANSIBLE_SSH_CONTROL_PATH_DIR": self._sockets,  # in a long one no socket can be made
            "ANSIBLE_INVENTORY": str(self.inventory),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "COLUMNS": "10000",  # a message is one line
        }

    def __call__(self, program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of its programs to its end."""
        python, imports = self.installed.bin / "python", Path(__file__).with_name("warm_ansible.py")
        config = self.config.read_text()
        if self._warm is None or self._configured != config:
            self.close()
            self._warm, self._configured = Warm([python, "-I"], imports, self.environment()), config
        argv = [python, self.installed.bin / program, *words]
        done = self._warm.run(argv, self.environment(), b"", self.folder, 600)
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def close(self) -> None:
        """End what is kept from one call to the next."""
        if self._warm is not None:
            self._warm.close()
            self._warm = None

    def ok(self, program: str, *words: str | Path) -> str:
        """The same, expect success and return its stdout."""
        done = self(program, *words)
        assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def module(self, pattern: str, name: str, *options: str, **args: Any) -> dict[str, Any]:
        """Run one module on the one host that *pattern* means and return its result."""
        [result] = self.modules(pattern, name, *options, **args).values()
        return result

    def modules(
        self, pattern: str, name: str, *options: str, **args: Any
    ) -> dict[str, dict[str, Any]]:
        """Run one module and return its result for each host."""
        given = ("-a", json.dumps(args)) if args else ()
        done = self("ansible", pattern, "-o", "-m", name, *given, *options)
        results = {
            host: json.loads(text) | {"failed": how == "FAILED!"}
            for host, how, text in _ONE_LINE.findall(done.stdout)
        }
        assert results, f"{done.stdout}\n{done.stderr}"
        return results

    def tasks(self, host: str, *tasks: dict[str, Any]) -> list[dict[str, Any]]:
        """Do tasks one after the other, whatever becomes of each, and return their results.

        Ansible starts once for all of them, which takes it longer than most tasks.
        """
        place = self.folder / "results.json"
        results = ", ".join(f"r{number}" for number in range(len(tasks)))
        told = [
            {**task, "register": f"r{number}", "ignore_errors": True}
            for number, task in enumerate(tasks)
        ]
        kept = {
            "copy": {"content": f"{{{{ [{results}] | to_json }}}}", "dest": str(place)},
            "delegate_to": "localhost",
        }
        play = {"hosts": host, "gather_facts": False, "tasks": [*told, kept]}
        self.ok("ansible-playbook", self.write("tasks.yml", [play]))
        found: list[dict[str, Any]] = json.loads(place.read_text())
        return found

    def play(self, playbook: Path, *options: str) -> dict[str, dict[str, int]]:
        """Run a playbook that succeeds; return the numbers of its recap by host."""
        said = self.ok("ansible-playbook", playbook, *options)
        return {
            host: {name: int(n) for name, n in (pair.split("=") for pair in numbers.split())}
            for host, numbers in _RECAP.findall(said)
        }

    def write(self, name: str, document: object) -> Path:
        """Write a file, a playbook say: what is YAML may be JSON."""
        place = self.folder / name
        place.write_text(json.dumps(document))
        return place


@pytest.fixture(scope="session")
def ansible_installed(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Installed:
    """Ansible from the package index, and the collection built and installed by it."""
    folder = shared_folder(tmp_path_factory, pytestconfig) / "ansible"
    folder.mkdir(exist_ok=True)
    made = folder / "made"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _install(folder)
            made.touch()
    [archive] = (folder / "dist").glob("*.tar.gz")
    return Installed(folder / "venv/bin", folder / "collections", archive)


def _install(folder: Path) -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    # By our pip: to install another one would take longer than to install Ansible.
    venv.create(folder / "venv")
    programs = folder / "venv/bin"
    pip: list[str | Path] = [sys.executable, "-I", "-m", "pip", "--python", programs / "python"]
    pip += ["-qq", "--disable-pip-version-check"]
    # What is used of it is compiled when it is imported first; all of it would be most of the work.
    wanted = project["dependency-groups"]["ansible"]
    subprocess.run([*pip, "install", "--no-compile", *wanted], check=True)
    galaxy = programs / "ansible-galaxy"
    subprocess.run(
        [galaxy, "collection", "build", CHECKOUT / "ansible", "--output-path", folder / "dist"],
        check=True, capture_output=True,
    )  # fmt: skip
    [archive] = (folder / "dist").glob("*.tar.gz")
    subprocess.run(
        [galaxy, "collection", "install", "--offline", archive, "-p", folder / "collections"],
        check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture
def ansible(ansible_installed: Installed, hosts: SshHosts, tmp_path: Path) -> Iterator[Ansible]:
    """Ansible, to which the machines of `hosts` are known."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="cp") as sockets:
        here = Ansible(ansible_installed, tmp_path / "controller", hosts, sockets)
        with closing(here):
            yield here


def tiny_archive(template: Path, place: Path) -> Path:
    """A system of a shell and a few programs as an archive, to make chroots of in no time."""
    subprocess.run(["tar", "-cf", place, "-C", template, "."], check=True)
    return place
