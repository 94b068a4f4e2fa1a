"""The size on disk, against du(1): links, holes, mounts, what vanishes; when it is recounted."""

import math
import os
import subprocess
import threading
from pathlib import Path

import pytest

from chroot_tool.core.kernel import fiemap
from chroot_tool.core.kernel.mount_table import MountTable
from chroot_tool.core.trees import disk_size
from chroot_tool.core.trees.disk_size import SizeCache, Taken, count
from support import Cli, descriptors, wait_until
from support.disks import disk


def du(path: Path) -> int:
    done = subprocess.run(
        ["du", "--one-file-system", "--summarize", "--block-size=1", path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout.split()[0])


def size(path: Path) -> int:
    found = count(str(path))
    assert found is not None
    return found.size


def fill(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    # Blocks are given out late: what stat says of a new file changes until it is written.
    with path.open() as file:
        os.fsync(file.fileno())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for number in range(20):
        fill(root / f"usr/lib/d{number % 3}/file{number}", 5000 * number)
    return root


def test_it_is_what_du_says(tree: Path) -> None:
    os.link(tree / "usr/lib/d0/file18", tree / "again")
    os.link(tree / "usr/lib/d0/file18", tree / "usr/and again")
    (tree / "to the host").symlink_to("/usr")
    (tree / "loop").symlink_to(".")
    os.mkfifo(tree / "fifo")
    with (tree / "hole").open("wb") as file:
        file.truncate(1 << 30)
    fill(Path(os.fsdecode(bytes(tree) + b"/\xff\n/\x1b[31m")), 9000)
    (tree / "empty").mkdir()
    assert count(str(tree)) == Taken(du(tree))


@pytest.mark.root
@pytest.mark.network
def test_a_real_system_is_what_du_says(base_chroot: Path) -> None:
    assert count(str(base_chroot)) == Taken(du(base_chroot))


@pytest.mark.root
def test_no_mount_is_crossed(tiny_chroot: Path, cli: Cli, tmp_path: Path) -> None:
    host = tmp_path / "host"
    fill(host / "folder/large", 3_000_000)
    fill(host / "file", 2_000_000)
    (tiny_chroot / "chroot.d/chroot.toml").write_text(
        f'[[bind]]\nsource = "{host}/folder"\ntarget = "/data"\n'
        f'[[bind]]\nsource = "{host}/file"\ntarget = "/image"\n'
    )
    before = du(tiny_chroot)
    cli.ok("on", "-d", tiny_chroot)
    fill(tiny_chroot / "tmp/large", 1_000_000)  # a tmpfs
    # What is mounted over cannot be seen: an empty directory takes a block, too.
    assert size(tiny_chroot) in range(before - 50_000, before + 50_000)


@pytest.mark.slow
def test_however_deep_it_ends(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("deep", dir_fd=here)
        below = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert size(tmp_path) in range(1, du(tmp_path))
    subprocess.run(["rm", "-r", tmp_path / "deep"], check=True)


def test_what_vanishes_is_not_counted(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def meanwhile(fd: int) -> object:
        found = scandir(fd)
        if (tree / "usr").exists():
            subprocess.run(["rm", "-r", tree / "usr"], check=True)
        return found

    monkeypatch.setattr(os, "scandir", meanwhile)
    assert count(str(tree)) == Taken(du(tree))


def test_it_can_be_stopped(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_size, "_WORK", 0)
    stopped = threading.Event()
    assert count(str(tree), stopped) == Taken(du(tree))
    stopped.set()
    assert count(str(tree), stopped) is None


def test_what_is_no_directory_has_no_size(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert count(str(tmp_path / "file")) is None
    assert count(str(tmp_path / "nothing")) is None
    assert SizeCache().get(str(tmp_path / "nothing")) is None


def test_no_descriptor_is_left_open(tree: Path) -> None:
    before = descriptors()
    count(str(tree))
    SizeCache().get(str(tree))
    wait_until(lambda: set(descriptors()) <= set(before))


def test_a_size_is_remembered_until_something_speaks_for_a_change(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_size, "_SETTLED", math.inf)  # writing may take long
    cache = SizeCache()
    os.utime(tree / "usr/lib", ns=(1, 1))  # a clock that ticks slowly would tell of nothing
    first = cache.get(str(tree))
    fill(tree / "usr/lib/new", 50_000)  # the time of usr/lib says so, but it was counted just now
    assert cache.get(str(tree)) == first
    monkeypatch.setattr(disk_size, "_SETTLED", 0.0)
    second = cache.get(str(tree))
    assert second == Taken(du(tree)) != first
    fill(tree / "usr/lib/d1/new", 50_000)  # nothing that is looked at tells of it
    assert cache.get(str(tree)) == second
    monkeypatch.setattr(disk_size, "_KEPT", 0.0)
    assert cache.get(str(tree)) == Taken(du(tree)) != second


def test_the_mount_table_is_read_once_for_many(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []

    def read() -> MountTable:
        reads.append(1)
        return MountTable(())

    monkeypatch.setattr(MountTable, "read", read)
    monkeypatch.setattr(disk_size, "_TABLE_KEPT", math.inf)
    cache = SizeCache()
    for path in (tree, tree / "usr", tree / "usr/lib", tree):
        assert cache.get(str(path)) is not None
    assert len(reads) == 1


def test_another_directory_of_that_name_is_counted_at_once(tree: Path) -> None:
    cache = SizeCache()
    assert cache.get(str(tree)) == Taken(du(tree))
    tree.rename(tree.with_name("old"))
    fill(tree / "file", 10_000)
    assert cache.get(str(tree)) == Taken(du(tree))


def test_a_count_that_was_stopped_is_not_remembered(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_size, "_WORK", 0)
    cache, stopped = SizeCache(), threading.Event()
    stopped.set()
    assert cache.get(str(tree), stopped) is None
    assert cache.get(str(tree)) == Taken(du(tree))


@pytest.mark.root
@pytest.mark.parametrize("kind", ["btrfs", "xfs"])
def test_what_is_shared_is_told_where_the_file_system_knows(tmp_path: Path, kind: str) -> None:
    with disk(tmp_path, kind) as top:
        fill(top / "a/big", 3 << 20)
        fill(top / "a/own", 1 << 20)
        os.mkfifo(top / "a/fifo")
        (top / "b").mkdir()
        found = count(str(top / "a"))
        assert found is not None
        assert found.shared == 0
        subprocess.run(["cp", "--reflink=always", top / "a/big", top / "b/big"], check=True)
        subprocess.run(["sync", "-f", top], check=True)
        found = count(str(top / "a"))
        assert found is not None
        assert found.shared == 3 << 20
        assert found.size >= 4 << 20


@pytest.mark.root
def test_where_nothing_can_be_shared_no_file_is_opened(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fiemap, "shared_in", lambda *_: pytest.fail("asked"))
    with disk(tree.parent, "tmpfs") as top:
        fill(top / "file", 5000)
        found = count(str(top))
        assert found is not None
        assert found.shared == 0
