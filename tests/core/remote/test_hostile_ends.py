"""An other end that is silent, or says more than anybody can take: it is bounded, and is told."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.remote import answers, connection, contract, lines, remote_engine
from chroot_tool.core.remote.answers import Answers
from chroot_tool.core.remote.connection import Connection, ConnectionLostError
from chroot_tool.core.remote.remote_engine import RemoteEngine, RemoteFollowing
from support import wait_until
from support.other_end import HELLO

_START = f"import json, sys, time\nprint({json.dumps(json.dumps(HELLO))}, flush=True)\n"
Other = Callable[[str], Connection]


@pytest.fixture
def other() -> Iterator[Other]:
    """Starts one that greets and then does what Python's source says."""
    opened: list[Connection] = []

    def start(source: str) -> Connection:
        opened.append(Connection((sys.executable, "-c", _START + source), "there"))
        return opened[-1]

    yield start
    for one in opened:
        one.close(wait=0)


def test_one_that_greets_and_is_silent_is_given_up(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_QUIET", 0.1)
    monkeypatch.setattr(connection, "_SILENT", 0.3)
    silent = other("time.sleep(1000)")
    silent.greet()
    flags = (None, threading.Event())
    for flag in flags:
        with pytest.raises(ConnectionLostError, match="there: the connection was lost: nothing"):
            silent.ask("list", {}, lambda _found, _size: None, flag)
    assert silent.lost.is_set(), "who asks next connects anew"


ANSWER = """
number = json.loads(sys.stdin.readline())["id"]
print(json.dumps({"id": number, "event": "done", "result": "found"}), flush=True)
time.sleep(1000)
"""
BANNER = 'Welcome to build1\x1b[2J\n{"not": ours}\n\n{"event": "motd"}\n'


def test_what_a_shell_says_before_is_passed_over(other: Other) -> None:
    before = f"import sys; sys.stdout.write({BANNER!r} * 50)\n"
    argv = (sys.executable, "-c", before + _START + ANSWER)
    welcoming = Connection(argv, "there")
    try:
        welcoming.greet()
        assert welcoming.ask("list", {}, lambda _found, _size: None) == "found"
    finally:
        welcoming.close(wait=0)


@pytest.mark.slow
def test_one_that_says_too_much_before_is_none() -> None:
    lines = "".join(f"line {number}\n" for number in range(300))
    source = f"import sys, time\nsys.stdout.write({lines!r})\nsys.stdout.flush()\ntime.sleep(1000)"
    argv = (sys.executable, "-c", source)
    talking = Connection(argv, "there")
    with pytest.raises(ChrootError) as error:
        talking.greet()
    assert error.value.message.startswith("there: line 200")


HALF = """
number = json.loads(sys.stdin.readline())["id"]
sys.stdout.write('{"id": %d, "event": "do' % number)
sys.stdout.flush()
"""


@pytest.mark.parametrize(
    ("then", "why"), [("", "it ended without a word"), ("time.sleep(1000)", "nothing has come")]
)
def test_half_an_answer_is_none(
    other: Other, monkeypatch: pytest.MonkeyPatch, then: str, why: str
) -> None:
    monkeypatch.setattr(connection, "_QUIET", 0.1)
    monkeypatch.setattr(connection, "_SILENT", 0.3 if then else 3000.0)
    halving = other(HALF + then)
    halving.greet()
    with pytest.raises(ConnectionLostError, match=f"the connection was lost: {why}"):
        halving.ask("list", {}, lambda _found, _size: None)
    assert halving.lost.is_set()


def test_one_that_works_for_long_is_waited_for(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers a ping, or it is an older one that takes it for no request."""
    monkeypatch.setattr(connection, "_QUIET", 0.1)
    monkeypatch.setattr(connection, "_SILENT", 3000.0)
    pings = "[sys.stdin.readline() for _ in range(5)]"
    busy = other(f"""
asked, *pings = {pings}
assert all(json.loads(one)["ping"] for one in pings), pings
print(json.dumps({{"id": json.loads(asked)["id"], "event": "done", "result": "found"}}), flush=True)
time.sleep(1000)
""")
    busy.greet()
    assert busy.ask("list", {}, lambda _found, _size: None) == "found"


@pytest.mark.slow
@pytest.mark.parametrize(
    "says", [{"event": "pong"}, {"id": 1, "event": "stage", "chroot": "/b/deb", "stage": "x"}]
)
def test_a_look_that_goes_on_and_on_is_given_up(
    other: Other, monkeypatch: pytest.MonkeyPatch, says: dict[str, Any]
) -> None:
    monkeypatch.setattr(connection, "_QUIET", 0.1)
    monkeypatch.setattr(remote_engine, "_LONGEST_LOOK", 0.5)
    source = f"while True: print({json.dumps(says)!r}, flush=True), time.sleep(0.02)"
    engine = RemoteEngine(lambda: other(source), lambda words: ("true", *words))
    with pytest.raises(ChrootError, match="there: list takes longer than 0 s"):
        engine.of().list()


NEWER = """
number = json.loads(sys.stdin.readline())["id"]
for one in ({"event": "moon", "phase": "full"}, {"event": "done", "result": []}):
    print(json.dumps({"id": number, **one}), flush=True)
time.sleep(1000)
"""


def test_an_event_that_is_not_known_yet_is_passed_over(other: Other) -> None:
    engine = RemoteEngine(lambda: other(NEWER), lambda words: ("true", *words))
    assert engine.of().list() == ()


BUSY = """
number = json.loads(sys.stdin.readline())["id"]
assert json.loads(sys.stdin.readline()) == {"cancel": number}
for one in range(50):
    assert json.loads(sys.stdin.readline())["ping"]
    print('{"event": "pong"}', flush=True)
print(json.dumps({"id": number, "event": "done", "result": "found"}), flush=True)
time.sleep(1000)
"""


def test_one_that_was_stopped_and_is_only_there_is_left_alone(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was at hangs in a file system that is gone, say; it answers each ping."""
    monkeypatch.setattr(connection, "_QUIET", 0.1)
    monkeypatch.setattr(connection, "_SILENT", 3000.0)
    monkeypatch.setattr(connection, "_TAKING_BACK", 0.3)
    busy = other(BUSY)
    busy.greet()
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(ConnectionLostError, match="there: clone was stopped") as error:
        busy.ask("clone", {}, lambda _found, _size: None, stopped)
    assert "look before you ask again" in error.value.hint


def test_what_is_a_look() -> None:
    brief = {name for name in contract.names() if contract.method(name).is_brief}
    assert brief >= {"list", "status", "locate", "binds.files", "bases.list", "plan_on"}
    assert not brief & {"on", "create", "run_captured", "bases.prune", "sizes.get"}


def test_what_comes_faster_than_it_is_taken_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST", 100)
    one = Answers()
    put: list[int] = []

    def listen() -> None:
        for number in range(9):
            one.put({"number": number}, 40)
            put.append(number)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    wait_until(lambda: len(put) == 2)
    listener.join(0.2)
    assert len(put) == 2
    assert one.get(1) == ({"number": 0}, 40)
    wait_until(lambda: len(put) == 3)
    one.close()
    listener.join(30)
    assert not listener.is_alive(), "nobody takes any more"
    with pytest.raises(TimeoutError):
        one.get(0)


ENDLESS = """
number = json.loads(sys.stdin.readline())["id"]
for one in range(10 ** 9):
    chroot = {"name": str(one), "path": f"/b/{one}", "state": "off", "os": "%s"}
    print(json.dumps({"id": number, "event": "chroot", "chroot": chroot}))
"""


@pytest.mark.parametrize(
    ("most", "many", "text"), [("_MOST_CHROOTS", 50, "x"), ("_MOST_BYTES", 1 << 20, "x" * 50_000)]
)
def test_endless_chroots_are_the_connections_fault(
    other: Other, monkeypatch: pytest.MonkeyPatch, most: str, many: int, text: str
) -> None:
    monkeypatch.setattr(remote_engine, most, many)
    engine = RemoteEngine(lambda: other(ENDLESS % text), lambda words: ("true", *words))
    following = RemoteFollowing(engine)
    try:
        seen = following.snapshot()
        assert seen.problem is not None
        assert "too much" in seen.problem.message
        assert "tried again" in seen.problem.hint
        assert seen.chroots == ()
    finally:
        following.close()


def test_a_chroot_that_is_told_of_is_at_a_path(other: Other) -> None:
    source = ENDLESS.replace("/b/{one}", "other:/b/{one}") % "x"
    engine = RemoteEngine(lambda: other(source), lambda words: ("true", *words))
    following = RemoteFollowing(engine)
    try:
        seen = following.snapshot()
        assert seen.problem is not None
        assert "is no path" in seen.problem.message
        assert seen.chroots == ()
    finally:
        following.close()


@pytest.mark.parametrize("line", ["[],", "{},", "0,"])
def test_a_line_of_too_many_values_ends_it(
    other: Other, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(lines, "MOST", 1000)
    endless = other(f"""
asked = json.loads(sys.stdin.readline())
print('{{"id": 1, "event": "done", "result": [' + {line!r} * 1001 + "0]}}", flush=True)
time.sleep(1000)
""")
    endless.greet()
    with pytest.raises(ChrootError, match="more than 1000 values"):
        endless.ask("list", {}, lambda _found, _size: None)


def test_a_request_of_too_many_values_is_none(tmp_path: Any) -> None:
    from chroot_tool.core.local_engine import LocalEngine
    from chroot_tool.core.remote.server import Server

    source, sink = tmp_path / "in", tmp_path / "out"
    source.write_text('{"ping": 1}\n{"x": [' + "[]," * lines.MOST + "0]}\n")
    with source.open("rb") as asked, sink.open("wb") as said:
        Server(LocalEngine(str(tmp_path)), asked.fileno(), said.fileno(), version="9").serve()
    found = [json.loads(line) for line in sink.read_text().splitlines()]
    assert [one["event"] for one in found] == ["hello", "pong", "error"]
    assert "values" in found[2]["message"]
