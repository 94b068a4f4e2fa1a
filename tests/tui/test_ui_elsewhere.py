"""`chroot-tool -H HOST`: the UI of another machine, and all that runs there by its keys."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Cli, mounts_below
from support.create_form import create_from
from support.ssh_hosts import SshHost, SshHosts
from support.tmux import Tmux

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def one(hosts: SshHosts, tiny_template: Path) -> SshHost:
    """A machine with a chroot `alpha`."""
    (found,) = hosts.add("one")
    subprocess.run(["cp", "-a", tiny_template, found.base / "alpha"], check=True)
    return found


@pytest.fixture
def t(cli: Cli, hosts: SshHosts, one: SshHost, tmp_path: Path) -> Iterator[Tmux]:
    """The UI of that machine."""
    own = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("CONFIG", "STATE")}
    env = hosts.environment({"LANG": "C.UTF-8", **own})
    shown = Tmux([str(word) for word in cli.argv("-H", one.name)], env, size=(120, 40))
    yield shown
    shown.close()


def back_to_the_list(t: Tmux) -> None:
    t.shows("a again")  # what was typed for the program is none of the panel's
    t.press("Escape")
    t.shows("space mark")


def test_shells_and_commands_by_one_connection(t: Tmux, one: SshHost) -> None:
    t.shows("○ off alpha", "q quit")
    t.press("r")
    t.shows("run in alpha")
    t.write("/bin/sh -c 'echo here is /*'")
    t.press("Enter")
    t.until(lambda text: "here is /bin" in text and "exit 0" in text)
    assert mounts_below(one.base / "alpha")
    back_to_the_list(t)
    t.press("x")
    t.shows("shell", "#")
    t.write(">/thrown; exit 4")
    t.press("Enter")
    t.shows("exit 4")
    assert not (one.base / "alpha/thrown").exists()
    back_to_the_list(t)
    t.press("S")
    t.until(lambda text: "q quit" not in text and "#" in text)
    t.write(">/kept; exit 5")
    t.press("Enter")
    t.shows("● on alpha")
    t.until(lambda _: (one.base / "alpha/kept").exists())
    t.press("o")
    t.shows("○ off alpha")
    t.press("q")
    t.until(lambda text: "left with 0" in text)
    assert one.log.count("Accepted publickey") == 1


def test_a_new_one_is_made_there(t: Tmux, one: SshHost, tmp_path: Path) -> None:
    archive = tmp_path / "alpha.tar"
    subprocess.run(["tar", "cf", archive, "-C", one.base / "alpha", "."], check=True)
    t.shows("○ off alpha", "q quit")
    t.press("c")
    t.shows("⏎ clone")
    t.press("C-u")
    t.write("beta")
    t.press("Enter")
    t.until(lambda _: (one.base / "beta/chroot.d").exists())
    t.shows("○ off beta", "done clone")
    t.press("n")
    t.shows("new chroot", "Made of Debian")
    t.write("gamma")
    t.shows("Name gamma")
    create_from(t, archive)
    t.shows("○ off gamma", "✓ done create gamma")
    assert (one.base / "gamma/chroot.d").is_dir()
    t.press("B")
    t.shows("these are another machine's")  # where it is wrapped is the path's length
    assert one.log.count("Accepted publickey") == 1
