"""What is around the program is minded: terminals that can do little, locales, pipes, XDG paths."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from chroot_tool.app import paths
from support import Cli, let_in
from support.outer_terminal import Terminal, colours, strict_locale

ESCAPE = "\x1b"


def chroot(base: Path, name: str) -> Path:
    root = base / name
    for folder in ("chroot.d", "bin", "etc"):
        (root / folder).mkdir(parents=True)
    (root / "bin/sh").touch()
    return root


def on_terminal(cli: Cli, *words: str | Path, env: dict[str, str]) -> str:
    """All that a command shows on a terminal until it ends by itself."""
    terminal = Terminal([str(word) for word in cli.argv(*words)], cli.environment(env))
    try:
        return terminal.rest()
    finally:
        terminal.close()


# -- terminals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["dumb", ""])
def test_on_a_dumb_terminal_there_is_the_list_and_the_help(
    cli: Cli, tmp_path: Path, term: str
) -> None:
    chroot(tmp_path, "deb")
    shown = on_terminal(cli, "--base", tmp_path, env={"TERM": term})
    assert "deb" in shown
    assert "usage: chroot-tool" in shown
    assert f"chroot-tool: TERM is {term or 'not set'}: " in shown
    assert "hint: " in shown
    assert ESCAPE not in shown


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_progress_is_drawn_only_where_it_can_be(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, term: str
) -> None:
    archive = tmp_path / "tiny.tar.gz"
    shown = on_terminal(cli, "pack", "-d", tiny_chroot, "-f", archive, env={"TERM": term})
    assert "packed in" in shown
    assert (ESCAPE in shown) == (term != "dumb")


@pytest.mark.slow
@pytest.mark.parametrize("no_color", ["1", ""])
def test_the_ui_has_no_colour_where_nobody_wants_one(
    cli: Cli, tmp_path: Path, no_color: str
) -> None:
    chroot(tmp_path, "deb")
    env = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": no_color}
    argv = [str(word) for word in cli.argv("--base", tmp_path)]
    terminal = Terminal(argv, cli.environment(env))
    try:
        terminal.resize(30, 100)
        found = colours(terminal.read_to(b"quit").decode(errors="replace"))
    finally:
        terminal.close()
    coloured = [rgb for rgb in found if len(set(rgb)) > 1 or len(rgb) == 1]
    assert bool(coloured) != bool(no_color)


# -- locales --------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("--help",), ("help", "create"), ("help",), ()])
def test_what_an_encoding_does_not_have_is_left_out_of_a_help(
    cli: Cli, tmp_path: Path, words: tuple[str, ...]
) -> None:
    env = cli.environment({"PYTHONIOENCODING": "latin-1:strict"})
    argv = [sys.executable, "-m", "chroot_tool", "--base", str(tmp_path), *words]
    done = subprocess.run(argv, env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert "usage: chroot-tool" in done.stdout.decode("latin-1")


def test_a_name_that_an_encoding_does_not_have_is_not_completed(cli: Cli, tmp_path: Path) -> None:
    for name in ("deb", "dëb", "dëb€"):
        chroot(tmp_path, name)
    env = cli.environment({"PYTHONIOENCODING": "latin-1:strict", "CHROOT_TOOL_BASE": str(tmp_path)})
    argv = [sys.executable, "-m", "chroot_tool", "__complete", "chroot"]
    done = subprocess.run(argv, env=env, capture_output=True, timeout=60, check=True)
    assert sorted(done.stdout.decode("latin-1").split()) == ["deb", "dëb"]


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "en_US.ISO-8859-1", "nonsense"])
def test_any_locale_will_do(cli: Cli, tmp_path: Path, locale: str) -> None:
    chroot(tmp_path, "dëb€")
    (tmp_path / os.fsdecode(b"raw\xff") / "chroot.d").mkdir(parents=True)
    env = {"LC_ALL": locale}
    for words in (("list",), ("watch", "--help"), ("completion", "zsh"), ("schema", "settings"),
                  ("doctor",), ("report",)):  # fmt: skip
        done = cli("--base", tmp_path, *words, env=env)
        assert "Traceback" not in done.stderr, words
        assert done.returncode in ((0, 1) if words == ("doctor",) else (0,)), done.stderr
    names = {one["name"] for one in cli.json("list", "--base", tmp_path, env=env)}
    assert names == {"dëb€", os.fsdecode(b"raw\xff")}
    assert cli.json("status", "-d", tmp_path / "dëb€", env=env)["name"] == "dëb€"


@pytest.mark.root
@pytest.mark.parametrize("verb", ["delete", "trash empty"])
def test_a_key_of_another_encoding_is_a_wrong_answer(cli: Cli, tmp_path: Path, verb: str) -> None:
    deb = chroot(tmp_path, "deb")
    where = ("-d", deb) if verb == "delete" else ("--base", tmp_path)
    argv = [str(word) for word in cli.argv(*verb.split(), *where)]
    terminal = Terminal(argv, cli.environment(strict_locale(tmp_path / "locale")))
    try:
        terminal.wait_for("to go on: ")
        terminal.type("\udcff\n")
        assert "chroot-tool: not " in terminal.rest()
        assert terminal.exit_code() == 130
    finally:
        terminal.close()
    assert deb.exists()


# -- pipes ----------------------------------------------------------------------------------------


@pytest.fixture
def shell(cli: Cli, tmp_path: Path) -> Path:
    """A bin with chroot-tool in it, for lines of a shell."""
    program = tmp_path / "bin/chroot-tool"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, cli.argv()))} "$@"\n')
    program.chmod(0o755)
    let_in(tmp_path)
    return program.parent


def line(cli: Cli, shell: Path, text: str) -> subprocess.CompletedProcess[str]:
    env = cli.environment() | {"PATH": f"{shell}:{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", text], env=env, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("words", [
    "schema json", "completion bash", "list --json --base /nonexistent", "--help", "create --help",
])  # fmt: skip
def test_who_reads_no_further_is_no_error(cli: Cli, shell: Path, words: str) -> None:
    done = line(cli, shell, f"chroot-tool {words} | true")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.root
def test_a_command_inside_gets_sigpipe_as_below_a_shell(
    cli: Cli, shell: Path, tiny_chroot: Path
) -> None:
    done = line(
        cli, shell, f"chroot-tool run -d {tiny_chroot} -- cat /dev/zero | head -c 1 | wc -c"
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
    assert done.returncode == 128 + 13


# -- XDG ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "at"), [("/x", "/x"), ("", "/home/me/.config"),
                                           ("relative", "/home/me/.config")])  # fmt: skip
def test_where_settings_are(monkeypatch: pytest.MonkeyPatch, value: str, at: str) -> None:
    """XDG Base Directory Specification: a path that is not absolute is ignored."""
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_CONFIG_HOME", value)
    assert paths.settings_file() == f"{at}/chroot-tool/settings.toml"


def test_where_what_is_remembered_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    places = (paths.history_file, paths.output_directory, paths.detached_directory)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert {os.path.dirname(one()) for one in places} == {"/home/me/.local/state/chroot-tool"}
    monkeypatch.setenv("XDG_STATE_HOME", "/s")
    assert {os.path.dirname(one()) for one in places} == {"/s/chroot-tool"}
