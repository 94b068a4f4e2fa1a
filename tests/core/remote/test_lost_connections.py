"""A connection that is lost: told, tried again with growing pauses, and nothing is done twice."""

from __future__ import annotations

import errno
import json
import queue
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.errors import ChrootError, Problem
from chroot_tool.core.looking.snapshot import Snapshot
from chroot_tool.core.remote import connection, remote_engine
from chroot_tool.core.remote.connection import Connection, ConnectionLostError
from chroot_tool.core.remote.remote_engine import RemoteEngine, RemoteFollowing
from support import wait_until
from support.other_end import HELLO

ONCE = """
import sys
print(sys.argv[1], flush=True)
with open(sys.argv[2], "a") as asked:
    asked.write(sys.stdin.readline())
"""


def pauses(connect: Callable[[], Connection], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The first ones between what is tried, of which the longest is the last of three."""
    monkeypatch.setattr(remote_engine, "_PAUSES", (0.01, 0.02, 0.04))
    tried: list[float] = []
    engine = RemoteEngine(connect, tuple)
    following = RemoteFollowing(engine)
    wait = following._again.wait

    def noted(pause: float) -> bool:
        tried.append(pause)
        return wait(pause)

    monkeypatch.setattr(following._again, "wait", noted)
    wait_until(lambda: len(tried) > 4)
    following.close()
    following._thread.join()
    engine.close()
    problem = following.snapshot().problem
    assert problem
    assert " · tried again in " in problem.hint
    return tried


@pytest.mark.parametrize("seconds", [0, 0.05], ids=["at once", "later than the longest pause"])
def test_each_pause_is_longer_up_to_a_bound(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes to be refused: as by one that takes a connection and says nothing."""

    def connect() -> Connection:
        time.sleep(seconds)
        raise ChrootError("there: refused", "look at it")

    tried = pauses(connect, monkeypatch)
    assert tried[-1] == 0.04
    assert tried == sorted(tried)


STOOD = """
import sys, time
print(sys.argv[1], flush=True)
sys.stdin.readline()
time.sleep(0.1)
"""


def test_after_one_that_stood_for_longer_than_that_it_is_the_shortest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    argv = (sys.executable, "-c", STOOD, json.dumps(HELLO))
    assert set(pauses(lambda: Connection(argv, "there"), monkeypatch)) == {0.01}


def test_what_was_under_way_is_asked_for_once(tmp_path: Path) -> None:
    """Nobody knows how far it came; who asks anew is connected anew."""
    asked = tmp_path / "asked"
    opened: list[Connection] = []

    def connect() -> Connection:
        argv = (sys.executable, "-c", ONCE, json.dumps(HELLO), str(asked))
        opened.append(Connection(argv, "there"))
        return opened[-1]

    engine = RemoteEngine(connect, tuple)
    for count in (1, 2):
        with pytest.raises(ConnectionLostError, match="the connection was lost") as error:
            engine.of().on("/b/deb")
        assert "look before you ask again" in error.value.hint
        lines = [json.loads(line) for line in asked.read_text().splitlines()]
        assert [one["do"] for one in lines] == ["on"] * count
        assert len(opened) == count
    engine.close()


def test_where_no_descriptor_is_left_it_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote_engine, "_PAUSES", (3600.0,))

    def connect() -> Connection:
        raise OSError(errno.EMFILE, "Too many open files")

    following = RemoteFollowing(RemoteEngine(connect, tuple))
    problem = following.snapshot().problem
    following._take({"event": "seen", "problem": None, "late": {"message": "no inotify"}}, 0)
    assert following.snapshot() == Snapshot("", late=Problem("no inotify"))
    following._take({"event": "seen", "problem": None}, 0)  # of one that is older
    assert following.snapshot() == Snapshot("")
    following.close()
    assert problem == Problem("cannot connect: Too many open files", "tried again in 3600 s")


def test_an_interrupt_before_the_other_has_answered_ends_what_was_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ssh asks for a password on the terminal, say, and would take what is typed there next."""
    connection = Connection(("sleep", "1000"), "there")
    program = connection._program
    assert program is not None

    class Interrupted(queue.SimpleQueue[Any]):
        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            raise KeyboardInterrupt

    monkeypatch.setattr(connection, "_first", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        connection.greet()
    assert program.returncode is not None


LISTENS = """
import sys, threading
def chatter():
    while True:
        print("debug3: a word", file=sys.stderr, flush=True)
if "chatty" in sys.argv:
    threading.Thread(target=chatter, daemon=True).start()
print(sys.argv[1], flush=True)
with open(sys.argv[2], "a", buffering=1) as heard:
    for line in sys.stdin:
        heard.write(line)
        print('{"event": "done", "id": 1, "result": []}', flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["quiet", "chatty"])  # of ssh, with LogLevel DEBUG3
def test_the_other_hears_of_who_asks_nothing(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is not heard of, where they have said that they would be, is taken for gone."""
    alive = connection._ALIVE
    monkeypatch.setattr(connection, "_ALIVE", 0.02 if way == "quiet" else 0.3)
    heard = tmp_path / "heard"
    argv = (sys.executable, "-c", LISTENS, json.dumps(HELLO), str(heard), way)
    engine = RemoteEngine(lambda: Connection(argv, "there"), lambda words: tuple(words))
    engine.of().list()
    [asked] = [one for one in map(json.loads, heard.read_text().splitlines()) if "do" in one]
    assert asked["heard_within"] > 2 * alive
    wait_until(lambda: heard.read_text().count('{"ping": 1}') > 2)
    engine.close()
