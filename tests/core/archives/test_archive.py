"""Archives: real trees of everything, hostile archives, full disks, kills.

What is compared is compared attribute by attribute (`trees.differences`).
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.core.archives import archive, compression, flags, oci
from chroot_tool.core.archives.manifest import Manifest
from chroot_tool.core.errors import Cancelled, ChrootError, LockedError, UsageError
from chroot_tool.core.kernel.rootpath import Root
from support import CHECKOUT, lasting, read_mounts, trees, wait_until
from support.disks import disk

pytestmark = pytest.mark.root

DEEP = 18
"""Levels of 200 bytes: what PATH_MAX lets an archive hold."""


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """A tree of everything, immutable files among it."""
    top = tmp_path / "tree"
    top.mkdir(mode=0o751)
    trees.everything(top, deep=DEEP)
    os.setxattr(top, "user.top", b"kept")
    yield top
    trees.unseal(tmp_path)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    top = tmp_path / "plain"
    (top / "etc").mkdir(parents=True)
    (top / "etc/file").write_text("content\n")
    (top / "big").write_bytes(os.urandom(3 << 20))
    return top


@pytest.fixture
def place(tmp_path: Path) -> Path:
    where = tmp_path / "place"
    where.mkdir()
    return where


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "disk"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2M", "small", where], check=True)
    yield where
    subprocess.run(["umount", where], check=True)


def make_archive(path: Path, *members: tuple[str, bytes, str, bytes]) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, to, data in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size, info.mode = kind, to, len(data), 0o666
            info.devmajor, info.devminor = 1, 3
            tar.addfile(info, io.BytesIO(data))
    return path


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# -- there and back -------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".tar.zst", ".tar.xz", ".tar.gz", ".tar"])
def test_everything_there_and_back(tree: Path, place: Path, tmp_path: Path, suffix: str) -> None:
    before = trees.describe(tree)
    done = archive.pack(str(tree), str(tmp_path / f"a{suffix}"), manifest=Manifest(name="x"))
    assert done.changed == ()
    assert trees.describe(tree) == before
    assert (tmp_path / f"a{suffix}").stat().st_mode & 0o777 == 0o600
    found = archive.unpack(done.path, str(place))
    assert found.lost == ()
    assert found.manifest is not None
    assert found.manifest.name == "x"
    with Root(str(place)) as root:
        assert flags.restore(root, found.manifest.flags) == []
    assert trees.differences(tree, place) == []
    assert done.count == found.count + 1  # the socket


@pytest.mark.parametrize("piece", [512, 700])
def test_the_end_may_come_in_pieces(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    from chroot_tool.core.archives import unpacking

    monkeypatch.setattr(unpacking, "_CHUNK", piece)
    small = make_archive(tmp_path / "a.tar", ("file", tarfile.REGTYPE, "", b"content"))
    assert archive.unpack(str(small), str(place)).lost == ()
    assert names(place) == ["file"]


@pytest.mark.slow
def test_thousands_of_flags_there_and_back(tmp_path: Path, place: Path) -> None:
    """A directory hands nodump on; what is no text is six characters a byte in a manifest."""
    top = tmp_path / "top"
    top.mkdir()
    trees.set_flags(top, trees.NODUMP)
    with trees.descent(top, ["\udcff" * 200] * 15) as bottom:
        for number in range(500):
            os.close(os.open(f"{number}", os.O_CREAT | os.O_WRONLY, dir_fd=bottom))
    done = archive.pack(str(top), str(tmp_path / "a.tar"), manifest=Manifest(name="x"))
    found = archive.unpack(done.path, str(place)).manifest
    assert found is not None
    assert len(found.flags) > 500
    with Root(str(place)) as root:
        assert flags.restore(root, found.flags) == []
    assert trees.differences(top, place) == []


def test_plain_tar_unpacks_it(tree: Path, place: Path, tmp_path: Path) -> None:
    done = archive.pack(str(tree), str(tmp_path / "a.tar.zst"))
    said = subprocess.run(
        ["tar", "--zstd", "-xpf", done.path, "-C", place, "--xattrs", "--xattrs-include=*",
         "--acls", "--numeric-owner"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stderr == ""
    trees.unseal(tree)
    trees.set_flags(tree / "sealed/nodump", 0)
    left = [line for line in trees.differences(tree, place) if "fifo" not in line]
    assert left == ["only in the first: 'special/socket'"]


@pytest.mark.slow
def test_300_levels(tmp_path: Path, place: Path) -> None:
    top = tmp_path / "deep"
    top.mkdir()
    with trees.descent(top, ["level"] * 300) as fd:
        os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    done = archive.pack(str(top), str(tmp_path / "a.tar.zst"))
    archive.unpack(done.path, str(place))
    assert trees.differences(top, place) == []


def test_a_path_that_no_tar_could_make_again_is_said_before(tmp_path: Path) -> None:
    top = tmp_path / "deep"
    top.mkdir()
    with trees.descent(top, ["d" * 200] * 30):
        pass
    with pytest.raises(ChrootError, match="no archive of it could be unpacked"):
        archive.pack(str(top), str(tmp_path / "a.tar.zst"))
    assert names(tmp_path) == ["deep"]


def test_what_is_mounted_is_left_out_and_what_lies_below_is_not(
    plain: Path, place: Path, tmp_path: Path
) -> None:
    (plain / "mnt").mkdir()
    (plain / "mnt/below").write_text("below")
    subprocess.run(["mount", "-t", "tmpfs", "over", plain / "mnt"], check=True)
    try:
        (plain / "mnt/above").write_text("above")
        done = archive.pack(str(plain), str(tmp_path / "a.tar.zst"))
    finally:
        subprocess.run(["umount", plain / "mnt"], check=True)
    archive.unpack(done.path, str(place))
    assert names(place / "mnt") == ["below"]


def test_what_is_left_out(plain: Path, place: Path, tmp_path: Path) -> None:
    for name in ("var/cache/[a]/in", "var/cache/a/in", "run/sock", "etc/x*", "etc/xy"):
        (plain / name).parent.mkdir(parents=True, exist_ok=True)
        (plain / name).write_text(name)
    (plain / "var/run").symlink_to("/run")
    out = ["/var/cache/[a]", "etc//x*", "var/run/sock", "not/there", "var/run"]
    done = archive.pack(str(plain), str(tmp_path / "a.tar.zst"), exclude=out)
    assert done.left_out == ("var/cache/[a]", "etc/x*", "run/sock", "var/run")
    found = archive.unpack(done.path, str(place))
    assert found.manifest
    assert found.manifest.left_out == tuple(sorted(done.left_out))
    assert names(place / "var/cache") == ["[a]", "a"]
    assert names(place / "var/cache/[a]") == []
    assert names(place / "var/cache/a") == ["in"]
    assert names(place / "etc") == ["file", "xy"]
    assert names(place / "run") == []
    assert names(place / "var") == ["cache"]
    assert found.count == done.count


@pytest.mark.parametrize("path", ["", "/", ".", "../etc", "a/../.."])
def test_what_cannot_be_left_out(plain: Path, tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError):
        archive.pack(str(plain), str(tmp_path / "a.tar.zst"), exclude=[path])
    assert names(tmp_path) == ["plain"]


def test_it_is_the_same_twice(plain: Path, tmp_path: Path) -> None:
    one = archive.pack(str(plain), str(tmp_path / "1.tar.zst"), checksum=True)
    two = archive.pack(str(plain), str(tmp_path / "2.tar.zst"), checksum=True)
    assert one.sha256 == two.sha256


@pytest.mark.slow
def test_progress_only_grows(plain: Path, place: Path, tmp_path: Path) -> None:
    (plain / "more").write_bytes(os.urandom(40 << 20))
    told: list[float] = []
    done = archive.pack(str(plain), str(tmp_path / "a.tar.zst"), progress=told.append)
    assert told
    assert told == sorted(told)
    told.clear()
    archive.unpack(done.path, str(place), progress=told.append)
    assert told
    assert told == sorted(told)
    assert told[-1] <= 1.0


def test_by_descriptors(plain: Path, place: Path, tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+b") as file:
        archive.pack_into(str(plain), file.fileno())
        file.seek(0)
        archive.unpack(file.fileno(), str(place))
    assert trees.differences(plain, place) == []


@pytest.mark.slow
def test_through_a_pipe(plain: Path, place: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from chroot_tool.core.archives import archive;"
        "getattr(archive, sys.argv[2])(*sys.argv[3:])"
    )
    words: list[str | Path] = [sys.executable, "-I", "-c", code, CHECKOUT / ".pkg"]
    packing = subprocess.Popen([*words, "pack", plain, "-"], stdout=subprocess.PIPE)
    subprocess.run([*words, "unpack", "-", place], stdin=packing.stdout, check=True)
    assert packing.stdout
    packing.stdout.close()
    assert packing.wait() == 0
    assert trees.differences(plain, place) == []


# -- the file that is written ---------------------------------------------------------------------


@pytest.mark.slow
def test_a_checksum_is_written_and_looked_at(plain: Path, place: Path, tmp_path: Path) -> None:
    done = archive.pack(str(plain), str(tmp_path / "a.tar.gz"), checksum=True)
    subprocess.run(["sha256sum", "-c", "a.tar.gz.sha256"], cwd=tmp_path, check=True)
    assert done.sha256 == (tmp_path / "a.tar.gz.sha256").read_text().split()[0]
    archive.unpack(done.path, str(place))
    (tmp_path / "a.tar.gz.sha256").write_text("0" * 64 + "  a.tar.gz\n")
    with pytest.raises(ChrootError, match="is not what its checksum was made of"):
        archive.unpack(done.path, str(place))
    (tmp_path / "a.tar.gz.sha256").write_text("rubbish")
    with pytest.raises(ChrootError, match="holds no SHA-256"):
        archive.unpack(done.path, str(place))
    archive.pack(str(plain), done.path)
    assert not (tmp_path / "a.tar.gz.sha256").exists()


def test_an_archive_that_is_there_is_replaced_only_by_a_whole_one(
    plain: Path, tmp_path: Path
) -> None:
    target = tmp_path / "a.tar.zst"
    target.write_text("old")
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Cancelled):
        archive.pack(str(plain), str(target), cancelled=stopped)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.tar.zst", "plain"]
    archive.pack(str(plain), str(target))
    assert target.stat().st_size > 1000


def test_a_part_of_a_killed_one_is_taken_over(plain: Path, tmp_path: Path) -> None:
    (tmp_path / ".a.tar.zst.part").write_bytes(b"half" * 100_000)
    archive.pack(str(plain), str(tmp_path / "a.tar.zst"))
    assert names(tmp_path) == ["a.tar.zst", "plain"]
    subprocess.run(["zstd", "-tq", tmp_path / "a.tar.zst"], check=True)


def test_where_the_disk_knows_no_locks(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", fail)
    archive.pack(str(plain), str(tmp_path / "a.tar"))
    assert names(tmp_path) == ["a.tar", "plain"]


@pytest.mark.slow
def test_two_at_once_into_one_file(plain: Path, tmp_path: Path) -> None:
    from chroot_tool.core.archives.writing import Output

    with Output(str(tmp_path / "a.tar.zst")), pytest.raises(LockedError, match="being written"):
        archive.pack(str(plain), str(tmp_path / "a.tar.zst"))
    assert names(tmp_path) == ["plain"]


@pytest.mark.parametrize(("moment", "sweep"), [("sleep", False), ("flock", False), ("flock", True)])
def test_what_another_finishes_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, sweep: bool
) -> None:
    """Between the opening of its part and the lock on it, it becomes the finished archive."""
    from chroot_tool.core.archives import writing

    path = str(tmp_path / "a-202601010000.tar.zst")
    first = writing.Output(path)
    os.write(first.fd, b"first")
    module = time if moment == "sleep" else fcntl
    real = getattr(module, moment)
    parts: list[writing.Output] = []

    def finish_first(*args: object) -> None:
        monkeypatch.undo()
        first.finish(checksum=False)
        first.__exit__()
        if sweep:  # a third one begins
            parts.append(writing.Output(path))
        real(*args)

    monkeypatch.setattr(module, moment, finish_first)
    if not sweep:
        with writing.Output(path):
            assert Path(path).read_bytes() == b"first"
    else:
        writing.forget_parts(str(tmp_path), "a")
        assert names(tmp_path) == [".a-202601010000.tar.zst.part", "a-202601010000.tar.zst"]
        parts[0].__exit__()


def test_parts_of_killed_ones_are_swept_those_in_use_are_not(tmp_path: Path) -> None:
    from chroot_tool.core.archives.writing import Output, forget_parts

    for name in (
        ".a-202601010000.tar.zst.part",
        ".a-202601010000.tar.gz.sha256.part",
        ".a-2026.tar.zst.part",
        ".b-202601010000.tar.zst.part",
        ".a.tar.zst.part",
    ):
        (tmp_path / name).write_text("left")  # fmt: skip
    with Output(str(tmp_path / "a-202601010001.tar.zst")):
        forget_parts(str(tmp_path), "a")
        assert names(tmp_path) == [
            ".a-2026.tar.zst.part", ".a-202601010001.tar.zst.part", ".a.tar.zst.part",
            ".b-202601010000.tar.zst.part",
        ]  # fmt: skip


def test_a_part_that_has_another_name_is_not_written_to(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".a.tar.zst.part").hardlink_to(tmp_path / "precious")
    archive.pack(str(plain), str(tmp_path / "a.tar.zst"))
    assert names(tmp_path) == ["a.tar.zst", "plain", "precious"]
    assert (tmp_path / "precious").read_text() == "precious"


def test_what_is_no_file_is_not_replaced(plain: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.tar.zst")
    (tmp_path / "link.tar.zst").symlink_to("/etc/passwd")
    (tmp_path / "dir.tar.zst").mkdir()
    os.mknod(tmp_path / "null.tar.zst", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    for name in ("fifo", "link", "dir", "null"):
        with pytest.raises(UsageError, match="no regular file"):
            archive.pack(str(plain), str(tmp_path / f"{name}.tar.zst"))


@pytest.mark.parametrize("name", ["a", "a.zip", "a.tar.bz2", "tar.zst.old"])
def test_names_that_say_nothing(plain: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="how to compress"):
        archive.pack(str(plain), str(tmp_path / name))


def test_into_itself(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(ChrootError, match=r"would lie in what it is made of, as etc/\.a\.tar"):
        archive.pack(str(plain), str(plain / "etc/a.tar.zst"))
    assert names(plain / "etc") == ["file"]


def test_elsewhere_under_the_inode_number_of_what_is_packed(
    tmp_path: Path, small_disk: Path
) -> None:
    with disk(tmp_path, "tmpfs") as other:  # each of both numbers its files from the first
        for number in range(50):
            (other / f"{number}").touch()
        done = archive.pack(str(other), str(small_disk / "a.tar"))
        assert Path(done.path).stat().st_ino in {one.stat().st_ino for one in other.iterdir()}


def test_a_program_that_is_missing(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chroot_tool.core import programs

    real = programs.find
    monkeypatch.setattr(
        programs, "find", lambda name, *path: None if name == "xz" else real(name, *path)
    )
    with pytest.raises(ChrootError, match="xz is not installed") as caught:
        archive.pack(str(plain), str(tmp_path / "a.tar.xz"))
    assert caught.value.hint == "apt install xz-utils, or write .tar.gz"
    assert names(tmp_path) == ["plain"]


def test_a_full_disk_while_packing(plain: Path, small_disk: Path) -> None:
    with pytest.raises(ChrootError, match="cannot be written: no space left on device") as caught:
        archive.pack(str(plain), str(small_disk / "a.tar.zst"))
    assert caught.value.hint
    assert names(small_disk) == []


# -- hostile and broken archives ------------------------------------------------------------------

REG, LNK, SYM, DIR = tarfile.REGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE


@pytest.mark.parametrize(
    "members",
    [
        [("../outside/x", REG, "", b"x")],
        [("@/x", REG, "", b"x")],
        [("link", SYM, "@", b""), ("link/x", REG, "", b"x")],
        [("link", SYM, "../outside", b""), ("link/x", REG, "", b"x")],
        [("d", DIR, "", b""), ("d/l", SYM, "..", b""), ("d/l/l2", SYM, "@", b"")],
        [("hard", LNK, "@/precious", b"")],
        [("hard", LNK, "../outside/precious", b"")],
        [("link", SYM, "@", b""), ("hard", LNK, "link/precious", b"")],
    ],
)
def test_what_would_leave_the_directory(
    tmp_path: Path, place: Path, members: list[tuple[str, bytes, str, bytes]]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    hostile = make_archive(
        tmp_path / "a.tar",
        ("fine", REG, "", b"fine"),
        *[(n.replace("@", str(outside)), k, t.replace("@", str(outside)), d)
          for n, k, t, d in members],
    )  # fmt: skip
    with pytest.raises(ChrootError, match="would leave the directory"):
        archive.unpack(str(hostile), str(place))
    assert names(outside) == ["precious"]
    assert (outside / "precious").stat().st_nlink == 1
    assert names(tmp_path) == ["a.tar", "outside", "place"]


@pytest.mark.parametrize(
    "words",
    [
        ["cp", "/etc/hostname", "{out}/x"], ["touch", "/etc/x"], ["touch", "/dev/shm/x"],
        ["touch", "../../x"], ["ln", "{out}/precious", "x"], ["mkdir", "/x"],
        ["sh", "-c", "echo 1 > /proc/sys/kernel/sysrq"], ["chmod", "777", "{out}/precious"],
        ["sh", "-c", "mknod null c 1 3 && echo > null"],
        ["mount", "-t", "tmpfs", "x", "{out}"],
    ],
)  # fmt: skip
def test_the_cage_itself(tmp_path: Path, place: Path, words: list[str]) -> None:
    """Whatever tar could be made to do: nothing outside can be written."""
    from chroot_tool.core.archives.confined import command

    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    mounts = lasting(read_mounts())
    argv = command(str(place), [word.format(out=outside) for word in words])
    subprocess.run(argv, capture_output=True, check=False)
    assert names(outside) == ["precious"]
    assert (outside / "precious").stat().st_mode & 0o777 == 0o644
    assert lasting(read_mounts()) == mounts
    assert names(tmp_path) == ["outside", "place"]
    assert set(names(place)) <= {"null", "x"}  # from the directory no `..` leads up
    done = subprocess.run(command(str(place), ["touch", "fine"]), check=False)
    assert done.returncode == 0
    assert "fine" in names(place)


def test_device_nodes_are_made_and_lead_nowhere_meanwhile(tmp_path: Path, place: Path) -> None:
    nodes = make_archive(tmp_path / "a.tar", ("null", tarfile.CHRTYPE, "", b""))
    archive.unpack(str(nodes), str(place))
    assert stat.S_ISCHR((place / "null").stat().st_mode)


def test_the_same_name_again_and_again(tmp_path: Path, place: Path) -> None:
    """A file in place of a link, a directory or a device is a new file, and not written through."""
    (tmp_path / "target").write_text("precious")
    twice = make_archive(
        tmp_path / "a.tar",
        ("x", SYM, str(tmp_path / "target"), b""), ("x", REG, "", b"file"),
        ("y", tarfile.CHRTYPE, "", b""), ("y", REG, "", b"file"),
        ("z", SYM, "x", b""), ("z", REG, "", b"last"),
    )  # fmt: skip
    archive.unpack(str(twice), str(place))
    assert (tmp_path / "target").read_text() == "precious"
    for name in "yz":
        assert stat.S_ISREG((place / name).lstat().st_mode)
        assert (place / name).stat().st_nlink == 1


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tar.zst", ".tar.xz", ".tar.gz", ".tar"])
@pytest.mark.parametrize("keep", [0.999, 0.5, 0.02])
def test_cut_off(plain: Path, place: Path, tmp_path: Path, suffix: str, keep: float) -> None:
    done = archive.pack(str(plain), str(tmp_path / f"a{suffix}"))
    os.truncate(done.path, int(min(done.size, 3 << 20) * keep))
    with pytest.raises(ChrootError, match="is cut off: it ends in the middle"):
        archive.unpack(done.path, str(place))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tar.zst", ".tar.xz", ".tar.gz"])
@pytest.mark.parametrize("at", [0.1, 0.5, 0.95])
def test_flipped_bits(plain: Path, place: Path, tmp_path: Path, suffix: str, at: float) -> None:
    done = archive.pack(str(plain), str(tmp_path / f"a{suffix}"))
    with open(done.path, "r+b") as file:
        file.seek(int(done.size * at))
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 0x10]))
    with pytest.raises(ChrootError, match=r"damaged|cut off|no sound tar"):
        archive.unpack(done.path, str(place))


@pytest.mark.parametrize(
    ("kind", "line", "said"),
    [
        (
            compression.ZSTD,
            "/*stdin*\\ : Decoding error (36) : Restored",
            "Decoding error (36) : R",
        ),
        (compression.XZ, "xz: (stdin): Compressed data is corrupt", "Compressed data is corrupt"),
        (compression.GZIP, "gzip: stdin: invalid compressed data", "invalid compressed data"),
        (compression.BZIP2, "bzip2: it says stdin: so", "bzip2: it says stdin: so"),
    ],
)
def test_damaged_is_told_without_the_name_of_a_pipe(
    kind: compression.Compression, line: str, said: str
) -> None:
    error = compression.read_failed(kind, ["", line], "a.tar")
    assert error.message.startswith(f"a.tar is damaged: {said}")


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "is empty"), (b"#!/bin/sh\n", "is no archive"), (b"\x1f\x8b", "cut off"),
     (bytes(range(255, 0, -1)) * 20, "is no archive")],
)  # fmt: skip
def test_no_archive_at_all(tmp_path: Path, place: Path, data: bytes, said: str) -> None:
    (tmp_path / "a.tar.zst").write_bytes(data)
    with pytest.raises(ChrootError, match=said):
        archive.unpack(str(tmp_path / "a.tar.zst"), str(place))


def test_what_cannot_be_opened(tmp_path: Path, place: Path) -> None:
    with pytest.raises(ChrootError, match="does not exist"):
        archive.unpack(str(tmp_path / "none"), str(place))
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ChrootError, match="no regular file"):
        archive.unpack(str(tmp_path / "fifo"), str(place))


def test_an_attribute_that_is_too_large_there_is_told_and_the_disk_not_full(tmp_path: Path) -> None:
    with disk(tmp_path, "xfs") as here, disk(tmp_path, "ext4", 64) as there:
        for name in ("file", "other"):
            (here / name).write_text(name)
            os.setxattr(here / name, "user.large", bytes(20_000))
        done = archive.pack(str(here), str(tmp_path / "a.tar"))
        (there / "place").mkdir()
        lost = archive.unpack(done.path, str(there / "place")).lost
        assert len([line for line in lost if "user.large" in line]) == 2
        assert names(there / "place") == ["file", "other"]


@pytest.mark.slow
def test_a_bomb_of_zeros_stops_before_the_disk_is_full(small_disk: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.tar.zst"
    info = tarfile.TarInfo("zeros")
    info.size = 1 << 33
    with bomb.open("wb") as out:
        zstd = subprocess.Popen(["zstd", "-qc"], stdin=subprocess.PIPE, stdout=out)
        assert zstd.stdin
        zstd.stdin.write(info.tobuf())
        for _ in range(256):
            zstd.stdin.write(bytes(1 << 20))
        zstd.stdin.close()
        assert zstd.wait() == 0
    with pytest.raises(ChrootError, match="no space left on the disk"):
        archive.unpack(str(bomb), str(small_disk))


def test_a_sparse_bomb_takes_no_room(tmp_path: Path, place: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with (source / "huge").open("wb") as file:
        file.truncate(8 << 40)
    done = archive.pack(str(source), str(tmp_path / "a.tar.zst"))
    archive.unpack(done.path, str(place))
    assert (place / "huge").stat().st_size == 8 << 40
    assert (place / "huge").stat().st_blocks < 100


@pytest.mark.slow
def test_a_million_members_are_stopped_by_the_inodes_that_are_there(
    tmp_path: Path, place: Path
) -> None:
    many = tmp_path / "many.tar.zst"
    with many.open("wb") as out:
        zstd = subprocess.Popen(["zstd", "-qc"], stdin=subprocess.PIPE, stdout=out)
        assert zstd.stdin
        template = bytearray(tarfile.TarInfo("f" * 8).tobuf(tarfile.USTAR_FORMAT))
        rest = sum(template[8:148]) + sum(template[156:]) + 8 * 32
        for number in range(0, 1_000_000, 1000):
            block = bytearray()
            for one in range(number, number + 1000):
                name = b"%08d" % one
                template[:8] = name
                template[148:156] = b"%06o\0 " % (rest + sum(name))
                block += template
            zstd.stdin.write(block)
        zstd.stdin.close()
        assert zstd.wait() == 0
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "nr_inodes=3000,size=50%", "few", place], check=True
    )
    try:
        with pytest.raises(ChrootError, match="no inodes left on the disk"):
            archive.unpack(str(many), str(place))
    finally:
        subprocess.run(["umount", place], check=True)


# -- stopped --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_cancelled_in_the_middle(plain: Path, place: Path, tmp_path: Path) -> None:
    (plain / "more").write_bytes(os.urandom(60 << 20))
    done = archive.pack(str(plain), str(tmp_path / "a.tar.zst"))
    for work in (
        lambda stop: archive.pack(
            str(plain), str(tmp_path / "b.tar.zst"),
            progress=lambda _: stop.set(), cancelled=stop,
        ),
        lambda stop: archive.unpack(
            done.path, str(place), progress=lambda _: stop.set(), cancelled=stop
        ),
    ):  # fmt: skip
        with pytest.raises(Cancelled):
            work(threading.Event())
    assert names(tmp_path) == ["a.tar.zst", "place", "plain"]


def test_cancelled_before_the_checksum(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large one takes minutes for it."""
    stop = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _fd: stop.set())
    with pytest.raises(Cancelled):
        archive.pack(str(plain), str(tmp_path / "a.tar"), checksum=True, cancelled=stop)
    stop.clear()
    image = oci.Image("amd64", ("/bin/sh",), "2026-01-01T00:00:00Z", "a test")
    with pytest.raises(Cancelled):
        oci.pack_image(str(plain), str(tmp_path / "image"), image, cancelled=stop)
    assert names(tmp_path) == ["plain"]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["pack", "unpack"])
def test_killed_in_the_middle_nothing_of_it_goes_on(
    plain: Path, place: Path, tmp_path: Path, what: str
) -> None:
    for number in range(4):
        (plain / f"more{number}").write_bytes(os.urandom(64 << 20))
    source = str(tmp_path / "a.tar.zst")
    if what == "unpack":
        archive.pack(str(plain), source)
    code = (
        "import signal, sys; sys.path.insert(0, sys.argv[1]);"
        "from chroot_tool.core.archives import archive;"
        "getattr(archive, sys.argv[2])(*sys.argv[3:],"
        " progress=lambda f: (print(f, flush=True), signal.pause()))"  # else it may end before
    )
    words = [str(plain), source] if what == "pack" else [source, str(place)]
    running = subprocess.Popen(
        [sys.executable, "-I", "-c", code, CHECKOUT / ".pkg", what, *words],
        stdout=subprocess.PIPE,
    )
    assert running.stdout
    assert running.stdout.readline()
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    _wait_for_the_end_of(tmp_path, running.pid)
    if what == "pack":
        assert names(tmp_path) == [".a.tar.zst.part", "place", "plain"]
        archive.pack(str(plain), source)
        assert names(tmp_path) == ["a.tar.zst", "place", "plain"]


def _wait_for_the_end_of(folder: Path, parent: int) -> None:
    """Wait until no process mentions the folder, or the fd directory of the killed one."""
    words = (os.fsencode(folder), b"/proc/%d/" % parent)

    def left() -> list[str]:
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if any(word in line for word in words) and int(pid) != os.getpid():
                found.append(f"{pid} {line!r}")
        return found

    wait_until(lambda: not left())
