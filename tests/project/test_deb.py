"""The Debian package: what is in it, built again to the same bytes, and lived with on a Debian.

The Debian is a copy of the one that all tests share, with nothing that the package needs.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support import CHECKOUT, Cli
from support.machine import Machine

pytestmark = [pytest.mark.network, pytest.mark.xdist_group("deb")]  # one worker builds it

LIB = "/usr/lib/chroot-tool"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package; lintian has looked at it, else it would not be there."""
    folder = tmp_path_factory.mktemp("deb")
    subprocess.run([CHECKOUT / "dev", "deb", folder], check=True, capture_output=True)
    [made] = folder.glob("*.deb")
    return made


AGAIN = """
set -eu
here=$1 bin=$2
. "$here/.pkg/setup.sh"
. "$here/.pkg/deb.sh"
lintian() { :; }  # it is to be the same to the byte, and at those it has looked
build_deb "$3"
"""


def test_the_same_sources_are_the_same_package(package: Path, tmp_path: Path) -> None:
    words: list[str | Path] = [
        "sh",
        "-c",
        AGAIN,
        "dev",
        CHECKOUT,
        Path(sys.executable).parent,
        tmp_path,
    ]
    subprocess.run(words, check=True, capture_output=True)
    [again] = tmp_path.glob("*.deb")
    assert again.read_bytes() == package.read_bytes()


def test_it_holds_every_file_of_the_tool(package: Path) -> None:
    listed = subprocess.run(
        ["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True
    ).stdout
    held = {line.split()[5].removeprefix(".") for line in listed.splitlines()}
    own = {
        f"{LIB}/chroot_tool/{path.relative_to(CHECKOUT)}"
        for part in ("app", "core", "widgets")
        for path in (CHECKOUT / part).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    share = "/usr/share"
    beside = {
        f"{share}/bash-completion/completions/chroot-tool",
        f"{share}/zsh/vendor-completions/_chroot-tool",
        f"{share}/fish/vendor_completions.d/chroot-tool.fish",
        f"{share}/polkit-1/actions/io.github.chroot-tool.run.policy",
        *(f"{share}/man/{page}.gz" for page in ("man1/chroot-tool-on.1", "man5/tool.conf.5")),
        "/usr/lib/systemd/system/chroot-tool.target",
        "/usr/lib/systemd/system/chroot-tool@.service",
        "/usr/bin/chroot-tool",
    }
    assert (own | beside) - held == set()
    assert {name for name in held if re.search(r"\.(so|pyc|pth)$", name)} == set()
    # Debian's own changelog points to ours. What is larger than 4 KiB debhelper packs.
    documents = {name.removesuffix(".gz") for name in held if name.startswith(f"{share}/doc/")}
    own_words = ("README.md", "CHANGELOG.md", "SECURITY.md")
    assert {f"{share}/doc/chroot-tool/{name}" for name in own_words} <= documents


def test_every_pin_has_its_licence_told() -> None:
    pins = re.findall(r"^([\w-]+)==\S+ --hash=sha256:[0-9a-f]{64}$", pinned(), re.MULTILINE)
    told = (CHECKOUT / "debian/copyright").read_text()
    assert len(pins) > 5
    assert [pin for pin in pins if f"vendored/{pin.replace('-', '_')}-*" not in told] == []


def test_the_pins_are_what_the_project_asks_for() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    pins = dict(re.findall(r"^([\w-]+)==(\S+) ", pinned(), re.MULTILINE))
    asked = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}
    assert asked.pop("psutil").contains("5.9.4"), "bookworm's"
    assert {name: pins[name] for name in asked if not asked[name].contains(pins[name])} == {}


def pinned() -> str:
    return (CHECKOUT / "debian/vendored.txt").read_text()


def daily() -> list[list[str]]:
    """The commands of the README's table of what is done every day."""
    readme = (CHECKOUT / "README.md").read_text()
    table = readme.partition("\n## Every day\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\|[^|]*\| `chroot-tool ([^`]*)`", table, re.MULTILINE)
    return [shlex.split(row.replace("NAME", "deb")) for row in rows]


@pytest.mark.root
def test_it_is_lived_with(package: Path, base_chroot: Path, chroot: Path, cli: Cli) -> None:
    """Installed, worked with, upgraded, removed and purged: chroots and their mounts stay."""
    (chroot / package.name).write_bytes(package.read_bytes())
    older = f"/older_{package.name}"
    with Machine(chroot, {"/var/cache/chroot-tool": cli.bases}) as machine:
        machine.run("apt-get", "-q", "update")
        made_older(machine, package.name, older)
        # zstd is recommended: a base is packed with it.
        machine.run("apt-get", "-qy", "--no-install-recommends", "install", older, "zstd")
        assert compiled(machine)
        work(machine)
        before = state(machine)

        assert "0.0.1" in machine.says("dpkg-query", "--show", "chroot-tool")
        machine.run("apt-get", "-qy", "install", f"/{package.name}")
        assert "0.0.1" not in machine.says("dpkg-query", "--show", "chroot-tool")
        assert state(machine) == before
        assert '"state": "on"' in machine.says("chroot-tool", "status", "-d", "deb", "--json")

        for way in ("remove", "purge"):
            machine.run("apt-get", "-qy", way, "chroot-tool")
            assert state(machine) == before
            assert machine.says("sh", "-c", f"ls -d {LIB} /usr/bin/chroot-tool || :") == ""
            if way == "remove":
                machine.run("dpkg", "--install", older)


def made_older(machine: Machine, package: str, older: str) -> None:
    """The same package, as of an earlier version."""
    script = f"""
        dpkg-deb -R /{package} /older
        sed -i 's/^Version: .*/Version: 0.0.1/' /older/DEBIAN/control
        dpkg-deb -Znone -b /older {older}
        rm -r /older
    """
    machine.run("sh", "-euc", script)


def compiled(machine: Machine) -> bool:
    """Whether what a start imports was compiled when it was installed, and a start adds nothing."""
    find = ("find", LIB, "-name", "*.pyc", "-path", "*chroot_tool*")
    there = machine.says(*find)
    machine.run("chroot-tool", "list")
    return "/app/__pycache__/main." in there and machine.says(*find) == there


def work(machine: Machine) -> None:
    """Do what the README does every day, and leave one that is on."""
    machine.run("mkdir", "-p", "/home/me/src", "/srv/chroot", "/var/lib/machines")
    for words in daily():
        if words[0] == "run":  # what is to be made there, and with what
            machine.run("mkdir", "/srv/chroot/deb/src")
            machine.run("ln", "-s", "/bin/true", "/srv/chroot/deb/usr/local/bin/make")
        words += ["--yes"] if words[0] == "delete" else []  # else a terminal has its name typed
        # Without systemd nothing can be enabled; what the doctor finds is this machine's affair.
        code = {"enable": 1, "doctor": None}.get(words[0], 0)
        assert machine.run("chroot-tool", *words, given="exit\n", code=code).returncode in (0, 1)
    assert machine.says("ls", "/srv/chroot") == ""
    machine.run("chroot-tool", "create", "-d", "deb")
    machine.run("chroot-tool", "on", "-d", "deb")


def state(machine: Machine) -> tuple[str, str]:
    """What is mounted, and the files of the chroot."""
    files = "find /srv/chroot -xdev -printf '%p %i %m %T@\\n' | sort"
    return machine.says("cat", "/proc/self/mountinfo"), machine.says("sh", "-c", files)
