"""core.programs: real programs, their lines, their ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from chroot_tool.core import programs
from chroot_tool.core.errors import Cancelled, ChrootError
from support import Program, descriptors, has_ended, next_line, wait_until


def shell(script: str, **options: object) -> programs.Completed:
    return programs.run(["sh", "-c", script], **options)  # type: ignore[arg-type]  # options of run


def wait_until_gone(pids: list[int]) -> None:
    """Wait until all of *pids* end by themselves: a killed process is still there for a moment."""
    wait_until(lambda: all(map(has_ended, pids)))


def test_lines_of_stdout_and_stderr_in_order() -> None:
    lines: list[str] = []
    done = shell("echo one; echo two >&2; echo; printf three", on_line=lines.append)
    assert lines == ["one", "two", "", "three"]
    assert done.code == 0


def test_stderr_and_descriptor_3_apart() -> None:
    out: list[str] = []
    err: list[str] = []
    side: list[str] = []
    script = "echo out; echo err >&2; echo side >&3"
    shell(script, on_line=out.append, on_error=err.append, on_side=side.append)
    assert (out, err, side) == (["out"], ["err"], ["side"])


def test_descriptor_3_is_closed_unless_asked_for() -> None:
    held = os.open("/dev/null", os.O_WRONLY)
    with suppress(OSError):
        os.set_inheritable(3, False)  # where the tests were started with one
    try:
        assert shell("{ : >&3; } 2>/dev/null").code != 0
    finally:
        os.close(held)


def test_last_state_of_an_overwritten_line_and_bytes_that_are_no_utf_8() -> None:
    lines: list[str] = []
    shell(r"printf '10%%\r55%%\r100%%\r\n'; printf 'a\377b\n'", on_line=lines.append)
    assert lines == ["100%", "a\udcffb"]


def test_more_output_than_a_pipe_holds_arrives_whole() -> None:
    lines: list[str] = []
    programs.run(["seq", "100000"], on_line=lines.append)
    assert lines == [str(n) for n in range(1, 100001)]


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    lines: list[str] = []
    programs.run(["head", "-c", "1000000", "/dev/zero"], on_line=lines.append)
    assert len(lines) > 1
    assert sum(map(len, lines)) == 1_000_000


def test_stdin_is_empty_or_the_given_descriptor(tmp_path: Path) -> None:
    lines: list[str] = []
    programs.run(["cat"], on_line=lines.append)
    file = tmp_path / "in"
    file.write_text("from a file\n")
    with file.open() as opened:
        programs.run(["cat"], stdin=opened.fileno(), on_line=lines.append)
    assert lines == ["from a file"]


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", -9), ("kill $$", -15)])
def test_how_it_ended(script: str, code: int) -> None:
    assert shell(script).code == code


def test_sigpipe_is_not_ignored_inside() -> None:
    # Python ignores it; a program that inherits that writes on and complains.
    lines: list[str] = []
    shell("(yes; echo $? >&2) | head -n1", on_line=lines.append)
    assert sorted(lines) == ["141", "y"]


def test_environment_is_explicit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    env = dict(line.split("=", 1) for line in programs.output(["env"]).splitlines())
    assert "SECRET" not in env
    assert env["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert (env["LC_ALL"], env["DEBIAN_FRONTEND"]) == ("C.UTF-8", "noninteractive")
    assert "/usr/sbin" in env["PATH"].split(":")


def test_what_is_not_installed_is_named_with_its_package() -> None:
    with pytest.raises(ChrootError) as caught:
        programs.run(["no-such-program-here"])
    assert caught.value.message == "no-such-program-here is not installed"
    assert caught.value.hint == "apt install no-such-program-here"


def test_what_is_no_program_is_an_error_not_a_traceback(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("echo no interpreter line\n")
    script.chmod(0o755)
    with pytest.raises(ChrootError, match="Exec format error"):
        programs.run([str(script)])


def test_output_raises_with_the_last_words() -> None:
    assert programs.output(["printf", "a\nb\n"]) == "a\nb"
    with pytest.raises(ChrootError, match="sh failed: because"):
        programs.output(["sh", "-c", "echo because >&2; exit 3"])


def test_without_a_terminal_it_has_a_session_of_its_own() -> None:
    lines: list[str] = []
    programs.run(
        ["sh", "-c", "echo $$; exec cut -d' ' -f5,6 /proc/self/stat"],
        on_line=lines.append, no_terminal=True,
    )  # fmt: skip
    assert lines[1] == f"{lines[0]} {lines[0]}"  # its process group and its session


def test_cancel_ends_the_whole_group(tmp_path: Path) -> None:
    cancelled = threading.Event()
    pids: list[int] = []

    def on_line(line: str) -> None:
        pids.append(int(line))
        if len(pids) == 2:
            cancelled.set()

    with pytest.raises(Cancelled):
        shell("sleep 1000 & echo $!; echo $$; wait", on_line=on_line, cancelled=cancelled)
    assert len(pids) == 2
    wait_until_gone(pids)


def test_who_ignores_term_is_killed() -> None:
    cancelled = threading.Event()
    pids: list[int] = []

    def on_line(line: str) -> None:
        pids.append(int(line))
        cancelled.set()

    with pytest.raises(Cancelled):
        shell(
            "trap '' TERM; echo $$; while :; do sleep 1; done",
            on_line=on_line, cancelled=cancelled, grace=0.3,
        )  # fmt: skip
    wait_until_gone(pids)


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(ChrootError, match=r"did not end within 0\.2 seconds"):
        programs.run(["sleep", "1000"], timeout=0.2)


def test_an_error_of_the_reader_ends_the_program() -> None:
    pids: list[int] = []

    def on_line(line: str) -> None:
        pids.append(int(line))
        raise RuntimeError("reader")

    with pytest.raises(RuntimeError, match="reader"):
        shell("echo $$; sleep 1000", on_line=on_line)
    wait_until_gone(pids)


AS_ANOTHER = """
import os, sys, threading
sys.path[:0] = eval(sys.argv[1])
from chroot_tool.core import programs
from support import descriptors

ends = sys.argv[2]
cancelled = threading.Event()

def on_line(line):
    print(line, flush=True)
    if ends == "cancelled":
        cancelled.set()
    else:
        raise RuntimeError("reader")

become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
before = descriptors()
try:
    argv = [*become, "sh", "-c", "echo $$; exec sleep 1000"]
    programs.run(argv, on_line=on_line, cancelled=cancelled)
except Exception as error:
    print(f"{type(error).__name__}: {error}", flush=True)
print(descriptors() == before, flush=True)
sys.stdin.readline()
"""


@pytest.mark.root
@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ("cancelled", "GoesOnError: setpriv goes on: it runs as another user"),
        ("reader", "RuntimeError: reader"),
    ],
)
def test_who_became_another_user_is_let_go_and_reaped(ends: str, said: str) -> None:
    # Root without CAP_KILL is to nobody what an ordinary user is to sudo.
    without = ("setpriv", "--bounding-set=-kill", "--inh-caps=-kill", "--")
    argv = [*without, sys.executable, "-c", AS_ANOTHER, repr(sys.path), ends]
    with Program(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as caller:
        pid = int(next_line(caller))
        try:
            assert next_line(caller).decode().startswith(said)
            assert next_line(caller) == b"True\n"
            assert not has_ended(pid)
        finally:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), caller)
        caller.communicate(b"\n")


def test_a_daemon_left_behind_is_not_waited_for() -> None:
    pids: list[int] = []
    shell("sleep 1000 & echo $!", on_line=lambda line: pids.append(int(line)))
    assert not has_ended(pids[0])
    os.kill(pids[0], 9)


def test_no_descriptor_is_left_open() -> None:
    before = descriptors()
    lines: list[str] = []
    shell("echo a; echo b >&3", on_line=lines.append, on_side=lines.append)
    with pytest.raises(ChrootError):
        programs.run(["no-such-program-here"], on_line=lines.append)
    wait_until(lambda: set(descriptors()) <= set(before))


def test_passthrough_gives_the_code_as_a_shell_would(capfd: pytest.CaptureFixture[str]) -> None:
    env = {"PATH": programs.PATH, "WORD": "said"}
    assert programs.passthrough(["sh", "-c", "echo $WORD; exit 5"], env=env) == 5
    assert programs.passthrough(["sh", "-c", "kill -9 $$"], env=env) == 137
    assert capfd.readouterr().out == "said\n"
