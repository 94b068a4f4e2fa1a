"""What killed runs leave is found, told and taken away; what is anybody else's stays."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path

import pytest

from chroot_tool.core.chroot import DELETING, MADE, MARKER
from chroot_tool.core.creating.bases.store import Cache
from chroot_tool.core.diagnosis.finding import OK, WARNING
from chroot_tool.core.diagnosis.leftovers import found, leftovers
from chroot_tool.core.diagnosis.subject import Subject
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.events import Event, Warned
from chroot_tool.core.lock import Lock
from chroot_tool.core.verbs import doctor
from support.doctor import bare_root, host, of, worst

pytestmark = pytest.mark.root

BASE_NAME = "bookworm-amd64-minbase-debootstrap-1a2b3c4d"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return bare_root(tmp_path)


def mended(subject: Subject) -> list[str]:
    """Mend; return what was taken away, of what was told before."""
    told = [step.target for step in found(subject)]
    steps = doctor.mend(subject).steps
    assert [step.target for step in steps] == told
    assert found(subject) == ()
    return told


def test_where_nothing_was_killed_there_is_nothing(root: Path) -> None:
    assert worst(leftovers(of(root))).severity == OK
    assert worst(leftovers(host(root.parent))).severity == OK
    assert not doctor.plan_mend(of(root))


def test_a_file_that_an_edit_was_writing(root: Path) -> None:
    left = root / "chroot.d/.tool.conf.4711.0123abcd"
    ours = root / "chroot.d/.chroot.toml.4711.0123abcd"
    other = root / "chroot.d/.tool.conf.swp"
    for file in (left, ours, other):
        file.write_text("x")
    with ours.open() as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        one = worst(leftovers(of(root)))
        assert (one.severity, one.mends) == (WARNING, True)
        assert mended(of(root)) == [str(left)]
    assert not left.exists()
    assert ours.exists()
    assert other.exists()


def test_a_link_in_its_place_is_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    left = root / "chroot.d/.tool.conf.4711.0123abcd"
    left.symlink_to(outside)
    assert mended(of(root)) == []
    assert outside.read_text() == "precious"


def test_the_marker_of_a_create_that_is_finished(root: Path) -> None:
    over = Path(f"{root}{MADE}")
    (over / "root").mkdir(parents=True)
    (over / "made").write_text("bin")
    assert mended(of(root)) == [str(over)]
    assert not over.exists()
    assert (root / "bin/sh").exists()


def test_an_unfinished_create_is_taken_back(root: Path) -> None:
    (root / "bin/sh").unlink()
    marker = Path(f"{root}{MARKER}")
    (marker / "root/etc").mkdir(parents=True)
    with Lock(str(root)):
        assert found(of(root)) == ()  # somebody is at work on it
    assert mended(of(root)) == [str(marker)]
    assert not marker.exists()
    assert (root / "etc/passwd").exists()


def test_one_that_has_a_system_or_is_half_deleted_is_left_to_its_owner(root: Path) -> None:
    Path(f"{root}{MARKER}").mkdir()
    assert found(of(root)) == ()
    (root / "bin/sh").unlink()
    Path(f"{root}{DELETING}").touch()
    assert found(of(root)) == ()


def test_a_snapshot_that_was_being_made(root: Path) -> None:
    store = root.parent / ".chroot-tool/snapshots"
    snapshots = store / root.name
    (snapshots / ".monday.making/root").mkdir(parents=True)
    (snapshots / "sunday").mkdir()
    (store / ".other.removing").mkdir()
    for place in (store.parent, store, snapshots):
        place.chmod(0o700)
    assert set(mended(of(root))) == {f"{snapshots}/.monday.making", f"{store}/.other.removing"}
    assert (snapshots / "sunday").exists()


def test_snapshots_that_cannot_go_are_all_told_and_keep_no_other(root: Path) -> None:
    store, told = root.parent / ".chroot-tool/snapshots", list[Event]()
    snapshots = store / root.name
    places = [snapshots / f".{name}.making" for name in ("a", "b", "c", "d")]
    for place in places:
        (place / "root").mkdir(parents=True)
    for place in (store.parent, store, snapshots):
        place.chmod(0o700)
    stuck = places[::2]
    for place in stuck:
        subprocess.run(["mount", "-t", "tmpfs", "none", place / "root"], check=True)
    try:
        with pytest.raises(ChrootError) as raised:
            doctor.mend(of(root), told.append)
    finally:
        for place in stuck:
            subprocess.run(["umount", place / "root"], check=True)
    [warned] = [one.problem.message for one in told if isinstance(one, Warned)]
    for place in stuck:
        assert [f"{place} is left" in text for text in (raised.value.message, warned)].count(True)
    assert sorted(snapshots.iterdir()) == stuck


def test_trees_of_a_clone_and_of_a_delete(root: Path) -> None:
    base = root.parent
    clone, rest = base / ".new.cloning", base / ".deb.deleting-0123abcd"
    for tree in (clone, rest):
        (tree / "chroot.d").mkdir(parents=True)
        (tree / "chroot.d/file").touch()
    (base / "clone").mkdir()
    with Lock(str(clone)):
        assert [step.target for step in found(host(base))] == [str(rest)]
    assert sorted(mended(host(base))) == sorted([str(clone), str(rest)])
    assert root.exists()
    assert (base / "clone").exists()


def test_what_cannot_go_keeps_nothing_else_there(root: Path) -> None:
    base = root.parent
    stuck, rest = base / ".a.deleting-0123abcd", base / ".b.deleting-0123abcd"
    for tree in (stuck, rest):
        (tree / "chroot.d").mkdir(parents=True)
        (tree / "chroot.d/file").touch()
    subprocess.run(["chattr", "+i", stuck / "chroot.d/file"], check=True)
    try:
        with pytest.raises(ChrootError) as raised:
            doctor.mend(host(base))
        assert "chattr -i" in raised.value.hint
        assert [step.target for step in found(host(base))] == [str(stuck)]
    finally:
        subprocess.run(["chattr", "-R", "-i", stuck], check=True)
    assert mended(host(base)) == [str(stuck)]


def test_a_tree_that_somebody_uses_stays(root: Path) -> None:
    clone = root.parent / ".new.cloning"
    (clone / "chroot.d").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", clone / "chroot.d"], check=True)
    assert not doctor.mend(host(root.parent))
    subprocess.run(["umount", clone / "chroot.d"], check=True)
    assert mended(host(root.parent)) == [str(clone)]


def test_a_base_that_was_being_made(tmp_path: Path) -> None:
    bases = tmp_path / "bases"
    bases.mkdir(mode=0o700)
    (bases / f"{BASE_NAME}.part").write_text("half")
    (bases / "notes.txt").write_text("mine")
    subject = Subject(str(tmp_path / "chroots"), cache=Cache(str(bases)))
    assert mended(subject) == [f"{bases}/{BASE_NAME}"]
    assert [path.name for path in bases.iterdir()] == ["notes.txt"]
