"""What is foreign is looked at before it is used, and binds are compared: without Ansible."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from support import CHECKOUT


def _plugin(name: str) -> Any:
    """A module of the collection that knows no Ansible."""
    sys.path.insert(0, str(CHECKOUT / "ansible/plugins"))
    try:
        return importlib.import_module(name)
    finally:
        del sys.path[0]


answers = _plugin("plugin_utils.answers")
asking = _plugin("plugin_utils.asking")
binds = _plugin("module_utils.binds")

GOOD = {"name": "deb", "path": "/srv/chroot/deb", "state": "on", "os": "Debian 12 (bookworm)"}


def read(*entries: object) -> Any:
    return answers.read(json.dumps(entries).encode())


def test_a_good_answer() -> None:
    [found] = read(GOOD).chroots
    assert (found.name, found.path, found.state) == ("deb", "/srv/chroot/deb", "on")
    assert found.suite == "bookworm"


@pytest.mark.parametrize(
    "before", [b"Welcome to build-1\n", b"[motd]\r\n\n\xff\x1b[2J\n", b"{}\n[]\n"]
)
def test_what_a_shell_says_before_is_passed_over(before: bytes) -> None:
    [found] = answers.read(before + json.dumps([GOOD]).encode() + b"\n\n").chroots
    assert found.name == "deb"


@pytest.mark.parametrize(
    ("system", "suite"),
    [
        ("Debian GNU/Linux 12 (bookworm)", "bookworm"),
        ("Debian GNU/Linux trixie/sid", "trixie"),
        ("Alpine Linux v3.20", ""),
        ("x ({{ bad }})", ""),
        ("", ""),
    ],
)
def test_the_suite_is_a_word_or_none(system: str, suite: str) -> None:
    assert read(GOOD | {"os": system}).chroots[0].suite == suite


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a b"},
        {"name": "all:!x"},
        {"name": "-o"},
        {"name": "{{ lookup('pipe', 'id') }}"},
        {"name": "a\n"},
        {"name": "x[1:9]"},
        {"name": "../x"},
        {"name": "ü"},
        {"name": 7},
        {"name": None},
        {"name": "a" * 5000},
        {"path": "relative"},
        {"path": "/a\x1b[2J"},
        {"path": "/a\udcff"},
        {"path": "/" + "a" * 5000},
        {"path": ["/a"]},
        {"state": "on\nx"},
        {"state": "{{ 1 }}"},
        {"state": 1},
    ],
    ids=str,
)
def test_what_is_no_name_no_path_and_no_state_is_refused_alone(wrong: dict[str, Any]) -> None:
    answer = read(GOOD, GOOD | {"name": "other"} | wrong, "text", None)
    assert [one.name for one in answer.chroots] == ["deb"]
    assert len(answer.refused) == 3
    assert all(why.isprintable() and len(why) < 2000 for why in answer.refused)


def test_two_of_one_name_are_one() -> None:
    assert [one.path for one in read(GOOD, GOOD | {"path": "/x"}).chroots] == ["/srv/chroot/deb"]


@pytest.mark.parametrize(
    "data",
    [b"", b"[]\nWelcome!", b"{}", b"null", b"[" * 100_000, b"\xff", b'[{"name":', b"[1e999999]x"],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_no_list_is_no_answer(data: bytes) -> None:
    with pytest.raises(answers.NoAnswerError) as caught:
        answers.read(data)
    assert str(caught.value).isprintable()


def test_more_than_a_host_can_have_is_no_answer() -> None:
    with pytest.raises(answers.NoAnswerError):
        read(*[GOOD] * 10_001)


def ask(script: str, seconds: float = 20.0, most: int = 1000) -> bytes:
    return bytes(asking.ask(["/bin/sh", "-c", script], seconds=seconds, most=most))


def test_a_program_is_heard_to_its_end() -> None:
    assert ask("echo said; echo not this >&2") == b"said\n"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("yes", "without end"),
        ("yes >&2", "in time"),
        ("sleep 100", "in time"),
        ("exec >&- 2>&-; sleep 100", "in time"),
        ("sleep 100 & echo", "in time"),
        ("printf 'no\\033[2J way\\n' >&2; exit 3", r"no\?\[2J way"),
        ("echo 'chroot-tool: why' >&2; echo 'hint: x' >&2; exit 1", "why"),
        ("exit 7", "code 7"),
    ],
)
def test_who_talks_without_end_or_not_at_all_is_not_waited_for(script: str, says: str) -> None:
    with pytest.raises(answers.NoAnswerError, match=says):
        ask(script, seconds=0.2 if "time" in says else 20.0)


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(answers.NoAnswerError, match="No such file"):
        asking.ask([str(tmp_path / "none")], seconds=1, most=1)


def entry(**given: Any) -> Any:
    return binds.wanted({"target": "/a"} | given)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"source": "/a"}),
        ({}, {"target": "//a/./"}),
        ({}, {"options": ["private"]}),
        ({"options": ["nosuid,ro"]}, {"options": ["ro", "nosuid"]}),
        ({"fs": "bind-ro"}, {"options": ["ro"]}),
        ({"fs": "tmpfs"}, {"fs": "tmpfs", "options": ["nodev", "noexec", "nosuid"]}),
        ({"ignored": True}, {"ignored": True, "source": "/b"}),
    ],
)
def test_entries_that_mount_the_same_are_the_same(one: Any, other: Any) -> None:
    assert entry(**one) == entry(**other)
    assert binds.edits([entry(**one)], [entry(**other)], purge=True) == []


@pytest.mark.parametrize(
    "other",
    [{"source": "/b"}, {"options": ["ro"]}, {"options": ["slave"]}, {"optional": True},
     {"ignored": True}, {"fs": "tmpfs"}, {"options": ["rbind"]}],
)  # fmt: skip
def test_entries_that_do_not_are_changed(other: Any) -> None:
    [edit] = binds.edits([entry()], [entry(**other)], purge=False)
    assert (edit.before, edit.after) == (entry(), entry(**other))


def test_what_is_not_wanted_goes_last_and_only_by_purge() -> None:
    have, want = [entry(), entry(target="/b")], [entry(target="/c")]
    assert [e.after and e.after.target for e in binds.edits(have, want, purge=True)] == [
        "/c", None, None,
    ]  # fmt: skip
    assert len(binds.edits(have, want, purge=False)) == 1


def test_what_the_tool_lists_is_what_was_wanted() -> None:
    listed = {
        "target": "/a", "source": "/a", "fs": "bind", "options": ["ro", "private"],
        "origin": "chroot.toml", "line": 3, "optional": False, "ignored": False,
    }  # fmt: skip
    assert binds.present([listed, listed | {"origin": "system"}]) == [entry(options=["ro"])]
