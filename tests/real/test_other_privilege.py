"""doas and pkexec themselves, by the rules that `sudoers` prints: as good as sudo."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from chroot_tool.app.privilege import fresh as fresh_one
from chroot_tool.app.privilege import quiet
from support import mounts_below, wait_until
from support.ordinary import PASSWORD, PATH, Ordinary, ordinary, own_etc
from support.outer_terminal import Terminal
from support.tmux import Tmux

pytestmark = [pytest.mark.root, pytest.mark.slow]

ACTIONS = Path("/usr/share/polkit-1/actions")
_RULE = """\
polkit.addRule(function(action, subject) {
    if (action.id == "io.github.chroot-tool.run" && subject.user == "ann") {
        return polkit.Result.YES;
    }
});
"""


def mount(stack: ExitStack, *words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)
    stack.callback(subprocess.run, ["umount", "--lazy", words[-1]], check=True)


@pytest.fixture
def ann(tmp_path: Path, tiny_template: Path) -> Iterator[Ordinary]:
    """An ordinary user on a machine whose /etc is the test's."""
    with own_etc(tmp_path / "whole-etc"), ordinary(tmp_path / "of", ui=True) as one:
        subprocess.run(["cp", "-a", tiny_template, one.base / "deb"], check=True)
        yield one
        subprocess.run(
            [one.program, "off", "-S", "--kill", "-d", one.base / "deb"],
            check=False, capture_output=True,
        )  # fmt: skip


@pytest.mark.parametrize("by", ["variable", "setting"])
def test_doas(ann: Ordinary, by: str) -> None:
    env = {"CHROOT_TOOL_PRIVILEGE": "doas"} if by == "variable" else {}
    if by == "setting":
        ann.settings('privilege = "doas"\n')
    refused = ann("on", "-d", "deb", env=env)
    assert refused.returncode == 5
    assert "doas does not make ann root here" in refused.stderr
    assert "chroot-tool sudoers ann --for doas" in refused.stderr

    ann.allow_by_doas()
    ann.ok("on", "-d", "deb", env=env)
    assert json.loads(ann.ok("status", "-d", "deb", "--json"))["state"] == "on"
    ann.ok("adopt", "-d", "deb", env=env)
    done = ann("run", "-d", "deb", "--", "sh", "-c", "id -u; exit 7", env=env)
    assert (done.returncode, done.stdout) == (7, f"{ann.uid}\n")
    ann.ok("off", "-d", "deb", env=env)
    assert not mounts_below(ann.base / "deb")

    # In a panel, whose keys come by us, it runs all the same, unless a password is to be given.
    done = ann("--unasked", "run", "-d", "deb", "--", "id", "-u", env=env)
    assert (done.returncode, done.stdout) == (0, f"{ann.uid}\n")
    conf = Path("/etc/doas.conf")
    conf.write_text(conf.read_text().replace("nopass", ""))
    done = ann("--unasked", "run", "-d", "deb", "--", "id", "-u", env=env)
    assert done.returncode == 125
    assert "doas does not make ann root here" in done.stderr
    assert "password:" not in done.stderr
    other = subprocess.run(
        ["doas", "-n", "id"], user=ann.uid, group=ann.uid, extra_groups=(), check=False,
        capture_output=True,
    )  # fmt: skip
    assert other.returncode == 1


def test_what_doas_remembers_counts_for_one_parent_and_is_not_asked_for_by_it(
    ann: Ordinary,
) -> None:
    """A panel's is another: whether it asks there was asked where a password was remembered."""
    ann.allow_by_doas()
    conf = Path("/etc/doas.conf")
    conf.write_text(conf.read_text().replace("nopass", "persist"))
    version = (str(ann.program), "--version")
    kept, fresh = (shlex.join((*do(("doas", "--")), *version)) for do in (quiet, fresh_one))
    told = f"doas -- {shlex.join(version)}; {kept}; echo kept=$?; {fresh}; echo fresh=$?"
    become = ann.argv()[:-1]
    terminal = Terminal([*become, "sh", "-c", told], ann.environment())
    try:
        terminal.wait_for("password:")
        terminal.type(f"{PASSWORD}\n")
        terminal.wait_for("kept=0")
        terminal.wait_for("fresh=1")
    finally:
        terminal.close()


@pytest.fixture
def polkit(ann: Ordinary, tmp_path: Path) -> Iterator[None]:
    """polkit on a bus of the test's, with our action, and an administrator's rule for ann.

    Without such a rule a password is asked for, and pkexec 122 of Debian 12 can't be answered on a
    terminal: where no other agent runs its own ends with "No session for cookie".
    """
    Path("/etc/polkit-1/rules.d/00-tests.rules").write_text(_RULE)
    actions = tmp_path / "actions"
    shutil.copytree(ACTIONS, actions)
    (actions / "io.github.chroot-tool.run.policy").write_text(ann.rule("--for", "pkexec"))
    with ExitStack() as stack:
        mount(stack, "--bind", actions, ACTIONS)
        mount(stack, "-t", "tmpfs", "-o", "mode=755", "run", "/run")
        Path("/run/dbus").mkdir()
        words = ("dbus-daemon", "--system", "--nofork", "--nopidfile")
        bus = stack.enter_context(subprocess.Popen(words, cwd="/"))
        stack.callback(bus.kill)  # and polkit ends, which it starts
        wait_until(knows_the_action)
        yield


def knows_the_action() -> bool:
    """Ask polkit, as soon as there is a bus."""
    asked = ["pkaction", "--action-id", "io.github.chroot-tool.run"]
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0


@pytest.mark.usefixtures("polkit")
def test_pkexec(ann: Ordinary) -> None:
    env = {"CHROOT_TOOL_PRIVILEGE": "pkexec"}
    ann.ok("on", "-d", "deb", env=env)
    assert mounts_below(ann.base / "deb")
    ann.ok("adopt", "-d", "deb", env=env)
    done = ann("run", "-d", "deb", "--", "sh", "-c", "id -u; exit 7", env=env)
    assert (done.returncode, done.stdout) == (7, f"{ann.uid}\n")
    done = ann("--unasked", "run", "-d", "deb", "--", "id", "-u", env=env)
    assert (done.returncode, done.stdout) == (0, f"{ann.uid}\n")
    refused = subprocess.run(
        [ann.program, "off", "-d", "deb"], user=ann.uid + 1, group=ann.uid + 1, extra_groups=(),
        env=ann.environment(env), cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, start_new_session=True,
    )  # fmt: skip
    assert refused.returncode == 5
    assert "pkexec does not make bob root here" in refused.stderr
    assert mounts_below(ann.base / "deb")
    ann.ok("off", "-d", "deb", env=env)
    assert not mounts_below(ann.base / "deb")


@pytest.mark.usefixtures("polkit")
def test_the_ui_becomes_root_by_pkexec_when_that_is_needed(ann: Ordinary) -> None:
    t = Tmux(ann.argv(), ann.environment({"CHROOT_TOOL_PRIVILEGE": "pkexec"}), size=(140, 30))
    try:
        t.shows("○ off deb", "q quit", "ann: looking only")
        t.press("o")
        t.shows("● on deb", "ann, as root")
        assert mounts_below(ann.base / "deb")
        t.press("o")
        t.shows("○ off deb")
        assert not mounts_below(ann.base / "deb")
        t.leave()
    finally:
        t.close()


def test_who_leaves_waits_for_nobody_who_is_asked_in_a_window(
    ann: Ordinary, tmp_path: Path
) -> None:
    """pkexec is root's, which the UI can't end, and the agent's window stays open."""
    (bin_ := tmp_path / "bin").mkdir()
    bin_.chmod(0o755)
    asking = ann.home / "asking"
    (bin_ / "pkexec").write_text(f"#!/bin/sh\necho $$ >{asking}\nexec sudo -- sleep 1000\n")
    (bin_ / "pkexec").chmod(0o755)
    (ann.rules / "sleep").write_text("ann ALL=(root) NOPASSWD: /usr/bin/sleep\n")
    (ann.rules / "sleep").chmod(0o440)
    env = {"CHROOT_TOOL_PRIVILEGE": "pkexec", "PATH": f"{bin_}:{PATH}"}
    t = Tmux(ann.argv(), ann.environment(env), size=(140, 30))
    try:
        t.shows("○ off deb", "q quit", "ann: looking only")
        t.press("o")
        wait_until(lambda: asking.exists() and asking.read_text())
        while "Stop it" not in t.text:
            t.press("q")  # keys wait for what is asked, and then are not kept
            with suppress(AssertionError):
                t.shows("Stop it", patience=5)
        t.click("Stop it")
        t.shows("on deb: stopped by you", "left with 0")
    finally:
        t.close()
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(asking.read_text()), signal.SIGTERM)
