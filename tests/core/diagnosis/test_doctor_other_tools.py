"""The doctor on other tools that are at work in the same tree."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from chroot_tool.core.diagnosis import other_tools
from chroot_tool.core.diagnosis.finding import OK, WARNING
from support import Cli, next_line, wait_until
from support.doctor import bare_root, of, worst

pytestmark = pytest.mark.root


def test_the_same_tree_mounted_elsewhere(tiny_chroot: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    subprocess.run(["mount", "--bind", tiny_chroot, other], check=True)
    try:
        found = worst(other_tools.other_tools(of(tiny_chroot)))
        assert found.severity == WARNING
        assert str(other) in found.found
    finally:
        subprocess.run(["umount", other], check=True)


@pytest.mark.parametrize(
    ("place", "tool"),
    [
        ("/run/schroot/mount/deb-1a2b", "schroot"),
        ("/run/systemd/nspawn/propagate/deb", "systemd-nspawn"),
        ("/mnt", "somebody"),
    ],
)
def test_tools_are_known_by_where_they_mount(place: str, tool: str) -> None:
    name, mend = other_tools.tool_at(place)
    assert name == tool
    assert place.rpartition("/")[2] in mend


def test_a_machine_that_runs_in_it(tmp_path: Path) -> None:
    root, machines = bare_root(tmp_path), tmp_path / "machines"
    machines.mkdir()
    (machines / "other").write_text("CLASS=container\nROOT=/srv/other\n")
    assert worst(other_tools.other_tools(of(root), str(machines))).severity == OK
    (machines / "deb").write_text(f"CLASS=container\nROOT={root}\n")
    found = worst(other_tools.other_tools(of(root), str(machines)))
    assert (found.severity, found.mend) == (WARNING, "machinectl terminate deb")


def test_what_runs_in_it_in_mounts_of_its_own(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "old").mkdir()
    enter = 'mount --bind . . && cd "$PWD" && pivot_root . old && echo in && exec /bin/sleep 100'
    with subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "sh", "-c", enter],
        cwd=tiny_chroot, stdout=subprocess.PIPE, start_new_session=True,
    ) as runs:  # fmt: skip
        try:
            assert next_line(runs) == b"in\n"
            found = worst(other_tools.other_tools(of(tiny_chroot)))
            assert found.severity == WARNING
            assert found.found.startswith("unshare runs process ")
            assert cli("off", "-d", tiny_chroot).returncode == 4
        finally:
            os.killpg(runs.pid, signal.SIGKILL)
    # Who is waited for is unshare: what it started ends when it gets to that.
    wait_until(lambda: worst(other_tools.other_tools(of(tiny_chroot))).severity == OK)
