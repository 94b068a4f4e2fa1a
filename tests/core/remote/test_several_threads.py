"""What another thread does just then: ends it, leaves it, becomes root."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.errors import ChrootError, Problem
from chroot_tool.core.looking.snapshot import Snapshot
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.remote.connection import _AT_A_TIME, Connection, ConnectionLostError
from chroot_tool.core.remote.machines import Machines
from chroot_tool.core.remote.remote_engine import RemoteEngine
from support import PATIENCE, wait_until
from support.other_end import HELLO

LAST_WORDS = """
import os, sys
print(sys.argv[1], flush=True)
sys.stdin.readline()
os.close(1)
sys.stdin.readline()
print("its disk is gone", file=sys.stderr)
"""


BLOCKS = """
import os, sys
sys.path[:0] = {path!r}
from chroot_tool.core.remote.server import Server

class Blocks:
    base = "/b"

    def run_captured(self, path, words, *, report, cancelled):
        os.close(os.open(words[0], os.O_CREAT))
        while not os.path.exists(path) and not cancelled.wait(0.02):
            pass
        return 7

    def scripts(self, path):
        return (path,)

Server(Blocks(), 0, 1, version="9").serve()
"""


class Sees:
    """An engine, and what follows the chroots there, that sees one base."""

    def __init__(self, base: str) -> None:
        self.base = base

    def snapshot(self) -> Snapshot:
        return Snapshot(self.base)

    def follow(self) -> Sees:
        return self

    def of(self) -> Sees:
        return self

    def connection(self) -> None: ...

    def wake(self) -> None: ...

    def close(self) -> None: ...


def test_who_is_forgotten_before_it_has_answered_is_followed_no_more() -> None:
    """Its thread waited for the word of the end, of which the first look had heard already."""
    refuse = threading.Event()

    def connect() -> Connection:
        refuse.wait()
        raise ChrootError("refused")

    machines = Machines(Sees("/b").of(), (), lambda _: RemoteEngine(connect, tuple))  # type: ignore[arg-type]
    machines.follow()
    machines.add("silent")

    def following() -> list[threading.Thread]:
        return [one for one in threading.enumerate() if one.name == "follow silent"]

    (thread,) = following()
    onlooker: Any = machines._onlookers[0]
    changed = onlooker._others["silent"]._changed
    wait_until(lambda: changed._cond._waiters)  # the first look waits for an answer
    machines.remove("silent")
    refuse.set()
    thread.join(60)
    assert not thread.is_alive()


def test_who_is_forgotten_by_two_is_so_once() -> None:
    closed: list[str] = []

    class Closes(Sees):
        def close(self) -> None:
            closed.append(self.base)

    other: Any = Closes("/there")
    machines = Machines(Sees("/b").of(), ("build1",), lambda _: other)  # type: ignore[arg-type]
    machines.remove("build1")
    machines.remove("build1")
    assert machines.names == ()
    wait_until(lambda: closed == ["/there"])


def test_what_is_seen_late_on_another_machine_is_told_with_its_name() -> None:
    class Late(Sees):
        def snapshot(self) -> Snapshot:
            return Snapshot(self.base, late=Problem("no inotify left", "raise it"))

        def wait(self) -> None:
            ended.wait()

    ended = threading.Event()
    other: Any = Late("/there")
    machines = Machines(Sees("/b").of(), ("build1",), lambda _: other)  # type: ignore[arg-type]
    following = machines.follow()
    try:
        wait_until(lambda: following.snapshot().late)
        late = following.snapshot().late
        assert late
        assert (late.message, late.hint) == ("build1: no inotify left", "raise it")
    finally:
        following.close()
        ended.set()


@pytest.mark.parametrize("unseen", [True, False])
def test_a_machine_where_not_all_can_be_seen_is_only_looked_at(*, unseen: bool) -> None:
    class Looks(Sees):
        def snapshot(self) -> Snapshot:
            there = (ChrootStatus("deb", "/there/deb", "off", unseen=unseen),)
            return Snapshot(self.base, there)

        def wait(self) -> None:
            ended.wait()

    ended = threading.Event()
    other: Any = Looks("/there")
    machines = Machines(Sees("/b").of(), ("build1",), lambda _: other)  # type: ignore[arg-type]
    following = machines.follow()
    try:
        wait_until(lambda: following.snapshot().chroots)
        (seen,) = following.snapshot().machines
        assert (seen.answers, seen.looks_only) == (True, unseen)
    finally:
        ended.set()
        following.close()


def test_where_root_was_missing_another_try_is_another_connection() -> None:
    """Where a rule was given meanwhile the one there went on without, until the UI was left."""
    made: list[Connection] = []
    says = "import sys; print(sys.argv[1], flush=True); sys.stdin.read()"

    def connect() -> Connection:
        hello = json.dumps({**HELLO, "root": bool(made)})
        made.append(Connection([sys.executable, "-c", says, hello], "build1"))
        return made[-1]

    engine = RemoteEngine(connect, tuple)
    machines = Machines(Sees("/b").of(), ("build1",), lambda _: engine)  # type: ignore[arg-type]
    following = machines.follow()
    try:
        wait_until(lambda: engine.is_open)
        assert not engine.is_root
        machines.retry("build1")
        wait_until(lambda: engine.is_open and engine.is_root)
        machines.retry("build1")
        assert engine.is_open
        assert len(made) == 2
    finally:
        following.close()
        for one in made:
            one.close(wait=0)


def test_who_is_closed_begins_to_follow_nothing_more() -> None:
    followed: list[str] = []

    class Counted(Sees):
        def follow(self) -> Sees:
            followed.append(self.base)
            return self

    counted: Any = Counted("/there")
    machines = Machines(Sees("/b").of(), (), lambda _: counted, lambda: counted)  # type: ignore[arg-type]
    machines.follow().close()
    machines.add("build1")
    machines.rise()
    assert followed == []


def test_who_becomes_root_while_somebody_begins_to_follow_is_followed_as_root() -> None:
    class Here(Sees):
        def follow(self) -> Sees:
            machines.rise()
            return self

    here: Any = Here("/as-oneself")
    root: Any = Sees("/as-root")
    machines = Machines(here, (), lambda _: root, lambda: root)
    assert machines.follow().snapshot().base == "/as-root"


def test_a_connection_that_is_left_meanwhile_can_be_ended() -> None:
    """By who takes the signals of a fleet, while the host's own thread is done with it."""
    closed: list[float] = []

    class Left:
        def __bool__(self) -> bool:
            engine._connection = None
            return True

        def close(self, wait: float) -> None:
            closed.append(wait)

    def connect() -> Connection:
        raise ChrootError("nobody asks for it")

    engine: Any = RemoteEngine(connect, tuple)
    engine._connection = Left()
    engine.close(wait=False)
    assert closed == [0.0]


def test_who_has_not_answered_yet_is_ended_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection.close, "__defaults__", (1e6,))
    one = Connection(("sleep", "1000"), "silent")
    program = one._program
    assert program
    ending = threading.Thread(target=one.close, daemon=True)
    ending.start()
    try:
        ending.join(PATIENCE)
        assert not ending.is_alive()
        assert program.poll() == -signal.SIGTERM
    finally:
        program.kill()


def test_who_waits_for_one_that_cannot_be_ended_waits_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As pkexec, which is root's, while its window is open; a thread would outlive the UI so."""
    one = Connection(("sleep", "1000"), "as root", ask=True)
    program = one._program
    assert program

    def refuse() -> None:
        raise PermissionError

    monkeypatch.setattr(program, "terminate", refuse)
    said: list[str] = []

    def greet() -> None:
        try:
            one.greet()
        except ChrootError as error:
            said.append(error.message)

    waiting = threading.Thread(target=greet, daemon=True)
    waiting.start()
    try:
        one.close()
        waiting.join(PATIENCE)
        assert (waiting.is_alive(), len(said)) == (False, 1)
        assert program.poll() is None
    finally:
        program.kill()
        program.wait()


def test_why_a_connection_was_lost_is_told_also_where_that_comes_after_its_end() -> None:
    one = Connection((sys.executable, "-c", LAST_WORDS, json.dumps(HELLO)), "there")
    one.greet()
    lost = one.lost
    wait = one._ears.join

    def let_it_speak(timeout: float | None = None) -> None:
        assert lost.is_set()
        os.write(one._stdin.fileno(), b"\n")
        wait((timeout or 1) * 60)

    one._ears.join = let_it_speak  # type: ignore[method-assign]
    try:
        with pytest.raises(ConnectionLostError, match="its disk is gone"):
            one.ask("list", {}, lambda *_: None)
    finally:
        one.close()


def test_more_than_the_other_takes_at_a_time_wait_for_their_turn(tmp_path: Path) -> None:
    """As `o` with a hundred marked chroots; what is only looked at does not wait behind them."""
    script = BLOCKS.format(path=sys.path)
    engine = RemoteEngine(
        lambda: Connection((sys.executable, "-c", script), "there"), lambda words: tuple(words)
    )
    there = engine.of()
    there.scripts("/first")
    go, flags = str(tmp_path / "go"), [threading.Event() for _ in range(100)]

    def run(number: int) -> int | str:
        try:
            begun = str(tmp_path / f"begun {number}")
            return there.run_captured(go, (begun,), cancelled=flags[number])
        except ChrootError as error:
            return error.message

    def begun() -> set[int]:
        return {int(one.name.split()[1]) for one in tmp_path.glob("begun *")}

    with ThreadPoolExecutor(len(flags)) as pool:
        try:
            found = [pool.submit(run, number) for number in range(len(flags))]
            wait_until(lambda: len(begun()) >= _AT_A_TIME)
            assert there.scripts("/b/deb") == ("/b/deb",)
            stopped = min(set(range(len(flags))) - begun())
            flags[stopped].set()
            assert found[stopped].result(PATIENCE) == "stopped by you"
        finally:
            Path(go).touch()
        results = [one.result(PATIENCE) for one in found]
    assert begun() == set(range(len(flags))) - {stopped}, "who was stopped was not asked for"
    assert [results[number] for number in sorted(begun())] == [7] * (len(flags) - 1)
    engine.close()
