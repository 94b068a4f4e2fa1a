from __future__ import annotations

from pathlib import Path

import pytest

from chroot_tool.core.diagnosis import disk as disks_of
from chroot_tool.core.diagnosis.finding import NOTE, OK, PROBLEM, WARNING
from support.disks import disk
from support.doctor import host, of, said, worst


@pytest.mark.root
def test_a_disk_that_is_mounted_plainly_is_fine(tmp_path: Path) -> None:
    with disk(tmp_path, "ext4", 64) as point:
        assert worst(disks_of.file_system(of(point))).severity == OK
        assert worst(disks_of.file_system(host(point))).severity == OK


@pytest.mark.root
@pytest.mark.parametrize(
    ("flag", "severity"),
    [("nosuid", WARNING), ("nodev", WARNING), ("noexec", PROBLEM), ("ro", PROBLEM)],
)
def test_how_it_is_mounted_spoils_a_chroot(tmp_path: Path, flag: str, severity: str) -> None:
    with disk(tmp_path, "ext4", 64, options=flag) as point:
        found = worst(disks_of.file_system(of(point)))
        assert (found.severity, found.found) == (severity, f"{point} is mounted {flag}")
        assert "remount" in found.mend
        assert worst(disks_of.file_system(host(point / "new"))).severity == PROBLEM


@pytest.mark.root
def test_a_tmpfs_is_noted(tmp_path: Path) -> None:
    with disk(tmp_path, "tmpfs", 64) as point:
        assert said(disks_of.file_system(of(point))) == [(NOTE, f"{point} is tmpfs")]


@pytest.mark.root
def test_an_overlay_is_noted(tmp_path: Path) -> None:
    import subprocess

    with disk(tmp_path, "tmpfs", 16) as layers:  # an overlay can't be written on an overlay
        for name in ("lower", "upper", "work", "point"):
            (layers / name).mkdir()
        options = f"lowerdir={layers}/lower,upperdir={layers}/upper,workdir={layers}/work"
        point = layers / "point"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "none", point], check=True)
        try:
            assert said(disks_of.file_system(of(point))) == [(NOTE, f"{point} is overlay")]
        finally:
            subprocess.run(["umount", point], check=True)


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("vfat", PROBLEM), ("nfs4", WARNING), ("fuse.sshfs", WARNING), ("overlay", NOTE)],
)
def test_kinds_that_are_no_place_for_a_chroot(kind: str, severity: str) -> None:
    found = disks_of.unfit(kind, "/srv")
    assert found is not None
    assert found.severity == severity
    assert kind in found.found


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "fuseblk2", ""])
def test_other_kinds_are(kind: str) -> None:
    assert disks_of.unfit(kind, "/srv") is None


def test_there_is_room_here(tmp_path: Path) -> None:
    assert worst(disks_of.space(of(tmp_path))).severity == OK
    assert worst(disks_of.space(host(tmp_path))).severity == OK


@pytest.mark.root
def test_a_full_disk_is_a_problem_and_a_nearly_full_one_a_warning(tmp_path: Path) -> None:
    with disk(tmp_path, "tmpfs", 16) as point:
        found = worst(disks_of.space(of(point)))
        assert (found.severity, found.meaning) == (WARNING, "an upgrade may not fit")
        (point / "file").write_bytes(bytes((16 << 20) - 4096))
        assert worst(disks_of.space(of(point))).severity == PROBLEM
        assert worst(disks_of.space(host(point))).severity == PROBLEM


@pytest.mark.root
def test_so_is_one_on_which_no_file_can_be_made(tmp_path: Path) -> None:
    with disk(tmp_path, "ext4", 1024, make=("-N", "16")) as point:
        left = 0
        while worst(disks_of.space(of(point))).severity != PROBLEM:
            (point / f"file{left}").touch()
            left += 1
        assert "inodes are free" in worst(disks_of.space(of(point))).found
        assert worst(disks_of.space(host(point))).severity == PROBLEM
