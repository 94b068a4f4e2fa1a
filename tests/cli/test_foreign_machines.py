"""What another machine says of its chroots is foreign, too: its states and tags are only text."""

from __future__ import annotations

from argparse import Namespace
from types import SimpleNamespace

import pytest

from chroot_tool.app.cli import plain
from chroot_tool.app.cli.verbs import module_of
from chroot_tool.core.diagnosis.finding import PROBLEM, Finding
from chroot_tool.core.looking.status import BROKEN, ChrootStatus
from chroot_tool.core.remote import documents
from support.samples import HOSTILE, NOW, hostile_chroot


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_line_is_a_line_whatever_its_state_and_tags(text: str) -> None:
    one = hostile_chroot(text).replace(state=text, tags=(text, text))
    other = one.replace(state="on")
    said = [*module_of("status").lines(one, NOW), *module_of("list").lines([one])]
    said += [plain.sentence(one), *plain.changes(one, other), *plain.changes(other, one)]
    assert [line for line in said if not line.isprintable()] == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_doctor_there_says_of_a_check_is_a_line(text: str) -> None:
    for line in module_of("doctor").lines(Finding(text, PROBLEM, text, text, text)):
        assert line.isprintable()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_tag_there_is_a_line(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verb = module_of("tag")
    there = SimpleNamespace(config=lambda _: SimpleNamespace(tags=(text,)))
    monkeypatch.setattr(verb, "chroot_of", lambda _: (there, "/b/deb"))
    verb.execute(Namespace(action="list", tags=[], json=False))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.isprintable()


def test_a_state_that_is_none_is_not_taken_over() -> None:
    said = {"name": "deb", "path": "/b/deb", "state": "\x1b]0;x\x07"}
    found: ChrootStatus = documents.decode(said, ChrootStatus)
    assert found.state == BROKEN
    assert documents.decode(said | {"state": "partial"}, ChrootStatus).state == "partial"
