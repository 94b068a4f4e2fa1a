"""Attacks and slips: what somebody inside, or a hasty root, could do to the host through us."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.errors import ChrootError
from chroot_tool.core.kernel.mount_table import MountTable
from chroot_tool.core.local_engine import LocalEngine
from support import Cli, Program, lasting, mounts_below, next_line, read_mounts

pytestmark = pytest.mark.root


def mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


def umount(path: Path) -> None:
    subprocess.run(["umount", path], check=True)


def configure(root: Path, text: str) -> None:
    (root / "chroot.d/tool.conf").write_text(f"[bind]\n{text}\n")


def targets(root: Path) -> list[str]:
    return sorted(point.removeprefix(str(root)) for point in mounts_below(root))


@contextmanager
def shared(path: Path) -> Iterator[Path]:
    """*path* as a shared mount, as most of a host under systemd is."""
    path.mkdir(exist_ok=True)
    mount("--bind", path, path)
    mount("--make-shared", path)
    try:
        yield path
    finally:
        umount(path)


# -- propagation --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("how", ["shared", "slave", "rbind,shared", "rbind,slave", "private"])
def test_off_takes_no_mount_of_the_hosts_along(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, how: str
) -> None:
    with shared(tmp_path / "host") as host:
        (host / "usb").mkdir()
        (host / "old").mkdir()
        mount("-t", "tmpfs", "old", host / "old")
        configure(tiny_chroot, f'src:"{host}" tgt:/data opt:{how}')
        cli.ok("on", "-d", tiny_chroot)
        mount("-t", "tmpfs", "usb", host / "usb")
        (host / "usb/file").write_text("precious")
        assert ("/data/usb" in targets(tiny_chroot)) == (how != "private")
        assert cli.json("status", "-d", tiny_chroot)["state"] == "on"
        cli.ok("off", "-d", tiny_chroot)
        assert targets(tiny_chroot) == []
        assert (host / "usb/file").read_text() == "precious"
        umount(host / "usb")
        umount(host / "old")


@pytest.mark.slow
def test_delete_takes_no_mount_of_the_hosts_along(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    with shared(tmp_path / "host") as host:
        (host / "usb").mkdir()
        configure(tiny_chroot, f'src:"{host}" tgt:/data opt:shared')
        cli.ok("on", "-d", tiny_chroot)
        mount("-t", "tmpfs", "usb", host / "usb")
        (host / "usb/file").write_text("precious")
        cli.ok("delete", "--yes", "-d", tiny_chroot)
        assert (host / "usb/file").read_text() == "precious"
        umount(host / "usb")


@pytest.mark.slow
def test_nothing_is_mounted_in_a_bind_that_is_shared_with_the_host(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    with shared(tmp_path / "host") as host:
        (host / "sub").mkdir()
        configure(tiny_chroot, f'src:"{host}" tgt:/data opt:shared\ntgt:/data/sub fs:tmpfs')
        done = cli("on", "-d", tiny_chroot)
        assert done.returncode == 1
        assert "on the host too" in done.stderr
        assert str(host / "sub") not in mounts_below(tmp_path)
        configure(tiny_chroot, f'src:"{host}" tgt:/data opt:slave\ntgt:/data/sub fs:tmpfs')
        cli.ok("on", "-d", tiny_chroot)
        assert str(host / "sub") not in mounts_below(tmp_path)
        cli.ok("off", "-d", tiny_chroot)


def test_an_unbindable_source_is_an_error_that_is_taken_back(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    host = tmp_path / "host"
    host.mkdir()
    mount("--bind", host, host)
    mount("--make-unbindable", host)
    configure(tiny_chroot, f'src:"{host}" tgt:/data')
    done = cli("on", "-d", tiny_chroot)
    umount(host)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert targets(tiny_chroot) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["unbindable", "shared", "slave", "private"])
def test_every_propagation_is_on_after_on_and_gone_after_off(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, how: str
) -> None:
    host = tmp_path / "host"
    host.mkdir()
    configure(tiny_chroot, f'src:"{host}" tgt:/data opt:{how}')
    cli.ok("on", "-d", tiny_chroot)
    assert "already on" in cli("on", "-d", tiny_chroot).stderr
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"
    cli.ok("off", "-d", tiny_chroot)
    assert mounts_below(tmp_path) == []


@pytest.mark.slow
def test_the_hosts_root_bound_inside_with_all_that_is_mounted(cli: Cli, tiny_chroot: Path) -> None:
    before = [m.line for m in lasting(read_mounts()).values()]
    configure(tiny_chroot, "src:/ tgt:/host opt:rbind,ro")
    cli.ok("on", "-d", tiny_chroot)
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"
    assert "already on" in cli("on", "-d", tiny_chroot).stderr
    cli.ok("off", "-d", tiny_chroot)
    assert [m.line for m in lasting(read_mounts()).values()] == before


# -- the host's own instances -------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/dev/shm", "/dev/pts", "/dev"])
def test_the_hosts_own_bound_by_hand_is_drift_and_replaced(
    cli: Cli, tiny_chroot: Path, target: str
) -> None:
    place = tiny_chroot / target[1:]
    place.mkdir(parents=True, exist_ok=True)
    host = {m.point: m for m in read_mounts().values()}
    if target not in host:
        pytest.skip(f"this host has no {target}")
    mount("--bind", target, place)
    one = cli.json("status", "-d", tiny_chroot)
    state = next(m for m in one["mounts"] if m["target"] == target)
    assert state["state"] == "drifted", state
    cli.ok("on", "-d", tiny_chroot)
    devices = {e.target: e.device for e in MountTable.read().entries}
    assert devices[str(place)] != devices[target]


@pytest.mark.slow
def test_mounts_that_a_new_one_would_hide_are_mounted_anew(cli: Cli, tiny_chroot: Path) -> None:
    """As after `umount -l`, or where a script of old has mounted some."""
    (tiny_chroot / "dev/pts").mkdir(parents=True, exist_ok=True)
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666", "x", tiny_chroot / "dev/pts")
    cli.ok("on", "-d", tiny_chroot)
    assert targets(tiny_chroot).count("/dev/pts") == 1
    assert (tiny_chroot / "dev/pts/ptmx").exists()
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"
    cli.ok("off", "-d", tiny_chroot)
    (tiny_chroot / "dev/mine").mkdir()
    mount("-t", "tmpfs", "mine", tiny_chroot / "dev/mine")
    done = cli("on", "-d", tiny_chroot)  # it is somebody's, who shall not lose it from sight
    assert done.returncode == 1
    assert "/dev/mine" in done.stderr
    assert targets(tiny_chroot) == ["/dev/mine"]


@pytest.mark.slow
def test_what_is_hidden_by_hand_is_missing_and_mended(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    mount("-t", "tmpfs", "x", tiny_chroot / "dev")
    one = cli.json("status", "-d", tiny_chroot)
    states = {(m["target"], m["state"]) for m in one["mounts"]}
    assert {("/dev", "drifted"), ("/dev/pts", "missing")} <= states
    cli.ok("on", "-d", tiny_chroot)
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"
    assert (tiny_chroot / "dev/pts/ptmx").exists()


def test_what_is_mounted_over_the_configuration_is_not_edited(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    host = tmp_path / "host"
    host.mkdir()
    configure(tiny_chroot, f'src:"{host}" tgt:/chroot.d')
    cli.ok("on", "-d", tiny_chroot)
    done = cli("bind", "add", "-d", tiny_chroot, "--source", "/etc", "--target", "/x")
    assert done.returncode == 1
    assert "outside the chroot" in done.stderr
    assert os.listdir(host) == []
    cli.ok("off", "-S", "-d", tiny_chroot)
    cli.ok("bind", "add", "-d", tiny_chroot, "--source", "/etc", "--target", "/x")


def test_a_part_of_another_tmpfs_is_no_new_one(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    mount("-t", "tmpfs", "x", other)
    (other / "sub").mkdir()
    mount("--bind", other / "sub", tiny_chroot / "tmp")
    cli.ok("on", "-d", tiny_chroot)
    (tiny_chroot / "tmp/new").touch()
    assert os.listdir(other / "sub") == []
    umount(other)


def test_a_copied_resolv_conf_writes_nothing_on_the_host(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    host = tmp_path / "host"
    host.mkdir()
    (host / "precious").write_text("precious")
    (tiny_chroot / "etc/resolv.conf").unlink(missing_ok=True)
    (tiny_chroot / "etc/resolv.conf").symlink_to("/data/precious")
    (tiny_chroot / "chroot.d/chroot.toml").write_text('[system]\nresolv = "copy"\n')
    configure(tiny_chroot, f'src:"{host}" tgt:/data')
    done = cli("on", "-d", tiny_chroot)
    assert done.returncode == 1
    assert "outside the chroot" in done.stderr
    assert (host / "precious").read_text() == "precious"
    assert targets(tiny_chroot) == []


def test_nothing_is_made_in_the_hosts_dev(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/chroot.toml").write_text(
        '[system]\ndev = "host"\n[[bind]]\ntarget = "/dev/chroot-tool-test"\nfs = "tmpfs"\n'
    )
    done = cli("on", "-d", tiny_chroot)
    made = Path("/dev/chroot-tool-test")
    was_made = made.exists()
    if was_made:
        made.rmdir()
    assert not was_made
    assert done.returncode == 1
    assert targets(tiny_chroot) == []


def test_the_umask_of_root_shuts_nobody_out(cli: Cli, tiny_chroot: Path) -> None:
    configure(tiny_chroot, "tgt:/m/deep fs:tmpfs")
    argv = [os.fsdecode(a) for a in cli.argv("on", "-d", tiny_chroot)]
    subprocess.run(["sh", "-c", 'umask 077; exec "$@"', "sh", *argv], check=True)
    assert (tiny_chroot / "m").stat().st_mode & 0o777 == 0o755
    assert (tiny_chroot / "dev").stat().st_mode & 0o777 == 0o755
    assert (tiny_chroot / "dev/null").stat().st_mode & 0o777 == 0o666
    assert (tiny_chroot / "dev/console").stat().st_mode & 0o777 == 0o600


# -- somebody inside mounts too -----------------------------------------------------------------


@pytest.mark.slow
def test_an_overmounted_dir_is_told_and_mended_by_hand(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    before = targets(tiny_chroot)
    mount("--bind", tiny_chroot, tiny_chroot)  # as `mount --bind / /` inside would
    for words in (["off"], ["delete", "--yes"]):
        done = cli(*words, "-d", tiny_chroot)
        assert done.returncode == 1
        assert f"umount {tiny_chroot}" in done.stderr or "mount point" in done.stderr
    umount(tiny_chroot)
    mount("-t", "tmpfs", "x", tiny_chroot)
    done = cli("off", "-d", tiny_chroot)
    assert done.returncode == 1
    assert f"umount {tiny_chroot}" in done.stderr
    umount(tiny_chroot)
    assert targets(tiny_chroot) == before
    cli.ok("off", "-d", tiny_chroot)
    assert targets(tiny_chroot) == []


def test_what_is_no_chroot_any_more_but_mounted_says_how_off_goes_on(
    cli: Cli, tiny_chroot: Path
) -> None:
    cli.ok("on", "-d", tiny_chroot)
    (tiny_chroot / "chroot.d").rename(tiny_chroot / "other")
    (tiny_chroot / "bin").rename(tiny_chroot / "gone")  # as root inside could
    done = cli("off", "-d", tiny_chroot)
    assert done.returncode == 1
    assert f"mkdir {tiny_chroot}/chroot.d" in done.stderr
    (tiny_chroot / "chroot.d").mkdir()
    cli.ok("off", "-d", tiny_chroot)
    assert targets(tiny_chroot) == []


def test_mounts_on_mounts_on_mounts(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    for point in ("srv/a/b", "srv/a", "srv", "srv/x/y", "srv", "dev", "dev/pts", "proc", "home"):
        (tiny_chroot / point).mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "x", tiny_chroot / point)
    cli.ok("off", "-S", "-d", tiny_chroot)
    assert targets(tiny_chroot) == []


def swap(place: Path, other: Path, end: threading.Event) -> None:
    """Exchange a directory and a link to *other* again and again, as a process inside could."""
    link = place.with_name("link")
    link.symlink_to(other)
    libc = ctypes.CDLL(None)
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    while not end.is_set():
        libc.renameat2(here, os.fsencode(place), here, os.fsencode(link), exchange)
    if place.is_symlink():
        libc.renameat2(here, os.fsencode(place), here, os.fsencode(link), exchange)


@pytest.mark.slow
def test_a_directory_that_becomes_a_link_meanwhile_leads_nowhere(
    tiny_chroot: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    place = tiny_chroot / "place"
    (place / "deep").mkdir(parents=True)
    configure(tiny_chroot, "tgt:/place/deep fs:tmpfs\ntgt:/place/new/er fs:tmpfs")
    engine = LocalEngine(str(tmp_path))
    end = threading.Event()
    thread = threading.Thread(target=swap, args=(place, outside, end))
    thread.start()
    try:
        for _ in range(60):
            for call in (engine.on, lambda path: engine.off(path, stop=False)):
                try:
                    call(str(tiny_chroot))
                except ChrootError:
                    continue
    finally:
        end.set()
        thread.join()
    assert [p for p in mounts_below(tmp_path) if not p.startswith(f"{tiny_chroot}/")] == []
    assert os.listdir(outside) == ["deep"]
    assert os.listdir(outside / "deep") == []
    engine.off(str(tiny_chroot), stop=False)
    assert targets(tiny_chroot) == []


@pytest.mark.slow
def test_somebody_unmounts_and_mounts_meanwhile(tiny_chroot: Path) -> None:
    engine = LocalEngine(str(tiny_chroot.parent))
    end = threading.Event()

    def meddle() -> None:
        while not end.is_set():
            for command in (["umount", "tmp"], ["mount", "-t", "tmpfs", "x", "tmp"]):
                subprocess.run(command, cwd=tiny_chroot, stderr=subprocess.DEVNULL, check=False)

    thread = threading.Thread(target=meddle)
    thread.start()
    try:
        for _ in range(20):
            for call in (engine.on, lambda path: engine.off(path, stop=False)):
                try:
                    call(str(tiny_chroot))
                except ChrootError:
                    continue
    finally:
        end.set()
        thread.join()
    engine.off(str(tiny_chroot), stop=False)
    assert targets(tiny_chroot) == []


# -- where it stands ----------------------------------------------------------------------------


@pytest.mark.slow
def test_renamed_while_on(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    before = targets(tiny_chroot)
    new = tiny_chroot.with_name("renamed")
    tiny_chroot.rename(new)
    try:
        assert cli.json("status", "-d", new)["state"] == "on"
        assert "already on" in cli("on", "-d", new).stderr
        assert targets(new) == before
        cli.ok("off", "-d", new)
        assert mounts_below(new.parent) == []
    finally:
        new.rename(tiny_chroot)


@pytest.mark.slow
def test_a_base_that_is_a_link(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(tmp_path)
    link = tmp_path / "way/tiny"
    cli.ok("on", "-d", link)
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"
    (one,) = cli.json("list", "--base", tmp_path / "way")
    assert (one["state"], one["path"]) == ("on", str(tiny_chroot))
    assert "already on" in cli("on", "-d", tiny_chroot).stderr
    cli.ok("off", "-d", link)
    assert mounts_below(tmp_path) == []


@pytest.mark.slow
def test_a_chroot_in_a_chroot(cli: Cli, tiny_chroot: Path) -> None:
    inner = tiny_chroot / "srv/inner"
    inner.parent.mkdir()
    shutil.copytree(tiny_chroot, inner, symlinks=True, ignore=shutil.ignore_patterns("srv"))
    cli.ok("on", "-d", tiny_chroot)
    cli.ok("on", "-d", inner)
    assert cli.json("status", "-d", inner)["state"] == "on"
    outer = cli.json("status", "-d", tiny_chroot)
    foreign = [m["target"] for m in outer["mounts"] if m["state"] == "foreign"]
    assert "/srv/inner/proc" in foreign
    cli.ok("off", "-d", inner)
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"
    cli.ok("on", "-d", inner)
    cli.ok("off", "-d", tiny_chroot)
    assert mounts_below(tiny_chroot) == []


@pytest.mark.slow
def test_two_mount_namespaces_know_nothing_of_each_other(cli: Cli, tiny_chroot: Path) -> None:
    def there(*words: str | Path) -> Any:
        argv = [os.fsdecode(a) for a in cli.argv(*words)]
        prefix = ["nsenter", f"--mount=/proc/{other.pid}/ns/mnt", f"--root=/proc/{other.pid}/root"]
        return subprocess.run([*prefix, *argv], capture_output=True, text=True, check=False)

    argv = ["unshare", "--mount", "sh", "-c", "echo ready; exec sleep 1000"]
    with Program(argv, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert next_line(other) == b"ready\n"
        try:
            assert there("on", "-d", tiny_chroot).returncode == 0
            assert '"state": "on"' in there("status", "--json", "-d", tiny_chroot).stdout
            assert cli.json("status", "-d", tiny_chroot)["state"] == "off"
            cli.ok("on", "-d", tiny_chroot)
            cli.ok("off", "-d", tiny_chroot)
            assert '"state": "on"' in there("status", "--json", "-d", tiny_chroot).stdout
            assert there("off", "-d", tiny_chroot).returncode == 0
        finally:
            other.kill()
    assert mounts_below(tiny_chroot) == []


# -- options that the kernel is particular about ------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        "noatime", "strictatime", "relatime", "nodiratime,noexec", "ro,nosymfollow",
        "fs:tmpfs opt:noatime,ro,size=1M,nr_inodes=10,mode=700,uid=1000",
        "fs:tmpfs opt:strictatime",
    ],
)  # fmt: skip
def test_every_option_is_on_after_on(
    cli: Cli, tiny_chroot: Path, tmp_path: Path, options: str
) -> None:
    words = options if "opt:" in options else f'src:"{tmp_path}" opt:{options}'
    configure(tiny_chroot, f"tgt:/data {words}")
    cli.ok("on", "-d", tiny_chroot)
    assert "already on" in cli("on", "-d", tiny_chroot).stderr


@pytest.mark.slow
def test_the_time_of_access_drifts_and_is_mended(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    def shown() -> set[str]:
        entry = MountTable.read().at(f"{tiny_chroot}/data")[-1]
        return {"relatime", "noatime"} & set(entry.options)

    configure(tiny_chroot, f'src:"{tmp_path}" tgt:/data opt:noatime')
    cli.ok("on", "-d", tiny_chroot)
    for word, expected in (
        ("strictatime", set()), ("relatime", {"relatime"}), ("noatime", {"noatime"}),
    ):  # fmt: skip
        configure(tiny_chroot, f'src:"{tmp_path}" tgt:/data opt:{word}')
        one = cli.json("status", "-d", tiny_chroot)
        state = next(m for m in one["mounts"] if m["target"] == "/data")
        assert (state["state"], state["reason"]) == ("drifted", f"lacks {word}")
        cli.ok("on", "-d", tiny_chroot)
        assert shown() == expected


@pytest.mark.slow
def test_what_was_remounted_is_taken_back_too(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    def lines() -> list[str]:
        return [m.line for m in read_mounts().values() if m.point.startswith(f"{tiny_chroot}/")]

    before = f'src:"{tmp_path}" tgt:/data opt:noatime,nosuid\ntgt:/cache fs:tmpfs opt:size=1M'
    configure(tiny_chroot, before)
    cli.ok("on", "-d", tiny_chroot)
    there = lines()
    after = f'src:"{tmp_path}" tgt:/data opt:strictatime,ro\ntgt:/cache fs:tmpfs opt:size=2M'
    configure(tiny_chroot, f"{after}\ntgt:/zz fs:tmpfs opt:bogus=1")
    assert cli("on", "-d", tiny_chroot).returncode == 1
    assert lines() == there
    configure(tiny_chroot, after)
    cli.ok("on", "-d", tiny_chroot)
    assert lines() != there
    assert cli.json("status", "-d", tiny_chroot)["state"] == "on"


@pytest.mark.slow
def test_what_the_source_has_is_not_forced_on_what_is_mounted_in_it(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    host = tmp_path / "host"
    (host / "in").mkdir(parents=True)
    mount("-t", "tmpfs", "-o", "nosuid,nodev,noexec", "x", host / "in")
    configure(tiny_chroot, f'src:"{host}" tgt:/data opt:rbind')
    cli.ok("on", "-d", tiny_chroot)
    mount("-o", "remount,bind,nosuid", tiny_chroot / "data")
    cli.ok("on", "-d", tiny_chroot)
    table = MountTable.read()
    assert "nosuid" not in table.at(f"{tiny_chroot}/data")[-1].options
    assert {"nosuid", "nodev", "noexec"} <= set(table.at(f"{tiny_chroot}/data/in")[-1].options)
    cli.ok("off", "-d", tiny_chroot)
    umount(host / "in")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tool.conf", f"[bind]\ntgt:/tmp fs:tmpfs opt:size={'9' * 5000}"),
        ("tool.conf", f"[bind]\ntgt:/tmp fs:tmpfs opt:mode={'7' * 5000}"),
        ("tool.conf", f"[bind]\ntgt:/{'a/' * 20000}"),
        ("tool.conf", f"[bind]\ntgt:/{'a' * 5000}"),
        ("tool.conf", "[bind]\n" + "tgt:/a;" * 9000),
        ("chroot.toml", f"a = {'9' * 5000}"),
        ("chroot.toml", f"a = 1e{'9' * 5000}"),
        ("chroot.toml", "a = " + "[" * 30000),
        ("chroot.toml", "a" + ".a" * 30000 + " = 1"),
        ("chroot.toml", "[" + "a." * 20000 + "a]\n" * 1),
        ("chroot.toml", "a = 2024-99-99"),
        ("chroot.toml", '[[bind]]\ntarget = "/\\u0000"\n'),
        ("chroot.toml", '[[bind]]\ntarget = "/\\ud800"\n'),
        ("chroot.toml", "\ufeff[run]"),
    ],
    ids=lambda value: value[:24],
)
def test_a_hostile_configuration_is_no_traceback(
    cli: Cli, tiny_chroot: Path, name: str, text: str
) -> None:
    cli.ok("on", "-d", tiny_chroot)
    (tiny_chroot / "chroot.d" / name).write_text(text, encoding="utf-8")
    for words in (
        ["status"],
        ["list"],
        ["on", "--dry-run"],
        ["bind", "list"],
        ["run", "/bin/true"],
    ):
        where = ("--base", tiny_chroot.parent) if words == ["list"] else ("-d", tiny_chroot)
        done = cli(*words, *where)
        assert "Traceback" not in done.stderr, words
        assert done.returncode in (0, 1, 3, 125)
    (tiny_chroot / "chroot.d" / name).unlink()
