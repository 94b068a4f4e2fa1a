"""Throw-away sessions on a terminal, and where the tool is in a chroot itself."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import CHECKOUT, IN_CHROOT, Cli, has_ended, wait_until
from support.outer_terminal import PROMPT, Bash
from support.session_traces import sessions

pytestmark = pytest.mark.root


@pytest.fixture
def bash(tiny_chroot: Path, cli: Cli) -> Iterator[Bash]:
    terminal = Bash(cli, tiny_chroot)
    yield terminal
    terminal.close()
    wait_until(lambda: not sessions(tiny_chroot))


def test_a_shell_on_a_terminal(bash: Bash, tiny_chroot: Path) -> None:
    bash.start("r -x -- sh -c 'trap \"\" INT; tty; stty size; echo x >/new; read y; echo got $y'")
    bash.wait_for(r"/dev/pts/0\r\n30 90\r\n")
    bash.resize(41, 123)
    bash.type("\x03said\n")
    bash.wait_for("got said")
    assert bash.code() == 0
    assert bash.modes() == bash.before
    assert not (tiny_chroot / "new").exists()


def test_ctrl_c_and_ctrl_z(bash: Bash) -> None:
    bash.start("r -x sleep 1000")
    wait_until(bash.is_raw)
    bash.type("\x1a")
    bash.wait_for("Stopped")
    bash.wait_for(re.escape(PROMPT))
    bash.start("fg")
    wait_until(bash.is_raw)
    bash.type("\x03")
    assert bash.code() == 130


def test_a_bind_that_can_be_written_is_named(bash: Bash, tiny_chroot: Path, tmp_path: Path) -> None:
    binds = f"[bind]\nsrc:{tmp_path} tgt:/data\nsrc:{tmp_path} tgt:/data-ro fs:bind-ro\n"
    (tiny_chroot / "chroot.d/tool.conf").write_text(binds)
    bash.start("r -x true")
    bash.wait_for(r"what is changed in /data is changed on the host")
    assert bash.code() == 0


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["tool", "terminal"])
def test_a_terminal_that_goes_takes_the_session_along(
    bash: Bash, tiny_chroot: Path, whom: str
) -> None:
    bash.start("r -x -- sh -c 'trap \"\" HUP; echo up; while :; do sleep 0.02; done'")
    bash.wait_for("up")
    tool = int(Path(f"/proc/{bash.pid}/task/{bash.pid}/children").read_text().split()[0])
    if whom == "terminal":
        bash.hang_up()
    else:
        os.kill(tool, signal.SIGKILL)
    wait_until(lambda: not sessions(tiny_chroot))
    wait_until(lambda: has_ended(tool))


# -- in a chroot


@pytest.mark.skipif(IN_CHROOT, reason="this is one already")
def test_in_a_plain_chroot(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    """The tool's own root is no mount point there."""
    nest = tmp_path / "nest"
    nest.mkdir()
    places = " ".join(f"usr lib lib64 bin sbin etc var {CHECKOUT} {sys.base_prefix}".split())
    script = f"""
        cd {nest}
        for place in {places}; do
            place=${{place#/}}
            [ -e /$place ] || continue
            mkdir -p $place
            mount --rbind /$place $place  # tests may have a disk of their own in there
        done
        mkdir -p proc sys tmp dev
        mount --rbind /dev dev; mount -t proc proc proc; mount -t sysfs sysfs sys
        exec chroot . sh -c 'wc -l </proc/self/mountinfo
            {shlex.join(map(str, cli.argv("run", "-xd", tiny_chroot, "--", "sh", "-c")))} "
                cat /proc/self/mountinfo; ls /proc; : >/new"
            wc -l </proc/self/mountinfo'
    """
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", script], env=cli.environment(),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == said[-1]
    assert f" / / rw,relatime - overlay {tiny_chroot} " in done.stdout
    assert not (tiny_chroot / "new").exists()
