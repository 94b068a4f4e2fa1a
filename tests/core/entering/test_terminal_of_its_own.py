"""A terminal of the chroot's own, driven through a real bash on a real outer terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chroot_tool.core.entering.terminal import open_terminal
from chroot_tool.core.errors import EnterError
from chroot_tool.core.kernel.rootpath import Root
from support import Cli, descriptors, has_ended, kill, wait_until
from support.outer_terminal import PROMPT, Bash, Terminal, inside, only, stat_field, stat_state

pytestmark = pytest.mark.root


@contextmanager
def shell(cli: Cli, root: Path) -> Iterator[Bash]:
    terminal = Bash(cli, root)
    yield terminal
    terminal.close()
    wait_until(lambda: not inside(root))


@pytest.fixture
def bash(tiny_chroot: Path, cli: Cli) -> Iterator[Bash]:
    with shell(cli, tiny_chroot) as terminal:
        yield terminal


@pytest.fixture
def ends_soon(tiny_chroot: Path, cli: Cli) -> Iterator[Bash]:
    """A terminal that ends soon after those on it were told, however slow this machine is."""
    with shell(cli.without("soon"), tiny_chroot) as terminal:
        yield terminal


def carrier_of(pid: int) -> int:
    """The chroot-tool that carries the terminal of a command: its parent's parent."""
    return stat_field(stat_field(pid, 4), 4)


UNTIL_HUP = (
    """r -- sh -c 'trap "echo bye > /bye; exit" HUP; echo up; while :; do sleep 0.02; done'"""
)
NO_HUP = """r -- sh -c 'trap "" HUP; echo up; while :; do sleep 0.02; done'"""
READ = """r -- sh -c 'echo up; read x; echo "got <$x>"; exit 4'"""


# -- the terminal itself


def test_the_command_has_a_terminal_of_the_chroots_own(bash: Bash) -> None:
    bash.start("r tty")
    bash.wait_for(r"/dev/pts/0\r\n")
    assert bash.code() == 0
    bash.start("r -- sh -c 'ls -l /dev/pts; : > $(tty) && echo opened'")
    bash.wait_for("opened")


def test_its_owner_is_the_user(bash: Bash) -> None:
    bash.start("r -u app -- sh -c 'ls -ln $(tty); : > $(tty) && echo opened'")
    bash.wait_for(r"crw--w---- 1 1000 5 ")
    bash.wait_for("opened")


def test_nothing_of_the_outer_terminal_gets_in(bash: Bash, tiny_chroot: Path) -> None:
    bash.start("r sleep 1000")
    pid = only(tiny_chroot, "sleep")
    outer = os.stat(os.readlink(f"/proc/{bash.pid}/fd/0"))
    # Until it sleeps, its loader has a library open for a moment.
    wait_until(lambda: stat_state(pid) == "S" and len(os.listdir(f"/proc/{pid}/fd")) == 3)
    files = [os.stat(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    assert len(files) == 3
    assert outer.st_dev not in [file.st_dev for file in files]
    # TIOCSTI needs the terminal to be the controlling one; that is the inner one (tty_nr).
    assert stat_field(pid, 7) == stat_field(stat_field(pid, 4), 7)
    assert stat_field(pid, 6) != stat_field(bash.pid, 6)
    bash.type("\x03")
    assert bash.code() == 130


def test_size_before_the_start_and_at_each_change(bash: Bash) -> None:
    bash.start("r stty size")
    bash.wait_for(r"30 90\r\n")
    bash.wait_for(re.escape(PROMPT))
    script = 'trap "stty size" WINCH; echo up; while :; do sleep 0.02; done'
    bash.start(f"r -- sh -c '{script}'")
    bash.wait_for("up")
    bash.resize(41, 123)
    bash.wait_for(r"41 123\r\n")
    bash.resize(7, 20)
    bash.wait_for(r"7 20\r\n")
    bash.type("\x03")
    assert bash.code() == 130


def test_raw_outside_meanwhile_and_as_before_afterwards(bash: Bash) -> None:
    bash.start("r -- sh -c 'stty -a; echo up; read x'")
    bash.wait_for(r"isig icanon iexten -echo ")  # the outer one's modes were taken over
    bash.wait_for("up")
    assert bash.is_raw()
    bash.type("\n")
    assert bash.code() == 0
    assert bash.modes() == bash.before


def test_stderr_that_is_a_file_stays_one(bash: Bash, tmp_path: Path) -> None:
    bash.start(f"r -- sh -c 'tty; echo wrong >&2' 2>{tmp_path}/errors")
    bash.wait_for("/dev/pts/0")
    assert bash.code() == 0
    assert (tmp_path / "errors").read_text() == "wrong\n"


def test_no_terminal_on_stdout_is_no_terminal(bash: Bash) -> None:
    bash.start("r -- sh -c 'tty; tty <&1; exit 3' | cat; echo ${PIPESTATUS[0]}")
    bash.wait_for("not a tty")
    bash.wait_for(r"3\r\n")


def test_a_login_shell(tiny_chroot: Path, cli: Cli) -> None:
    (tiny_chroot / "root/.profile").write_text("PS1='inner$ '\n")
    argv = list(map(str, cli.argv("shell", "-d", tiny_chroot)))
    terminal = Terminal(argv, cli.environment())
    try:
        terminal.wait_for(r"inner\$ ")
        terminal.type("echo $0 $HOME $(pwd)\n")
        terminal.wait_for("-sh /root /root\r\n")
        terminal.type("exit 6\n")
        assert terminal.exit_code() == 6
    finally:
        terminal.close()


def test_job_control_of_a_shell_inside(tiny_chroot: Path, cli: Cli) -> None:
    (tiny_chroot / "root/.profile").write_text("PS1='inner$ '\n")
    argv = list(map(str, cli.argv("shell", "-d", tiny_chroot)))
    terminal = Terminal(argv, cli.environment())
    try:
        terminal.wait_for(r"inner\$ ")
        terminal.type("sleep 1000\n")
        pid = only(tiny_chroot, "sleep")
        terminal.type("\x1a")
        terminal.wait_for(r"Stopped[^$]*inner\$ ")
        terminal.type("fg\n")
        wait_until(lambda: stat_state(pid) == "S")
        terminal.type("\x03")
        terminal.wait_for(r"inner\$ ")
        terminal.type("echo code=$?\n")
        terminal.wait_for(r"code=130\r\n")
        terminal.type("exit 6\n")
        assert terminal.exit_code() == 6
    finally:
        terminal.close()


# -- the end


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -9 $$", 137)]
)
def test_exit_codes_and_signals(bash: Bash, script: str, code: int) -> None:
    bash.start(f"r -- /bin/sh -c '{script}'")
    assert bash.code() == code
    assert bash.modes() == bash.before


def test_a_command_that_cannot_start_leaves_the_terminal_as_it_was(bash: Bash) -> None:
    bash.start("r /no")
    bash.wait_for(r"chroot-tool: /no does not exist in [^\r]*\r\n")
    assert bash.code() == 127
    bash.start("r -w /no /bin/true")
    bash.wait_for(r"chroot-tool: cannot work in /no[^\r]*\r\nhint: ")
    assert bash.code() == 125
    assert bash.modes() == bash.before


@pytest.mark.slow
def test_all_output_arrives_however_slow_the_outer_terminal(bash: Bash, tiny_chroot: Path) -> None:
    data = bytes(byte for byte in os.urandom(1 << 19) if byte != ord("R")) * 10
    (tiny_chroot / "data").write_bytes(data)
    bash.start("stty raw; r cat /data; stty cooked -echo")
    wait_until(lambda: bool(inside(tiny_chroot)))
    time.sleep(0.3)  # nobody reads: every buffer on the way is full
    assert inside(tiny_chroot)
    assert bash.read_to(PROMPT.encode()) == data
    assert bash.code() == 0


def test_a_background_process_inside_keeps_nobody(bash: Bash, tiny_chroot: Path) -> None:
    bash.start("r -- sh -c 'sleep 1000 & echo up; exit 5'")
    bash.wait_for("up")
    assert bash.code() == 5
    left = inside(tiny_chroot)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left


@pytest.mark.slow
def test_a_background_process_that_floods_keeps_nobody(bash: Bash, tiny_chroot: Path) -> None:
    bash.start("""r -- sh -c 'trap "" HUP; cat /dev/zero & sleep 0.1; exit 5'""")
    assert bash.code() == 5
    wait_until(lambda: not inside(tiny_chroot))


def test_what_is_typed_ahead_is_not_lost(bash: Bash) -> None:
    bash.start("r -- sh -c 'read a; read b; echo \"<$a-$b>\"'\none\ntwo")
    bash.wait_for("<one-two>")


# -- signals


def test_ctrl_c_goes_to_the_command_alone(bash: Bash) -> None:
    script = 'trap "echo caught; exit 9" INT; echo up; while :; do sleep 0.02; done'
    bash.start(f"r -- sh -c '{script}'")
    bash.wait_for("up")
    bash.type("\x03")
    bash.wait_for("caught")
    assert bash.code() == 9


def test_ctrl_c_stops_a_flood(bash: Bash) -> None:
    bash.start("r cat /dev/zero; stty -echo")
    bash.wait_for("\0{100000}")
    bash.type("\x03")
    bash.wait_for(re.escape(PROMPT))
    assert bash.modes() == bash.before


def test_ctrl_c_right_after_the_start_is_not_lost(bash: Bash) -> None:
    bash.start("r sleep 1000")
    wait_until(bash.is_raw)  # before the command is there
    bash.type("\x03")
    assert bash.code() == 130


@pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "ALRM"])
def test_signals_sent_to_the_tool_reach_the_command(
    bash: Bash, tiny_chroot: Path, name: str
) -> None:
    script = f'trap "echo caught; exit 9" {name}; echo up; while :; do sleep 0.02; done'
    bash.start(f"r -- sh -c '{script}'")
    bash.wait_for("up")
    os.kill(carrier_of(only(tiny_chroot, "sh")), getattr(signal, f"SIG{name}"))
    bash.wait_for("caught")
    assert bash.code() == 9
    assert bash.modes() == bash.before


def test_a_signal_that_ends_the_command_ends_the_tool(bash: Bash, tiny_chroot: Path) -> None:
    bash.start("r sleep 1000")
    os.kill(carrier_of(only(tiny_chroot, "sleep")), signal.SIGTERM)
    assert bash.code() == 143
    assert bash.modes() == bash.before


def test_kill_9_of_the_tool_hangs_up_inside(bash: Bash, tiny_chroot: Path) -> None:
    bash.start(UNTIL_HUP)
    bash.wait_for("up")
    os.kill(carrier_of(only(tiny_chroot, "sh")), signal.SIGKILL)
    wait_until(lambda: not inside(tiny_chroot))
    assert (tiny_chroot / "bye").read_text() == "bye\n"


def test_a_monitor_that_is_killed_hangs_up_too(bash: Bash, tiny_chroot: Path) -> None:
    bash.start("r sleep 1000")
    os.kill(stat_field(only(tiny_chroot, "sleep"), 4), signal.SIGKILL)
    assert bash.code() == 129
    wait_until(lambda: not inside(tiny_chroot))
    assert bash.modes() == bash.before


def test_an_outer_terminal_that_hangs_up_hangs_up_inside(bash: Bash, tiny_chroot: Path) -> None:
    bash.start(UNTIL_HUP)
    bash.wait_for("up")
    carrier = carrier_of(only(tiny_chroot, "sh"))
    bash.hang_up()
    wait_until(lambda: not inside(tiny_chroot))
    assert (tiny_chroot / "bye").read_text() == "bye\n"
    wait_until(lambda: has_ended(carrier))


def test_kill_9_of_the_tool_in_the_background_hangs_up_too(bash: Bash, tiny_chroot: Path) -> None:
    bash.start("r sleep 1000 &")
    os.kill(carrier_of(only(tiny_chroot, "sleep")), signal.SIGKILL)
    wait_until(lambda: not inside(tiny_chroot))


def end_of_the_tool(bash: Bash, root: Path) -> None:
    """As by a kill -9."""
    os.kill(carrier_of(only(root, "sh")), signal.SIGKILL)


def end_of_the_outer_terminal(bash: Bash, _root: Path) -> None:
    """As of a window that is closed."""
    bash.hang_up()


def told_before_the_end(bash: Bash, root: Path) -> None:
    """As by a program that tells those on its terminal before it closes it, as our panels do."""
    os.kill(carrier_of(only(root, "sh")), signal.SIGHUP)
    bash.hang_up()


def end_with_a_stopped_monitor(bash: Bash, root: Path) -> None:
    """As after `pkill -STOP chroot-tool`."""
    monitor = stat_field(only(root, "sh"), 4)
    os.kill(monitor, signal.SIGSTOP)
    wait_until(lambda: stat_state(monitor) == "T")
    bash.hang_up()


# A bash that is told again while it tells its jobs ends and tells no more of them; one that is at
# its prompt and reads the end first ends as by ctrl+D. Both leave their jobs running.
LEFT = "left=-1; echo up; while [ $left != 0 ]; do sleep 0.02; left=$((left-1)); done"
ONCE = f'trap "echo told >>/told; left=25" HUP; {LEFT}'
READS = "echo up; while read line; do :; done; echo end of file >>/told"
BEFORE = f'trap "echo told >>/told; exit" HUP; {READS}'


@pytest.mark.slow
@pytest.mark.parametrize(
    "end",
    [
        end_of_the_tool,
        end_of_the_outer_terminal,
        told_before_the_end,
        end_with_a_stopped_monitor,
    ],
)
@pytest.mark.parametrize("script", [ONCE, BEFORE], ids=["once", "before"])
def test_who_is_hung_up_is_told_once_and_before_the_terminal_ends(
    ends_soon: Bash, tiny_chroot: Path, end: Callable[..., None], script: str
) -> None:
    ends_soon.start(f"r -- sh -c '{script}'")
    ends_soon.wait_for("up")
    end(ends_soon, tiny_chroot)
    wait_until(lambda: not inside(tiny_chroot))
    assert (tiny_chroot / "told").read_text() == "told\n"


def test_what_ignores_that_it_is_hung_up_keeps_nobody(bash: Bash, tiny_chroot: Path) -> None:
    bash.start(NO_HUP)
    bash.wait_for("up")
    command = only(tiny_chroot, "sh")
    carrier, monitor = carrier_of(command), stat_field(command, 4)
    bash.hang_up()
    wait_until(lambda: has_ended(carrier) and has_ended(monitor))
    os.kill(command, signal.SIGKILL)


def test_who_hangs_up_the_monitor_alone_keeps_the_tool_from_nothing(
    bash: Bash, tiny_chroot: Path
) -> None:
    bash.start(NO_HUP)
    bash.wait_for("up")
    command = only(tiny_chroot, "sh")
    os.kill(stat_field(command, 4), signal.SIGHUP)
    assert bash.code() == 129
    assert bash.modes() == bash.before
    os.kill(command, signal.SIGKILL)


# -- stop and continue


def test_ctrl_z_and_fg(bash: Bash) -> None:
    bash.start(READ)
    bash.wait_for("up")
    for _ in range(3):
        bash.type("\x1a")
        bash.wait_for("Stopped")
        bash.wait_for(re.escape(PROMPT))
        assert bash.modes() == bash.before
        bash.start("fg")
        wait_until(bash.is_raw)
    bash.type("a b\n")
    bash.wait_for("got <a b>")
    assert bash.code() == 4
    assert bash.modes() == bash.before


def test_what_is_written_before_a_stop_is_shown_before_it(bash: Bash) -> None:
    script = 'trap "echo leaving; kill -STOP $$; echo back" TSTP; echo up; read x'
    bash.start(f"r -- sh -c '{script}'")
    bash.wait_for("up")
    bash.type("\x1a\n")
    bash.wait_for(r"leaving\r\n")
    bash.wait_for("Stopped")
    bash.start("fg")
    bash.wait_for("back")


def test_the_size_may_change_while_stopped(bash: Bash) -> None:
    bash.start("r -- sh -c 'echo up; read x; stty size'")
    bash.wait_for("up")
    bash.type("\x1a")
    bash.wait_for(re.escape(PROMPT))
    bash.resize(50, 101)
    bash.start("fg")
    wait_until(bash.is_raw)
    bash.type("\n")
    bash.wait_for("50 101")


def test_stopped_then_continued_in_the_background(bash: Bash, tiny_chroot: Path) -> None:
    bash.start("r -- sh -c 'echo up; sleep 1000; read x; echo \"got <$x>\"'")
    bash.wait_for("up")
    pid = only(tiny_chroot, "sleep")
    bash.type("\x1a")
    bash.wait_for(re.escape(PROMPT))
    wait_until(lambda: stat_state(pid) == "T")
    bash.start("bg")
    wait_until(lambda: stat_state(pid) == "S")
    bash.wait_for(re.escape(PROMPT))
    assert bash.modes() == bash.before
    os.kill(pid, signal.SIGKILL)  # now it reads, which a background job may not
    bash.start("wait; jobs")
    bash.wait_for(r"Stopped")
    bash.start("fg")
    wait_until(bash.is_raw)
    bash.type("late\n")
    bash.wait_for("got <late>")


def test_started_in_the_background(bash: Bash) -> None:
    bash.start("r -- sh -c 'echo up; exit 3' & wait $!")
    bash.wait_for("up")
    assert bash.code() == 3
    assert bash.modes() == bash.before


def test_started_in_the_background_it_stops_when_it_wants_to_read(bash: Bash) -> None:
    bash.start(f"{READ} &")
    bash.wait_for("up")
    bash.start("wait; jobs")
    bash.wait_for(r"Stopped \(tty input\)|Stopped")
    assert bash.modes() == bash.before
    bash.start("fg")
    wait_until(bash.is_raw)
    bash.type("a\n")
    bash.wait_for("got <a>")
    assert bash.code() == 4
    assert bash.modes() == bash.before


@pytest.mark.parametrize("continued", [False, True])
def test_brought_to_the_foreground_while_it_runs(
    bash: Bash, tiny_chroot: Path, continued: bool
) -> None:
    """bash before 5.3 sends no CONT then: the outer terminal turns ctrl+C into a signal for us.

    Others do: ctrl+C is then for the terminal inside, which has to have the command in front.
    """
    bash.start("r sleep 1000 &")
    only(tiny_chroot, "sleep")
    bash.wait_for(re.escape(PROMPT))
    bash.start("fg")
    wait_until(lambda: os.tcgetpgrp(bash.fd) != bash.pid)
    if continued:
        os.killpg(os.tcgetpgrp(bash.fd), signal.SIGCONT)
        wait_until(bash.is_raw)
    bash.type("\x03")
    assert bash.code() == 130


def test_what_a_command_leaves_running_is_not_hung_up(bash: Bash, tiny_chroot: Path) -> None:
    """A service that `start` has begun with `&`, in the group of the command that ends."""
    count = tiny_chroot / "count"
    script = "( while :; do echo >>/count; sleep 0.05; done ) </dev/null >/dev/null 2>&1 &"
    bash.start(f"r -- sh -c '{script} until [ -e /count ]; do :; done'")
    assert bash.code() == 0  # by now the session and its terminal are gone
    before = count.stat().st_size
    wait_until(lambda: count.stat().st_size > before + 2)
    kill(inside(tiny_chroot))


def test_where_nobody_could_continue_it_nothing_stops(tiny_chroot: Path, cli: Cli) -> None:
    """The tool leads the session itself, as in a window of its own: ctrl+Z must not hang it."""
    argv = cli.argv("run", "-d", tiny_chroot, "--", "sh", "-c", 'echo up; read x; echo "<$x>"')
    terminal = Terminal(list(map(str, argv)), cli.environment())
    try:
        terminal.wait_for("up")
        terminal.type("\x1a")
        terminal.type("on\n")
        terminal.wait_for("<on>")
        assert terminal.exit_code() == 0
    finally:
        terminal.close()


# -- no terminals inside


def node(path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "file":
        path.touch()
    elif kind == "null":
        os.mknod(path, 0o666 | 0o020000, os.makedev(1, 3))
    elif kind == "ptmx":
        os.mknod(path, 0o666 | 0o020000, os.makedev(5, 2))


@pytest.mark.parametrize("kind", ["nothing", "file", "fifo", "null", "ptmx"])
def test_without_a_devpts_there_is_a_clear_error(tmp_path: Path, kind: str) -> None:
    node(tmp_path / "dev/pts/ptmx", kind)
    before = descriptors()
    with Root(str(tmp_path)) as root, pytest.raises(EnterError) as caught:
        open_terminal(root)
    assert caught.value.code == 125
    assert str(tmp_path) in caught.value.message
    assert "chroot-tool on" in caught.value.hint
    wait_until(lambda: set(descriptors()) <= set(before))


def test_a_link_to_the_hosts_ptmx_is_not_followed_outside(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/pts").symlink_to("/dev/pts")
    with Root(str(tmp_path)) as root, pytest.raises(EnterError):
        open_terminal(root)


def test_terminals_of_two_commands_are_two(bash: Bash, tiny_chroot: Path, cli: Cli) -> None:
    bash.start("r sleep 1000 &")
    only(tiny_chroot, "sleep")
    bash.wait_for(re.escape(PROMPT))
    bash.start("r tty")
    bash.wait_for("/dev/pts/1")
    bash.wait_for(re.escape(PROMPT))  # what is typed before that is still the command's
    subprocess.run(cli.argv("run", "-d", tiny_chroot, "true"), stdin=subprocess.DEVNULL, check=True)
    bash.start("kill %1; wait $!")  # bash 5.3 may have forgotten %1 by then
    assert bash.code() == 143
