"""Throw-away sessions and the chroot below them: not touched, and it may mean no good."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chroot_tool.core.kernel.mount_table import MountTable
from support import PATIENCE, Cli, let_in, mounts_below, next_line
from support.session_traces import Start, host_table, run, starter, tree

pytestmark = pytest.mark.root


@pytest.fixture
def start(tiny_chroot: Path, cli: Cli) -> Iterator[Start]:
    with starter(cli, tiny_chroot) as begin:
        yield begin


# -- the chroot below


@pytest.mark.slow
def test_the_chroot_below_is_switched_while_sessions_run(
    start: Start, cli: Cli, tiny_chroot: Path
) -> None:
    for verb in ("on", "off"):  # makes what is missing below, once
        cli.ok(verb, "-d", tiny_chroot)
    process = start("echo up; exec sleep 1000")
    assert next_line(process) == b"up\n"
    for verb in ("on", "off", "on", "off"):
        cli.ok(verb, "-d", tiny_chroot)
        status = cli.json("status", "-d", tiny_chroot)
        assert status["state"] == verb
        assert status["processes"] == []
    assert process.poll() is None
    cli.ok("on", "-d", tiny_chroot)
    other = start("echo up; sleep 1000")
    assert next_line(other) == b"up\n"
    mounts = mounts_below(tiny_chroot)
    other.terminate()
    assert other.wait(PATIENCE) == 143
    assert mounts_below(tiny_chroot) == mounts
    cli.ok("off", "-d", tiny_chroot)
    assert process.poll() is None


def test_it_is_not_waited_for(cli: Cli, tiny_chroot: Path) -> None:
    fd = os.open(tiny_chroot, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)  # as a long `off --kill` has it
        assert run(cli, tiny_chroot, "exit 3").returncode == 3
    finally:
        os.close(fd)


@pytest.mark.slow
def test_delete_refuses_while_a_session_works_on_it(
    start: Start, cli: Cli, tiny_chroot: Path
) -> None:
    process = start("echo up; exec sleep 1000")
    assert next_line(process) == b"up\n"
    done = cli("delete", "--yes", "-d", tiny_chroot)
    assert done.returncode == 4
    assert f"a throw-away session works on {tiny_chroot} (process {process.pid})" in done.stderr
    assert (tiny_chroot / "bin/sh").exists()
    process.terminate()
    process.wait(PATIENCE)
    copy = tiny_chroot.parent / "copy"
    shutil.copytree(tiny_chroot, copy, symlinks=True)
    assert run(cli, copy, "exit 0").returncode == 0
    cli.ok("delete", "--yes", "-d", copy)


def test_a_file_changed_below_is_no_crash(start: Start, tiny_chroot: Path) -> None:
    process = start("echo up; while [ ! -e /home/go ]; do ls /home >/dev/null; sleep 0.02; done")
    assert next_line(process) == b"up\n"
    go = tiny_chroot / "home/go"
    times = (tiny_chroot / "home").stat()
    go.touch()  # undefined whether it is seen; that nothing worse happens is not
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.kill()
    process.wait()
    go.unlink()
    os.utime(tiny_chroot / "home", ns=(times.st_atime_ns, times.st_mtime_ns))


# -- a chroot that means no good


def test_links_at_mount_points_lead_nowhere_else(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name, to in {
        "proc": f"../../../../../../{outside}", "tmp": str(outside), "run": "/etc",
        "etc/resolv.conf": str(outside / "resolv"), "mnt": "/proc/self/root",
    }.items():  # fmt: skip
        path = tiny_chroot / name
        if path.is_dir():
            path.rmdir()
        path.symlink_to(to)
    (tiny_chroot / "chroot.d/tool.conf").write_text(
        '[bind]\nfs:tmpfs tgt:"/od\\nd \\"name"\nfs:tmpfs tgt:/mnt/deep\n'
    )
    before, mounts = tree(tiny_chroot), host_table()
    done = run(cli, tiny_chroot, "cat /proc/self/mountinfo")
    assert os.listdir(outside) == []
    assert tree(tiny_chroot) == before
    assert host_table() == mounts
    if done.returncode == 0:
        targets = {entry.target for entry in MountTable.parse(done.stdout.encode()).entries}
        assert str(outside) in targets
    else:
        assert "Traceback" not in done.stderr


# -- refusals


@pytest.mark.parametrize("word", ["start", "stop", "restart"])
def test_what_would_end_at_once_is_refused(cli: Cli, tiny_chroot: Path, word: str) -> None:
    done = cli(word, "-x", "-d", tiny_chroot)
    assert done.returncode == 125
    assert f"{word} takes no -x" in done.stderr


def test_update_may_be_tried(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/update").write_text("#!/bin/sh\n: >/updated\nls /updated\n")
    (tiny_chroot / "chroot.d/update").chmod(0o755)
    assert cli.ok("update", "-x", "-d", tiny_chroot) == "/updated\n"
    assert not (tiny_chroot / "updated").exists()


def test_without_root_it_is_one_line(cli: Cli, tiny_chroot: Path) -> None:
    let_in(tiny_chroot)
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    argv = cli.argv("run", "-xd", tiny_chroot, "/bin/true")
    done = subprocess.run(
        [*drop, *argv], env=cli.environment(), capture_output=True, text=True, check=False
    )
    plain = subprocess.run(
        [*drop, *cli.argv("run", "-d", tiny_chroot, "/bin/true")],
        env=cli.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == plain.returncode
    assert done.stderr.splitlines()[-1] == "hint: run as root"
    assert len(done.stderr.splitlines()) == 2


def test_no_overlay_on_two_overlays(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    """Linux stacks no more than two; in a container that is one already."""
    places = []
    lower = tiny_chroot
    for level in ("a", "b"):
        merged = tmp_path / level / "merged"
        merged.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", merged.parent], check=True)
        places.append(merged.parent)
        for name in ("merged", "upper", "work"):
            (merged.parent / name).mkdir()
        layers = f"lowerdir={lower},upperdir={merged.parent}/upper,workdir={merged.parent}/work"
        done = subprocess.run(["mount", "-t", "overlay", "none", "-o", layers, merged], check=False)
        if done.returncode:
            break
        places.append(merged)
        lower = merged
    try:
        done2 = run(cli, lower, "exit 0")
        assert done2.returncode == 125
        assert f"no overlay can be laid over {lower}" in done2.stderr
        assert "no more than two can be stacked" in done2.stderr
    finally:
        for place in reversed(places):
            subprocess.run(["umount", place], check=True)
