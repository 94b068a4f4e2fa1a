"""core.trees.built_aside: who builds there and who looks for the rests of kills do not meet."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.core.errors import ChrootError, LockedError
from chroot_tool.core.events import ignore
from chroot_tool.core.trees import built_aside
from chroot_tool.core.trees.built_aside import Aside, lock
from support.waiting import waiting

pytestmark = pytest.mark.root

NAME = ".x.making"


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def locked(path: Path) -> int:
    """Lock a directory; return the descriptor, with which the lock goes."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd


def is_locked(path: Path) -> bool:
    try:
        os.close(locked(path))
    except BlockingIOError:
        return True
    return False


def test_two_who_make_the_same_do_not_meet(parent: int, tmp_path: Path) -> None:
    with Aside(parent, NAME, "x", ignore) as aside:
        os.mkdir("root", dir_fd=aside.fd)
        with pytest.raises(ChrootError, match=f"process {os.getpid()}"):
            Aside(parent, NAME, "x", ignore)
        assert (tmp_path / NAME / "root").exists()
    assert not (tmp_path / NAME).exists()


def test_who_takes_what_was_made_just_now_for_a_rest_is_waited_for(
    parent: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a sweep that locks the directory between its mkdir and the lock of whoever made it."""
    sweeping = list[int]()

    def mkdir(name: str, mode: int, *, dir_fd: int) -> None:
        os_mkdir(name, mode, dir_fd=dir_fd)
        if not (tmp_path / "gone").exists():
            sweeping.append(locked(tmp_path / name))

    def removed() -> None:
        (tmp_path / NAME).rename(tmp_path / "gone")  # so that its inode number is not used anew
        os.close(sweeping.pop())

    os_mkdir = os.mkdir
    monkeypatch.setattr(os, "mkdir", mkdir)
    monkeypatch.setattr(built_aside, "time", waiting(removed))
    with Aside(parent, NAME, "x", ignore) as aside:
        assert os.path.samestat(os.fstat(aside.fd), (tmp_path / NAME).stat())
        assert is_locked(tmp_path / NAME)
    assert os.listdir(tmp_path) == ["gone"]


def test_who_lets_go_while_it_is_asked_who_has_it_leaves_nobody_without_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = locked(tmp_path)

    def gone(_fd: int) -> int:
        os.close(other)
        return 0

    monkeypatch.setattr(built_aside, "counting_holder", gone)
    fd = os.open(tmp_path, os.O_RDONLY)
    lock(fd, fcntl.LOCK_EX, "x")
    assert is_locked(tmp_path)
    os.close(fd)


def test_who_keeps_it_is_named_in_the_end(tmp_path: Path) -> None:
    other, fd = locked(tmp_path), os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(LockedError, match=f"at work on x .process {os.getpid()} of root"):
        lock(fd, fcntl.LOCK_EX, "x", patience=0.1)
    os.close(other)
    os.close(fd)
