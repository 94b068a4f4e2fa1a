"""Bases as a user meets them: the second chroot of a kind, old, damaged, contested, cut off.

One debootstrap fills the directory of bases (`base_chroot`); every test has one of its own with
that base in it, and changes it as it likes: a copy, for a hard link has one time of use for all.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.creating import directory
from chroot_tool.core.creating.bases import archive, keeping
from chroot_tool.core.creating.bases.key import key_of
from chroot_tool.core.creating.bases.lock import BaseLock
from chroot_tool.core.creating.bases.store import Cache, Store
from chroot_tool.core.creating.options import CreateOptions, default_options
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.host import apt_proxy
from support import Cli, wait_until
from support.creating import (
    MARKER,
    Create,
    counting_proxy,
    inside,
    processes_about,
    text,
)
from support.trees import access_list
from workers import shared_folder

pytestmark = [pytest.mark.root, pytest.mark.network]

OLDER = "hostname"
"""The package that is older in an old base: a small one that nothing depends on in a version."""

OF_ITS_OWN = {
    "etc/hostname", "etc/hosts", "etc/debian_chroot", "etc/default/locale", "etc/resolv.conf",
    "etc/timezone", "etc/localtime", "etc/apt/sources.list", "usr/sbin/policy-rc.d",
    "chroot.d", "chroot.d/chroot-cmd", "etc", "etc/default", "etc/apt", "usr/sbin", "",
}  # fmt: skip
"""What setting up writes, and the directories that it writes in."""


@pytest.fixture
def there(cli: Cli, base_chroot: Path, tmp_path: Path) -> Cli:
    """The command line, with a directory of bases that holds the one of the host's own Debian."""
    assert base_chroot.exists()
    return copied_bases(cli, tmp_path / "bases")


def copied_bases(cli: Cli, place: Path) -> Cli:
    """The command line with a copy of the base of the host's own Debian."""
    name = key_of(default_options(CreateOptions())).name
    place.mkdir(0o700, exist_ok=True)
    for pattern in (f"{name}.json", f"{name}-*.tar.zst"):  # others may have its lock just now
        for path in cli.bases.glob(pattern):
            shutil.copy2(path, place)
    return cli.with_bases(place).without("mirror")


def only_base(cli: Cli) -> dict[str, Any]:
    (base,) = cli.json("base", "list")
    assert isinstance(base, dict)
    return base


def archive_in(cli: Cli) -> Path:
    (path,) = cli.bases.glob("*.tar.zst")
    return path


def files(cli: Cli) -> list[str]:
    return sorted(os.listdir(cli.bases))


def facts(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    link = os.readlink(path) if path.is_symlink() else ""
    attributes = {n: os.getxattr(path, n, follow_symlinks=False) for n in _names(path)}
    size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
    return (
        stat.filemode(status.st_mode), status.st_uid, status.st_gid, size, status.st_rdev,
        status.st_mtime_ns if not path.is_symlink() else 0, link, attributes,
    )  # fmt: skip


def _names(path: Path) -> list[str]:
    return os.listxattr(path, follow_symlinks=False)


def tree(root: Path) -> dict[str, tuple[object, ...]]:
    found = {str(path.relative_to(root)): facts(path) for path in root.rglob("*")}
    return {name: what for name, what in found.items() if name not in OF_ITS_OWN}


# -- the second of a kind -------------------------------------------------------------------------


def test_the_second_is_the_first_file_by_file(
    there: Cli, base_chroot: Path, tmp_path: Path
) -> None:
    second = Create(there, "-d", tmp_path / "b/second")
    assert second.end() == 0
    assert second.fractions == sorted(second.fractions)
    stages = [event["stage"] for event in second.events if event["event"] == "stage"]
    assert any(stage.startswith("unpacking a base made ") for stage in stages)
    assert not [event for event in second.events if event["event"] == "output"]
    root = tmp_path / "b/second"
    assert tree(root) == tree(base_chroot)
    assert text(root, "etc/hostname") == "second\n"
    assert text(root, "etc/apt/sources.list") == text(base_chroot, "etc/apt/sources.list")
    assert not (root / MARKER).exists()
    assert there.json("status", "-d", root)["state"] == "off"


def test_what_is_kept_is_root_s_alone_and_holds_nothing_of_the_host(
    there: Cli, tmp_path: Path
) -> None:
    assert stat.S_IMODE(there.bases.stat().st_mode) == 0o700
    for path in there.bases.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    listed = subprocess.run(
        ["tar", "--zstd", "-tf", archive_in(there)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    inside_ = {name.removeprefix("./").rstrip("/") for name in listed}
    assert "usr/bin/apt-get" in inside_
    for name in ("usr/sbin/policy-rc.d", "etc/debian_chroot", "chroot.d", "etc/default/locale"):
        assert name not in inside_
    assert not [name for name in inside_ if name.endswith(".deb")]
    base = only_base(there)
    assert base["size"] == archive_in(there).stat().st_size
    assert base["suite"] == default_options(CreateOptions()).suite


def test_one_small_request_or_none(there: Cli, tmp_path: Path) -> None:
    with counting_proxy() as (proxy, asked):
        there.ok("create", "-d", tmp_path / "a", "--proxy", proxy)
        assert len(asked) == 1
        assert asked[0].endswith("/InRelease")
        there.ok("create", "-d", tmp_path / "b", "--proxy", proxy, "--no-refresh")
        there.ok("create", "-d", tmp_path / "c", "--proxy", proxy, "--offline")
        assert len(asked) == 1


def test_a_mirror_that_cannot_be_reached_is_a_warning(there: Cli, tmp_path: Path) -> None:
    done = there("create", "-d", tmp_path / "a", "--proxy", "http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    assert "warning: it is as old as its base, made " in done.stderr
    assert "the proxy 127.0.0.1:9 cannot be reached" in done.stderr
    assert inside(tmp_path / "a", "dpkg", "--audit").returncode == 0


def test_without_network_and_base_it_says_what_to_do(there: Cli, tmp_path: Path) -> None:
    done = there("create", "-d", tmp_path / "a", "--offline", "--include", "less")
    assert done.returncode == 1
    assert "there is no base for" in done.stderr
    assert "hint: `base list` shows" in done.stderr
    assert not (tmp_path / "a").exists()
    both = there("create", "-d", tmp_path / "a", "--offline", "--no-cache")
    assert both.returncode == 2


# -- newer packages -------------------------------------------------------------------------------


@pytest.fixture
def old(
    cli: Cli,
    base_chroot: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Cli:
    """The same with a base from the past, in which one package is older; made once a run."""
    assert base_chroot.exists()
    folder = shared_folder(tmp_path_factory, pytestconfig) / "old-bases"
    folder.mkdir(0o700, exist_ok=True)
    with (folder.parent / "old-bases.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.listdir(folder):
            copied_bases(cli, folder)
            make_old(cli.with_bases(folder), tmp_path, OLDER)
    return copied_bases(cli.with_bases(folder), tmp_path / "bases")


def make_old(cli: Cli, work: Path, *packages: str) -> None:
    """Put in the place of the base one from the past: older, with older *packages*."""
    root = work / "aged"
    root.mkdir()
    subprocess.run(["tar", "--zstd", "-xpf", archive_in(cli), "-C", root], check=True)
    status = text(root, "var/lib/dpkg/status")
    for package in packages:
        older = rf"(?ms)^(Package: {package}\n(?:(?!^$).)*?^Version: )\S+$"
        status, count = re.subn(older, r"\g<1>0.1", status)
        assert count == 1
    (root / "var/lib/dpkg/status").write_text(status)
    with Store(str(cli.bases)) as store:
        (base,) = store.bases()
        old = base.facts.replace(release="Sat, 01 Jan 2022 10:00:00 UTC", made=time.time() - 3e6)
        options = default_options(CreateOptions())
        request = keeping.CreateRequest(
            str(root), options, apt_proxy.Proxies(), Cache(str(cli.bases))
        )
        with BaseLock(store, base.name):
            aged = keeping.pack(request, store, base.key, old, None)
            keeping.make_room(store, aged, request.cache.limit)
    shutil.rmtree(root)


def version(root: Path, package: str) -> str:
    return inside(root, "dpkg-query", "-W", "-f", "${Version}", package).stdout


def test_a_base_that_is_too_old_is_brought_up_to_date_once(
    old: Cli, base_chroot: Path, tmp_path: Path
) -> None:
    old.ok("create", "-d", tmp_path / "old", "--no-refresh")
    assert version(tmp_path / "old", OLDER) == "0.1"
    before = only_base(old)

    made = Create(old, "-d", tmp_path / "new")
    assert made.end() == 0, made.events[-9:]
    assert version(tmp_path / "new", OLDER) == version(base_chroot, OLDER)
    assert made.fractions == sorted(made.fractions)
    after = only_base(old)
    assert after["made"] > before["made"]
    assert after["sha256"] != before["sha256"]
    assert len(files(old)) == 2  # the old archive is gone, and nothing else is left
    kept = subprocess.run(
        ["tar", "--zstd", "-tf", archive_in(old)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "./usr/sbin/policy-rc.d" not in kept
    assert not [name for name in kept if name.endswith((".deb", "pkgcache.bin"))]

    again = Create(old, "-d", tmp_path / "again")
    assert again.end() == 0
    assert not [event for event in again.events if event["event"] == "output"]
    assert version(tmp_path / "again", OLDER) == version(base_chroot, OLDER)


def test_a_newer_release_without_newer_packages_is_only_noted(there: Cli, tmp_path: Path) -> None:
    path = only_json(there)
    described = json.loads(path.read_text())
    described["facts"]["release"] = "Sat, 01 Jan 2022 10:00:00 UTC"
    path.unlink()
    path.write_text(json.dumps(described))
    before = only_base(there)
    there.ok("create", "-d", tmp_path / "new")
    after = only_base(there)
    assert after["sha256"] == before["sha256"]
    assert after["release"] != before["release"]
    assert after["made"] > before["made"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_cut_off_while_it_is_packed(old: Cli, tmp_path: Path, number: signal.Signals) -> None:
    before = files(old)
    root = tmp_path / "deb"
    running = Create(old.without("mirror", "packs"), "-d", root)
    running.until("keeping it as a base")
    wait_until(lambda: list(old.bases.glob("*.part")), running.process)
    code = running.ended_by(number)
    wait_until(lambda: not processes_about(root))
    if number == signal.SIGINT:
        assert code == 130
        assert not root.exists()
        assert files(old) == before
    else:
        assert code == -number
        assert os.listdir(root) == [MARKER]
        assert set(before) < set(files(old))
        old.ok("base", "prune")
        assert files(old) == before
        old.ok("delete", "-d", root, "--yes")
    old.ok("create", "-d", root, "--no-refresh")
    assert version(root, OLDER) == "0.1"


# -- cut off, contested, damaged ------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_cut_off_while_it_is_unpacked(there: Cli, tmp_path: Path, number: signal.Signals) -> None:
    before = files(there)
    root = tmp_path / "deb"
    running = Create(there, "-d", root, "--no-refresh")
    wait_until(lambda: (root / MARKER / "root/usr").exists(), running.process)
    code = running.ended_by(number)
    wait_until(lambda: not processes_about(root))
    assert files(there) == before
    if number == signal.SIGINT:
        assert code == 130
        assert not root.exists()
    else:
        assert code == -number
        assert there.json("status", "-d", root)["state"] == "incomplete"
    there.ok("create", "-d", root, "--no-refresh")
    assert inside(root, "dpkg", "--audit").stdout == ""


def test_a_second_create_of_the_kind_waits_for_the_first(
    there: Cli, base_chroot: Path, tmp_path: Path
) -> None:
    cli = there.with_bases(tmp_path / "empty")
    name = only_base(there)["name"]
    with Store(str(cli.bases), make=True) as store:
        with BaseLock(store, name):  # as if another create were at its bootstrap
            impatient = Create(cli, "-d", tmp_path / "impatient")
            impatient.until(f"waiting for another create of the same kind (process {os.getpid()})")
            assert cli.json("status", "-d", tmp_path / "impatient")["state"] == "creating"
            assert impatient.ended_by(signal.SIGINT) == 130
            assert not (tmp_path / "impatient").exists()
            patient = Create(cli, "-d", tmp_path / "patient")
            patient.until(f"waiting for another create of the same kind (process {os.getpid()})")
            for path in there.bases.iterdir():
                shutil.copy2(path, cli.bases / path.name)
        assert patient.end() == 0
    assert not [event for event in patient.events if event["event"] == "output"]
    assert tree(tmp_path / "patient") == tree(base_chroot)
    assert files(cli) == files(there)


def test_two_at_once(old: Cli, tmp_path: Path) -> None:
    both = [Create(old, "-d", tmp_path / name) for name in ("a", "b")]
    assert [one.end() for one in both] == [0, 0]
    assert version(tmp_path / "a", OLDER) == version(tmp_path / "b", OLDER) != "0.1"
    upgrades = [
        event for one in both for event in one.events
        if event.get("stage", "").startswith("bringing ")
    ]  # fmt: skip
    assert len(upgrades) == 1
    assert len(files(old)) == 2


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()  # other directories have it by the same inode
    path.write_bytes(data[: len(data) // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 1
    path.unlink()
    path.write_bytes(data)


def forge(path: Path) -> None:
    """A sound archive, but not the one that was packed."""
    path.unlink()
    subprocess.run(["tar", "--zstd", "-cf", path, "-C", "/etc", "hostname"], check=True)


@pytest.mark.parametrize("damage", [flip, forge])
def test_a_damaged_base_is_thrown_away_and_never_half_used(
    there: Cli, tmp_path: Path, damage: Any
) -> None:
    path = archive_in(there)
    damage(path)
    name = only_json(there)
    described = json.loads(name.read_text())
    described["size"] = path.stat().st_size
    name.unlink()
    name.write_text(json.dumps(described))
    done = there("create", "-d", tmp_path / "deb", "--offline")
    assert done.returncode == 1
    assert "was damaged and is thrown away: the archive is " in done.stderr
    assert "there is no base for" in done.stderr
    assert not (tmp_path / "deb").exists()
    assert files(there) == []


def only_json(cli: Cli) -> Path:
    (path,) = cli.bases.glob("*.json")
    return path


@pytest.mark.parametrize("text_", ["", "{}", "[1]", '{"key": 3}', "\0\xff"])
def test_a_base_that_says_nothing_sensible_is_none(there: Cli, tmp_path: Path, text_: str) -> None:
    path = only_json(there)
    path.unlink()
    path.write_text(text_)
    assert there.json("base", "list") == []
    assert there("create", "-d", tmp_path / "deb", "--offline").returncode == 1
    there.ok("base", "prune")
    assert files(there) == []


def test_a_truncated_one_is_none(there: Cli, tmp_path: Path) -> None:
    cut(archive_in(there))
    assert there.json("base", "list") == []
    assert there("create", "-d", tmp_path / "deb", "--offline").returncode == 1


# -- full disks -----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    point = tmp_path / "disk"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400M,mode=755", "small", point], check=True)
    yield point
    subprocess.run(["umount", point], check=True)


def fill(disk: Path, leave: int = 0) -> None:
    """Fill it, whoever else is writing there."""
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(1 << 20))
    if leave:
        os.truncate(disk / "filler", (disk / "filler").stat().st_size - leave)


def test_a_disk_that_is_full_below_the_new_chroot(
    there: Cli, small_disk: Path, tmp_path: Path
) -> None:
    before = files(there)
    running = Create(there, "-d", small_disk / "deb", "--no-refresh")
    wait_until(lambda: (small_disk / "deb" / MARKER / "root").exists(), running.process)
    running.process.send_signal(signal.SIGSTOP)  # what it feeds waits with it
    fill(small_disk)
    running.process.send_signal(signal.SIGCONT)
    assert running.end() == 1
    assert "no space left on the disk" in running.error["message"]
    assert os.listdir(small_disk) == ["filler"]
    assert files(there) == before  # it was not the base's fault


def test_a_disk_that_is_full_below_the_bases(
    there: Cli, small_disk: Path, base_chroot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(str(there.bases)) as store:
        (base,) = store.bases()
    fill(small_disk, 10 << 20)
    options = default_options(CreateOptions())
    cache = Cache(str(small_disk / "bases"))
    request = keeping.CreateRequest(str(base_chroot), options, apt_proxy.Proxies(), cache)
    with Store(cache.directory, make=True) as store, BaseLock(store, base.name):
        with pytest.raises(ChrootError, match=r"are free in .* should be"):
            keeping.pack(request, store, base.key, base.facts, None)
        monkeypatch.setitem(directory.NEEDED, "minbase", 0)
        with pytest.raises(ChrootError, match="no space left on device"):
            keeping.pack(request, store, base.key, base.facts, None)
        assert [name for name in os.listdir(store.fd) if not name.endswith(".lock")] == []


# -- the directory, and the verb ------------------------------------------------------------------


def test_a_directory_that_others_could_have_made_is_refused(there: Cli, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(there.bases)
    others = tmp_path / "others"
    shutil.copytree(there.bases, others)
    os.chown(others, 1000, 1000)
    written = tmp_path / "written"
    shutil.copytree(there.bases, written)
    written.chmod(0o777)
    for path, why in ((link, "is a link"), (others, "belongs to user 1000"),
                      (written, "can be written by others")):  # fmt: skip
        cli = there.with_bases(path)
        done = cli("base", "list")
        assert done.returncode == 1
        assert f"bases are not kept in {path}: it {why}" in done.stderr
        made = cli("create", "-d", tmp_path / "deb", "--offline")
        assert made.returncode == 1
        assert not (tmp_path / "deb").exists()


def test_list_make_remove_prune(there: Cli) -> None:
    assert "-debootstrap-" in there.ok("base", "list")
    base = only_base(there)
    *_, done = there.events("base", "make")
    assert done["event"] == "done"
    assert done["base"]["name"] == base["name"]
    assert done["base"]["sha256"] == base["sha256"]  # fresh enough
    assert len(files(there)) == 2
    assert there("base", "remove", base["name"][:-1] + "_").returncode == 2
    assert there("base", "remove").returncode == 2
    assert there("base", "list", base["name"]).returncode == 2
    assert there("base", "prune", "--to", "much").returncode == 2
    assert there.json("base", "prune", "--to", "100G") == {"removed": [], "freed": 0}
    freed = there.json("base", "prune", "--to", "0")
    assert freed["removed"] == [base["name"]]
    assert freed["freed"] == base["size"]
    assert files(there) == []
    assert "no bases" in there("base", "list").stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_cut_off_while_one_is_made(there: Cli, number: signal.Signals) -> None:
    before = files(there)
    making = Create(there, "--include", "less", verb=("base", "make"))
    making.until("downloading the package lists")
    code = making.ended_by(number)
    wait_until(lambda: not processes_about(there.bases))
    if number == signal.SIGKILL:
        assert any(name.endswith(".build") for name in files(there))
        there.ok("base", "prune")
    else:
        assert code == 130
    assert files(there) == before


def test_remove_and_what_is_not_a_base_stays(there: Cli) -> None:
    (there.bases / "package.json").write_text("{}")
    (there.bases / "backup.tar.zst").write_text("mine")
    base = only_base(there)
    there.ok("base", "prune", "--to", "0")
    assert files(there) == ["backup.tar.zst", "package.json"]
    gone = there("base", "remove", base["name"])
    assert gone.returncode == 2
    assert there("base", "remove", "package").returncode == 2
    assert files(there) == ["backup.tar.zst", "package.json"]


def test_a_base_that_is_being_made_is_not_removed(there: Cli) -> None:
    base = only_base(there)
    with Store(str(there.bases)) as store, BaseLock(store, base["name"]):
        done = there("base", "remove", base["name"])
        assert done.returncode == 1
        assert "is being made just now" in done.stderr
        there.ok("base", "prune", "--to", "0")
    assert only_base(there) == base


def test_a_tree_survives_packing_in_every_attribute(tmp_path: Path) -> None:
    root, out = tmp_path / "tree", tmp_path / "out"
    root.mkdir()
    out.mkdir()
    (root / "sparse").touch()
    os.truncate(root / "sparse", 64 << 20)
    (root / "one").write_text("1")
    os.link(root / "one", root / "two")
    (root / "bin").mkdir()
    shutil.copy("/bin/true", root / "bin/capable")
    os.setxattr(root / "one", "user.mine", b"a\0b")
    os.setxattr(root / "one", "trusted.mine", b"root's")
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    os.setxattr(root / "bin/capable", "security.capability", capability)
    os.setxattr(root / "two", "user.acl", b"see below")
    os.setxattr(root / "one", "system.posix_acl_access", access_list(6, 6, 4, 6, 4))
    os.mkfifo(root / "fifo")
    os.mknod(root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (root / "setuid").touch()
    os.chown(root / "setuid", 12345, 54321)
    (root / "setuid").chmod(0o6755)
    (root / "link").symlink_to("/etc/shadow")
    os.mkdir(os.fsencode(root) + b"/\xff\n")
    path = tmp_path / "x.tar.zst"
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    sha256, size = archive.pack(str(root), fd)
    assert size == path.stat().st_size < 1 << 20
    os.lseek(fd, 0, os.SEEK_SET)
    archive.unpack(fd, str(out), sha256)
    os.close(fd)

    def all_of(top: Path) -> dict[str, tuple[object, ...]]:
        return {str(path.relative_to(top)): facts(path) for path in top.rglob("*")}

    assert all_of(out) == all_of(root)
    assert (out / "one").stat().st_ino == (out / "two").stat().st_ino
    assert (out / "sparse").stat().st_blocks < 1000
