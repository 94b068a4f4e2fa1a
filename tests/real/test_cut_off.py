"""Machines that do not answer: suspended, behind a link that is down, slow. And two who look."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support import Cli, Program, mounts_below, next_line, wait_until
from support.machines_apart import Apart, machines_apart
from support.net_namespace import NetNamespace
from support.ssh_hosts import SshHosts
from support.ui_process import Ui

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_a_suspended_machine_is_noticed(cli: Cli, hosts: SshHosts) -> None:
    """Though its connection is open, and its kernel takes new ones."""
    (one,) = hosts.add("one")
    hosts.give_up_the_silent()
    env = hosts.environment()
    assert cli("list", "-H", "one", env=env).returncode == 0
    one.suspend()
    done = cli("list", "-H", "one", env=env)
    assert done.returncode == 1
    assert done.stderr.startswith("chroot-tool: one")
    assert done.stderr.count("\n") == 2, done.stderr
    one.resume()
    assert cli("list", "-H", "one", env=env).returncode == 0


def test_a_link_that_goes_down_and_comes_back(cli: Cli, tmp_path: Path) -> None:
    with NetNamespace() as net, ExitStack() as stack:
        hosts = net.do(stack.enter_context, SshHosts(tmp_path / "hosts", cli))
        net.do(hosts.add, "one")
        hosts.give_up_the_silent()
        env = hosts.environment()
        assert net.do(cli, "list", "-H", "one", env=env).returncode == 0
        net.link(up=False)
        done = net.do(cli, "list", "-H", "one", env=env)
        assert done.returncode == 1
        assert done.stderr.startswith("chroot-tool: one"), done.stderr
        net.link(up=True)
        assert net.do(cli, "list", "-H", "one", env=env).returncode == 0


@pytest.fixture
def one_apart(cli: Cli, tmp_path: Path, tiny_template: Path) -> Iterator[Apart]:
    """A machine `one` at the end of a cable, with a chroot `deb`."""
    with machines_apart(tmp_path / "hosts", cli, "one") as those:
        subprocess.run(["cp", "-a", tiny_template, those.hosts["one"].base / "deb"], check=True)
        yield those


def told(watching: Program, what: str) -> dict[str, Any]:
    """Return the next event that has *what*."""
    event: dict[str, Any] = {}
    while what not in event:
        event = json.loads(next_line(watching, patience=100))
    return event


def test_a_cable_is_pulled_while_commands_are_under_way(
    one_apart: Apart, tmp_path: Path, cli: Cli
) -> None:
    """Each ends by itself, and says which machine is gone; `watch` says so and goes on."""
    env = one_apart.environment()

    def begin(*words: str) -> Program:
        return one_apart.do(
            Program, cli.argv(*words), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    with ExitStack() as stack:
        watching = stack.enter_context(begin("watch", "-H", "one", "--json"))
        assert told(watching, "state")["state"] == "off"
        gate, begun = tmp_path / "gate", tmp_path / "begun"
        os.mkfifo(gate)
        begun.mkdir()
        holding = os.open(gate, os.O_RDWR)
        program = one_apart.hosts["one"].bin / "chroot-tool"
        quick = program.rename(program.with_name("quick"))
        script = f': >{begun}/$$; read _ <{gate}; exec {quick} "$@"'
        one_apart.hosts["one"].write_program("chroot-tool", script)
        commands = [
            stack.enter_context(begin(*words))
            for words in (("list", "-H", "one"), ("on", "-d", "one:deb"))
        ]
        wait_until(lambda: len(list(begun.iterdir())) == len(commands), patience=60)
        one_apart.link("one", up=False)
        for command in commands:
            _, said = command.communicate(timeout=100)
            assert (command.returncode, said.decode().count("\n")) == (1, 2), said
            assert said.startswith(b"chroot-tool: one"), said
        problem = told(watching, "problem")["problem"]
        assert problem["message"].startswith("one"), problem
        assert "tried again in" in problem["hint"]

        quick.rename(program)
        one_apart.link("one", up=True)
        os.close(holding)
        assert json.loads(one_apart.ok("list", "-H", "one", "--json", env=env))[0]["state"] == "off"
        one_apart.ok("on", "-d", "one:deb", env=env)
        while told(watching, "state")["state"] != "on":
            pass
        watching.terminate()
    one_apart.ok("off", "-d", "one:deb", env=env)


@pytest.fixture
def two_uis(
    cli: Cli, hosts: SshHosts, tiny_template: Path, tmp_path: Path
) -> Iterator[tuple[Ui, Ui]]:
    """Two UIs that look at the machines `one` and `two`, with a chroot each: `alpha` and `beta`."""
    for host, name in zip(hosts.add("one", "two"), ("alpha", "beta"), strict=True):
        subprocess.run(["cp", "-a", tiny_template, host.base / name], check=True)
    nothing = tmp_path / "none"
    nothing.mkdir()
    uis = []
    for name in ("first", "second"):
        home = tmp_path / name
        home.mkdir()
        own = {f"XDG_{kind}_HOME": str(home) for kind in ("CONFIG", "STATE", "CACHE", "DATA")}
        env = hosts.environment(own)
        uis.append(Ui(nothing, home, tmp_path / f"{name}.log", "one", "two", env=env))
    yield uis[0], uis[1]
    for ui in uis:
        ui.close()


def test_two_that_look_at_one_machine(two_uis: tuple[Ui, Ui], hosts: SshHosts) -> None:
    """What one of them does the other sees, and both may do the same at the same moment."""
    first, _ = two_uis
    alpha = hosts.hosts["one"].base / "alpha"
    for ui in two_uis:
        ui.ready()
        assert not ui.disagrees({"alpha": "off", "beta": "off"})
    first.press("g", "o")  # which machine has answered first nobody knows
    first.pressed()
    for ui in two_uis:
        assert not ui.disagrees({"alpha": "on", "beta": "off"})
    assert mounts_below(alpha)
    for ui in two_uis:
        ui.press("g", "o")  # one of them is told that somebody is at work on it, or finds it off
    for ui in two_uis:
        ui.pressed()
        ui.settle()
    states = {"alpha": "on" if mounts_below(alpha) else "off", "beta": "off"}
    for ui in two_uis:
        assert not ui.disagrees(states)
        ui.leave()


def test_a_slow_machine_holds_up_no_other(
    two_uis: tuple[Ui, Ui], hosts: SshHosts, tmp_path: Path
) -> None:
    """One of them is looked at by who has it added when its chroot-tool takes its time."""
    first, _second = two_uis
    first.ready()
    assert not first.disagrees({"alpha": "off", "beta": "off"})
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    program = hosts.hosts["one"].bin / "chroot-tool"
    program.rename(program.with_name("quick"))
    hosts.hosts["one"].write_program(
        "chroot-tool", f'read _ <{gate}; exec {program.parent}/quick "$@"'
    )
    hosts.hosts["one"].cut()
    first.press("G", "o")
    first.pressed()
    assert not first.disagrees({"beta": "on"})
    with gate.open("w") as opened:
        opened.write("\n" * 99)
        assert not first.disagrees({"alpha": "off", "beta": "on"})
    first.press("o")
    first.pressed()
    assert not first.disagrees({"beta": "off"})
    first.leave()
