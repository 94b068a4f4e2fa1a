"""A chroot in the words of other tools; what schroot has in ours. tests/real/test_others.py runs
what can be run of it."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from pathlib import Path

import pytest

from chroot_tool.core.config import exported, schroot_files
from chroot_tool.core.config.bind import CHROOT_TOML, make
from chroot_tool.core.config.chroot_toml_values import RunDefaults
from chroot_tool.core.config.merge import Config
from chroot_tool.core.errors import ChrootError, UsageError

CONFIG = Config(
    (
        make("/proc", "/proc"),
        make("/src", "/home/me/my src", origin=CHROOT_TOML),
        make("/data", "/data", "bind", ["ro", "rbind"], origin=CHROOT_TOML),
        make("/cache", None, "tmpfs", ["size=64M"], origin=CHROOT_TOML),
        make("/a:b", "/50%", optional=True, origin=CHROOT_TOML),
        make("/gone", "/gone", ignored=True, origin=CHROOT_TOML),
    ),
    RunDefaults(env=(("A", 'say "hi" 100%'),)),
    "builds packages",
)


def section(text: str) -> tuple[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.read_string(text)
    [name] = parser.sections()
    return name, dict(parser[name])


def test_schroot() -> None:
    name, keys = section(exported.schroot("deb", "/srv/chroot/deb", CONFIG, ["ann"]))
    assert name == "deb"
    assert keys["directory"] == "/srv/chroot/deb"
    assert keys["users"] == "ann"
    assert keys["setup.fstab"] == "chroot-tool/deb.fstab"
    plain = section(exported.schroot("deb", "/x", Config(())))[1]
    assert plain["description"] == "deb"


def test_what_it_mounts_is_what_schroot_files_reads(tmp_path: Path) -> None:
    """There and back: the binds are the same."""
    (tmp_path / "chroot.d").mkdir()
    (tmp_path / "chroot.d/deb.conf").write_text(exported.schroot("deb", "/x", CONFIG))
    (tmp_path / "chroot-tool").mkdir()
    (tmp_path / "chroot-tool/deb.fstab").write_text(exported.schroot_fstab(CONFIG, resolv=True))
    [found] = schroot_files.read(str(tmp_path))
    assert (found.name, found.kind, found.directory) == ("deb", "directory", "/x")
    said = {bind.target: bind for bind in found.binds}
    assert set(said) == {"/src", "/data", "/cache", "/a:b"}  # not the system's own
    assert said["/src"].source == "/home/me/my src"
    assert said["/data"].read_only
    assert said["/data"].recursive
    assert (said["/cache"].fs, said["/cache"].options) == ("tmpfs", ("size=64M",))


def test_sbuild() -> None:
    text = exported.sbuild("sid", "/srv/chroot/sid", CONFIG, "trixie", "amd64")
    name, keys = section(text)
    assert name == "trixie-amd64-sbuild"
    assert keys["union-type"] == "overlay"  # the chroot stays as it is
    with pytest.raises(ChrootError, match="which suite"):
        exported.sbuild("x", "/x", CONFIG, "", "amd64")


def test_nspawn() -> None:
    lines = exported.nspawn("deb", "/srv/chroot/deb", CONFIG).splitlines()
    assert lines[0].endswith("then, while the chroot is off:")
    assert "Bind=/home/me/my src:/src" in lines
    assert "BindReadOnly=/data:/data" in lines
    assert "TemporaryFileSystem=/cache:size=64M" in lines
    assert "Bind=-/50%:/a\\:b" in lines
    assert """Environment="A=say "'"'"hi"'"'" 100%\"""" in lines
    assert not [line for line in lines if "/proc" in line or "/gone" in line]


@pytest.mark.parametrize("host", ["", "ann@build1"])
def test_ansible(host: str) -> None:
    text = exported.ansible("deb", "/srv/chroot/deb: #1", host)
    comment, *head, name, _ = text.partition("      ansible")[0].split("\n")
    assert comment.startswith("#")
    assert (head, name) == (["all:", "  hosts:"], '    "deb":')
    pairs = [line.strip().split(": ", 1) for line in text.splitlines()[4:]]
    variables = {key: json.loads(value) for key, value in pairs}  # which YAML reads, too
    assert variables["ansible_chroot_path"] == "/srv/chroot/deb: #1"
    assert variables.get("ansible_host", "") == host


def test_a_path_is_no_template_of_ansible() -> None:
    """It may be what a machine has said that is not trusted."""
    path = "/srv/{{ lookup('pipe', 'id') }}"
    line = exported.ansible("deb", path).splitlines()[5]
    assert line == f"      ansible_chroot_path: !unsafe {json.dumps(path)}"


@pytest.mark.parametrize("path", ["/two\nlines", "/srv/x\r"])
def test_what_no_file_can_say_is_refused(path: str) -> None:
    for export in (exported.schroot, exported.nspawn):
        with pytest.raises(ChrootError, match="more than a line"):
            export("deb", path, CONFIG)


def test_a_name_is_one_that_the_tools_take() -> None:
    assert section(exported.schroot("..my deb/[x]", "/x", CONFIG))[0] == "my-deb--x"


@pytest.mark.parametrize(("name", "called"), [
    ("dëb ü", "d-b"), ("-.deb.-", "deb"), ("a..b.-c-.d", "a.b.c.d"), ("ü", "chroot"),
    ("", "chroot"), ("x" * 63 + "-y", "x" * 63), ("a_b-1.2", "a_b-1.2"),
])  # fmt: skip
def test_a_name_is_one_of_a_machine(name: str, called: str) -> None:
    assert f"--machine={called} " in exported.nspawn(name, "/x", CONFIG)
    assert section(exported.schroot(name, "/x", CONFIG))[0] == called


@pytest.mark.parametrize("path", ["/B/$(id)", "/my 'deb'", "/a;b", "/a`b`"])
def test_a_command_in_a_comment_can_be_pasted(path: str) -> None:
    text = exported.schroot("x", path, CONFIG) + exported.nspawn("x", path, CONFIG)
    commands = re.findall(r"^#.*?((?:chroot-tool export|systemd-nspawn) .*)$", text, re.MULTILINE)
    words = [shlex.split(command.partition(" | ")[0]) for command in commands]
    assert words == [
        ["chroot-tool", "export", "schroot", "--fstab", "-d", path],
        ["systemd-nspawn", "--machine=x", f"--directory={path}"],
    ]


def test_those_of_one_suite_are_told_apart_by_a_name() -> None:
    """Two sections of one name are an error of all of schroot's chroots."""
    usual = exported.sbuild("a", "/a", CONFIG, "sid", "amd64")
    assert section(usual)[0] == "sid-amd64-sbuild"
    assert "#   sbuild --chroot-mode=schroot -d sid PACKAGE.dsc\n" in usual
    named = exported.sbuild("b", "/b", CONFIG, "sid", "amd64", called="sid-2")
    assert section(named)[0] == "sid-2"
    assert named.startswith("# For /etc/schroot/chroot.d/sid-2.conf; then:\n")
    assert "#   sbuild --chroot-mode=schroot -d sid -c sid-2 PACKAGE.dsc\n" in named
    name, keys = section(exported.schroot("my deb", "/b", CONFIG, called="other"))
    assert (name, keys["setup.fstab"]) == ("other", "chroot-tool/other.fstab")


@pytest.mark.parametrize("called", ["a]b", "-x", "x.", "a/b", "x" * 65, "a\nb"])
def test_a_name_that_they_would_not_take_is_refused(called: str) -> None:
    for export in (exported.schroot, exported.nspawn):
        with pytest.raises(UsageError, match="is no name"):
            export("deb", "/x", CONFIG, called=called)


def test_schroot_without_chroots(tmp_path: Path) -> None:
    with pytest.raises(ChrootError, match="has no chroots"):
        schroot_files.read(str(tmp_path))
    (tmp_path / "schroot.conf").write_text("type=directory\n")
    with pytest.raises(ChrootError, match=r"schroot\.conf: "):
        schroot_files.read(str(tmp_path))
