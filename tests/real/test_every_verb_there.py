"""Every verb on another machine, by `-H` and by `HOST:DIR`: what it does is done there.

What the daily table has is in test_hosts.py, what goes between machines in test_between_hosts.py.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from chroot_tool.app import run_history
from support import Cli, mounts_below
from support.fleet import tiny_archive
from support.kept_base import base_name, keep
from support.own_units import own_units
from support.ssh_hosts import SshHost, SshHosts
from support.users import users

pytestmark = [pytest.mark.root, pytest.mark.slow]


class There(NamedTuple):
    """The command line here, and one machine, with a chroot `deb`, said in one of two ways."""

    cli: Cli
    hosts: SshHosts
    one: SshHost
    how: str

    def __call__(self, name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Do it, on the chroot *name* where that is not ""."""
        at = ("-d", name if self.how == "-H" else f"one:{name}") if name else ()
        before = ("-H", "one") if self.how == "-H" or not name else ()
        return self.cli(*before, *words, *at, env=self.hosts.environment())

    def ok(self, name: str, *words: str | Path) -> str:
        done = self(name, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def states(self) -> dict[str, str]:
        return {one["name"]: one["state"] for one in json.loads(self.ok("", "list", "--json"))}


@pytest.fixture(params=["-H", "HOST:DIR"])
def there(
    request: pytest.FixtureRequest, cli: Cli, hosts: SshHosts, tiny_template: Path
) -> Iterator[There]:
    (one,) = hosts.add("one")
    subprocess.run(["cp", "-a", tiny_template, one.base / "deb"], check=True)
    yield There(cli, hosts, one, request.param)
    for root in one.base.iterdir():
        if mounts_below(root):
            cli.ok("off", "-S", "--kill", "-d", root)


def test_the_words_of_the_chroot(there: There) -> None:
    root = there.one.base / "deb"
    for code, word in enumerate(("start", "stop", "restart", "update")):
        script = root / "chroot.d" / word
        script.write_text(f"#!/bin/sh\necho {word}ed; exit {code}\n")
        script.chmod(0o755)
        done = there("deb", word)
        assert (done.returncode, done.stdout) == (code, f"{word}ed\n"), done.stderr
    assert mounts_below(root)


def test_names_states_and_tags(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", there.cli.environment()["XDG_STATE_HOME"])
    base = there.one.base
    for place in (
        f"one:{base}/deb",
        f"{base}/deb",
    ):  # the one there, and one that is called so here
        run_history.remember(f"of {place}", place)
    there.ok("deb", "tag", "add", "build")
    assert there.ok("deb", "tag", "list") == "build\n"
    there.ok("deb", "snapshot", "before")
    (base / "deb/later").touch()
    assert [one["name"] for one in json.loads(there.ok("deb", "snapshot", "list", "--json"))] == [
        "before"
    ]
    there.ok("deb", "rename", "other")
    assert there.states() == {"other": "off"}
    there.ok("other", "snapshot", "restore", "before", "--discard")
    assert not (base / "other/later").exists()
    there.ok("other", "snapshot", "remove", "before")
    assert there.ok("other", "snapshot", "list", "--json") == "[]\n"
    assert run_history.commands(f"one:{base}/other") == (f"of one:{base}/deb",)
    there.ok("other", "rename", "deb")
    there.ok("deb", "delete", "--yes", "--trash", "7")
    assert there.states() == {}
    assert [one["name"] for one in json.loads(there.ok("", "trash", "list", "--json"))] == ["deb"]
    there.ok("", "trash", "restore", "deb")
    assert there.states() == {"deb": "off"}
    there.ok("deb", "delete", "--yes")
    assert run_history.commands(f"one:{base}/deb") == ()
    assert run_history.commands(f"{base}/deb") == (f"of {base}/deb",)


def test_a_new_name_may_be_said_with_its_machine(there: There) -> None:
    """As the UI logs what `R` has done."""
    there.ok("deb", "rename", f"one:{there.one.base}/other")
    assert there.states() == {"other": "off"}
    there.ok("other", "rename", "one:deb")
    assert there.states() == {"deb": "off"}
    refused = there("deb", "rename", "two:other")
    assert (refused.returncode, "chroot-tool clone" in refused.stderr) == (2, True)
    assert there.states() == {"deb": "off"}


def test_what_one_is_made_of_is_there(there: There, tiny_template: Path, tmp_path: Path) -> None:
    """What is here may be called so there, too, and be another's."""
    archive = tiny_archive(tiny_template, tmp_path / "tiny.tar")
    for source in ("tiny.tar", "-", "two:/tiny.tar", "one:tiny.tar", "oci:image", "dir:x/y"):
        refused = there("new", "create", "--from", source)
        assert refused.returncode == 2, source
        assert f"--from {source} would be looked for where the chroot is made" in refused.stderr
    missing = there("new", "create", "--from", "/none/tiny.tar")
    assert "\nchroot-tool: one:/none/tiny.tar does not exist\n" in missing.stderr
    there.ok("new", "create", "--from", archive)
    there.ok("newer", "create", "--from", f"one:{archive}")
    assert there.states() == {"deb": "off", "new": "off", "newer": "off"}


def test_at_boot_users_and_bases(there: There, tmp_path: Path) -> None:
    root = there.one.base / "deb"
    with own_units(tmp_path / "units") as units:
        there.ok("deb", "enable")
        assert list(units.glob("chroot-tool.target.wants/*deb.service"))
        there.ok("deb", "disable")
        assert not list(units.glob("chroot-tool.target.wants/*"))
    with users(tmp_path / "etc", "ann"):
        there.ok("deb", "adopt", "-u", "ann")
    assert "\nann:" in (root / "etc/passwd").read_text()

    bases = tmp_path / "bases"
    keep(str(bases), str(root))
    program = there.one.bin / "chroot-tool"
    program.write_text(program.read_text().replace("exec ", f"CHROOT_TOOL_CACHE={bases}; exec ", 1))
    assert [one["name"] for one in json.loads(there.ok("", "base", "list", "--json"))] == [
        base_name()
    ]
    there.ok("", "base", "remove", base_name())
    assert there.ok("", "base", "list", "--json") == "[]\n"
