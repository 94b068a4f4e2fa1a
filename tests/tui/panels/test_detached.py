"""What goes on without the UI has one that keeps its terminal, in every way to be installed."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool import __path__ as package
from chroot_tool.app import paths
from chroot_tool.app.tui.panels import detached, detached_log
from support import PATIENCE, has_ended, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def command() -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The terminal of a command that runs, and that command."""
    terminal, its = os.openpty()
    with subprocess.Popen(["sleep", "900"], stdin=its, start_new_session=True) as running:
        os.close(its)
        try:
            yield terminal, running
        finally:
            running.kill()
            for one in detached.found():
                wait_until(lambda one=one: not one.running)  # type: ignore[misc]


def test_it_runs_from_the_first_moment(command: tuple[int, subprocess.Popen[bytes]]) -> None:
    terminal, running = command
    detached.detach(terminal, "deb", "sleep 900", "so far\n", time.time())
    os.close(terminal)
    (one,) = detached.found()
    assert one.running
    assert Path(one.log).read_bytes() == b"so far\r\n"
    running.kill()
    wait_until(lambda: not one.running)


def test_a_new_python_need_not_know_where_this_package_is(
    command: tuple[int, subprocess.Popen[bytes]],
) -> None:
    """As the Debian package is started, and a version that was deployed."""
    terminal, _ = command
    script = (
        f"import sys; sys.path[:0] = {[str(Path(package[0]).parent)]!r}\n"
        "from chroot_tool.app.tui.panels import detached\n"
        f"detached.detach({terminal}, 'deb', 'sleep 900', '', 0.0)\n"
    )
    argv = [sys.executable, "-I", "-S", "-c", script]
    subprocess.run(argv, pass_fds=[terminal], check=True, timeout=60)
    os.close(terminal)
    assert detached.found()[0].running


def test_one_that_is_slow_to_start_keeps_it(
    command: tuple[int, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It was killed, and the command got HUP."""
    terminal, running = command
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    slow = tmp_path / "slow.py"
    slow.write_text(f"open({str(gate)!r}).close()\n{Path(detached_log.__file__).read_text()}")
    slow.write_text(slow.read_text().replace("from __future__ import annotations\n", ""))
    monkeypatch.setattr(detached_log, "__file__", str(slow))
    monkeypatch.setattr(detached, "_STARTS", 0.0)
    detached.detach(terminal, "deb", "sleep 900", "", time.time())
    os.close(terminal)
    (one,) = detached.found()
    gate.open("w").close()
    assert running.poll() is None
    assert one.running
    running.kill()
    wait_until(lambda: not one.running)


def test_one_that_does_not_start_is_told(
    command: tuple[int, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detached_log, "__file__", "/nowhere.py")
    monkeypatch.setattr(detached, "_STARTS", PATIENCE)
    with pytest.raises(OSError, match="did not start"):
        detached.detach(command[0], "deb", "sleep 900", "", time.time())
    os.close(command[0])
    assert detached.found() == ()


def test_without_a_log_it_goes_on(command: tuple[int, subprocess.Popen[bytes]]) -> None:
    terminal, running = command
    folder = Path(paths.detached_directory())
    folder.parent.mkdir(parents=True)
    folder.touch()  # where a folder should be
    before = _keepers()
    with pytest.raises(FileExistsError):
        detached.detach(terminal, "deb", "sleep 900", "", time.time())
    os.close(terminal)
    (keeper,) = _keepers() - before
    running.kill()
    wait_until(lambda: has_ended(keeper))


def _keepers() -> set[int]:
    return {pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _keeps(pid)}


def _keeps(pid: int) -> bool:
    """Tell whether a process is what this one started to keep a terminal without a log."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return False
    return parent == os.getpid() and os.fsencode(detached_log.__file__) in words


def test_a_full_disk_ends_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    argv = [sys.executable, "-I", "-S", detached_log.__file__, str(log)]

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=small_files
    ) as logger:
        assert logger.stdin
        assert logger.stdout
        assert logger.stdout.read() == b"\n"
        for _ in range(100):  # more than a pipe holds
            logger.stdin.write(b"x" * 4096)
        logger.stdin.close()
        assert logger.wait(60) == 0
    assert log.read_bytes() == b"x" * 10
