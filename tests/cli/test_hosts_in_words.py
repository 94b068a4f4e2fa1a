"""`--hosts`: what is asked of each host is what the options say, and --plain is without a table."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from chroot_tool.app.cli import commands, fleet, plain
from chroot_tool.app.cli.fleet import Asked
from chroot_tool.app.cli.fleet_host import ENDED
from chroot_tool.core.process import Listener, OpenFile
from chroot_tool.core.remote import inventory
from chroot_tool.core.remote.inventory import Group, Target
from support.samples import CHROOTS, DEB12, HOSTILE


@pytest.mark.parametrize(("words", "found"), [
    (["--tag", "wanted"], (DEB12,)),
    (["--tag", "none"], ()),
    ([], CHROOTS),
])  # fmt: skip
def test_a_tag_counts_on_many_hosts_too(
    words: list[str], found: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = tuple(one.replace(tags=("wanted",) if one is DEB12 else ()) for one in CHROOTS)
    names = [one.name for one in CHROOTS if one in found]
    asked: list[Callable[[str, Any], Any]] = []

    def across(_asked: Asked, do: Callable[[str, Any], Any], **_: object) -> int:
        asked.append(do)
        return 0

    monkeypatch.setattr(fleet, "across", across)
    assert commands.main(["list", "--hosts", "builders", *words], "list") == 0
    engine = SimpleNamespace(list=lambda: every)
    assert [one.name for one in asked[0]("one", engine)] == names


def test_outcomes_are_sentences_where_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    group = Group((Target("one"), Target("two")), ())
    monkeypatch.setattr(inventory, "read", lambda *_: group)
    monkeypatch.setattr("chroot_tool.app.cli.fleet_host.Member.work", _work)
    fleet.across(Asked("x", "", "", "", json=False, plain=True), lambda *_: 0)
    assert capsys.readouterr().out.splitlines() == ["one: ok", "two: failed, it is broken"]
    fleet.across(Asked("x", "", "", "", json=False), lambda *_: 0)
    assert capsys.readouterr().out.split()[:2] == ["HOST", "OUTCOME"]


def _work(member: Any, *_: object, **__: object) -> None:
    if member.name == "two":
        member.say("error", "it is broken")
    member.say(ENDED, "0" if member.name == "one" else "1")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_open_is_said_in_sentences(text: str) -> None:
    listening = [Listener(text, text, 7, text)]
    opened = [OpenFile(7, text, text, text)]
    said = plain.opened(listening, opened)
    assert len(said) == 2
    assert all(line.isprintable() for line in said)
    assert plain.opened([Listener("tcp", "0.0.0.0:22", 7, "sshd -D")],
                        [OpenFile(7, "3", "file", "/var/log/x")]) == [
        "listening tcp 0.0.0.0:22: process 7, sshd -D",
        "process 7 has 3 open: file /var/log/x",
    ]  # fmt: skip
