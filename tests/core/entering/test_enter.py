"""What a word means, the environment, and commands inside that have no terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chroot_tool.core.config.chroot_toml_values import RunDefaults
from chroot_tool.core.entering import enter, own_process, words_to_program
from chroot_tool.core.entering.users import User
from chroot_tool.core.entering.words_to_program import Command
from chroot_tool.core.errors import EnterError, UsageError
from chroot_tool.core.kernel.rootpath import Root
from support import CHECKOUT, Cli

APP = User("app", 1000, 1000, (1000, 29), "/home/app", "/bin/sh")
ROOT = User("root", 0, 0, (0,), "/root", "/bin/sh")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    """A root with nothing in it that could be run."""
    for name in ("chroot.d/sub/start", "chroot.d/stop", "chroot.d/chroot-cmd", "usr/bin/make"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with Root(str(tmp_path)) as opened:
        yield opened


# -- what a word means


@pytest.mark.parametrize(
    ("words", "argv", "cwd"),
    [
        (("/bin/x", "a b"), ("/bin/x", "a b"), "/"),
        (("/bin/x 'a b' c",), ("/bin/x", "a b", "c"), "/"),
        (("/bin/x $HOME *;",), ("/bin/x", "$HOME", "*;"), "/"),
        (("stop", "now"), ("/chroot.d/stop", "now"), "/chroot.d"),
        (("stop now",), ("/chroot.d/stop", "now"), "/chroot.d"),
        (("sub/start",), ("/chroot.d/sub/start",), "/chroot.d"),
        (("make", "all"), ("/chroot.d/chroot-cmd", "make", "all"), "/chroot.d"),
        (("a b", "c"), ("/chroot.d/chroot-cmd", "a b", "c"), "/chroot.d"),
        (("sub",), ("/chroot.d/chroot-cmd", "sub"), "/chroot.d"),
        (("../usr/bin/make",), ("/chroot.d/chroot-cmd", "../usr/bin/make"), "/chroot.d"),
        (("-x",), ("/chroot.d/chroot-cmd", "-x"), "/chroot.d"),
    ],
)
def test_the_three_rules(
    root: Root, words: tuple[str, ...], argv: tuple[str, ...], cwd: str
) -> None:
    assert words_to_program.resolve_word(root, words) == (argv, cwd)


def test_a_script_may_be_a_link_but_is_looked_for_inside(root: Root) -> None:
    scripts = Path(root.path, "chroot.d")
    (scripts / "inside").symlink_to("/usr/bin/make")
    (scripts / "outside").symlink_to(CHECKOUT / "pyproject.toml")
    assert words_to_program.resolve_word(root, ("inside",))[0] == ("/chroot.d/inside",)
    assert words_to_program.resolve_word(root, ("outside",))[0][0] == "/chroot.d/chroot-cmd"


@pytest.mark.parametrize("words", [(), ("",), ("  ",), ("'open quote",)])
def test_words_that_are_no_command(root: Root, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        words_to_program.resolve_word(root, words)


def test_without_chroot_cmd_the_hint_names_the_program(root: Root) -> None:
    Path(root.path, "chroot.d/chroot-cmd").unlink()
    with pytest.raises(EnterError, match=r"neither /chroot\.d/make nor") as caught:
        words_to_program.resolve_word(root, ("make", "all"))
    assert caught.value.code == 127
    assert "/usr/bin/make all" in caught.value.hint


def test_what_is_given_goes_before_the_defaults(root: Root) -> None:
    defaults = RunDefaults(user="app", cwd="/srv", env=(("A", "1"), ("B", "2")))
    assert words_to_program.command(root, defaults, ("stop",)) == Command(
        ("/chroot.d/stop",), "/srv", "app", defaults.env
    )
    mine = words_to_program.command(root, defaults, (), user="root", cwd="/tmp", env={"B": "3"})
    assert (mine.argv, mine.cwd, mine.user, mine.login) == ((), "/tmp", "root", True)
    assert dict(mine.env) == {"A": "1", "B": "3"}
    assert words_to_program.command(root, RunDefaults(), ("stop",)).cwd == "/chroot.d"


# -- the environment


def test_the_environment_is_clean(root: Root) -> None:
    assert words_to_program.environment(root, APP, (), "") == {
        "PATH": words_to_program.USER_PATH,
        "HOME": "/home/app",
        "USER": "app",
        "LOGNAME": "app",
        "SHELL": "/bin/sh",
        "TERM": "dumb",
        "LANG": "C.UTF-8",
    }
    assert words_to_program.environment(root, ROOT, (), "")["PATH"] == words_to_program.ROOT_PATH


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("known", "known"),
        ("xterm-kitty", "xterm-256color"),
        ("../x", "xterm-256color"),
        ("/etc/passwd", "xterm-256color"),
        ("", "dumb"),
    ],
)
@pytest.mark.parametrize("place", ["lib", "usr/share", "etc"])
def test_a_terminal_that_is_unknown_inside_is_called_xterm(
    root: Root, place: str, outer: str, inner: str
) -> None:
    entry = Path(root.path, place, "terminfo/k/known")
    entry.parent.mkdir(parents=True)
    entry.touch()
    assert words_to_program.environment(root, ROOT, (), outer)["TERM"] == inner


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ('#  File generated by update-locale\nLANG="de_DE.UTF-8"\n', "de_DE.UTF-8"),
        ("LANGUAGE=fr\n LANG=fr_FR.UTF-8 \n", "fr_FR.UTF-8"),
        ("LANG=\n", "C.UTF-8"),
        ("LANG=a\0b\n", "C.UTF-8"),
        ("x" * (1 << 17), "C.UTF-8"),
    ],
)
def test_the_language_is_the_chroots(root: Root, text: str, lang: str) -> None:
    Path(root.path, "etc/default").mkdir(parents=True)
    Path(root.path, "etc/default/locale").write_text(text)
    assert words_to_program.environment(root, ROOT, (), "")["LANG"] == lang


def test_what_is_set_goes_on_top_the_last_one_winning(root: Root) -> None:
    extras = (("LANG", "C"), ("A", "1"), ("A", "=2"))
    found = words_to_program.environment(root, ROOT, extras, "")
    assert (found["LANG"], found["A"]) == ("C", "=2")


@pytest.mark.parametrize("pair", [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "\0")])
def test_a_variable_that_cannot_be_is_an_error(root: Root, pair: tuple[str, str]) -> None:
    with pytest.raises(UsageError):
        words_to_program.environment(root, ROOT, (pair,), "")


@pytest.mark.parametrize(
    "wanted", [Command(()), Command(("/x",), cwd="tmp"), Command(("/x", "a\0"))]
)
def test_a_command_that_cannot_be_is_an_error(root: Root, wanted: Command) -> None:
    with pytest.raises(UsageError):
        words_to_program.prepare(root, wanted)


@pytest.mark.slow
def test_a_process_with_threads_does_not_go_in(root: Root) -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    try:
        with pytest.raises(RuntimeError, match="one thread"):
            enter.run(root, Command(("/bin/true",)))
    finally:
        release.set()
        thread.join()


# -- inside, without a terminal


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tiny_chroot: Path, cli: Cli) -> Run:
    """`run` in the tiny chroot: options, `--`, words."""
    return lambda *args, **more: cli("run", "-d", tiny_chroot, *args, **more)


def executable(path: Path, content: str | bytes) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o755)


@pytest.mark.root
def test_stdin_and_stdout_are_binary_safe_and_stdout_is_the_commands_alone(
    tiny_chroot: Path, cli: Cli
) -> None:
    data = os.urandom(5 << 20)
    done = cli.binary("run", "-d", tiny_chroot, "cat", stdin=data)
    assert done.stdout == data
    assert done.stderr == b""


@pytest.mark.root
def test_a_pipe_through_a_shell(tiny_chroot: Path, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(os.urandom(1 << 20))
    line = shlex.join(map(str, cli.argv("run", "-d", tiny_chroot, "--", "sort", "-z")))
    done = subprocess.run(
        ["sh", "-c", f"cat in | {line} | wc -c"],
        cwd=tmp_path, env=cli.environment(), capture_output=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) in (1 << 20, (1 << 20) + 1)


@pytest.mark.root
def test_users_and_groups_are_the_chroots(run: Run) -> None:
    assert (
        run("-u", "app", "id").stdout == "uid=1000(app) gid=1000(app) groups=1000(app),29(audio)\n"
    )
    assert run("-u", "4711", "id").stdout == "uid=4711 gid=4711 groups=4711\n"
    assert run("id").stdout == "uid=0(root) gid=0(root) groups=0(root)\n"
    assert run("-u", "nobody", "id").returncode == 125


@pytest.mark.root
def test_another_user_keeps_no_way_back(run: Run) -> None:
    status = run("-u", "app", "cat", "/proc/self/status").stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["1000"] * 4
    assert fields["Gid"].split() == ["1000"] * 4
    assert {fields[f"Cap{kind}"] for kind in ("Prm", "Eff", "Amb")} == {"0" * 16}


@pytest.mark.root
def test_ambient_capabilities_end_with_root(tiny_chroot: Path, cli: Cli) -> None:
    command = cli.argv("run", "-d", tiny_chroot, "-u", "app", "cat", "/proc/self/status")
    done = subprocess.run(
        ["setpriv", "--inh-caps=+sys_admin", "--ambient-caps=+sys_admin", *command],
        env=cli.environment(), stdin=subprocess.DEVNULL, capture_output=True, check=True,
    )  # fmt: skip
    assert b"CapAmb:\t0000000000000000" in done.stdout
    assert b"CapEff:\t0000000000000000" in done.stdout


@pytest.mark.root
def test_the_environment_inside(run: Run) -> None:
    done = run("-u", "app", "-e", "A=b c", "/bin/env", env={"SECRET": "x", "TERM": "vt-unknown"})
    names = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert sorted(names) == ["A", "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "USER"]
    assert (names["A"], names["TERM"], names["HOME"]) == ("b c", "xterm-256color", "/home/app")


@pytest.mark.root
def test_the_working_directory(run: Run) -> None:
    where = ("/bin/sh", "-c", "pwd -P")
    assert run("--", *where).stdout == "/\n"
    assert run("-w", "/tmp", "--", *where).stdout == "/tmp\n"
    assert run("--", "sh", "-c", "pwd -P").stdout == "/chroot.d\n"


@pytest.mark.root
def test_a_working_directory_that_is_none(run: Run, tiny_chroot: Path) -> None:
    (tiny_chroot / "secret").mkdir(mode=0o700)
    missing = run("-w", "/nowhere", "/bin/true")
    assert (missing.returncode, missing.stdout) == (125, "")
    assert missing.stderr.startswith(
        f"chroot-tool: cannot work in /nowhere in {tiny_chroot}: No such"
    )
    closed = run("-w", "/secret", "-u", "app", "/bin/true")
    assert "user app may not enter /secret" in closed.stderr


@pytest.mark.root
def test_no_descriptor_of_ours_gets_in(tiny_chroot: Path, cli: Cli) -> None:
    with open(CHECKOUT / "pyproject.toml", "rb") as file:
        command = cli.argv("run", "-d", tiny_chroot, "--", "/bin/ls", "/proc/self/fd")
        done = subprocess.run(
            command, env=cli.environment(), stdin=subprocess.DEVNULL, capture_output=True,
            pass_fds=[file.fileno()], check=True,
        )  # fmt: skip
    assert done.stdout.split() == [b"0", b"1", b"2", b"3"]  # 3 is the directory that ls reads


@pytest.mark.root
def test_signals_are_as_the_caller_has_them(tiny_chroot: Path, cli: Cli) -> None:
    """Python's own SIG_IGN for PIPE and XFSZ is not handed on, nohup's for HUP is."""
    command = cli.argv("run", "-d", tiny_chroot, "cat", "/proc/self/status")
    done = subprocess.run(
        ["nohup", *command], env=cli.environment(), stdin=subprocess.DEVNULL,
        capture_output=True, check=True,
    )  # fmt: skip
    fields = dict(line.split(b":\t") for line in done.stdout.splitlines() if b":\t" in line)
    assert int(fields[b"SigIgn"], 16) == 1 << signal.SIGHUP - 1
    assert int(fields[b"SigBlk"], 16) == 0


# -- commands that cannot be started

NUMBER, OTHER = (b"\x3e", "amd64") if os.uname().machine == "aarch64" else (b"\xb7", "arm64")
FOREIGN = (
    b"\x7fELF\x02\x01\x01" + bytes(8) + b"\1" + b"\x02\x00" + NUMBER
    + b"\x00\x01\x00\x00\x00" + bytes(100)
)  # fmt: skip
"""For another machine. Its padding is not 0: so it is for no emulator either that this one may
have."""


def elf_that_wants(loader: bytes) -> bytes:
    """This machine's own `true`, with another path in its PT_INTERP."""
    program = Path(shutil.which("true") or "").read_bytes()
    at = program.index(b"/lib")
    end = program.index(b"\0", at)
    assert len(loader) <= end - at
    return program[:at] + loader.ljust(end - at, b"\0") + program[end:]


@pytest.mark.root
@pytest.mark.parametrize(
    ("content", "code", "message", "hint"),
    [
        (FOREIGN, 126, f"/x is built for {OTHER}, this machine is", "qemu-user-static"),
        (b"echo hello\n", 126, "/x is no program and has no #! line", "#!/bin/sh"),
        (b"", 126, "/x is empty", "#!/bin/sh"),
        (b"#!/no/such -x\n", 127, "/x needs '/no/such', which does not exist", "first line"),
        (b"#!/bin/sh\r\necho\r\n", 127, "/x needs '/bin/sh\\r'", "Windows"),
        (b"#!\n", 126, "/x names no interpreter", "#!/bin/sh"),
        (b"#!/foreign\n", 126, f"the interpreter of /x: /foreign is built for {OTHER}", "qemu"),
        (elf_that_wants(b"/lib/none"), 127, "/x needs /lib/none, which does not exist", "libc6"),
        (b"\x7fELF", 126, "/x is built for machine 0", ""),
    ],
    ids=["foreign", "text", "empty", "interpreter", "crlf", "bare", "chain", "loader", "cut"],
)
def test_the_reason_is_named(
    run: Run, tiny_chroot: Path, content: bytes, code: int, message: str, hint: str
) -> None:
    executable(tiny_chroot / "x", content)
    executable(tiny_chroot / "foreign", FOREIGN)
    done = run("/x")
    first, second = done.stderr.splitlines()
    assert first.startswith(f"chroot-tool: {message}")
    assert second.startswith("hint: ")
    assert hint in second
    assert (done.returncode, done.stdout) == (code, "")


@pytest.mark.slow
@pytest.mark.root
def test_not_found_and_not_executable(run: Run, tiny_chroot: Path) -> None:
    (tiny_chroot / "plain").write_text("#!/bin/sh\n")
    executable(tiny_chroot / "mine", "#!/bin/sh\n")
    (tiny_chroot / "mine").chmod(0o700)
    (tiny_chroot / "closed").mkdir(mode=0o700)
    executable(tiny_chroot / "tmp/x", "#!/bin/sh\n")
    expected = {
        ("/nothing",): (127, "/nothing does not exist in"),
        ("/bin/sh/x",): (127, "/bin/sh/x does not exist in"),
        ("/plain",): (126, "/plain is not executable"),
        ("/bin",): (126, "/bin is a directory"),
        ("-u", "app", "/mine"): (126, "user app may not execute /mine"),
        ("-u", "app", "/closed/x"): (126, "user app may not look for /closed/x"),
    }
    for words, (code, message) in expected.items():
        done = run(*words)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith(f"chroot-tool: {message}")


@pytest.mark.root
def test_a_mount_that_forbids_programs_is_named(
    run: Run, tiny_chroot: Path, tmp_path: Path
) -> None:
    (tmp_path / "host").mkdir()
    executable(tmp_path / "host/x", "#!/bin/sh\n")
    line = f"src:{tmp_path}/host tgt:/mnt opt:noexec"
    (tiny_chroot / "chroot.d/tool.conf").write_text(f"[bind]\n{line}\n")
    done = run("/mnt/x")
    assert done.returncode == 126
    assert done.stderr.startswith("chroot-tool: /mnt/x lies on a file system mounted noexec")


@pytest.mark.root
def test_a_refusal_leaves_the_process_as_it_was(tiny_chroot: Path) -> None:
    """Whoever catches the error can go on: root, ids, groups, directory, signals."""
    script = f"""
import os, signal
from chroot_tool.core.entering import enter, words_to_program
from chroot_tool.core.errors import EnterError
from chroot_tool.core.kernel.rootpath import Root
def now():
    wanted = ("Uid", "Gid", "Gro", "SigB", "SigI", "SigC", "Cap")  # not SigQ: the user's, not ours
    status = [line for line in open("/proc/self/status") if line.startswith(wanted)]
    return os.getcwd(), os.stat("/").st_ino, os.listdir("/proc/self/fd"), status
os.chdir("/usr")
os.setgroups([5, 6])
with Root({str(tiny_chroot)!r}) as root:
    before = now()
    for words, cwd in ((("/no",), ""), (("/bin/sh",), "/no")):
        try:
            enter.run(root, words_to_program.Command(words, cwd, "app"))
        except EnterError as error:
            print(error.code, now() == before)
"""
    done = subprocess.run(
        ["python3", "-c", script], cwd=CHECKOUT / ".pkg", stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "127 True\n125 True\n"


# -- from a process with threads


@pytest.mark.root
def test_apart_runs_from_a_process_with_threads(tiny_chroot: Path) -> None:
    executable(
        tiny_chroot / "chroot.d/say", '#!/bin/sh\necho "$A $0"\nid -u >&2\nread x || exit 9\n'
    )
    lines: list[str] = []
    defaults = RunDefaults(user="app", env=(("A", "b é"),))
    with Root(str(tiny_chroot)) as root:
        assert own_process.run_apart(root, defaults, ("say",), lines.append) == 9
        assert lines == ["b é /chroot.d/say", "1000"]
        assert own_process.run_apart(root, defaults, ("/bin/sh", "-c", "kill -9 $$"), print) == 137
        lines.clear()
        with pytest.raises(EnterError, match="/no does not exist") as caught:
            own_process.run_apart(root, defaults, ("/no",), lines.append)
        assert (caught.value.code, lines) == (127, [])
