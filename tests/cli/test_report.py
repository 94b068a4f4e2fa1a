"""`report`: what a report of a bug needs, and no name of anybody or anything."""

from __future__ import annotations

import getpass
import os
import re
from pathlib import Path

import pytest

from chroot_tool import __version__
from chroot_tool.app.cli import known_words as known
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


@pytest.mark.slow
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
    names = {*SECRETS, str(tmp_path), os.path.expanduser("~")}
    # A host may be called what a distribution is called, or what is part of a word.
    told = re.sub(r"(?m)^  (debian|Linux).*$", "", text)
    assert [name for name in names if len(name) > 2 and name in told] == []
    words = {os.uname().nodename, getpass.getuser()} - {"root"}
    assert [w for w in words if re.search(rf"(?<![\w-]){re.escape(w)}(?![\w-])", told)] == []
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
    assert (done.returncode, done.stdout) == (1, "")
    assert "is no chroot" in done.stderr


@pytest.mark.slow
def test_of_the_environment_it_quotes_known_words_alone(cli: Cli, tmp_path: Path) -> None:
    env = {"LANG": "alice", "LC_ALL": "bob@corp.example", "COLORTERM": "buildhost",
           "TERM": "secretproject", "NO_COLOR": "carol"}  # fmt: skip
    text = cli.ok("report", "--base", tmp_path, env=env)
    assert [word for word in (*env.values(), "bob", "corp") if word in text] == []
    assert {f"  {name}=another" for name in env if name != "NO_COLOR"} <= set(text.splitlines())
    assert "  NO_COLOR=(set)" in text


@pytest.mark.parametrize(
    "text", ["C", "C.UTF-8", "POSIX", "de_DE.UTF-8", "en_US.utf8", "ja_JP.eucJP", "fr_FR@euro", ""]
)
def test_a_locale_is_told(text: str) -> None:
    assert known.locale(text) == text


@pytest.mark.parametrize("text", ["ann", "bob_DE", "de_DE.corp", "de_DE.UTF-8@ann", "C\n"])
def test_what_only_looks_like_a_locale_is_not_told(text: str) -> None:
    assert known.locale(text) == "another"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('PRETTY_NAME="x"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=alice\n', "debian 12"),
        ("ID=ubuntu\nVERSION_ID='24.04'\n", "ubuntu 24.04"),
        ("ID=alice\nVERSION_ID=bob\n", "another distribution"),
        ("ID=debian\nVERSION_ID=12-corp\n", "debian"),
        ("", "another distribution"),
    ],
)
def test_of_a_distribution_its_known_name_and_number_are_told(text: str, told: str) -> None:
    assert known.distribution(text) == told


def test_of_versions_what_its_builder_added_is_left_out() -> None:
    assert known.kernel("6.18.44-fc-v669") == "6.18.44"
    assert known.kernel("corp") == "?"
    assert known.version("8.2.0rc1+corp.example") == "8.2.0rc1"
    assert known.version("3.13.5 (main)") == "3.13.5"
