"""`-H` and `HOST:DIR` are passed over by no verb: it asks that machine, or says that it can't."""

from __future__ import annotations

from pathlib import Path

import pytest

from chroot_tool.app.cli.verbs import SUMMARIES
from support import Cli

HERE_ALONE = {
    "import": ("import", "schroot", "--dry-run"),
    "schema": ("schema", "json"),
    "completion": ("completion", "bash"),
    "help": ("help", "create"),
    "deploy": ("deploy", "two"),
    "sudoers": ("sudoers", "root"),
    "report": ("report",),
    "export": ("export", "schroot"),
}
_WORDS = {
    "run": ("run", "true"), "base": ("base", "list"), "bind": ("bind", "list"),
    "tag": ("tag", "list"), "snapshot": ("snapshot", "list"), "trash": ("trash", "list"),
    "clone": ("clone", "new"), "rename": ("rename", "new"), "delete": ("delete", "--yes"),
    "pack": ("pack", "-f", "none/x.tar.zst"), "unpack": ("unpack", "-f", "/dev/null"),
}  # fmt: skip
_WITHOUT_A_DIR = {"base", "list", "trash"}
_GOES_ON = {"watch", "serve"}
"""The one tries again and again, the other asks when it is asked."""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with what ssh was asked for; nobody is reached by it."""
    said, program = tmp_path / "asked", tmp_path / "bin/ssh"
    said.touch()
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >>{said}\nexit 255\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/sbin:/usr/bin:/sbin:/bin")
    return said


@pytest.mark.parametrize("verb", HERE_ALONE)
def test_what_is_of_this_machine_alone_says_so(cli: Cli, asked: Path, verb: str) -> None:
    done = cli("-H", "one", *HERE_ALONE[verb])
    said = done.stderr.splitlines()
    assert (done.returncode, done.stdout, len(said)) == (2, "", 2), done.stderr
    assert said[1].startswith("hint: ")
    assert asked.read_text() == ""


@pytest.mark.parametrize("verb", sorted(SUMMARIES.keys() - HERE_ALONE.keys() - _GOES_ON))
def test_every_other_asks_that_machine(cli: Cli, asked: Path, verb: str) -> None:
    words = _WORDS.get(verb, (verb,))
    given = [("-H", "one", *words)]
    if verb not in _WITHOUT_A_DIR:
        given.append((*words, "-d", "one:deb"))
    for one in given:
        asked.write_text("")
        done = cli(*one)
        assert done.returncode != 0
        assert " one " in asked.read_text(), done.stderr
