"""core.trees.remove: real trees, real mounts; what is behind a mount must survive."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chroot_tool.core.errors import BusyError, Cancelled, ChrootError
from chroot_tool.core.events import Event, Stage
from chroot_tool.core.trees import remove
from support import descriptors, wait_until

Bind = Callable[[Path, Path], None]


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


@pytest.fixture
def bind() -> Iterator[Bind]:
    """Bind one path on another, until the test is over."""
    done: list[Path] = []

    def make(source: Path, target: Path) -> None:
        subprocess.run(["mount", "--bind", source, target], check=True)
        done.append(target)

    yield make
    for target in reversed(done):
        subprocess.run(["umount", target], check=True)


def test_a_tree_of_everything_is_gone_and_counted(parent: int, tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "a/b").mkdir(parents=True)
    (top / "a/file").write_text("x")
    os.mkfifo(top / "fifo")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("kept")
    (top / "link").symlink_to(outside)
    (top / "a/dangling").symlink_to("/nowhere")
    (Path(os.fsdecode(os.fsencode(top) + b"/\xff\n\x1b[2J"))).mkdir()
    assert remove.tree(parent, "top") == 8
    assert not top.exists()
    assert (outside / "keep").read_text() == "kept"


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_directory_is_unlinked(parent: int, tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    place.write_text("x") if kind == "file" else place.symlink_to(tmp_path)
    assert remove.tree(parent, "place") == 1
    assert not place.is_symlink()
    assert not place.exists()


@pytest.mark.slow
def test_deeper_than_descriptors_and_recursion_go(parent: int, tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    for depth in range(3000):  # the whole path would be longer than PATH_MAX
        os.mkdir("d", dir_fd=here)
        if depth % 7 == 0:
            os.mkdir("e", dir_fd=here)
        below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    before = descriptors()
    remove.tree(parent, "d")
    assert os.listdir(tmp_path) == ["e"]
    wait_until(lambda: set(descriptors()) <= set(before))


def test_missing_name_and_names_that_are_none(parent: int) -> None:
    with pytest.raises(FileNotFoundError):
        remove.tree(parent, "nothing")
    for name in ("", ".", "..", "a/b"):
        with pytest.raises(ValueError, match="component"):
            remove.tree(parent, name)


@pytest.mark.slow
def test_cancelled_half_way(parent: int, tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    for number in range(2000):
        (tmp_path / f"top/{number}").touch()
    cancelled = threading.Event()
    seen: list[int] = []

    def progress(count: int) -> None:
        seen.append(count)
        cancelled.set()

    with pytest.raises(Cancelled):
        remove.tree(parent, "top", progress=progress, cancelled=cancelled)
    assert 2000 - len(os.listdir(tmp_path / "top")) == seen[0] + 1


@pytest.mark.root
def test_nothing_is_touched_where_something_is_mounted(
    parent: int, tmp_path: Path, bind: Bind
) -> None:
    host = tmp_path / "host"
    (host / "data").mkdir(parents=True)
    (host / "data/precious").write_text("p")
    top = tmp_path / "top"
    (top / "srv/bound").mkdir(parents=True)
    (top / "aaa").write_text("first in every order")
    bind(host, top / "srv/bound")
    with pytest.raises(BusyError) as caught:
        remove.tree(parent, "top")
    assert caught.value.message.startswith(f"{top}/srv/bound is mounted")
    with pytest.raises(BusyError):
        remove.chroot(str(top))
    assert (host / "data/precious").read_text() == "p"
    assert (top / "aaa").exists()
    assert sorted(os.listdir(tmp_path)) == ["host", "top"]


@pytest.mark.root
@pytest.mark.parametrize("place", ["directory", "file", "top"])
def test_a_mount_that_appears_after_the_look_is_not_crossed(
    parent: int, tmp_path: Path, bind: Bind, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same file system on both sides: only the mount tells them apart, st_dev does not.
    host = tmp_path / "host"
    host.mkdir()
    (host / "precious").write_text("p")
    top = tmp_path / "top"
    (top / "dir").mkdir(parents=True)
    (top / "file").touch()
    source, target = {
        "directory": (host, top / "dir"),
        "file": (host / "precious", top / "file"),
        "top": (host, top),
    }[place]
    bind(source, target)
    monkeypatch.setattr(remove, "refuse_mounts", lambda path: None)
    with pytest.raises(BusyError) as caught:
        remove.tree(parent, "top")
    assert caught.value.message.startswith(f"{target} is mounted")
    assert (host / "precious").read_text() == "p"


@pytest.mark.root
def test_immutable_file_is_a_clear_error_and_the_name_comes_back(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    stuck = top / "stuck"
    stuck.touch()
    if subprocess.run(["chattr", "+i", stuck], capture_output=True, check=False).returncode:
        pytest.skip("this file system knows no immutable files")
    try:
        with pytest.raises(ChrootError) as caught:
            remove.chroot(str(top))
        assert caught.value.message == f"cannot delete {stuck}: Operation not permitted"
        assert caught.value.hint.endswith(f"chattr -i -a {stuck}")
        assert os.listdir(tmp_path) == ["top"]
    finally:
        subprocess.run(["chattr", "-i", stuck], check=True)


@pytest.mark.slow
def test_chroot_goes_and_says_how_far_it_is(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    for number in range(1200):
        (top / f"{number}").touch()
    events: list[Event] = []
    remove.chroot(str(top), events.append)
    assert os.listdir(tmp_path) == []
    stages = [event.stage for event in events if isinstance(event, Stage)]
    assert stages == ["removing, 500 files gone", "removing, 1000 files gone"]
    assert {event.chroot for event in events} == {str(top)}
