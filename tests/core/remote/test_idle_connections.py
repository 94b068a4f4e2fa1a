"""Connections that are kept for the next look: used again, by one at a time, and ended in time."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.remote import connection, idle_connections
from chroot_tool.core.remote.connection import Connection
from chroot_tool.core.remote.idle_connections import Idle, Keeper, keep, take
from chroot_tool.core.remote.remote_engine import RemoteEngine
from support import PATIENCE, Cli, descriptors, kill, wait_until

KEY = b"there"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A path for the socket, short enough for one; who keeps connections by it is killed."""
    monkeypatch.setattr(idle_connections, "_PATIENCE", PATIENCE)
    monkeypatch.setattr(connection, "_HELD_UP", PATIENCE)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = f"{folder}/idle"
        yield path
        with suppress(OSError):  # nobody listens there
            idle_connections._connected(path).close()
            its_keeper(path)
        kill(keepers(path))


def keepers(place: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            found += [process.pid] if process.cmdline()[-1:] == [place] else []
        except psutil.Error:
            continue
    return found


def its_keeper(place: str) -> int:
    """Wait for the one that keeps connections there: exec(2) returns before its words are told."""
    wait_until(lambda: keepers(place))
    [pid] = keepers(place)
    return pid


class Looks:
    """Looks at the chroots of one machine, whose chroot-tool is a program here."""

    def __init__(self, cli: Cli, base: Path, place: str) -> None:
        self.place = place
        self.started: list[Connection] = []
        self._argv = (
            "env", "-i", *(f"{name}={value}" for name, value in cli.environment().items()),
            *map(os.fsdecode, cli.argv("--base", base, "serve", "--json")),
        )  # fmt: skip

    def engine(self) -> RemoteEngine:
        def connect() -> Connection:
            if idle := take(self.place, KEY):
                return Connection(idle, "there")
            self.started.append(Connection(self._argv, "there"))
            return self.started[-1]

        return RemoteEngine(connect, tuple, keep=lambda idle: keep(self.place, KEY, idle))

    def __call__(self) -> list[str]:
        engine = self.engine()
        found = [one.name for one in engine.of().list()]
        engine.leave()
        return found


def _program(connection: Connection) -> subprocess.Popen[bytes]:
    assert connection._program
    return connection._program


@pytest.fixture
def looks(cli: Cli, tmp_path: Path, place: str) -> Looks:
    for name in ("arch", "deb"):
        (tmp_path / name / "chroot.d").mkdir(parents=True)
    return Looks(cli, tmp_path, place)


def test_the_next_look_goes_on_with_it(looks: Looks) -> None:
    for _ in range(5):
        assert looks() == ["arch", "deb"]
    assert len(looks.started) == 1
    assert its_keeper(looks.place)


@pytest.mark.slow
def test_of_many_at_once_each_has_one_of_its_own(looks: Looks) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(looks) for _ in range(64)]
    assert [one.result() for one in found] == [["arch", "deb"]] * 64
    # All but the last that was left are ended.
    wait_until(lambda: sum(_program(one).poll() is None for one in looks.started) == 1)


def test_what_was_left_takes_nothing_of_this_process(looks: Looks) -> None:
    looks()

    def taken() -> tuple[int, int]:
        return len(descriptors()), threading.active_count()

    wait_until(lambda: not any(one.name == "from there" for one in threading.enumerate()))
    engines, before = [], taken()
    for _ in range(5):
        engine = looks.engine()
        engine.of().list()
        engine.leave()
        engines.append(engine)  # as those of a fleet are kept until the end
    # What earlier tests have left may go meanwhile: it is no more than before.
    wait_until(lambda: all(now <= was for now, was in zip(taken(), before, strict=True)))
    assert len(looks.started) == 1


def test_after_a_minute_another_is_started(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    looks()
    monkeypatch.setattr(connection, "SECONDS", 0.0)
    looks()  # with the one that there is, which is not left any more
    assert len(looks.started) == 1
    _program(looks.started[0]).wait(PATIENCE)
    looks()
    assert len(looks.started) == 2


def test_where_it_went_wrong_it_is_ended(looks: Looks) -> None:
    engine = looks.engine()
    with pytest.raises(ChrootError):
        engine.of().status("/nowhere")
    engine.leave()
    assert _program(looks.started[0]).poll() is not None
    assert take(looks.place, KEY) is None
    assert looks() == ["arch", "deb"]


def test_what_ended_meanwhile_is_not_taken(looks: Looks) -> None:
    looks()
    program = _program(looks.started[0])
    program.kill()
    program.wait()
    assert looks() == ["arch", "deb"]
    assert len(looks.started) == 2


def test_with_who_keeps_it_it_ends(looks: Looks) -> None:
    looks()
    kill([its_keeper(looks.place)])
    _program(looks.started[0]).wait(PATIENCE)
    assert looks() == ["arch", "deb"]
    assert len(looks.started) == 2


def test_who_keeps_it_and_does_not_answer_holds_up_nobody(
    looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks()
    monkeypatch.setattr(idle_connections, "_PATIENCE", 0.1)
    psutil.Process(its_keeper(looks.place)).suspend()
    assert looks() == ["arch", "deb"]
    assert len(looks.started) == 2


class Pipes:
    """An idle connection without a program: pipes, and this test at their other ends."""

    def __init__(self) -> None:
        (read, self.stdin), (self.stdout, write), (self.stderr, errors) = (
            os.pipe() for _ in range(3)
        )
        self.stdin_there, self.stdout_there, self.stderr_there = read, write, errors
        self.program = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        pidfd = os.pidfd_open(self.program.pid)
        self.idle = Idle((self.stdin, self.stdout, self.stderr, pidfd), b"{}")

    def has_ended(self) -> bool:
        """Whether nobody has the end that is written to, so that the program would end."""
        ready = select.select([self.stdin_there], [], [], 0)[0]
        return bool(ready) and os.read(self.stdin_there, 1) == b""


@pytest.fixture
def kept(place: str) -> Iterator[Pipes]:
    """One that is kept at `place`, and nowhere else."""
    pipes = Pipes()
    keep(place, KEY, pipes.idle)
    pipes.idle.let_go()
    yield pipes
    for fd in (pipes.stdin_there, pipes.stdout_there, pipes.stderr_there):
        os.close(fd)


def test_it_is_given_once_and_to_who_asks_by_its_name(place: str, kept: Pipes) -> None:
    assert take(place, b"elsewhere") is None
    idle = take(place, KEY)
    assert idle
    assert idle.hello == b"{}"
    os.write(idle.ends[0], b"asked")
    assert os.read(kept.stdin_there, 9) == b"asked"
    assert take(place, KEY) is None
    idle.close()
    assert kept.has_ended()


def test_of_one_that_cannot_be_signalled_nothing_stays_open() -> None:
    def pidfds() -> int:
        names = (f"/proc/self/fd/{fd}" for fd in descriptors())
        return sum("pidfd" in os.readlink(name) for name in names if os.path.islink(name))

    before = pidfds()
    pipes = Pipes()
    pipes.program.communicate()
    one = Connection(pipes.idle.replace(hello=b'{"since": 1}'), "there")
    assert pidfds() == before + 1
    one.close()
    assert pidfds() == before
    for fd in (pipes.stdin_there, pipes.stdout_there, pipes.stderr_there):
        os.close(fd)


@pytest.mark.parametrize("stream", ["stdout_there", "stderr_there"])
def test_a_word_that_nobody_asked_for_ends_it(place: str, kept: Pipes, stream: str) -> None:
    os.write(getattr(kept, stream), b"\x1b[2J")
    wait_until(kept.has_ended)
    # Its program, too, though the other end has not ended.
    assert kept.program.wait(PATIENCE) == -signal.SIGTERM
    assert take(place, KEY) is None


def test_another_of_its_name_takes_its_place(place: str, kept: Pipes) -> None:
    other = Pipes()
    keep(place, KEY, other.idle)
    other.idle.let_go()
    wait_until(kept.has_ended)
    idle = take(place, KEY)
    assert idle
    os.write(idle.ends[0], b"x")
    assert os.read(other.stdin_there, 1) == b"x"
    idle.close()


def test_nonsense_is_answered_by_nothing(place: str, kept: Pipes) -> None:
    for message in (b"", b"t", b"k" + KEY, b"?" * 100, b"t\xff\0"):
        with idle_connections._connected(place) as asking:
            asking.send(message)
            assert asking.recv(9) == b""
    with idle_connections._connected(place):
        pass  # who goes again without a word
    idle = take(place, KEY)
    assert idle
    idle.close()


def test_who_says_too_much_of_itself_is_not_kept(place: str) -> None:
    pipes = Pipes()
    with pytest.raises(OSError, match="too much"):
        keep(place, KEY, Idle(pipes.idle.ends, b"x" * (1 << 16)))
    assert not keepers(place)


def test_it_ends_when_its_time_is_over(place: str) -> None:
    pipes = Pipes()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(place)
        listening.listen()
        keeper = threading.Thread(target=Keeper(listening, 0.3).run, daemon=True)
        keeper.start()
        keep(place, KEY, pipes.idle)
        pipes.idle.let_go()
        keeper.join(PATIENCE)
        assert not keeper.is_alive()
    assert pipes.has_ended()


@pytest.mark.parametrize("is_mine", [True, False])
def test_its_socket_goes_with_it_and_no_other(place: str, *, is_mine: bool) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(place)
        listening.listen()
        mine = os.lstat(place).st_ino
        if not is_mine:
            Path(f"{place}.new").touch()
            Path(f"{place}.new").rename(place)
        packages = Path(idle_connections.__file__).parents[3]
        argv = [sys.executable, "-I", "-c", ENDS_SOON, str(packages), str(mine), place]
        assert subprocess.run(argv, stdin=listening.fileno(), check=False).returncode == 0
    assert Path(place).exists() is not is_mine


ENDS_SOON = """
import sys
sys.path.insert(0, sys.argv[1])
from chroot_tool.core.remote import connection, idle_connections
idle_connections.main(sys.argv[3], int(sys.argv[2]), 0.1)
"""


@pytest.mark.root
def test_a_socket_of_somebody_elses_gets_nothing(place: str) -> None:
    listens = "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)"
    listens += "; s.bind(sys.argv[1]); s.listen(); print(flush=True); s.accept()"
    os.chmod(os.path.dirname(place), 0o777)
    with subprocess.Popen(
        [sys.executable, "-c", listens, place], user=65534, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(PermissionError):
            idle_connections._connected(place)
