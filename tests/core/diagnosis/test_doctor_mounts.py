from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chroot_tool.core.diagnosis import mounts
from chroot_tool.core.diagnosis.finding import OK, PROBLEM, WARNING, Finding
from support import Cli
from support.doctor import of, worst

pytestmark = pytest.mark.root


def mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


def umount(point: Path) -> None:
    subprocess.run(["umount", point], check=True)


def every(root: Path) -> dict[str, Finding]:
    looks = (mounts.drift, mounts.stacked, mounts.stray, mounts.mountable)
    return {look.__name__: worst(look(of(root))) for look in looks}


def test_on_or_off_all_is_well(cli: Cli, tiny_chroot: Path) -> None:
    assert {one.severity for one in every(tiny_chroot).values()} == {OK}
    cli.ok("on", "-d", tiny_chroot)
    assert {one.severity for one in every(tiny_chroot).values()} == {OK}


def test_a_mount_that_is_missing_or_changed_is_mended_by_on(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    umount(tiny_chroot / "tmp")
    found = worst(mounts.drift(of(tiny_chroot)))
    assert (found.severity, found.mends) == (WARNING, True)
    assert "/tmp is not mounted" in found.found
    cli.ok("on", "-d", tiny_chroot)
    mount("-o", "remount,bind,ro", tiny_chroot / "run")
    found = worst(mounts.drift(of(tiny_chroot)))
    assert (found.severity, found.mends) == (WARNING, True)
    assert "/run is not as it is wanted: is ro" in found.found


def test_one_that_can_not_be_mounted_is_not_said_to_be_mended(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    cli.ok("bind", "add", "-d", tiny_chroot, "--source", "/usr", "--target", "/src")
    assert worst(mounts.drift(of(tiny_chroot))).mends
    conf = tiny_chroot / "chroot.d/chroot.toml"
    conf.write_text(conf.read_text().replace("/usr", "/nowhere"))
    assert not worst(mounts.drift(of(tiny_chroot))).mends
    found = worst(mounts.mountable(of(tiny_chroot)))
    assert found.severity == PROBLEM
    assert "/nowhere" in found.found


def test_mounts_on_one_another(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    mount("--bind", "/usr", tiny_chroot / "tmp")
    found = worst(mounts.stacked(of(tiny_chroot)))
    assert (found.severity, found.found, found.mends) == (
        WARNING, "2 mounts are stacked at /tmp", True,
    )  # fmt: skip


def test_stacked_mounts_of_somebody_else_are_theirs(tiny_chroot: Path) -> None:
    for _ in range(2):
        mount("-t", "tmpfs", "none", tiny_chroot / "home")
    found = worst(mounts.stacked(of(tiny_chroot)))
    assert (found.severity, found.mends) == (WARNING, False)


def test_a_mount_that_no_entry_wants(cli: Cli, tiny_chroot: Path) -> None:
    mount("-t", "tmpfs", "none", tiny_chroot / "home")
    found = worst(mounts.stray(of(tiny_chroot)))
    assert found.severity == WARNING
    assert found.found.startswith("/home is mounted")
    assert found.mend.startswith(f"umount {tiny_chroot}/home")
    assert worst(mounts.drift(of(tiny_chroot))).severity == OK
    assert not mounts.mend_plan(of(tiny_chroot).seen)  # it is off, whatever is mounted there
