"""What the hosts of a fleet say and nobody has read yet has a bound."""

from __future__ import annotations

import queue
import threading

import pytest

from chroot_tool.app.cli import fleet_host
from chroot_tool.app.cli.fleet_host import OUT, Member, Said
from chroot_tool.core.remote.inventory import Target
from support import wait_until


def test_a_host_that_says_more_than_is_told_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_host, "_MOST_WAITING", 3)
    said = Said()
    member = Member(Target("one"), said)
    put: list[int] = []

    def talk() -> None:
        for number in range(5):
            member.say(OUT, str(number))
            put.append(number)

    talker = threading.Thread(target=talk, daemon=True)
    talker.start()
    wait_until(lambda: len(put) == 3)
    talker.join(0.2)
    assert len(put) == 3
    said.wake()  # never waits
    told = [said.get(30) for _ in range(6)]
    assert sorted(line for who, _, line in told if who is member) == list("01234")
    assert sum(who is None for who, _, _ in told) == 1
    with pytest.raises(queue.Empty):
        said.get(0.01)


def test_of_its_errors_the_last_are_kept() -> None:
    member = Member(Target("one"), Said())
    member.errors.extend(str(number) for number in range(10_000))
    assert len(member.errors) == 200
    assert member.errors[-1] == "9999"


def test_a_document_that_is_taken_before_its_host_has_ended_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fleet_host, "open_target", lambda *_, **__: None)
    member = Member(Target("one"), Said())
    taken = threading.Event()

    def do(_host: str, _engine: object) -> int:
        assert taken.wait(30)
        return 0

    how = {"json": True, "is_look": False}
    working = threading.Thread(target=member.work, args=(do, "", 0), kwargs=how)
    working.start()
    member.result = ["deb"]  # as the main thread does with a line that `do` has printed
    taken.set()
    working.join(30)
    assert member.result == ["deb"]
