"""`run`, `start` and their kin through the command line: what happens around the command.

The command's own side (users, terminals, signals, streams) is in test_enter and test_pty.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from chroot_tool.core.lock import Lock
from support import PATIENCE, Cli, mounts_below, processes_below, wait_until

pytestmark = pytest.mark.root


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def refused(done: subprocess.CompletedProcess[str], code: int = 125) -> str:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("chroot-tool: ")
    return done.stderr


# -- on first -----------------------------------------------------------------------------------


def test_it_is_switched_on_first_and_stays_on(cli: Cli, tiny_chroot: Path) -> None:
    listed = cli.ok("run", "/bin/cat", "/proc/self/mountinfo", "-d", tiny_chroot)
    points = {line.split()[4] for line in listed.splitlines()}
    assert {"/proc", "/dev/pts", "/tmp", "/sys"} <= points
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"
    before = mounts_below(tiny_chroot)
    cli.ok("run", "/bin/true", "-d", tiny_chroot)
    assert mounts_below(tiny_chroot) == before


def test_a_variable_without_a_value_is_the_callers(cli: Cli, tiny_chroot: Path) -> None:
    words = ("run", "-d", tiny_chroot, "-e", "MINE", "-e", "NOT_SET", "-e", "EMPTY=")
    script = "echo $MINE ${NOT_SET-unset} ${EMPTY-no}"
    assert cli.ok(*words, "--", "/bin/sh", "-c", script, env={"MINE": "x"}).split() == [
        "x",
        "unset",
    ]


@pytest.mark.parametrize("form", ["-d={}", "-d{}", "--dir={}"])
def test_a_value_may_be_stuck_to_its_option(cli: Cli, tiny_chroot: Path, form: str) -> None:
    words = (form.format(tiny_chroot), "-e=A=b")
    assert cli.ok("run", *words, "--", "/bin/sh", "-c", "echo $A") == "b\n"
    assert "already on" in cli("on", words[0]).stderr  # argparse has it the same way


@pytest.mark.slow
def test_one_that_is_being_made_is_busy(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / ".chroot-tool-create").mkdir()
    with Lock(str(tiny_chroot)):
        done = cli("run", "true", "-d", tiny_chroot)
    assert done.returncode == 125
    assert "another chroot-tool is at work" in done.stderr
    assert "delete" not in done.stderr
    (tiny_chroot / ".chroot-tool-create").rmdir()


def test_what_is_missing_is_mended_first(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
    cli.ok("run", "/bin/true", "-d", tiny_chroot)
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"


def test_on_is_silent_and_stdout_is_the_commands(cli: Cli, tiny_chroot: Path) -> None:
    done = cli("run", "/bin/sh", "-d", tiny_chroot, stdin="printf out; printf err >&2")
    assert (done.stdout, done.stderr, done.returncode) == ("out", "err", 0)


@pytest.mark.parametrize(
    ("words", "way"),
    [
        (("cd", "/tmp"), "sh -c 'cd /tmp'"),
        (("for i in 1 2; do id; done",), "sh -c 'for i in 1 2; do id; done'"),
    ],
)
def test_a_shells_own_word_that_is_not_found_is_told_as_such(
    cli: Cli, tiny_chroot: Path, words: tuple[str, ...], way: str
) -> None:
    """By whichever rule it is looked for: with chroot-cmd, and without."""
    first = words[0].split()[0]
    done = cli("run", *words, "-d", tiny_chroot)
    assert done.returncode == 127
    assert f"{first} is a shell's own word" in done.stderr
    script = tiny_chroot / "chroot.d" / "chroot-cmd"
    script.parent.mkdir(exist_ok=True)
    script.write_text('#!/bin/sh\nexec "$@"\n')
    script.chmod(0o755)
    done = cli("run", *words, "-d", tiny_chroot)
    assert (done.returncode, done.stdout) == (127, "")
    assert f"{first} is a shell's own word" in done.stderr
    assert f"hint: chroot-tool run -- {way}" in done.stderr
    done = cli("run", "no-such-program", "-d", tiny_chroot)
    assert done.returncode == 127
    assert "own word" not in done.stderr


@pytest.mark.parametrize("operator", ["|", "&&", ";", ">"])
def test_who_takes_it_for_a_shell_is_told(cli: Cli, tiny_chroot: Path, operator: str) -> None:
    executable(tiny_chroot / "echo", '#!/bin/sh\necho "$*"\n')
    done = cli("run", f"/echo one {operator} two", "-d", tiny_chroot)
    assert (done.stdout, done.returncode) == (f"one {operator} two\n", 0)
    assert f"no shell reads this command: {operator} is an argument" in done.stderr
    assert "hint: chroot-tool run -- sh -c '/echo one" in done.stderr


@pytest.mark.parametrize("words", [("/echo 'a | b'",), ("/echo", "a", "|"), ("/echo a|b",)])
def test_who_knows_that_none_reads_it_is_left_alone(
    cli: Cli, tiny_chroot: Path, words: tuple[str, ...]
) -> None:
    executable(tiny_chroot / "echo", '#!/bin/sh\necho "$*"\n')
    assert cli("run", *words, "-d", tiny_chroot).stderr == ""


@pytest.mark.slow
def test_ten_at_once_on_a_chroot_that_is_off(cli: Cli, tiny_chroot: Path) -> None:
    cli = cli.without("lock")
    argv = ("run", "-d", tiny_chroot, "--", "/bin/sh", "-c", "exec cat /proc/self/root/dev/null")
    running = [cli.start(*argv, stderr=subprocess.PIPE) for _ in range(10)]
    said = [process.communicate(timeout=250)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 10, said
    points = mounts_below(tiny_chroot)
    assert len(points) == len(set(points))
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"


@pytest.mark.slow
def test_run_and_off_at_once_end_in_one_of_the_two(cli: Cli, tiny_chroot: Path) -> None:
    for _ in range(3):
        first = cli.start("run", "/bin/true", "-d", tiny_chroot, stderr=subprocess.PIPE)
        second = cli.start("off", "-S", "-d", tiny_chroot, stderr=subprocess.PIPE)
        said = [process.communicate(timeout=60)[1] for process in (first, second)]
        assert not [text for text in said if b"Traceback" in text]
        assert first.returncode in (0, 125)
        assert second.returncode in (0, 1, 4)
        assert cli.json("status", "-d", tiny_chroot)["state"] in ("on", "off", "partial")
        cli.ok("off", "-S", "--kill", "-d", tiny_chroot)


# -- host-cmd -----------------------------------------------------------------------------------


def test_host_cmd_runs_on_the_host_before_the_command(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    executable(
        tiny_chroot / "chroot.d/host-cmd",
        f'#!/bin/sh\n{{ echo "$CHROOT_TOOL_DIR"; for a in "$@"; do echo "<$a>"; done; '
        f'test -e "$CHROOT_TOOL_DIR/proc/self" && echo on; }} >> "{said}"\n',
    )
    script = f'test -e "{said}" && echo escaped; echo inside'
    shown = cli.ok("run", "-d", tiny_chroot, "--", "/bin/sh", "-c", script)
    assert shown == "inside\n"
    assert said.read_text().splitlines() == [
        str(tiny_chroot), "</bin/sh>", "<-c>", f"<{script}>", "on",
    ]  # fmt: skip
    said.unlink()
    cli.ok("run", "/bin/cat  '/etc/passwd'", "-d", tiny_chroot)  # one word is split for both
    assert said.read_text().splitlines()[1:3] == ["</bin/cat>", "</etc/passwd>"]


@pytest.mark.parametrize(("end", "code"), [("exit 7", 7), ("kill -TERM $$", 143)])
def test_a_host_cmd_that_fails_is_the_end(cli: Cli, tiny_chroot: Path, end: str, code: int) -> None:
    executable(tiny_chroot / "chroot.d/host-cmd", f"#!/bin/sh\n{end}\n")
    done = cli("run", "/bin/touch", "/ran", "-d", tiny_chroot)
    assert done.returncode == code
    assert not (tiny_chroot / "ran").exists()


def test_a_host_cmd_that_is_not_executable_is_left_alone(cli: Cli, tiny_chroot: Path) -> None:
    host_cmd = tiny_chroot / "chroot.d/host-cmd"
    host_cmd.write_text("#!/bin/sh\nexit 7\n")
    cli.ok("run", "/bin/true", "-d", tiny_chroot)
    host_cmd.unlink()
    host_cmd.mkdir()
    cli.ok("run", "/bin/true", "-d", tiny_chroot)


def test_a_host_cmd_without_an_interpreter_is_an_error(cli: Cli, tiny_chroot: Path) -> None:
    executable(tiny_chroot / "chroot.d/host-cmd", "#!/nowhere/sh\n")
    assert "host-cmd" in refused(cli("run", "/bin/true", "-d", tiny_chroot))


def test_a_host_cmd_that_is_a_link_is_looked_for_inside(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    executable(tmp_path / "outside", f'#!/bin/sh\ntouch "{tmp_path}/ran"\n')
    (tiny_chroot / "chroot.d/host-cmd").symlink_to(tmp_path / "outside")
    cli.ok("run", "/bin/true", "-d", tiny_chroot)
    assert not (tmp_path / "ran").exists()


def test_host_cmd_is_asked_for_stop_too_and_off_goes_on(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    executable(
        tiny_chroot / "chroot.d/host-cmd", f'#!/bin/sh\necho "$@" | tee "{tmp_path}/said"; exit 3\n'
    )
    executable(tiny_chroot / "chroot.d/stop", "#!/bin/sh\ntouch /stopped\n")
    cli.ok("on", "-d", tiny_chroot)
    events = cli.events("off", "-d", tiny_chroot)  # stdout is JSON although host-cmd prints
    assert (tmp_path / "said").read_text() == "stop\n"
    assert [e["line"] for e in events if e["event"] == "output"] == ["stop"]
    assert [e for e in events if e["event"] == "warning"]
    assert not (tiny_chroot / "stopped").exists()
    assert mounts_below(tiny_chroot) == []


def test_a_host_cmd_that_hangs_can_be_interrupted(cli: Cli, tiny_chroot: Path) -> None:
    executable(
        tiny_chroot / "chroot.d/host-cmd",
        '#!/bin/sh\n: > "$CHROOT_TOOL_DIR/begun"\nexec sleep 100\n',
    )
    cli.ok("on", "-d", tiny_chroot)
    with cli.start("off", "-d", tiny_chroot, stderr=subprocess.DEVNULL) as process:
        wait_until((tiny_chroot / "begun").exists, process)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    (tiny_chroot / "chroot.d/host-cmd").unlink()


# -- start, stop, restart, update ---------------------------------------------------------------


@pytest.mark.network
def test_a_created_chroot_answers_the_four_words(cli: Cli, chroot: Path) -> None:
    for word in ("start", "stop", "restart", "update"):
        done = cli(word, "-d", chroot)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert cli("run", "nonsense", "-d", chroot).returncode == 127
    assert cli.ok("run", "echo hello  world", "-d", chroot) == "hello world\n"


def test_the_words_are_run_with_that_word(cli: Cli, tiny_chroot: Path) -> None:
    for word in ("start", "stop", "restart", "update"):
        executable(tiny_chroot / f"chroot.d/{word}", f"#!/bin/sh\npwd; exit {len(word)}\n")
        done = cli(word, "-d", tiny_chroot)
        assert (done.returncode, done.stdout) == (len(word), "/chroot.d\n")


def test_a_script_goes_before_chroot_cmd(cli: Cli, tiny_chroot: Path) -> None:
    executable(tiny_chroot / "chroot.d/ls", '#!/bin/sh\necho "mine $*"\n')
    assert cli.ok("run", "-d", tiny_chroot, "--", "ls", "-l", "/") == "mine -l /\n"
    assert cli.ok("run", "id -u", "-d", tiny_chroot) == "0\n"


# -- configuration ------------------------------------------------------------------------------


@pytest.mark.slow
def test_defaults_of_the_configuration(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/chroot.toml").write_text(
        '[run]\nuser = "app"\ncwd = "/home/app"\nenv = { LANG = "de_DE.UTF-8", A = "1" }\n'
    )
    script = 'echo "$(id -u) $PWD $LANG $A $HOME"'
    run = ("run", "-d", tiny_chroot)
    command = ("--", "/bin/sh", "-c", script)
    assert cli.ok(*run, *command) == "1000 /home/app de_DE.UTF-8 1 /home/app\n"
    given = ("-u", "root", "-w", "/etc", "-e", "A=2", "-e", "LANG=C")
    assert cli.ok(*run, *given, *command) == "0 /etc C 2 /root\n"
    shell = cli("shell", "-d", tiny_chroot, stdin=script + "\n")
    assert shell.stdout == "1000 /home/app de_DE.UTF-8 1 /home/app\n"
    assert cli.ok(*run, "-e", "OUTER", *command, env={"OUTER": "x"}).endswith("/home/app\n")


def test_another_configuration_directory(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "chroot.toml").write_text('[run]\nenv = { WHERE = "other" }\n')
    (other / "tool.conf").write_text("[bind]\ntgt:/elsewhere fs:tmpfs\n")
    shown = cli.ok(
        "run", "-c", other, "-d", tiny_chroot, "--", "/bin/sh", "-c",
        "echo $WHERE; exec cat /proc/self/mountinfo",
    )  # fmt: skip
    assert shown.startswith("other\n")
    assert " /elsewhere " in shown


@pytest.mark.parametrize("word", ["run", "shell", "start"])
def test_a_wrong_configuration_is_125_with_the_line(cli: Cli, tiny_chroot: Path, word: str) -> None:
    (tiny_chroot / "chroot.d/tool.conf").write_text("[bind]\nbogus\ntgt:rel\n")
    words = [word, *(["/bin/true"] if word == "run" else [])]
    said = refused(cli(*words, "-d", tiny_chroot))
    assert "tool.conf:2" in said
    assert "tool.conf:3" in said
    assert mounts_below(tiny_chroot) == []


def test_a_source_that_is_missing_is_125(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/tool.conf").write_text("[bind]\ntgt:/nowhere/at/all\n")
    said = refused(cli("run", "/bin/true", "-d", tiny_chroot))
    assert "/nowhere/at/all" in said
    assert "hint:" in said


# -- what is no chroot to run in ----------------------------------------------------------------


def test_broken_and_incomplete_ones_are_125_with_a_hint(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty/chroot.d").mkdir(parents=True)
    for root, expected in (
        (tmp_path / "empty", "root file system"),
        (tmp_path, "no chroot"),
        (tmp_path / "missing", "does not exist"),
        (Path("/"), "root of this system"),
    ):
        said = refused(cli("run", "/bin/true", "-d", root))
        assert expected in said
        assert "hint:" in said
    (tiny_chroot / ".chroot-tool-create").mkdir()
    assert "create -d" in refused(cli("run", "/bin/true", "-d", tiny_chroot))
    assert mounts_below(tmp_path) == []
    (tiny_chroot / ".chroot-tool-create").rmdir()


def test_nothing_stays_behind(cli: Cli, tiny_chroot: Path) -> None:
    """No process of the tool waits for the command, or is left after it."""
    cli.ok("run", "/bin/true", "-d", tiny_chroot)
    assert processes_below(tiny_chroot) == {}
    cli.ok("off", "-d", tiny_chroot)
    assert os.listdir(tiny_chroot / "tmp") == []
