"""Checks run beside each other: within a bound, told of as they come, none holding up another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from chroot_tool.core.diagnosis.all_checks import CHECKS, checks_of
from chroot_tool.core.diagnosis.check import HOST, Check, run
from chroot_tool.core.diagnosis.finding import OK, PROBLEM, WARNING, Finding, Found, ok, warning
from chroot_tool.core.diagnosis.subject import Subject
from chroot_tool.core.errors import Cancelled, ChrootError
from chroot_tool.core.events import Event
from support.doctor import host

Look = Callable[[Subject], Iterable[Finding]]


def check(name: str, look: Look, seconds: float = 20.0) -> Check:
    return Check(name, "", look, (HOST,), seconds)


def fine(_subject: Subject) -> Iterator[Finding]:
    yield ok("fine")


def test_each_finding_has_the_name_of_its_check_and_is_reported_once() -> None:
    told: list[Event] = []
    found = run((check("one", fine), check("two", fine)), host(), told.append)
    assert sorted(one.check for one in found) == ["one", "two"]
    assert told == [Found("", one) for one in found]


def test_a_slow_check_holds_back_no_other_and_is_a_problem_when_its_time_is_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, others = threading.Event(), threading.Event()
    monkeypatch.setattr(time, "monotonic", lambda: 30.0 if others.is_set() else 0.0)

    def hangs(_subject: Subject) -> Iterator[Finding]:
        gate.wait(60)
        yield ok("at last")

    def report(event: Event) -> None:
        assert isinstance(event, Found)
        if event.finding.check == "quick":
            others.set()
        else:
            assert others.is_set()

    try:
        found = run((check("slow", hangs), check("quick", fine)), host(), report)
    finally:
        gate.set()
    by_name = {one.check: one for one in found}
    assert by_name["quick"].severity == OK
    assert by_name["slow"].severity == PROBLEM
    assert "no answer" in by_name["slow"].found


@pytest.mark.parametrize(
    ("error", "severity", "text"),
    [
        (ChrootError("can't be seen", "look"), WARNING, "can't be seen"),
        (FileNotFoundError(2, "No such file", "/x"), WARNING, "/x: No such file"),
        (KeyError("oops"), PROBLEM, "unexpected KeyError"),
    ],
)
def test_a_check_that_fails_is_a_finding(error: Exception, severity: str, text: str) -> None:
    def breaks(_subject: Subject) -> Iterator[Finding]:
        raise error
        yield

    (found,) = run((check("broken", breaks),), host())
    assert found.severity == severity
    assert text in found.found


@pytest.mark.parametrize(("count", "told"), [(20, 20), (21, 21), (22, 21), (9000, 21)])
def test_of_very_many_findings_the_rest_is_counted(count: int, told: int) -> None:
    def many(_subject: Subject) -> Iterator[Finding]:
        for number in range(count):
            yield warning(f"stray {number}", mends=number == count - 1)

    found = run((check("stray", many),), host())
    assert len(found) == told
    if count > told:
        assert (found[-1].found, found[-1].severity) == (f"and {count - 20} more", WARNING)
        assert found[-1].mends


def test_it_can_be_interrupted_while_a_check_hangs() -> None:
    gate, cancelled = threading.Event(), threading.Event()

    def hangs(_subject: Subject) -> Iterator[Finding]:
        cancelled.set()
        gate.wait(60)
        yield ok("too late")

    try:
        with pytest.raises(Cancelled):
            run((check("slow", hangs, 60.0),), host(), cancelled=cancelled)
    finally:
        gate.set()


def test_names_are_short_and_stand_once() -> None:
    names = [one.name for one in CHECKS]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 13
    assert all(one.about and one.of for one in CHECKS)


def test_those_of_a_chroot_are_not_those_of_the_host() -> None:
    assert "mirror" in {one.name for one in checks_of("")}
    assert "mirror" not in {one.name for one in checks_of("/srv/chroot/deb")}
    assert "drift" not in {one.name for one in checks_of("")}
