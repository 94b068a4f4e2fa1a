"""What of the host is in the hands of a command inside: looked at from inside, every way in."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from proving import Proof
from support import Cli, wait_until
from support.carried import PYTHON, SECRET, STRANGER, loaded, look, prepare, read
from support.outer_terminal import Bash, Terminal

PROMISE = (
    "What runs inside has nothing of the caller's but stdin, stdout and stderr; and who is not "
    "root there gets at nothing of another user's."
)

pytestmark = pytest.mark.root

CLEAN = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "debian_chroot"}
OF_A_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}
"""What sh sets itself."""


@pytest.fixture
def root(tiny_chroot: Path) -> Path:
    prepare(tiny_chroot)
    return tiny_chroot


def begin(cli: Cli, *words: object, stdin: str = "") -> str:
    """Run the tool by a caller with full hands; return its stdout."""
    argv = [os.fspath(word) for word in map(str, cli.argv(*map(str, words)))]
    done = subprocess.run(
        loaded(argv), env=cli.environment(), input=stdin, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def examine(found: dict[str, Any], user: str, proof: Proof) -> None:
    """Hold what was found against the promise."""
    assert set(found["fds"]) <= {"0", "1", "2"}
    assert sorted(set(found["env"]) - CLEAN - OF_A_SHELL) == []
    assert SECRET not in found["keys"]
    assert found["cwd"] in ("/", "/chroot.d", "/root", "/tmp")
    assert found["securebits"] == 0
    if user == "root":
        assert found["ids"] == [0] * 6
        assert found["groups"] == [0]
    else:
        assert found["ids"] == [STRANGER] * 6
        assert found["groups"] == [STRANGER]
        assert not any(int(found["status"][name][0], 16) for name in ("CapPrm", "CapEff", "CapAmb"))
        assert found["reached"] == []
    proof.count("looks from inside", 1)


WAYS = {
    "run": ("run",),
    "run in a throw-away session": ("run", "-x"),
}


@pytest.mark.parametrize("user", ["root", "stranger"])
@pytest.mark.parametrize("way", WAYS)
def test_run(way: str, user: str, root: Path, cli: Cli, proof: Proof) -> None:
    text = begin(cli, *WAYS[way], "-d", root, "-u", user, "--", *look())
    examine(read(text), user, proof)


@pytest.mark.parametrize("user", ["root", "stranger"])
def test_shell(user: str, root: Path, cli: Cli, proof: Proof) -> None:
    command = shlex.join(look())
    text = begin(cli, "shell", "-d", root, "-u", user, stdin=f"{command}\n")
    examine(read(text), user, proof)


@pytest.mark.slow
def test_start_and_stop(root: Path, cli: Cli, proof: Proof) -> None:
    begin(cli, "start", "-d", root)
    begin(cli, "off", "-d", root)
    for word in ("start", "stop"):
        examine(read((root / f"out/{word}.json").read_text()), "root", proof)


def test_a_program_of_the_host_has_no_descriptor_either(root: Path, cli: Cli) -> None:
    """As what `create` runs: all that the tool starts has its descriptors from the tool."""
    script = root / "chroot.d/host-cmd"
    script.write_text(f"#!/bin/sh\nls -l /proc/self/fd >{root}/out/host\n")
    script.chmod(0o755)
    begin(cli, "run", "-d", root, "--", "/bin/true")
    lines = (root / "out/host").read_text().splitlines()
    numbers = {line.split(" -> ")[0].rsplit(" ", 1)[1] for line in lines if " -> " in line}
    assert numbers <= {"0", "1", "2", "3"}  # 3 is ls's own
    assert "shadow" not in "".join(lines)


@pytest.mark.parametrize("user", ["root", "stranger"])
def test_on_a_terminal_it_has_the_chroots_own(
    user: str, root: Path, cli: Cli, proof: Proof
) -> None:
    argv = [str(word) for word in cli.argv("run", "-d", root, "-u", user, "--", *look("/out/it"))]
    terminal = Terminal(loaded(argv), cli.environment())
    try:
        assert terminal.exit_code() == 0
    finally:
        terminal.close()
    found = read((root / "out/it").read_text())
    examine(found, user, proof)
    assert found["terminal"] == [True, True, True]
    assert found["tty"] == "open"


def test_who_is_not_root_has_no_terminal_of_the_hosts(root: Path, cli: Cli, proof: Proof) -> None:
    """Neither where only stdout is none: through the controlling one keys could be pushed."""
    run = shlex.join(map(str, cli.argv("run", "-d", root, "-u", "stranger", "--", *look())))
    terminal = Terminal(["sh", "-c", f"{run} >{root}/out/piped"], cli.environment())
    try:
        assert terminal.exit_code() == 0
    finally:
        terminal.close()
    found = read((root / "out/piped").read_text())
    examine(found, "stranger", proof)
    assert (found["tty"], found["tty_nr"]) == ("ENXIO", 0)


def test_keys_and_stops_of_the_outer_terminal_reach_it_all_the_same(root: Path, cli: Cli) -> None:
    shell = Bash(cli, root)
    try:
        script = """
            trap 'echo >/out/caught; exit 3' INT; trap 'echo on $((40 + 2))' CONT
            echo up; while :; do sleep 0.02; done
        """
        shell.start(f"r -u stranger -- /bin/sh -c {shlex.quote(script)} | cat")
        shell.wait_for("up")
        shell.type("\x1a")
        shell.wait_for("Stopped")
        shell.wait_for(r"READY\$ ")
        shell.start("fg")
        shell.wait_for("on 42")  # `fg` prints the command first; now its group has the terminal
        shell.type("\x03")
        shell.wait_for(r"READY\$ ")
        wait_until((root / "out/caught").exists)
    finally:
        shell.close()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_directory_is_no_stream(number: int, root: Path, cli: Cli) -> None:
    """From one of the host's `..` would lead out. Python itself refuses to begin with it."""
    script = ["/bin/sh", "-c", "touch /out/ran"]
    streams = [subprocess.DEVNULL] * 3
    streams[number] = os.open("/", os.O_RDONLY)
    code = subprocess.call(
        cli.argv("run", "-d", root, "--", *script), env=cli.environment(),
        stdin=streams[0], stdout=streams[1], stderr=streams[2],
    )  # fmt: skip
    os.close(streams[number])
    assert code
    assert not (root / "out/ran").exists()


@pytest.mark.slow
def test_while_it_is_on_the_way_in_nobody_can_look_into_it(root: Path, cli: Cli) -> None:
    """A process of the same user inside watches others come in, which still are the tool's."""
    watcher = f"""
import os, sys
while not os.path.exists("/out/enough"):
    for pid in os.listdir("/proc"):
        try:
            if not pid.isdigit() or os.stat("/proc/" + pid).st_uid != {STRANGER}:
                continue
            exe = os.readlink("/proc/" + pid + "/exe")
            with open("/proc/" + pid + "/environ", "rb") as file:
                words = file.read()
        except OSError:
            continue
        if b"{SECRET}" in words or "/out" in exe:
            open("/out/caught", "wb").write(words)
            sys.exit(1)
open("/out/done", "w")
"""
    (root / "watch.py").write_text(watcher)
    run = ("run", "-d", root, "-u", "stranger", "--")
    with cli.start(*run, PYTHON, "-I", "-S", "/watch.py") as watching:
        for _ in range(10):
            begin(cli, *run, "/bin/true")
        (root / "out/enough").touch()
        wait_until((root / "out/done").exists, watching)
    assert not (root / "out/caught").exists()
