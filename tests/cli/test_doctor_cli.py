"""What `doctor` prints: aligned, within 80 columns, safe, its state never by colour alone."""

from __future__ import annotations

import sys

import pytest

from chroot_tool.app import json_fields
from chroot_tool.app.cli.verbs.doctor import Told, is_coloured, lines, summary
from chroot_tool.app.json_fields import event
from chroot_tool.app.progress_lines import Narrator
from chroot_tool.core.diagnosis.finding import (
    NOTE,
    OK,
    PROBLEM,
    SEVERITIES,
    WARNING,
    Finding,
    Found,
)
from support import Cli

LONG = "what is found here is longer than one line of a terminal has room for, and goes on below"


def test_a_finding_has_its_meaning_and_its_mend_below_it() -> None:
    one = Finding("drift", WARNING, "/tmp is not mounted", "on mounts it", "chroot-tool on", True)
    assert lines(one) == [
        "! warning  drift          /tmp is not mounted",
        "                          on mounts it",
        "                          → chroot-tool on (--mend does it)",
    ]


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("coloured", [True, False])
def test_nothing_is_wider_than_the_terminal(severity: str, coloured: bool) -> None:
    one = Finding("configuration", severity, LONG, LONG, LONG, True)
    said = [
        line.replace("\x1b[0m", "").partition("m")[2] if line.startswith("\x1b") else line
        for line in lines(one, 80, coloured=coloured)
    ]
    assert max(map(len, said)) <= 80
    assert severity in said[0]
    assert {line[:26].strip() for line in said[1:]} <= {""}
    assert ("\x1b" in lines(one, 80, coloured=coloured)[0]) is coloured


def test_whoever_reads_no_more_stops_no_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(json_fields, "write", gone)
    report = Told(Narrator(json=True), json=True)
    for _ in range(2):
        report(Found("/b/deb", Finding("drift", OK, "")))


def test_where_all_is_well_one_line_says_so() -> None:
    assert lines(Finding("shm", OK, "fine", "never said", "never done")) == [
        "✓ ok       shm            fine"
    ]


def test_what_a_chroot_contains_can_not_act_on_the_terminal() -> None:
    one = Finding("stray", PROBLEM, "/\x1b[31m\n x", "\x9b", "\x07")
    assert not set("\x1b\x9b\x07") & set("".join(lines(one)))


@pytest.mark.parametrize(
    ("counts", "mends", "expected"),
    [
        ({PROBLEM: 0, WARNING: 0, NOTE: 0, OK: 9}, False, "nothing is in the way: 9 ok"),
        ({PROBLEM: 1, WARNING: 2, NOTE: 1, OK: 9}, False, "1 problem, 2 warnings; 9 ok, 1 note"),
        (
            {PROBLEM: 0, WARNING: 1, NOTE: 0, OK: 9},
            True,
            "1 warning; 9 ok\nchroot-tool doctor --mend -d deb mends what is safe",
        ),
    ],
)
def test_the_last_line(counts: dict[str, int], mends: bool, expected: str) -> None:
    assert summary(counts, mends, "deb") == expected


def test_as_json_a_finding_is_flat() -> None:
    found = Finding("shm", OK, "fine")
    assert event(Found("/x", found)) == {
        "event": "finding", "chroot": "/x", "check": "shm", "severity": "ok", "found": "fine",
        "meaning": "", "mend": "", "mends": False,
    }  # fmt: skip


@pytest.mark.parametrize("words", [("-d", ""), ("-d", "/nowhere/at/all")])
def test_a_chroot_that_is_none_is_an_error(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli("doctor", *words)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("chroot-tool: ")
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("terminal", "variables", "coloured"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {}, False),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, variables: dict[str, str], coloured: bool
) -> None:
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert is_coloured() is coloured
