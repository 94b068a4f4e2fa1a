"""The collection as its users get it: the archive, what it says of itself, and what it is for."""

from __future__ import annotations

import json
import re
import tarfile

import pytest

from chroot_tool import __version__
from support import CHECKOUT
from support.fleet import Ansible, Installed

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]


def test_the_archive_holds_the_collection_and_nothing_else(ansible_installed: Installed) -> None:
    source = CHECKOUT / "ansible"
    ours = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and not re.search(r"__pycache__|_cache/", str(path))
    }
    with tarfile.open(ansible_installed.archive) as archive:
        names = {entry.name for entry in archive if entry.isfile()}
    assert names == ours - {"galaxy.yml"} | {"MANIFEST.json", "FILES.json"}


def test_its_version_is_that_of_the_tool(ansible_installed: Installed) -> None:
    manifest = json.loads((ansible_installed.collection / "MANIFEST.json").read_text())
    assert manifest["collection_info"]["version"] == __version__


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("module", "chroot"),
        ("module", "chroot_run"),
        ("connection", "chroot"),
        ("inventory", "chroots"),
    ],
)
def test_each_plugin_is_documented_as_it_is(ansible: Ansible, kind: str, name: str) -> None:
    full = f"chroot_tool.chroots.{name}"
    done = ansible("ansible-doc", "--json", "-t", kind, full)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)[full]
    assert document["doc"]["short_description"]
    for option in document["doc"]["options"].values():
        assert option["description"]
    if kind == "module":
        assert document["return"]
        assert [task for task in document["examples"].split("\n") if task.startswith("- name: ")]


def test_an_unknown_option_and_a_wrong_one_are_refused(ansible: Ansible) -> None:
    """What is documented is what is taken: Ansible itself compares nothing."""
    for name in ("chroot", "chroot_run"):
        full = f"chroot_tool.chroots.{name}"
        said = ansible.ok("ansible-doc", "--json", "-t", "module", full)
        documented = set(json.loads(said)[full]["doc"]["options"])
        result = ansible.module("localhost", full, path="x", cmd="x", nonsense=1)
        supported = re.search(r"Supported parameters include: (.*)\.", result["msg"])
        assert supported is not None, result
        taken = set(re.sub(r"\s*\([^)]*\)", "", supported[1]).split(", "))
        assert documented == taken
