"""The parent of a command without a terminal of its own: codes, signals, stops, descriptors."""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

import pytest

from support import PATIENCE, Cli, has_ended, kill, next_line, wait_until
from support.outer_terminal import PROMPT, Bash, inside, only, stat_field, stat_state

pytestmark = pytest.mark.root

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tiny_chroot: Path, cli: Cli) -> Iterator[Start]:
    """Start a script inside, by `run` in a session of its own; stdout is a pipe."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(
        script: str, *options: str, before: str = "pass", stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """*before* is Python that is executed in the process that then becomes `run`."""
        argv = cli.argv("run", "-d", tiny_chroot, *options, "--", "/bin/sh", "-c", script)
        first = f"import os, signal, sys\n{before}\nos.execv(sys.argv[1], sys.argv[1:])"
        process = subprocess.Popen(
            [sys.executable, "-c", first, *argv], env=cli.environment(),
            stdin=stdin, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
    kill(inside(tiny_chroot))
    for process in started:
        process.communicate(timeout=PATIENCE)
    wait_until(lambda: not inside(tiny_chroot))


def line(process: subprocess.Popen[bytes]) -> bytes:
    return next_line(process)


LOOP = "echo up; while :; do sleep 0.02; done"


# -- the end


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)],
)
def test_the_code_is_the_commands_and_128_and_the_signal(
    start: Start, script: str, code: int
) -> None:
    assert start(script).wait(PATIENCE) == code


def test_a_caller_that_ignores_ended_children_gets_the_code_too(start: Start) -> None:
    process = start("exit 7", before="signal.signal(signal.SIGCHLD, signal.SIG_IGN)")
    assert process.wait(PATIENCE) == 7


def test_what_the_command_leaves_running_stays(start: Start, tiny_chroot: Path) -> None:
    process = start("sleep 1000 >/dev/null & exit 3")
    assert process.wait(PATIENCE) == 3
    pid = only(tiny_chroot, "sleep")
    wait_until(lambda: stat_state(pid) == "S")  # it may be at its start still
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("user", ["root", "app"])
def test_kill_9_of_the_tool_ends_the_command(start: Start, tiny_chroot: Path, user: str) -> None:
    process = start("echo up; exec sleep 1000", "-u", user)
    assert line(process) == b"up\n"
    only(tiny_chroot, "sleep")
    process.kill()
    assert process.wait(PATIENCE) == -signal.SIGKILL
    wait_until(lambda: not inside(tiny_chroot))


# -- signals


@pytest.mark.parametrize(
    "name",
    ["TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "CONT", "WINCH", "TSTP", "TTIN", "PIPE",
     "RTMIN"],
)  # fmt: skip
def test_a_signal_for_the_tool_is_passed_on(start: Start, name: str) -> None:
    number = getattr(signal, f"SIG{name}")
    process = start(f'trap "exit 3" {int(number)}; {LOOP}')
    assert line(process) == b"up\n"
    process.send_signal(number)
    assert process.wait(PATIENCE) == 3


def test_one_that_ends_the_command_ends_the_tool(start: Start) -> None:
    process = start(LOOP)
    assert line(process) == b"up\n"
    process.terminate()
    assert process.wait(PATIENCE) == 143


@pytest.mark.parametrize("_", range(5))
def test_one_that_meets_the_child_before_it_is_the_command_ends_it(start: Start, _: int) -> None:
    process = start("exec sleep 1000")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := children.read_text()):
        assert process.poll() is None
    os.kill(int(found), signal.SIGINT)
    assert process.wait(PATIENCE) == 130


def test_what_the_command_sends_does_not_come_back_to_it(start: Start) -> None:
    process = start(f'trap "echo back" HUP; trap "exit 3" USR1; kill -HUP $PPID; {LOOP}')
    assert line(process) == b"up\n"
    process.send_signal(signal.SIGUSR1)
    assert process.wait(PATIENCE) == 3
    assert line(process) == b""


@pytest.mark.slow
def test_an_alarm_that_was_set_before_is_the_commands(start: Start) -> None:
    """`perl -e 'alarm 5; exec …'`: execve(2) keeps it for this process, no fork inherits it."""
    for seconds in (1, 2, 4, 8, 16, 32):
        code = start(LOOP, before=f"signal.alarm({seconds})").wait(100)
        if code != -signal.SIGALRM:  # which it is where the tool had not come so far yet
            break
    assert code == 142


def test_mask_and_dispositions_are_the_callers(tiny_chroot: Path, cli: Cli) -> None:
    first = (
        "import os, signal, sys\n"
        "for number in (2, 17): signal.signal(number, signal.SIG_IGN)\n"
        "for number in (signal.SIGPIPE, signal.SIGXFSZ): signal.signal(number, signal.SIG_DFL)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGRTMAX])\n"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    argv = cli.argv("run", "-d", tiny_chroot, "/bin/cat", "/proc/self/status")
    output = subprocess.run(
        [sys.executable, "-c", first, *argv], env=cli.environment(), stdin=subprocess.DEVNULL,
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    fields = dict(line.split(b":\t") for line in output.splitlines() if b":\t" in line)
    bits = {
        name: {number + 1 for number in range(64) if int(fields[name], 16) >> number & 1}
        for name in (b"SigIgn", b"SigBlk")
    }
    assert bits == {
        b"SigIgn": {signal.SIGCHLD, signal.SIGINT},
        b"SigBlk": {signal.SIGUSR1, signal.SIGRTMAX},
    }


# -- stop and continue


@pytest.mark.parametrize("continued", ["the command", "the tool"])
def test_in_an_orphaned_group_only_the_command_stops(start: Start, continued: str) -> None:
    """Nobody would ever continue the tool: its session has no shell."""
    process = start("echo $$; kill -STOP $$; exit 6")
    pid = int(line(process))
    wait_until(lambda: stat_state(pid) == "T")
    os.kill(pid if continued == "the command" else process.pid, signal.SIGCONT)
    assert process.wait(PATIENCE) == 6


@pytest.mark.slow
def test_a_continue_that_meets_the_tool_as_it_stops_is_not_lost(
    start: Start, tiny_chroot: Path
) -> None:
    process = start("exec sleep 1000")
    pid = only(tiny_chroot, "sleep")
    for _ in range(300):
        os.kill(pid, signal.SIGSTOP)
        while stat_state(pid) != "T":
            pass
        os.kill(process.pid, signal.SIGCONT)
        wait_until(lambda: stat_state(pid) != "T")


@pytest.fixture
def bash(tiny_chroot: Path, cli: Cli) -> Iterator[Bash]:
    terminal = Bash(cli, tiny_chroot)
    yield terminal
    terminal.close()
    wait_until(lambda: not inside(tiny_chroot))


def tool(root: Path) -> tuple[int, int]:
    """The tool and its command, a shell, once that runs."""
    pid = only(root, "sh")
    return stat_field(pid, 4), pid


@pytest.mark.parametrize("key", ["\x03", "\x1c"])
def test_what_a_terminal_sends_comes_once(
    bash: Bash, tiny_chroot: Path, tmp_path: Path, key: str
) -> None:
    traps = 'trap "echo INT" INT; trap "echo QUIT" QUIT; trap "exit 3" USR1'
    out = tmp_path / "out"
    bash.start(f"r -- sh -c '{traps}; {LOOP}' > {out}")
    wait_until(lambda: out.exists() and out.read_text() == "up\n")
    parent, _ = tool(tiny_chroot)
    name = {"\x03": "INT\n", "\x1c": "QUIT\n"}[key]

    def came(count: int) -> bool:
        return out.read_text().count(name) >= count

    for count in (1, 2, 3):
        bash.type(key)
        wait_until(partial(came, count))
    os.kill(parent, signal.SIGUSR1)
    assert bash.code() == 3
    assert out.read_text() == "up\n" + 3 * name


def test_ctrl_c_ends_it_and_the_code_says_so(bash: Bash) -> None:
    bash.start(f"r -- sh -c '{LOOP}' | cat")
    bash.wait_for("up")
    bash.type("\x03")
    bash.wait_for(re.escape(PROMPT))
    bash.start("echo ends=${PIPESTATUS[0]}")
    bash.wait_for("ends=130")


def test_ctrl_c_that_came_before_the_command_is_not_lost(
    bash: Bash, tiny_chroot: Path, cli: Cli
) -> None:
    """A caller that blocks INT hands on one that waits; no child inherits that."""
    script = (
        "while :; do case $(cat /proc/$$/status) in *ShdPnd:?0000000000000002*) exit 3;; esac; done"
    )
    first = (
        "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [2]); print('up')\n"
        "while not signal.sigpending(): pass\nos.execv(sys.argv[1], sys.argv[1:])"
    )
    argv = cli.argv("run", "-d", tiny_chroot, "--", "/bin/sh", "-c", script)
    words = [sys.executable, "-uc", first, *map(str, argv)]
    bash.start(shlex.join(words).replace("\n", "'$'\\n''") + " </dev/null")
    bash.wait_for("up")
    bash.type("\x03")
    assert bash.code() == 3


def test_ctrl_z_fg_and_bg(bash: Bash, tiny_chroot: Path) -> None:
    bash.start("r -- sh -c 'echo up; exec sleep 1000' | cat")
    bash.wait_for("up")
    pid = only(tiny_chroot, "sleep")
    parent = stat_field(pid, 4)

    def states() -> str:
        return stat_state(parent) + stat_state(pid)

    for _ in range(3):
        bash.type("\x1a")
        bash.wait_for("Stopped")
        bash.wait_for(re.escape(PROMPT))
        wait_until(lambda: states() == "TT")
        bash.start("fg")
        wait_until(lambda: states() == "SS")
    bash.type("\x1a")
    bash.wait_for(re.escape(PROMPT))
    bash.start("bg")
    wait_until(lambda: states() == "SS")
    bash.wait_for(re.escape(PROMPT))
    bash.start("fg")
    wait_until(lambda: os.tcgetpgrp(bash.fd) != bash.pid)
    bash.type("\x03")
    bash.wait_for(re.escape(PROMPT))
    wait_until(lambda: not inside(tiny_chroot))


def test_a_command_that_stops_itself_gives_the_prompt(bash: Bash) -> None:
    bash.start("r -- sh -c 'kill -STOP $$; echo on; exit 6' </dev/null")
    bash.wait_for("Stopped")
    bash.wait_for(re.escape(PROMPT))
    bash.start("fg")
    bash.wait_for("on\r\n")
    assert bash.code() == 6


def test_in_the_background_it_stops_when_it_wants_to_read(
    bash: Bash, tiny_chroot: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    bash.start(f"r -- sh -c 'read x; echo \"got <$x>\"; exit 4' > {out} &")
    bash.wait_for(re.escape(PROMPT))

    def bash_knows() -> bool:  # a little after /proc does
        bash.start("jobs")
        return bash.wait_for("Running|Stopped")[0] == "Stopped"

    wait_until(bash_knows)
    parent, pid = tool(tiny_chroot)
    # Of the subshell that the function runs in: the tool may stop a little later.
    wait_until(lambda: stat_state(parent) + stat_state(pid) == "TT")
    bash.start("fg")
    bash.type("late\n")
    assert bash.code() == 4
    assert out.read_text() == "got <late>\n"


def test_a_terminal_that_hangs_up(bash: Bash, tiny_chroot: Path) -> None:
    bash.start(f"r -- sh -c 'trap \"echo bye > /bye; exit\" HUP; {LOOP}' | cat")
    bash.wait_for("up")
    parent, _ = tool(tiny_chroot)
    bash.hang_up()
    wait_until(lambda: (tiny_chroot / "bye").exists())
    wait_until(lambda: has_ended(parent))


# -- descriptors


def test_a_reader_that_goes_away_ends_the_command(bash: Bash) -> None:
    bash.start("r cat </dev/zero | head -c 1 >/dev/null; echo ends=${PIPESTATUS[0]}")
    bash.wait_for("ends=141")


def other_end_is_closed(pipe: IO[bytes]) -> bool:
    poll = select.poll()
    poll.register(pipe, 0)  # POLLHUP or POLLERR
    return bool(poll.poll(0))


def test_an_stdout_that_the_command_closes_is_closed(start: Start) -> None:
    process = start("echo up; exec >&-; exec sleep 1000")
    assert line(process) == b"up\n"
    assert process.stdout is not None
    wait_until(partial(other_end_is_closed, process.stdout))
    assert process.poll() is None


def test_an_stdin_that_the_command_closes_is_closed(start: Start) -> None:
    process = start("exec <&-; echo up; exec sleep 1000", stdin=subprocess.PIPE)
    assert line(process) == b"up\n"
    assert process.stdin is not None
    wait_until(partial(other_end_is_closed, process.stdin))
    assert process.poll() is None


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_descriptors_that_the_caller_closed(bash: Bash, tmp_path: Path, closed: str) -> None:
    bash.start(f"r -- sh -c 'sleep 0.05; exit 5' {closed}")
    assert bash.code() == 5
    bash.start(f"r /no {closed}")
    assert bash.code() == 127
