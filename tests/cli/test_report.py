"""`report`: what a report of a bug needs, and no name of anybody or anything."""

from __future__ import annotations

import getpass
import os
import re
from pathlib import Path

from chroot_tool import __version__
from support import Cli

SECRETS = ("alice", "secretproject", "/home/alice", "buildhost", "ouroption", "ourfs")


def made(base: Path, name: str) -> Path:
    root = base / name
    for folder in ("chroot.d", "bin", "etc"):
        (root / folder).mkdir(parents=True)
    (root / "bin/sh").touch()
    (root / "etc/os-release").write_text('PRETTY_NAME="alice\'s own"\nVERSION_CODENAME=alice\n')
    (root / "chroot.d/tool.conf").write_text(
        "[bind]\nsrc:/home/alice/x tgt:/alice\nsrc:none tgt:/f fs:ourfs opt:ouroption=alice\n"
    )
    return root


def test_it_tells_kinds_and_versions_and_names_nobody(cli: Cli, tmp_path: Path) -> None:
    settings = tmp_path / "config/chroot-tool/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('hosts = ["buildhost"]\ndock = 40\n')
    root = made(tmp_path / "base", "secretproject")
    made(tmp_path / "base", "alice")
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "TERM": "xterm-256color",
           "COLORTERM": "/home/alice"}  # fmt: skip
    text = cli.ok("report", "-d", root, "--base", tmp_path / "base", env=env)
    assert f"chroot-tool {__version__}" in text
    assert "TERM=xterm-256color" in text
    assert "changed: dock hosts" in text
    assert "2: 2 off" in text
    assert "missing another type tool.conf ?,?" in text or "another type" in text
    machine = os.uname()
    names = {*SECRETS, str(tmp_path), machine.nodename, os.path.expanduser("~")}
    if getpass.getuser() != "root":
        names.add(getpass.getuser())
    # A host may be called what a distribution is called.
    told = re.sub(r"(?m)^  (debian|Linux).*$", "", text)
    assert [name for name in names if len(name) > 2 and name in told] == []
    assert "Traceback" not in text


def test_it_is_there_where_things_are_broken(cli: Cli, tmp_path: Path) -> None:
    settings = tmp_path / "config/chroot-tool/settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("dokc = 1\n")
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    text = cli.ok("report", "--base", tmp_path / "base", env=env)
    assert "1 errors" in text


def test_of_what_is_no_chroot_there_is_none(cli: Cli, tmp_path: Path) -> None:
    done = cli("report", "-d", tmp_path)
    assert done.returncode == 1
