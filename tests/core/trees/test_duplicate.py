"""core.trees.duplicate and copy: trees with everything, on real file systems, compared whole."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chroot_tool.core.errors import Cancelled, ChrootError
from chroot_tool.core.events import Event, Stage, ignore
from chroot_tool.core.kernel.inode_flags import NOCOW, get_flags
from chroot_tool.core.trees import attributes, copy_file, copy_tree, remove
from chroot_tool.core.trees.built_aside import Aside
from chroot_tool.core.trees.duplicate import COPY, REFLINK, SNAPSHOT, Duplicate, Duplicated
from support import descriptors, wait_until
from support.disks import disk
from support.trees import IMMUTABLE, descent, differences, everything, set_flags

pytestmark = pytest.mark.root

Report = Callable[[Event], None]


@contextmanager
def place(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def duplicate(
    source: Path, target: Path, report: Report = ignore, cancelled: threading.Event | None = None
) -> Duplicated:
    """Make *target* what *source* is, as the verbs do."""
    with (
        place(source) as top,
        place(target.parent) as parent,
        Aside(parent, f".{target.name}.making", str(target), ignore) as aside,
        Duplicate(top, aside.fd, str(target), report, cancelled) as made,
    ):
        done = made.make()
        made.seal()
        os.rename(made.name, target.name, src_dir_fd=aside.fd, dst_dir_fd=parent)
        made.seal_top()
        return done


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Path]:
    top = tmp_path / "source"
    top.mkdir()
    yield top
    with place(tmp_path) as parent:
        for name in os.listdir(tmp_path):
            remove.tree(parent, name, sealed=True)  # what rm has no path for, or no right to


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "xfs", "tmpfs"])
def test_every_attribute_of_everything_is_the_same(tmp_path: Path, kind: str) -> None:
    with disk(tmp_path, kind) as where:
        (where / "source").mkdir()
        everything(where / "source")
        done = duplicate(where / "source", where / "copy")
        assert differences(where / "source", where / "copy") == []
        assert done.method == (COPY if kind in ("ext4", "tmpfs") else REFLINK)
        assert (done.changed, done.not_kept) == (0, ())
        assert sorted(os.listdir(where)) in (
            ["copy", "source"], ["copy", "lost+found", "source"],
        )  # fmt: skip


def test_a_subvolume_is_duplicated_by_a_snapshot(tmp_path: Path) -> None:
    with disk(tmp_path, "btrfs") as where:
        subprocess.run(["btrfs", "-q", "subvolume", "create", where / "source"], check=True)
        everything(where / "source")
        assert duplicate(where / "source", where / "copy").method == SNAPSHOT
        assert differences(where / "source", where / "copy") == []
        assert (where / "copy").stat().st_ino == 256


def test_what_is_not_copied_on_write_is_so_in_a_copy_and_nothing_else(tmp_path: Path) -> None:
    def flagged(top: Path) -> list[str]:
        fds = {name: os.open(top / name, os.O_RDONLY) for name in names}
        try:
            return [name for name, fd in fds.items() if get_flags(fd) & NOCOW]
        finally:
            for fd in fds.values():
                os.close(fd)

    names = ("images", "images/old", "images/new", "images/plain", "other")
    with disk(tmp_path, "btrfs") as where:
        top = where / "source"
        (top / "images/plain").mkdir(parents=True)
        (top / "other").touch()
        (top / "images/old").write_text("before")
        subprocess.run(["chattr", "+C", top / "images"], check=True)
        (top / "images/new").write_text("after")
        assert duplicate(top, where / "copy").method == REFLINK
        assert flagged(where / "copy") == flagged(top) == ["images", "images/new"]


def test_where_there_are_no_flags_those_of_one_file_do_not_keep_the_next_from_being_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = {1: NOCOW, 2: 0}  # what else is asked of is on NFS, say

    def flags_of(fd: int) -> int:
        if fd not in there:
            raise OSError(25, os.strerror(25))
        return there[fd]

    monkeypatch.setattr(attributes, "get_flags", flags_of)
    carried = attributes.Attributes()
    assert [carried.early(source, 9) for source in there] == [NOCOW, 0]
    assert carried.not_kept == {"chattr": 1}


def test_a_subvolume_that_holds_others_is_copied_whole(tmp_path: Path) -> None:
    with disk(tmp_path, "btrfs") as where:
        for name in ("source", "source/inner"):
            subprocess.run(["btrfs", "-q", "subvolume", "create", where / name], check=True)
        (where / "source/inner/file").write_text("a snapshot would leave this out")
        assert duplicate(where / "source", where / "copy").method == REFLINK
        assert differences(where / "source", where / "copy") == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ext4", "btrfs", "tmpfs"])
def test_from_one_file_system_to_another(tmp_path: Path, source: Path, kind: str) -> None:
    everything(source)
    with disk(tmp_path, kind) as where:
        done = duplicate(source, where / "copy")
        assert differences(source, where / "copy") == []
        assert done.method == COPY


def test_what_the_other_file_system_does_not_take_is_told(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything(source, deep=0)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    done = duplicate(source, tmp_path / "copy")
    assert done.not_kept == ("security.*", "system.*", "trusted.*", "user.*")
    assert (tmp_path / "copy/etc/plain").read_text() == "plain\n"


def test_an_attribute_that_is_too_large_there_is_told_and_the_disk_not_full(
    tmp_path: Path,
) -> None:
    with disk(tmp_path, "xfs") as here, disk(tmp_path, "ext4", 64) as there:
        for name in ("file", "fifo"):
            os.mknod(here / name, (stat.S_IFIFO if name == "fifo" else stat.S_IFREG) | 0o600)
            os.setxattr(here / name, "trusted.large", bytes(20_000))
        assert duplicate(here, there / "copy").not_kept == ("trusted.*",)
        assert sorted(os.listdir(there / "copy")) == ["fifo", "file"]


def test_what_is_mounted_is_neither_copied_nor_touched(tmp_path: Path, source: Path) -> None:
    host = tmp_path / "host"
    host.mkdir()
    (host / "secret").write_text("the host's")
    (source / "mnt").mkdir()
    (source / "mnt/below").write_text("below the mount")
    (source / "file").write_text("below, too")
    subprocess.run(["mount", "--bind", host, source / "mnt"], check=True)
    subprocess.run(["mount", "--bind", host / "secret", source / "file"], check=True)
    try:
        duplicate(source, tmp_path / "copy")
    finally:
        subprocess.run(["umount", source / "file"], check=True)
        subprocess.run(["umount", source / "mnt"], check=True)
    assert os.listdir(tmp_path / "copy/mnt") == ["below"]
    assert (tmp_path / "copy/file").read_text() == "below, too"
    assert differences(source, tmp_path / "copy") == []
    assert (host / "secret").read_text() == "the host's"


def test_access_times_of_the_source_stay(source: Path, tmp_path: Path) -> None:
    (source / "file").write_text("x")
    os.utime(source / "file", (1, 2))  # older than its change: relatime would set it
    duplicate(source, tmp_path / "copy")
    assert (source / "file").stat().st_atime == 1
    assert (tmp_path / "copy/file").stat().st_atime == 1


def test_nothing_is_inherited_from_where_it_is_put(tmp_path: Path, source: Path) -> None:
    everything(source, deep=0)
    base = tmp_path / "base"
    base.mkdir()
    os.chown(base, 0, 4711)
    base.chmod(0o2775)
    acl = os.getxattr(source / "acl", "system.posix_acl_default")
    os.setxattr(base, "system.posix_acl_default", acl)
    set_flags(base, 0x40 | 0x80)  # nodump, noatime
    duplicate(source, base / "copy")
    assert differences(source, base / "copy") == []
    os.removexattr(base, "system.posix_acl_default")


@pytest.mark.slow
def test_deeper_than_descriptors_and_paths(tmp_path: Path, source: Path) -> None:
    with descent(source, ["d"] * 2500) as bottom:
        os.close(os.open("one", os.O_CREAT | os.O_WRONLY, dir_fd=bottom))
        os.link("one", "two", src_dir_fd=bottom, dst_dir_fd=bottom)
    before = descriptors()
    most: list[int] = []
    done = duplicate(
        source, tmp_path / "copy", lambda _event: most.append(len(os.listdir("/proc/self/fd")))
    )
    assert done.entries == 2502
    wait_until(lambda: set(descriptors()) <= set(before))
    assert max(most) < len(before) + 150


@pytest.mark.slow
def test_progress_goes_up_to_the_end(tmp_path: Path, source: Path, monkeypatch: object) -> None:
    for number in range(3000):
        (source / f"{number}").write_bytes(b"x" * 5000)
    stages: list[Stage] = []
    done = duplicate(source, tmp_path / "copy", lambda e: stages.append(e))  # type: ignore[arg-type]
    fractions = [stage.fraction for stage in stages if stage.fraction is not None]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)
    assert (done.entries, done.size) == (3000, 15_000_000)
    assert stages[0].chroot == str(tmp_path / "copy")


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["begin", "middle"])
def test_cancelled_nothing_is_left(tmp_path: Path, source: Path, moment: str) -> None:
    for number in range(1000):
        (source / f"{number}").touch()
    with open(source / "large", "wb") as file:
        file.write(bytes(8 << 20))
    cancelled = threading.Event()

    def report(event: Event) -> None:
        if moment == "begin" or (isinstance(event, Stage) and "files" in event.stage):
            cancelled.set()

    with pytest.raises(Cancelled):
        duplicate(source, tmp_path / "copy", report, cancelled)
    assert os.listdir(tmp_path) == ["source"]


@pytest.mark.slow
def test_no_room_is_seen_and_nothing_is_left(tmp_path: Path, source: Path) -> None:
    for number in range(100):
        (source / f"{number}").write_bytes(os.urandom(1 << 20))
    with disk(tmp_path, "tmpfs", 50) as where:
        with pytest.raises(ChrootError, match="space") as caught:
            duplicate(source, where / "copy")
        assert "disk" in caught.value.hint
        assert os.listdir(where) == []


@pytest.mark.slow
def test_a_disk_that_fills_up_meanwhile(tmp_path: Path, source: Path) -> None:
    (source / "one").write_bytes(os.urandom(30 << 20))  # too few entries to be counted first
    with disk(tmp_path, "ext4", 20) as where:
        with pytest.raises(ChrootError, match="space"):
            duplicate(source, where / "copy")
        assert os.listdir(where) == ["lost+found"]


def test_immutable_rests_of_a_kill_go_with_the_next(tmp_path: Path, source: Path) -> None:
    everything(source, deep=0)
    duplicate(source, tmp_path / ".copy.making")
    set_flags(tmp_path / ".copy.making/etc", IMMUTABLE)
    duplicate(source, tmp_path / "copy")
    assert not (tmp_path / ".copy.making").exists()
    assert differences(source, tmp_path / "copy") == []


def test_the_copy_in_what_is_copied_ends(source: Path) -> None:
    (source / "a").mkdir()
    with pytest.raises(ChrootError, match="would lie in"):
        duplicate(source, source / "a/copy")
    assert os.listdir(source / "a") == []


# -- a source that somebody changes ---------------------------------------------------------------


def test_a_directory_exchanged_for_a_link_is_not_followed(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = tmp_path / "host"
    host.mkdir()
    (host / "secret").write_text("the host's")
    (source / "d").mkdir()
    (source / "d/file").touch()
    (source / "trigger").touch()

    def exchange(*args: object) -> None:
        if (source / "d").is_dir() and not (source / "d").is_symlink():
            (source / "d/file").unlink()
            (source / "d").rmdir()
            (source / "d").symlink_to(host)
        return original(*args)  # type: ignore[arg-type]

    original = copy_file.FileCopy.copy
    monkeypatch.setattr(copy_file.FileCopy, "copy", exchange)
    done = duplicate(source, tmp_path / "copy")
    assert done.changed == 1
    assert os.listdir(tmp_path / "copy") == ["trigger"]


@pytest.mark.parametrize("other", ["link", "fifo", "device", "directory", "gone"])
def test_a_file_exchanged_for_something_else_is_left_out(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    file = source / "file"
    file.write_text("x")

    def exchange(self: copy_file.FileCopy, *args: object) -> None:
        file.unlink()
        if other == "link":
            file.symlink_to("/etc/shadow")
        elif other == "fifo":
            os.mkfifo(file)
        elif other == "device":
            os.mknod(file, stat.S_IFCHR | 0o600, os.makedev(1, 5))
        elif other == "directory":
            file.mkdir()
        original(self, *args)  # type: ignore[arg-type]

    original = copy_file.FileCopy.copy
    monkeypatch.setattr(copy_file.FileCopy, "copy", exchange)
    done = duplicate(source, tmp_path / "copy")
    assert done.changed == 1
    assert os.listdir(tmp_path / "copy") == []


def test_a_file_that_becomes_shorter_has_what_was_left(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = source / "file"
    file.write_bytes(b"x" * 100_000)

    def shorten(*args: object) -> Iterator[tuple[int, int]]:
        os.truncate(file, 1000)
        return iter(((0, 100_000),))

    monkeypatch.setattr(copy_file, "_extents", shorten)
    assert duplicate(source, tmp_path / "copy").changed == 1
    assert (tmp_path / "copy/file").read_bytes() == b"x" * 1000


@pytest.mark.slow
def test_a_directory_moved_away_while_deep_in_it_ends_the_copy(
    tmp_path: Path, source: Path
) -> None:
    with descent(source, ["d"] * 200) as bottom:
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=bottom))
    with place(source) as top, place(tmp_path) as parent:
        view = copy_tree.bare(top, "source")
        os.mkdir("copy", dir_fd=parent)
        target = os.open("copy", os.O_RDONLY, dir_fd=parent)
        try:
            running = copy_tree.TreeCopy(view, target)

            def move(*args: object) -> None:
                os.rename(source / "/".join(["d"] * 60), tmp_path / "elsewhere")

            running._files.copy = move  # type: ignore[assignment]
            with pytest.raises(ChrootError, match="moved"):
                running.run()
        finally:
            os.close(view)
            os.close(target)
