"""What ssh asks: on the terminal that the UI hands over (`l`), by SSH_ASKPASS, or not at all."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Cli
from support.ssh_hosts import SshHosts
from support.tmux import Tmux

pytestmark = [pytest.mark.root, pytest.mark.slow]

PASSPHRASE = "of the key"


@pytest.fixture
def asked(hosts: SshHosts, tiny_template: Path, tmp_path: Path) -> dict[str, str]:
    """A machine `one` that is reached by a key with a passphrase; gives the environment."""
    (one,) = hosts.add("one")
    subprocess.run(["cp", "-a", tiny_template, one.base / "alpha"], check=True)
    key = hosts.folder / "keys/user"
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", key], check=True)
    config = hosts.config.read_text()
    hosts.config.write_text(config.replace("BatchMode yes", "BatchMode no"))
    own = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CONFIG", "STATE")}
    return hosts.environment({"LANG": "C.UTF-8", **own})


@pytest.fixture
def shown(cli: Cli, asked: dict[str, str], tmp_path: Path) -> Iterator[Tmux]:
    """The UI that looks at `one`, and has a command on its machine."""
    (tmp_path / "CONFIG/chroot-tool").mkdir(parents=True)
    command = '[[command]]\nname = "tell"\nkey = "f5"\nrun = ["echo", "said=it; {name}"]\n'
    (tmp_path / "CONFIG/chroot-tool/settings.toml").write_text(f'hosts = ["one"]\n{command}')
    (tmp_path / "none").mkdir()
    argv = [str(word) for word in cli.argv("--base", tmp_path / "none")]
    t = Tmux(argv, asked, size=(120, 30))
    yield t
    t.close()


def log_in(t: Tmux) -> None:
    t.shows("not answering: one")
    t.press("H")
    t.shows("one", "Permission denied")
    t.press("l")
    t.shows("Enter passphrase for key")
    t.write(PASSPHRASE)
    t.press("Enter")
    t.shows("● open")  # a notification stands there for some seconds only
    t.press("Escape")
    t.until(lambda text: "log in" not in text and "○ off alpha one" in text)


def test_the_terminal_is_handed_to_ssh(shown: Tmux) -> None:
    log_in(shown)
    shown.press("q")
    shown.shows("left with 0")


def test_in_a_panel_it_asks_nothing_for_a_command_of_ones_own(
    shown: Tmux, hosts: SshHosts, asked: dict[str, str]
) -> None:
    log_in(shown)
    shown.press("F5")
    shown.shows("said=it; alpha", "exit 0")
    # Where that connection is no more, ssh would have to ask again.
    hosts.hosts["one"].cut()
    shown.shows("not answering: one")
    shown.press("C-]", "F5")
    shown.shows("Permission denied", "exit 255")
    assert "passphrase" not in shown.text


def test_the_ui_of_another_machine_is_asked_nothing_over_itself(
    cli: Cli, hosts: SshHosts, asked: dict[str, str]
) -> None:
    """Before it is there ssh asks on its terminal; later what is typed would be for both."""
    t = Tmux([str(word) for word in cli.argv("-H", "one")], asked, size=(120, 30))
    try:
        t.shows("Enter passphrase for key")
        t.write(PASSPHRASE)
        t.press("Enter")
        t.shows("○ off alpha", "q quit")
        hosts.hosts["one"].cut()
        t.shows("sion denied (publickey)")  # in a line that has no place for all of it
        assert "passphrase" not in t.text
        key = hosts.folder / "keys/user"
        subprocess.run(
            ["ssh-keygen", "-q", "-p", "-P", PASSPHRASE, "-N", "", "-f", key], check=True
        )
        t.until(lambda text: "denied" not in text)
        t.press("o")
        t.shows("● on alpha")
        t.press("o")
        t.shows("○ off alpha")
        t.press("q")
        t.shows("left with 0")
    finally:
        t.close()


def test_who_has_an_askpass_is_asked_by_that(
    cli: Cli, asked: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "askpass"
    script.write_text(f"#!/bin/sh\necho \"$1\" >{tmp_path}/question\necho '{PASSPHRASE}'\n")
    script.chmod(0o755)
    env = asked | {"SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"}
    assert "alpha" in cli("list", "-H", "one", env=env).stdout
    assert "passphrase" in (tmp_path / "question").read_text()


def test_where_nobody_can_be_asked_it_is_one_line(cli: Cli, asked: dict[str, str]) -> None:
    done = subprocess.run(
        cli.argv("list", "-H", "one"), env=asked, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("chroot-tool: one: ")
    assert "Permission denied" in done.stderr
    assert done.stderr.count("\n") == 2  # and the hint
