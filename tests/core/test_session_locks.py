"""A mark lives as long as its process, is anybody's to see and nobody's to wait for."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chroot_tool.core.kernel import lock_holders
from chroot_tool.core.session_locks import mark, marked_by, marks

MARK = """
import os, sys
from chroot_tool.core.kernel import lock_holders
from chroot_tool.core.session_locks import mark
mark(os.open(sys.argv[1], os.O_PATH))
print("marked", flush=True)
sys.stdin.read()
"""


def marker(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", MARK, folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "marked\n"
    return process


def test_who_marks_is_seen_until_it_is_killed(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_PATH)
    assert marked_by(fd) == 0
    first, second = marker(tmp_path), marker(tmp_path)
    assert marked_by(fd) in (first.pid, second.pid)
    first.kill()
    first.communicate()
    assert marked_by(fd) == second.pid
    second.kill()
    second.communicate()
    assert marked_by(fd) == 0
    os.close(fd)


def test_nobody_waits_for_it(tmp_path: Path) -> None:
    process = marker(tmp_path)
    fd = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(fd)
    process.communicate()


def test_a_child_does_not_keep_it(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_PATH)
    kept = mark(fd)
    try:
        child = os.fork()
        if not child:
            os._exit(0 if marked_by(fd) == os.getppid() else 1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        os.close(kept)
        os.close(fd)


def test_all_marks_are_seen_at_one_look(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(9)]
    for folder in folders:
        folder.mkdir()
    before = marks()  # of a file elsewhere, too, that has the number of one of ours
    folder, inode = next((f, i) for f in folders if (i := f.stat().st_ino) not in before)
    process = marker(folder)
    assert inode in marks()
    process.communicate()
    assert inode not in marks()


def test_none_is_missed_where_another_is_let_go_of_between_two_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = marker(tmp_path)
    real, reads = lock_holders._pages, 0

    def pages() -> list[bytes]:
        nonlocal reads
        reads += 1
        lines = b"".join(real()).splitlines(keepends=True)
        mine = b" %d " % process.pid
        return [b"", b"".join(line for line in lines if reads > 1 or mine not in line)]

    monkeypatch.setattr(lock_holders, "_pages", pages)
    assert tmp_path.stat().st_ino in marks()
    fd = os.open(tmp_path, os.O_RDONLY)
    reads = 0
    assert lock_holders.holders(fd, lock_holders.POSIX) == [process.pid]
    os.close(fd)
    process.communicate()
