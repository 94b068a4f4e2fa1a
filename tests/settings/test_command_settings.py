"""`[[command]]` of the settings: what it may say, and that nothing in a value is ever evaluated."""

from __future__ import annotations

import subprocess

import pytest

from chroot_tool.app.settings.commands import Command
from chroot_tool.app.settings.file import parse
from chroot_tool.core.errors import ConfigError

NAUGHTY = "/srv/a b'$(touch pwned)`id`;\"*"


def read(text: str) -> tuple[Command, ...]:
    return parse(text.encode(), "/s.toml").commands


def errors(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [problem.message for problem in caught.value.problems]


def test_everything_that_can_be_said() -> None:
    assert read(
        '[[command]]\nname = "syslog"\nkey = "f5"\nrun = "tail -f \'{path}/var/log/my log\'"\n'
        '[[command]]\nname = "gdb"\nrun = ["gdb", "-p", "{pid}"]\nrows = "process"\n'
        'where = "inside"\noutput = "job"\nask = true\n'
        '[[command]]\nname = "df"\nrun = "df -h | sort"\nshell = true\nrows = "any"\n'
        'output = "toast"\n'
    ) == (
        Command("syslog", ("tail", "-f", "{path}/var/log/my log"), "f5"),
        Command("gdb", ("gdb", "-p", "{pid}"), "", "inside", "process", "job", True),
        Command("df", ("df -h | sort",), "", "host", "any", "toast", False, True),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("command = 3", "/s.toml:1: command is no list of tables"),
        ("[command]\nname = 'x'", "/s.toml:1: command is no list of tables"),
        ("[[command]]\nrun = 'x'", "/s.toml:1: a command without name, expected one"),
        ("[[command]]\nname = ' '\nrun = 'x'", "/s.toml:2: name is ' ', expected words"),
        ("[[command]]\nname = 'x'", "/s.toml:1: a command without run, expected what is to be run"),
        ("[[command]]\nname = 'x'\nrun = ''", "/s.toml:3: run is empty, expected a program"),
        ("[[command]]\nname = 'x'\nrun = 3",
         "/s.toml:3: run is neither a string nor a list of strings"),
        ("[[command]]\nname = 'x'\nrun = 'a \"b'",
         "/s.toml:3: run can't be split into words: no closing quotation"),
        ("[[command]]\nname = 'x'\nrun = ['a']\nshell = true",
         "/s.toml:3: run is no string, expected a line for the shell"),
        ("[[command]]\nname = 'x'\nrun = 'a {pid}'",
         "/s.toml:3: {pid} is not known for rows = 'chroot'"),
        ("[[command]]\nname = 'x'\nrun = 'a {paht}'", "/s.toml:3: {paht} stands for nothing"),
        ("[[command]]\nname = 'x'\nrun = 'a'\nrows = 'jobs'",
         "/s.toml:4: rows is 'jobs', expected one of 'chroot', 'mount', 'process', 'any'"),
        ("[[command]]\nname = 'x'\nrun = 'a'\nrows = 'any'\nwhere = 'inside'",
         "/s.toml:1: a command inside needs a chroot"),
        ("[[command]]\nname = 'x'\nrun = 'a'\nkey = 'alt+x'",
         "/s.toml:4: key 'alt+x' can't be bound: not every terminal sends alt"),
        ("[[command]]\nname = 'x'\nrun = 'a'\nkey = 'o'",
         "/s.toml:4: key 'o' of 'x' is the key of environments.toggle"),
        ("[[command]]\nname = 'x'\nrun = 'a'\nkey = 't'\nrows = 'mount'",
         "/s.toml:4: key 't' of 'x' is the key of processes.term"),
        ("[[command]]\nname = 'x'\nrun = 'a'\nkey = 'e'\n[[command]]\nname='y'\nrun='a'\nkey='e'",
         "/s.toml:8: key 'e' of 'y' is the key of the command 'x'"),
        ("[[command]]\nname = 'x'\nrun = 'a'\n[[command]]\nname = 'x'\nrun = 'b'",
         "/s.toml:5: two commands are called 'x'"),
        ("[[command]]\nname = 'x'\nrun = 'a'\nkeys = 'e'",
         "/s.toml:4: unknown key 'keys' in command"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(text: str, said: str) -> None:
    assert errors(text) == [said]


def test_a_key_that_the_user_took_away_from_a_binding_is_free_and_one_given_is_not() -> None:
    keys = '[keys]\n"environments.create" = "e"\n'
    assert read(f"[[command]]\nname = 'x'\nrun = 'a'\nkey = 'n'\n{keys}")[0].key == "n"
    assert errors(f"[[command]]\nname = 'x'\nrun = 'a'\nkey = 'e'\n{keys}") == [
        "/s.toml:4: key 'e' of 'x' is the key of environments.create"
    ]


def test_a_value_is_one_word_whatever_it_holds() -> None:
    command = Command("x", ("ls", "--dir={path}", "{name}", "{{path}}", "{print}"))
    assert command.argv({"path": NAUGHTY, "name": "-n {path}"}) == (
        ("ls", f"--dir={NAUGHTY}", "-n {path}", "{path}", "{print}"), {},
    )  # fmt: skip


@pytest.mark.parametrize(
    "line", ["printf '%s' {path}", 'printf "%s" "{path}"', "printf %s ''{path}''"]
)
def test_a_shell_evaluates_nothing_of_a_value(line: str, tmp_path: object) -> None:
    argv, variables = Command("x", (line,), "", "host", "chroot", "panel", False, True).argv(
        {"path": NAUGHTY}
    )
    done = subprocess.run(
        argv, env={"PATH": "/usr/bin:/bin", **variables}, cwd=str(tmp_path), check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.replace(" ", "") == NAUGHTY.replace(" ", "")
    assert subprocess.run(["ls", str(tmp_path)], capture_output=True, check=True).stdout == b""
