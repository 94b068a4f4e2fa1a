"""The Debian package: what is in it, and built again to the same bytes.

tests/real/test_installed_package.py lives with it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support import CHECKOUT

pytestmark = [pytest.mark.network, pytest.mark.xdist_group("deb")]  # one worker builds both

LIB = "/usr/lib/chroot-tool"


BUILD = """
set -eu
here=$1 bin=$2
. "$here/.pkg/setup.sh"
. "$here/.pkg/deb.sh"
lintian() { :; }
build_deb "$3"
"""
"""`./dev deb` but for lintian, half of the work: the same bytes have the same faults."""


def test_the_same_sources_are_the_same_package(package: Path, tmp_path: Path) -> None:
    words: list[str | Path] = [
        "sh",
        "-c",
        BUILD,
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
        if path.is_file() and "__pycache__" not in path.parts
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
