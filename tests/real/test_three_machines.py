"""Three machines made of namespaces: nothing but a network is between them, and nothing is shared.

Every day by command and by keys, and a cable that is pulled.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Cli, Program, next_line
from support.create_form import create_from
from support.machines_apart import BASE, Apart, machines_apart
from support.tmux import Tmux

pytestmark = [pytest.mark.root, pytest.mark.slow]

NAMES = ("one", "two", "three")


@pytest.fixture
def apart(cli: Cli, tmp_path: Path, tiny_template: Path) -> Iterator[Apart]:
    """The three of them, each with a chroot `deb`, the first with an archive `/srv/tiny.tar`."""
    with machines_apart(tmp_path / "hosts", cli, *NAMES) as those:
        for name in NAMES:
            subprocess.run(["cp", "-a", tiny_template, those.hosts[name].base / "deb"], check=True)
        archive = tmp_path / "tiny.tar"
        subprocess.run(["tar", "cf", archive, "-C", tiny_template, "."], check=True)
        yield those


def test_every_day_by_command(apart: Apart, tmp_path: Path, cli: Cli) -> None:
    # All are the same path, and none knows of the others.
    for name in NAMES:
        (seen,) = json.loads(apart.ok("list", "-H", name, "--json"))
        assert (seen["path"], seen["state"]) == (f"{BASE}/deb", "off")
    apart.ok("on", "-d", "two:deb")
    assert [bool(apart.mounted(name)) for name in NAMES] == [False, True, False]

    watching = apart.do(
        Program, cli.argv("watch", "-H", "two", "--json"), env=apart.environment(),
        stdout=subprocess.PIPE,
    )  # fmt: skip
    with watching:
        assert b'"on"' in next_line(watching)
        apart.ok("off", "-d", "two:deb")
        while b'"off"' not in (line := next_line(watching)):
            assert line, "it has ended"
        watching.terminate()
    assert not apart.mounted("two")

    said = apart.ok("run", "-d", "three:deb", "--", "/bin/sh", "-c", "echo $$ /*")
    pid, *entries = said.split()
    assert "/chroot.d" in entries
    assert int(pid) < 10_000  # of a machine that was just booted
    shell = apart.do(
        Tmux, [str(word) for word in cli.argv("shell", "-d", "three:deb")], apart.environment()
    )
    try:
        shell.shows("#")
        shell.write("echo $((40+2)); exit 7")
        shell.press("Enter")
        shell.shows("42", "left with 7")
    finally:
        shell.close()
    apart.ok("off", "-d", "three:deb")

    apart.ok("create", "-d", "one:made", "--from", tmp_path / "tiny.tar")
    apart.ok("clone", "-d", "one:made", "three:copy")
    assert (apart.hosts["three"].base / "copy/chroot.d/chroot-cmd").exists()
    assert not (apart.hosts["two"].base / "copy").exists()
    apart.ok("delete", "--yes", "-d", "one:made")
    assert [one["name"] for one in json.loads(apart.ok("list", "-H", "one", "--json"))] == ["deb"]


def test_every_day_by_keys(apart: Apart, tmp_path: Path, cli: Cli) -> None:
    config, nothing = tmp_path / "config", tmp_path / "none"
    for place in (config / "chroot-tool", nothing):
        place.mkdir(parents=True)
    (config / "chroot-tool/settings.toml").write_text(f"hosts = {json.dumps(list(NAMES))}\n")
    env = {
        "XDG_CONFIG_HOME": str(config), "XDG_STATE_HOME": str(tmp_path / "state"),
        "CHROOT_TOOL_BASE": str(nothing), "LANG": "C.UTF-8",
    }  # fmt: skip
    argv = [str(word) for word in cli.argv()]
    t = apart.do(Tmux, argv, apart.environment(env), size=(120, 40))
    try:
        t.shows("○ off deb one", "○ off deb two", "○ off deb three", "q quit")
        t.press("g")
        t.shows(f"one:{BASE}/deb")
        t.press("o")
        t.shows("● on deb one")
        assert [bool(apart.mounted(name)) for name in NAMES] == [True, False, False]
        apart.ok("on", "-d", "three:deb")
        t.shows("● on deb three")
        apart.link("three", up=False)
        t.shows("not answering: three", "● on deb three", patience=90)  # as it was last seen
        t.press("o")
        t.shows("○ off deb one")
        assert not apart.mounted("one")
        apart.link("three", up=True)
        t.until(lambda text: "not answering" not in text, patience=90)
        apart.ok("off", "-d", "three:deb")
        t.shows("○ off deb three")

        t.press("s")
        t.shows("deb: shell", "#")
        t.write("echo $((40+2))-$(id -u); exit")
        t.press("Enter")
        t.shows("42-0", "exit 0")
        t.press("C-]")
        t.press("n")
        t.shows("new chroot", "Made of Debian")
        t.write("made")
        t.shows(f"in one:{BASE}/made")
        create_from(t, tmp_path / "tiny.tar")
        t.shows("○ off made one", "✓ done create made", f"one:{BASE}/made")  # and the cursor there
        t.press("c")
        t.shows("clone made")
        t.write("copy")
        t.press("Tab")
        t.shows("⏎ choose")
        t.press("Enter")
        t.shows("this machine")
        t.press("Down", "Enter")
        t.shows(f"in three:{BASE}/copy")
        t.press("BTab")
        t.shows("⏎ clone")
        t.press("Enter")
        t.shows("○ off copy three", "✓ done clone", f"three:{BASE}/copy")
        assert (apart.hosts["three"].base / "copy/chroot.d/chroot-cmd").exists()

        t.press("g", "j")
        t.shows(f"one:{BASE}/deb")
        t.press("o")
        t.shows("○ off deb one")
        t.press("q")
        t.shows("left with 0")
        assert not any(apart.mounted(name) for name in NAMES)
    finally:
        t.close()
