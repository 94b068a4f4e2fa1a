"""The command line itself: help, usage errors, names, streams that are closed or full, exit codes.

What the commands do is tested elsewhere; here is that none of them ends in a traceback.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from chroot_tool import __version__
from chroot_tool.app.cli.arguments import verbs_of
from chroot_tool.app.cli.parser import whole
from support import PATIENCE, Cli, Program, let_in, mounts_below, wait_until

COMMANDS = (
    "create", "on", "off", "run", "start", "stop", "restart", "update", "shell", "list", "status",
    "watch", "bind", "delete", "clone", "rename", "snapshot", "pack", "unpack", "base",
)  # fmt: skip
OPTIONS = {
    "create": (
        "--suite", "--arch", "--mirror", "--variant", "--include", "--locale", "--timezone",
        "--backend", "--json", "-d", "--proxy", "--no-cache", "--no-refresh", "--offline",
    ),
    "on": ("-d", "-c", "-b", "--dry-run", "--json"),
    "off": ("-d", "-S", "--kill", "--timeout", "--lazy", "--dry-run", "--json"),
    "run": ("-d", "-u", "-w", "-e", "-c"),
    "shell": ("-d", "-u"),
    "list": ("--base", "--json", "--plain"),
    "status": ("-d", "--json", "--plain"),
    "watch": ("--base", "--json", "--plain"),
    "bind": ("-d", "--source", "--target", "--option", "list", "add", "remove", "ignore"),
    "delete": ("-d", "--yes"),
    "base": ("list", "make", "remove", "prune", "--to", "--suite", "--json"),
}  # fmt: skip
"""What README.md and docs promise."""


def test_an_empty_directory_name_is_a_mistake(cli: Cli, tmp_path: Path) -> None:
    deb = make(tmp_path / "deb")
    for words in (("delete", "--yes"), ("status",), ("off",), ("run", "true")):
        done = cli(*words, "-d", "", cwd=deb)
        assert done.returncode == (125 if words[0] == "run" else 2), words
        assert "name is empty" in done.stderr
    assert (deb / "bin/sh").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--forks", "3"),
        ("--inventory", "hosts.yml", "status"),
        ("run", "true", "--forks=3"),
    ],
)
def test_what_is_said_of_hosts_that_are_not_asked_for_is_a_mistake(
    cli: Cli, words: tuple[str, ...]
) -> None:
    done = cli(*words)
    assert done.returncode == (125 if "run" in words else 2)
    assert "is nothing without --hosts" in done.stderr
    assert "hint: --hosts GROUP" in done.stderr


def make(path: Path) -> Path:
    """A directory that counts as a chroot, without anything to run in it."""
    for name in ("chroot.d", "bin", "etc"):
        (path / name).mkdir(parents=True)
    (path / "bin/sh").touch()
    return path


def clean(done: subprocess.CompletedProcess[str], *, code: int) -> str:
    """Expect one error line, then at most a hint, nothing on stdout; return the error line."""
    lines = done.stderr.splitlines()
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert lines[0].startswith("chroot-tool: ")
    assert [line.startswith("hint: ") for line in lines[1:]] in ([], [True])
    assert done.stderr.rstrip("\n").replace("\n", "").isprintable()
    return lines[0]


# -- help ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["", *COMMANDS])
def test_help_fits_80_columns_and_names_every_option(cli: Cli, word: str) -> None:
    shown = cli.ok(*[word] * bool(word), "--help", env={"COLUMNS": "80"})
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert shown == cli.ok(*[word] * bool(word), "-h", env={"COLUMNS": "80"})
    for expected in OPTIONS.get(word, COMMANDS if not word else ()):
        assert expected in shown.split() or f"{expected}," in shown or expected in shown


def test_each_command_is_said_to_do_something(cli: Cli) -> None:
    lines = [line.split() for line in cli.ok("--help").splitlines()]
    said = {line[0]: line[1:] for line in lines if line}
    assert all(said[word] for word in COMMANDS)


def test_version(cli: Cli) -> None:
    assert cli.ok("--version") == f"chroot-tool {__version__}\n"


def test_without_a_terminal_a_bare_command_prints_list_and_help(cli: Cli, tmp_path: Path) -> None:
    make(tmp_path / "deb")
    shown = cli.ok("--base", tmp_path)
    assert "deb" in shown
    assert "usage:" in shown
    empty = cli("--base", tmp_path / "none")
    assert empty.returncode == 0
    assert "create" in empty.stderr


def test_those_of_a_tag(cli: Cli, tmp_path: Path) -> None:
    for name, tags in (("one", '["web", "amd64"]'), ("two", '["amd64"]'), ("three", "[]")):
        made = make(tmp_path / name)
        (made / "chroot.d").mkdir(exist_ok=True)
        (made / "chroot.d/chroot.toml").write_text(f"tags = {tags}\n")
    found = cli.json("--base", tmp_path, "list", "--tag", "amd64")
    assert {one["name"]: one["tags"] for one in found} == {
        "one": ["web", "amd64"], "two": ["amd64"],
    }  # fmt: skip
    assert "three" not in cli.ok("--base", tmp_path, "list", "--tag", "web")
    assert "tags    web amd64" in cli.ok("status", "-d", tmp_path / "one")
    none = cli("--base", tmp_path, "list", "--tag", "x\x1b[31m")
    assert (none.returncode, none.stdout) == (0, "")
    assert "has the tag x" in none.stderr
    assert "\x1b" not in none.stderr


# -- usage --------------------------------------------------------------------------------------

USAGE = [
    ["nonsense"], ["on", "--foo"], ["list", "too", "many"], ["--base"], ["on", "--base"],
    ["off", "--timeout", "soon", "-d", "x"], ["off", "--timeout", "-1", "-d", "x"],
    ["off", "--timeout", "nan", "-d", "x"], ["bind"], ["bind", "juggle"], ["bind", "add"],
    ["bind", "remove"], ["on", "-d"], ["create", "--backend", "magic"],
    ["--json"], ["list", "--jsonn"], ["lis"], ["on", "-b", "rel", "-d", "x"],
    ["on", "-b", "/a:/b:ro:x", "-d", "x"], ["on", "--dry", "-d", "x"],
    [b"\xff\xfe"], ["on", b"--\xff"], ["bind", b"\x1b[31m"], ["e\x1b[31m\nvil"],
]  # fmt: skip


@pytest.mark.parametrize("words", USAGE, ids=repr)
def test_usage_errors(cli: Cli, words: list[str | bytes], tmp_path: Path) -> None:
    make(tmp_path / "x")
    done = cli(*words, cwd=tmp_path)
    clean(done, code=2)


def test_a_usage_error_is_an_object_where_json_is_wanted(cli: Cli) -> None:
    for words in (["on", "--json", "--frob"], ["list", "--json", "too"], ["status", "--json", "x"]):
        done = cli(*words)
        assert done.returncode == 2
        told = json.loads(done.stdout)
        assert (told["event"], told["code"]) == ("error", 2)
        assert told["message"] in done.stderr


@pytest.mark.parametrize("words", [["on", "--zzz"], ["off", "x"], ["status", "-z"]])
def test_the_hint_of_a_usage_error_is_that_commands_help(cli: Cli, words: list[str]) -> None:
    assert f"hint: chroot-tool {words[0]} --help" in cli(*words).stderr


NEARLY = {
    "creat": "did you mean 'create'?",
    "on --dry-rum": "did you mean '--dry-run'? chroot-tool on --help has them all",
    "create --suit=trixie": "did you mean '--suite'? chroot-tool create --help has them all",
    "bind ad": "did you mean 'add'?",
    "bind juggle": "one of: list, add, remove, ignore, restore, edit",
    "xyzzy": "chroot-tool --help",
}


@pytest.mark.parametrize("line", NEARLY)
def test_a_word_that_is_nearly_one_is_named(cli: Cli, line: str) -> None:
    assert cli(*line.split()).stderr.splitlines()[1:] == [f"hint: {NEARLY[line]}"]


def test_the_help_of_every_command_has_examples() -> None:
    verbs = verbs_of(whole())
    for name in verbs.keys() - {"serve"}:  # which no person writes
        lines = [
            line.split() for line in (verbs[name].epilog or "").splitlines()
            if line.startswith("  chroot-tool")
        ]  # fmt: skip
        assert any(name in words for words in lines), name


RUN_USAGE = [
    ["run"], ["run", "-d"], ["run", "--bogus", "x"], ["start", "now"], ["shell", "ls"],
    ["run", "/bin/true", "-e", "=1"], ["run", ""], ["run", "'open x"], ["run", "--base"],
    ["run", "-zz"], ["run", b"-\xff"], ["run", "/bin/true", "-w", "relative"],
    ["run", "/bin/true", "-u", "nobody-here"],
]  # fmt: skip


@pytest.mark.root
@pytest.mark.parametrize("words", RUN_USAGE, ids=repr)
def test_usage_errors_of_run_are_the_tools_own_failure(
    cli: Cli, tiny_chroot: Path, words: list[str | bytes]
) -> None:
    clean(cli(*words, cwd=tiny_chroot), code=125)


@pytest.mark.parametrize("word", COMMANDS)
@pytest.mark.parametrize(
    "garbage", [b"\xff", b"\x1b]0;x\x07", b"-\xff", b"--", b"-", b"=", b"--base=\xff", b"a" * 5000]
)
def test_garbage_is_no_traceback(cli: Cli, tmp_path: Path, word: str, garbage: bytes) -> None:
    """Every command but watch, which is asked for a base that is garbage and never ends."""
    if word == "watch" and garbage == b"--base=\xff":
        return
    words: list[str | bytes] = [word, garbage]
    if garbage in (b"--", b"-", b"=") or garbage.startswith(b"--base"):
        words = [word, "--json" if word in ("list", "watch") else "-d", garbage]
    if word == "watch" and garbage == b"--":
        return
    done = cli(*words, cwd=tmp_path, timeout=PATIENCE)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1, 2, 125)
    assert done.stderr.replace("\n", "").isprintable()


# -- which chroot -------------------------------------------------------------------------------


def name_of(cli: Cli, *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    return str(cli.json("status", *words, cwd=cwd, env=env)["path"])


@pytest.mark.slow
def test_a_name_is_looked_up_under_the_base(cli: Cli, tmp_path: Path) -> None:
    base, here = tmp_path / "base", tmp_path / "here"
    deb, other = make(base / "deb"), make(here / "other")
    env = {"CHROOT_TOOL_BASE": str(base)}
    assert name_of(cli, "-d", "deb", "--base", base, cwd=here) == str(deb)
    assert name_of(cli, "-d", "deb", cwd=here, env=env) == str(deb)
    assert name_of(cli, "--base", base, "-d", "deb", cwd=here) == str(deb)
    assert name_of(cli, "-d", "other", cwd=here, env=env) == str(other)
    assert name_of(cli, "-d", "./other", cwd=here, env=env) == str(other)
    assert name_of(cli, "-d", "../base/deb", cwd=here) == str(deb)
    assert name_of(cli, cwd=deb) == str(deb)
    assert name_of(cli, "-d", ".", cwd=deb, env=env) == str(deb)
    done = cli("status", "-d", "./deb", cwd=here, env=env)  # with a slash it is a path
    assert "here/deb" in clean(done, code=1)
    make(here / "deb")  # a directory here goes before a name
    assert name_of(cli, "-d", "deb", cwd=here, env=env) == str(here / "deb")


@pytest.mark.slow
def test_where_the_base_comes_from(cli: Cli, tmp_path: Path) -> None:
    bases = {name: tmp_path / name for name in ("option", "variable", "settings")}
    for name, base in bases.items():
        make(base / f"of-{name}")
    config = tmp_path / "config"
    (config / "chroot-tool").mkdir(parents=True)
    (config / "chroot-tool/settings.toml").write_text(f'base = "{bases["settings"]}"\n')
    settings = {"XDG_CONFIG_HOME": str(config)}
    variable = settings | {"CHROOT_TOOL_BASE": str(bases["variable"])}

    def names(*words: str | Path, env: Mapping[str, str]) -> list[str]:
        return [one["name"] for one in cli.json(*words, env=env)]

    assert names("list", env=settings) == ["of-settings"]
    assert names("list", env=variable) == ["of-variable"]
    assert names("list", "--base", bases["option"], env=variable) == ["of-option"]
    assert names("--base", bases["option"], "list", env=variable) == ["of-option"]
    assert names(f"--base={bases['option']}", "list", env=variable) == ["of-option"]
    both = ("--base", bases["option"], "list", "--base", bases["settings"])
    assert names(*both, env=variable) == ["of-settings"]
    assert names("list", env={**settings, "CHROOT_TOOL_BASE": ""}) == ["of-settings"]


def test_wrong_settings_are_an_error_with_the_line(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "chroot-tool"
    folder.mkdir()
    (folder / "settings.toml").write_text('\nbass = "/x"\n')
    done = cli("list", env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert "settings.toml:2" in clean(done, code=3)
    assert "base" in done.stderr
    assert cli("list", "--base", tmp_path, env={"XDG_CONFIG_HOME": str(tmp_path)}).returncode == 0


@pytest.mark.slow
@pytest.mark.root
def test_run_takes_the_base_on_both_sides(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    for words in (
        ("--base", tmp_path, "run", "/bin/true", "-d", "tiny"),
        ("run", "/bin/true", "-d", "tiny", "--base", tmp_path),
        (f"--base={tmp_path}", "run", "-d", "tiny", "/bin/true"),
        ("run", f"--base={tmp_path}", "-dtiny", "--", "/bin/true"),
    ):
        assert cli(*words, cwd=Path("/")).returncode == 0, words


@pytest.mark.parametrize("line", [
    "status", "pack -d /x -f x.tar", "unpack -d /x -f x.tar", "create -d /x --from x",
    "watch --base x", "report --base x",
])  # fmt: skip
def test_a_directory_that_is_gone(cli: Cli, tmp_path: Path, line: str) -> None:
    words = [os.fsdecode(a) for a in cli.argv(*line.split())]
    script = 'cd "$1"; rmdir "$1"; shift; exec "$@"'
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", script, "sh", gone, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "chroot-tool: the current directory does not exist any more\n"
        "hint: cd / first, or give a whole path\n"
    )


# -- streams ------------------------------------------------------------------------------------


def shell(cli: Cli, script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run *script* with the command line in "$@"."""
    argv = [os.fsdecode(a) for a in cli.argv(*words)]
    return subprocess.run(
        ["bash", "-c", script, "bash", *argv],
        capture_output=True, text=True, check=False, env=cli.environment(), timeout=60,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("--help",), ("--version",)])
def test_closed_and_broken_streams(cli: Cli, tmp_path: Path, words: tuple[str, ...]) -> None:
    make(tmp_path / "deb")
    words = (*words, "--base", str(tmp_path)) if words[0] == "list" else words
    for script in (
        '"$@" <&-', '"$@" 2>&-', '"$@" <&- 2>&-',
        '"$@" | true; exit "$PIPESTATUS"', '"$@" | head -c1; exit "$PIPESTATUS"',
    ):  # fmt: skip
        done = shell(cli, script, *words)
        assert (done.returncode, done.stderr) == (0, ""), script


@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("--help",)])
def test_a_full_disk_is_told(cli: Cli, tmp_path: Path, words: tuple[str, ...]) -> None:
    make(tmp_path / "deb")
    words = (*words, "--base", str(tmp_path)) if words[0] == "list" else words
    assert "No space left" in clean(shell(cli, '"$@" >/dev/full', *words), code=1)


@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("schema", "json"), ("--help",)])
def test_a_closed_stdout_is_told(cli: Cli, tmp_path: Path, words: tuple[str, ...]) -> None:
    make(tmp_path / "deb")
    words = (*words, "--base", str(tmp_path)) if words[0] == "list" else words
    for script in ('"$@" >&-', '"$@" <&- >&-'):
        assert "stdout: Bad file descriptor" in clean(shell(cli, script, *words), code=1)
    assert shell(cli, '"$@" <&- >&- 2>&-', *words).returncode == 1


def test_an_error_nobody_can_read_has_its_code(cli: Cli, tmp_path: Path) -> None:
    for redirect in ("2>&-", "2>/dev/full"):
        assert shell(cli, f'"$@" {redirect}', "status", "-d", tmp_path).returncode == 1


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize(
    "script",
    [
        '"$@" --json | true', '"$@" --json | head -1 >/dev/null', '"$@" 2>&1 | true',
        '"$@" >&- 2>&-', '"$@" 2>/dev/full', '"$@" --json >/dev/full',
    ],
)  # fmt: skip
def test_on_and_off_are_done_whoever_listens(cli: Cli, tiny_chroot: Path, script: str) -> None:
    shell(cli, script, "on", "-d", tiny_chroot)
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"
    shell(cli, script, "off", "-d", tiny_chroot)
    assert mounts_below(tiny_chroot) == []


@pytest.mark.slow
@pytest.mark.root
def test_a_failed_on_is_taken_back_whoever_listens(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/tool.conf").write_text(
        "[bind]\ntgt:/a fs:tmpfs\ntgt:/z fs:tmpfs opt:bogus=1\n"
    )
    for script in ('"$@" --json | true', '"$@" --json >/dev/full', '"$@" 2>/dev/full'):
        shell(cli, script, "on", "-d", tiny_chroot)
        assert mounts_below(tiny_chroot) == []
        assert not (tiny_chroot / "a").exists()


@pytest.mark.slow
@pytest.mark.root
def test_run_with_closed_streams_hands_nothing_of_the_hosts_in(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    words = ("run", "/bin/sh", "-c", "ls -l /proc/$$/fd/ >/out", "-d", tiny_chroot)
    for script in ('"$@" <&- >&- 2>&-', '"$@" 3</ <&-', 'exec 4</; "$@" >&-'):
        # What the caller leaves open beyond the three streams is closed too.
        assert shell(cli, script, words[0], "-d", tiny_chroot, "--", *words[1:4]).returncode == 0
        there = (tiny_chroot / "out").read_text().splitlines()
        ends = {line.split()[-3]: line.split()[-1] for line in there if "->" in line}
        assert set(ends) <= {"0", "1", "2", "3", "10"}, there
        assert "/" not in ends.values(), there


# -- exit codes ---------------------------------------------------------------------------------


def test_0_and_1(cli: Cli, tmp_path: Path) -> None:
    assert cli("status", "-d", make(tmp_path / "deb")).returncode == 0
    for missing in (tmp_path / "nowhere", tmp_path, Path("/")):
        assert str(missing) in clean(cli("status", "-d", missing), code=1)
    (tmp_path / "file").touch()
    assert "no directory" in clean(cli("status", "-d", tmp_path / "file"), code=1)


def test_3_for_the_configuration(cli: Cli, tmp_path: Path) -> None:
    deb = make(tmp_path / "deb")
    (deb / "chroot.d/tool.conf").write_text("[bind]\nbogus\n")
    for words in (["on", "--dry-run"], ["bind", "list"], ["bind", "remove", "--target", "/x"]):
        assert "tool.conf:2" in clean(cli(*words, "-d", deb), code=3)
    assert cli.json("status", "-d", deb)["state"] == "broken"


@pytest.mark.slow
def test_4_while_another_is_at_work(cli: Cli, tmp_path: Path) -> None:
    deb = make(tmp_path / "deb")
    fd = os.open(deb, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        done = cli("bind", "ignore", "--target", "/sys", "-d", deb)
        assert str(os.getpid()) in clean(done, code=4)
    finally:
        os.close(fd)
    assert list((deb / "chroot.d").iterdir()) == []


@pytest.mark.slow
def test_5_without_privilege(cli: Cli, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("needs root, to be somebody else")
    deb = make(tmp_path / "deb")
    drop = 'exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
    let_in(tmp_path)
    for words in (["on"], ["bind", "ignore", "--target", "/sys"], ["delete", "--yes"]):
        done = shell(cli, drop, words[0], "-d", deb, *words[1:])
        assert done.returncode == 5
        *_, error, hint = done.stderr.splitlines()
        assert (error[:13], hint[:6]) == ("chroot-tool: ", "hint: ")
    assert (deb / "bin/sh").exists()
    deb.chmod(0o700)
    for words in (["status"], ["run", "/bin/true"]):
        clean(
            shell(cli, drop, words[0], "-d", deb, *words[1:]),
            code=5 if words == ["status"] else 125,
        )


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_130_when_interrupted(cli: Cli, tiny_chroot: Path, number: int) -> None:
    """`stop` takes its time, so that there is something to interrupt."""
    cli.ok("on", "-d", tiny_chroot)
    stop = tiny_chroot / "chroot.d/stop"
    stop.write_text("#!/bin/sh\n: > /begun\nsleep 100\n")
    stop.chmod(0o755)
    with cli.start("off", "-d", tiny_chroot, stderr=subprocess.PIPE) as process:
        wait_until((tiny_chroot / "begun").exists, process)
        process.send_signal(number)
        said = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == 130
    assert b"Traceback" not in said
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("ignored", ["INT", "HUP"])
def test_a_signal_that_the_caller_ignores_interrupts_nothing(
    cli: Cli, tiny_chroot: Path, ignored: str
) -> None:
    """`chroot-tool off &` in a script, `nohup chroot-tool off`. TERM ends it all the same."""
    cli.ok("on", "-d", tiny_chroot)
    stop = tiny_chroot / "chroot.d/stop"
    stop.write_text("#!/bin/sh\n: > /begun\nuntil [ -e /go ]; do sleep 0.02; done\n")
    stop.chmod(0o755)
    argv = ["sh", "-c", f'trap "" {ignored}; exec "$@"', "sh", *cli.argv("off", "-d", tiny_chroot)]
    for ends in (True, False):
        with Program(argv, env=cli.environment(), start_new_session=True) as process:
            wait_until((tiny_chroot / "begun").exists, process)
            process.send_signal(getattr(signal, f"SIG{ignored}"))
            if ends:
                process.terminate()
            else:
                (tiny_chroot / "go").touch()
            assert process.wait(PATIENCE) == (130 if ends else 0)
        (tiny_chroot / "begun").unlink()
    assert mounts_below(tiny_chroot) == []
