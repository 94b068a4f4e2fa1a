"""What a kill leaves of files that are written aside: the next one at work removes it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from support import PATIENCE, Arg, Cli

pytestmark = pytest.mark.root


def killed_before_its_rename(cli: Cli, *args: Arg) -> None:
    with cli.dying().start(*args, stderr=subprocess.PIPE) as process:
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL, said


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["bind", "on", "run"])
def test_a_killed_edit_leaves_nothing_that_the_next_verb_does_not_remove(
    cli: Cli, tiny_chroot: Path, verb: str
) -> None:
    folder = tiny_chroot / "chroot.d"
    before = set(os.listdir(folder))
    killed_before_its_rename(cli, "bind", "ignore", "-d", tiny_chroot, "--target", "/run")
    (left,) = set(os.listdir(folder)) - before
    assert left.startswith(".chroot.toml.")
    words = {
        "bind": ["bind", "ignore", "--target", "/run"], "on": ["on"], "run": ["run", "/bin/true"],
    }[verb]  # fmt: skip
    cli.ok(*words, "-d", tiny_chroot)
    assert left not in os.listdir(folder)


def test_the_marker_of_a_create_that_was_killed_at_its_very_end_goes(
    cli: Cli, tiny_chroot: Path
) -> None:
    over = tiny_chroot / ".chroot-tool-create-over"
    (over / "root").mkdir(parents=True)
    (over / "made").touch()
    cli.ok("on", "-d", tiny_chroot)
    assert not over.exists()


def test_a_link_in_its_place_leads_nowhere(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "root").mkdir(parents=True)
    (tiny_chroot / ".chroot-tool-create-over").symlink_to(mine)
    cli.ok("on", "-d", tiny_chroot)
    assert (mine / "root").exists()


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["on", "off"])
def test_a_copy_of_resolv_conf_that_was_cut_off_goes(
    cli: Cli, tiny_chroot: Path, verb: str
) -> None:
    (tiny_chroot / "chroot.d/chroot.toml").write_text('[system]\nresolv = "copy"\n')
    killed_before_its_rename(cli, "on", "-d", tiny_chroot)
    left = [name for name in os.listdir(tiny_chroot / "etc") if name.startswith(".resolv.conf.")]
    assert len(left) == 1
    cli.ok(verb, "-d", tiny_chroot)
    assert left[0] not in os.listdir(tiny_chroot / "etc")
