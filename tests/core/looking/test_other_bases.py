"""Where chroots of other tools lie, on files of our own making."""

from __future__ import annotations

from pathlib import Path

from chroot_tool.core.looking.other_bases import OtherBase, other_bases


def system(path: Path) -> Path:
    """Make what looks like the root of a system."""
    (path / "bin").mkdir(parents=True)
    (path / "etc").mkdir()
    (path / "usr").mkdir()
    (path / "bin/sh").touch()
    (path / "etc/os-release").write_text("ID=debian\n")
    return path


def test_machines_and_the_parents_of_schroots_directories(tmp_path: Path) -> None:
    machines = tmp_path / "machines"
    system(machines / "web")
    (machines / ".raw").mkdir()
    one, two = system(tmp_path / "srv/one"), system(tmp_path / "srv/two")
    (tmp_path / "etc/chroot.d").mkdir(parents=True)
    (tmp_path / "etc/schroot.conf").write_text(f"# directory=/etc\n[one]\ndirectory = {one}\n")
    (tmp_path / "etc/chroot.d/two").write_text(f"[two]\ntype=directory\ndirectory={two}/\n")
    (tmp_path / "etc/chroot.d/old.dpkg-old").write_text(f"[old]\ndirectory={tmp_path}/old/x\n")
    system(tmp_path / "old/x")
    assert other_bases(str(machines), str(tmp_path / "etc")) == (
        OtherBase(str(machines), "systemd-nspawn", ("web",)),
        OtherBase(str(tmp_path / "srv"), "schroot", ("one", "two")),
    )


def test_nothing_where_there_is_nothing(tmp_path: Path) -> None:
    assert other_bases(str(tmp_path / "machines"), str(tmp_path / "etc")) == ()


def test_what_is_no_text_and_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "chroot.d").mkdir()
    (tmp_path / "chroot.d/a").write_bytes(b"\xff\0directory=/x\n")
    (tmp_path / "schroot.conf").mkdir()
    assert other_bases(str(tmp_path / "none"), str(tmp_path)) == ()


def test_one_file_that_is_wrong_hides_no_other(tmp_path: Path) -> None:
    one = system(tmp_path / "srv/one")
    (tmp_path / "etc/chroot.d").mkdir(parents=True)
    (tmp_path / "etc/chroot.d/a").write_text("directory=/before/any/section\n")
    (tmp_path / "etc/chroot.d/b").write_text(f"[one]\ndirectory={one}\n")
    assert other_bases(str(tmp_path / "none"), str(tmp_path / "etc")) == (
        OtherBase(str(tmp_path / "srv"), "schroot", ("one",)),
    )
