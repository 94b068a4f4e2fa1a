"""A chroot in the words of other tools; what schroot has in ours. tests/real/test_others.py runs
what can be run of it."""

from __future__ import annotations

import configparser
import json
from pathlib import Path

import pytest

from chroot_tool.core.config import exported, schroot_files
from chroot_tool.core.config.bind import CHROOT_TOML, make
from chroot_tool.core.config.chroot_toml import RunDefaults
from chroot_tool.core.config.merge import Config
from chroot_tool.core.errors import ChrootError

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
    assert "Bind=/home/me/my src:/src" in lines
    assert "BindReadOnly=/data:/data" in lines
    assert "TemporaryFileSystem=/cache:size=64M" in lines
    assert "Bind=-/50%%:/a\\:b" in lines
    assert 'Environment="A=say \\"hi\\" 100%%"' in lines
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


@pytest.mark.parametrize("path", ["/two\nlines", "/srv/x\r"])
def test_what_no_file_can_say_is_refused(path: str) -> None:
    for export in (exported.schroot, exported.nspawn):
        with pytest.raises(ChrootError, match="more than a line"):
            export("deb", path, CONFIG)


def test_a_name_is_one_that_the_tools_take() -> None:
    assert section(exported.schroot("..my deb/[x]", "/x", CONFIG))[0] == "my-deb--x-"


def test_schroot_without_chroots(tmp_path: Path) -> None:
    with pytest.raises(ChrootError, match="has no chroots"):
        schroot_files.read(str(tmp_path))
    (tmp_path / "schroot.conf").write_text("type=directory\n")
    with pytest.raises(ChrootError, match=r"schroot\.conf: "):
        schroot_files.read(str(tmp_path))
