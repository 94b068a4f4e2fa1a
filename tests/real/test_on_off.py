"""`on` and `off` with real mounts, through the command line, in roots that mean no good."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from chroot_tool.core.kernel.mount_table import MountTable
from support import (
    PATIENCE,
    Cli,
    Program,
    lasting,
    let_in,
    mounts_below,
    next_line,
    read_mounts,
    wait_until,
)

pytestmark = pytest.mark.root

SYSTEM = {"/dev", "/dev/pts", "/dev/shm", "/proc", "/run", "/sys", "/tmp", "/etc/resolv.conf"}


def targets(root: Path) -> list[str]:
    return sorted(point.removeprefix(str(root)) for point in mounts_below(root))


def mounted(root: Path, target: str) -> Any:
    return MountTable.read().at(f"{root}{target}")[-1]


def configure(root: Path, text: str) -> None:
    (root / "chroot.d/tool.conf").write_text(f"[bind]\n{text}\n")


def state(cli: Cli, root: Path) -> str:
    return str(cli.json("status", "-d", root)["state"])


@pytest.mark.slow
def test_on_twice_and_off(cli: Cli, tiny_chroot: Path) -> None:
    before = [mount.line for mount in lasting(read_mounts()).values()]
    assert state(cli, tiny_chroot) == "off"
    cli.ok("on", "-d", tiny_chroot)
    there = targets(tiny_chroot)
    assert set(there) >= SYSTEM
    assert len(there) == len(set(there))
    assert state(cli, tiny_chroot) == "on"
    ids = set(lasting(read_mounts()))
    assert "already on" in cli("on", "-d", tiny_chroot).stderr
    assert set(lasting(read_mounts())) == ids
    cli.ok("off", "-d", tiny_chroot)
    assert [mount.line for mount in lasting(read_mounts()).values()] == before
    assert "already off" in cli("off", "-d", tiny_chroot).stderr


def test_the_private_dev(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    dev = tiny_chroot / "dev"
    assert (dev / "null").stat().st_rdev == os.makedev(1, 3)
    assert os.readlink(dev / "ptmx") == "pts/ptmx"
    assert not (dev / "sda").exists()
    assert not (dev / "mem").exists()
    (dev / "null").unlink()
    assert os.path.exists("/dev/null")
    assert mounted(tiny_chroot, "/dev/pts").device != MountTable.read().at("/dev/pts")[-1].device
    modes = {"/tmp": 0o1777, "/run": 0o755, "/dev/shm": 0o1777}
    for target, mode in modes.items():
        assert (tiny_chroot / target[1:]).stat().st_mode & 0o7777 == mode


@pytest.mark.slow
def test_propagation_is_private_even_below_a_shared_mount(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    subprocess.run(["mount", "--bind", tmp_path, tmp_path], check=True)
    try:
        subprocess.run(["mount", "--make-shared", tmp_path], check=True)
        cli.ok("on", "-d", tiny_chroot)
        assert state(cli, tiny_chroot) == "on"
        below = MountTable.read().below(str(tiny_chroot))
        assert {entry.propagation for entry in below} == {"private"}
        cli.ok("off", "-d", tiny_chroot)
        assert targets(tiny_chroot) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_read_only_bind_leaves_the_host_alone(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    configure(tiny_chroot, f'src:"{data}" tgt:/data fs:bind-ro')
    cli.ok("on", "-d", tiny_chroot)
    with pytest.raises(OSError, match="Read-only"):
        (tiny_chroot / "data/x").write_text("no")
    (data / "x").write_text("yes")
    assert (tiny_chroot / "data/x").read_text() == "yes"


@pytest.mark.slow
def test_links_inside_lead_nowhere_outside(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tiny_chroot / "up").symlink_to("../../../../../../" + str(outside))
    (tiny_chroot / "abs").symlink_to(outside)
    configure(tiny_chroot, "tgt:/up/a fs:tmpfs\ntgt:/abs/b fs:tmpfs")
    cli.ok("on", "-d", tiny_chroot)
    assert set(os.listdir(outside)) == set()
    where = set(mounts_below(tmp_path))
    assert all(point.startswith(f"{tiny_chroot}/") for point in where)
    assert f"{tiny_chroot}{outside}/a" in where
    assert f"{tiny_chroot}{outside}/b" in where
    assert state(cli, tiny_chroot) == "on"


def test_a_link_into_proc_is_refused(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "magic").symlink_to("/proc/self/root/tmp")
    configure(tiny_chroot, "tgt:/magic fs:tmpfs")
    before = lasting(read_mounts()).keys()
    assert cli("on", "-d", tiny_chroot).returncode == 1
    assert lasting(read_mounts()).keys() == before


def test_resolv_conf_that_dangles_inside(cli: Cli, tiny_chroot: Path) -> None:
    resolv = tiny_chroot / "etc/resolv.conf"
    resolv.unlink(missing_ok=True)
    resolv.symlink_to("../run/systemd/resolve/stub-resolv.conf")
    cli.ok("on", "-d", tiny_chroot)
    there = tiny_chroot / "run/systemd/resolve/stub-resolv.conf"
    assert there.read_text() == Path("/etc/resolv.conf").read_text()
    assert resolv.is_symlink()


@pytest.mark.slow
def test_resolv_conf_as_a_copy(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/chroot.toml").write_text('[system]\nresolv = "copy"\n')
    cli.ok("on", "-d", tiny_chroot)
    copy = tiny_chroot / "etc/resolv.conf"
    assert copy.read_text() == Path("/etc/resolv.conf").read_text()
    assert str(copy) not in mounts_below(tiny_chroot)
    assert state(cli, tiny_chroot) == "on"


def test_what_is_too_large_to_be_put_back_is_not_replaced_by_a_copy(
    cli: Cli, tiny_chroot: Path
) -> None:
    (tiny_chroot / "chroot.d/chroot.toml").write_text('[system]\nresolv = "copy"\n')
    (tiny_chroot / "etc/resolv.conf").write_bytes(b"#" * (2 << 20))
    done = cli("on", "-d", tiny_chroot)
    assert done.returncode == 1
    assert "larger than" in done.stderr
    assert "hint: " in done.stderr
    assert (tiny_chroot / "etc/resolv.conf").stat().st_size == 2 << 20
    assert mounts_below(tiny_chroot) == []


@pytest.mark.parametrize("plant", ["fifo", "directory", "device", "dangling", "loop", "big"])
def test_planted_configuration_is_an_error_and_no_trap(
    cli: Cli, tiny_chroot: Path, plant: str
) -> None:
    path = tiny_chroot / "chroot.d/tool.conf"
    match plant:
        case "fifo":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "device":
            os.mknod(path, 0o600 | 0o020000, os.makedev(1, 8))
        case "loop":
            path.symlink_to("tool.conf")
        case "big":
            path.write_bytes(b"#" * (2 << 20))
        case "dangling":
            path.symlink_to("/nowhere")
    done = cli("on", "-d", tiny_chroot, timeout=PATIENCE)
    if plant == "dangling":  # as if it did not exist
        assert done.returncode == 0
    else:
        assert done.returncode == 3, done.stderr
        assert "tool.conf" in done.stderr
        assert targets(tiny_chroot) == []
        assert state(cli, tiny_chroot) == "broken"


@pytest.mark.slow
def test_an_off_that_fails_at_the_last_mount_takes_everything_back(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    source = tmp_path / "host/src"
    source.mkdir(parents=True)
    (source.parent / "file").touch()
    configure(
        tiny_chroot,
        f"tgt:/src src:{source} fs:bind-ro opt:nosuid,noatime\n"
        f"tgt:/peer src:{source} opt:slave\ntgt:/file src:{source.parent}/file\n",
    )
    for name in ("src", "peer"):
        (tiny_chroot / name).mkdir()
    cli.ok("on", "-d", tiny_chroot)
    (tiny_chroot / "run/kept").write_text("content")

    def shown() -> list[tuple[object, ...]]:
        return [
            (e.target, e.device, e.root, sorted(e.options), e.propagation, e.fs)
            for e in sorted(MountTable.read().below(str(tiny_chroot)), key=lambda e: e.target)
        ]

    before = shown()
    with (tiny_chroot / "tmp/held").open("w"):  # /tmp is the last to be unmounted
        done = cli("off", "-S", "-d", tiny_chroot)
    assert done.returncode == 4
    assert shown() == before
    assert (tiny_chroot / "run/kept").read_text() == "content"
    assert state(cli, tiny_chroot) == "on"
    # The kernel attaches no mount whose root was deleted: that has to be told.
    (source.parent / "file").unlink()
    with (tiny_chroot / "tmp/held").open("w"):
        done = cli("off", "-S", "-d", tiny_chroot)
    assert done.returncode == 4
    assert "warning: could not be taken back: unmount /file" in done.stderr
    assert shown() == [mount for mount in before if not str(mount[0]).endswith("/file")]


def test_a_failed_step_takes_everything_back(cli: Cli, tiny_chroot: Path) -> None:
    names = sorted(os.listdir(tiny_chroot))
    configure(tiny_chroot, "tgt:/new/deep fs:tmpfs\ntgt:/z fs:tmpfs opt:size=nonsense")
    done = cli("on", "-d", tiny_chroot)
    assert done.returncode == 1
    assert "/z" in done.stderr
    assert "Traceback" not in done.stderr
    assert targets(tiny_chroot) == []
    assert sorted(os.listdir(tiny_chroot)) == names


@pytest.mark.slow
def test_what_a_file_system_refuses_is_told_once_with_its_place(
    cli: Cli, tiny_chroot: Path
) -> None:
    configure(tiny_chroot, "tgt:/t fs:tmpfs opt:bogus")
    assert cli("on", "-d", tiny_chroot).stderr == (
        "chroot-tool: tool.conf:2: cannot mount tmpfs on /t (bogus,private): "
        "tmpfs: Unknown parameter 'bogus'\n"
        "hint: correct the entry\n"
    )
    configure(tiny_chroot, "tgt:/t src:/dev/none fs:ext4")
    assert cli("on", "-d", tiny_chroot).stderr.endswith("hint: correct the entry\n")
    configure(tiny_chroot, "")
    done = cli("on", "-d", tiny_chroot, "-b", "tgt:/t fs:tmpfs opt:size=x")
    assert done.stderr.startswith("chroot-tool: cannot mount tmpfs on /t (size=x,private): ")
    assert "hint" not in done.stderr


def test_a_missing_source_is_an_error_and_nothing_is_made(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"
    configure(tiny_chroot, f'src:"{missing}" tgt:/data')
    done = cli("on", "-d", tiny_chroot)
    assert done.returncode == 1
    assert "does not exist" in done.stderr
    assert "hint:" in done.stderr
    assert not missing.exists()
    assert targets(tiny_chroot) == []


@pytest.mark.slow
def test_a_target_below_a_bind_is_not_made_on_the_host(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    configure(tiny_chroot, f'src:"{data}" tgt:/data\ntgt:/data/inner fs:tmpfs')
    done = cli("on", "-d", tiny_chroot)
    assert done.returncode == 1
    assert "inner" in done.stderr
    assert os.listdir(data) == []
    (data / "inner").mkdir()
    cli.ok("on", "-d", tiny_chroot)
    assert state(cli, tiny_chroot) == "on"


@pytest.mark.slow
def test_an_optional_source_may_be_missing(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/chroot.toml").write_text(
        '[[bind]]\nsource = "/nowhere/usb"\ntarget = "/usb"\noptional = true\n'
    )
    cli.ok("on", "-d", tiny_chroot)
    found = cli.json("status", "-d", tiny_chroot)
    assert found["state"] == "on"
    usb = next(mount for mount in found["mounts"] if mount["target"] == "/usb")
    assert usb["state"] == "ignored"


@pytest.mark.slow
def test_drift_is_seen_and_mended(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    configure(tiny_chroot, f'src:"{data}" tgt:/data fs:bind-ro\ntgt:/cache fs:tmpfs opt:size=1M')
    cli.ok("on", "-d", tiny_chroot)
    kept = tiny_chroot / "cache/kept"
    kept.write_text("still here")

    def run(*argv: str) -> None:
        subprocess.run(argv, check=True)

    run("mount", "-o", "remount,bind,rw", str(tiny_chroot / "data"))
    run("mount", "-o", "remount,size=2M", str(tiny_chroot / "cache"))
    run("umount", str(tiny_chroot / "tmp"))
    run("umount", str(tiny_chroot / "run"))
    run("mount", "--bind", str(data), str(tiny_chroot / "run"))
    found = cli.json("status", "-d", tiny_chroot)
    assert found["state"] == "partial"
    states = {mount["target"]: mount["state"] for mount in found["mounts"]}
    assert states["/tmp"] == "missing"
    assert {states[t] for t in ("/data", "/cache", "/run")} == {"drifted"}
    cli.ok("on", "-d", tiny_chroot)
    assert state(cli, tiny_chroot) == "on"
    assert kept.read_text() == "still here"
    assert targets(tiny_chroot).count("/run") == 1


@pytest.mark.slow
def test_what_is_stacked_is_a_problem_and_taken_away(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    for _ in range(2):
        subprocess.run(["mount", "--bind", "/proc", tiny_chroot / "proc"], check=True)
    found = cli.json("status", "-d", tiny_chroot)
    assert any("stacked at /proc" in problem["message"] for problem in found["problems"])
    cli.ok("on", "-d", tiny_chroot)
    assert targets(tiny_chroot).count("/proc") == 1
    subprocess.run(["mount", "--bind", "/proc", tiny_chroot / "proc"], check=True)
    cli.ok("off", "-d", tiny_chroot)
    assert targets(tiny_chroot) == []


@pytest.mark.slow
def test_a_tmpfs_that_holds_files_is_never_unmounted_for_another_mount(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    cli.ok("on", "-d", tiny_chroot)
    subprocess.run(["mount", "-t", "tmpfs", "mine", tiny_chroot / "tmp"], check=True)
    data = tiny_chroot / "tmp/deep/data"
    data.parent.mkdir()
    data.write_text("mine")
    configure(tiny_chroot, "tgt:/early fs:tmpfs")
    before = targets(tiny_chroot)
    path = tiny_chroot / "tmp"
    for words, code in ((("on",), 1), (("run", "/bin/true"), 125)):
        done = cli(*words, "-d", tiny_chroot)
        assert done.returncode == code
        assert done.stderr == (
            f"chroot-tool: /tmp in {tiny_chroot} is to be unmounted, and the tmpfs there holds "
            "files that are nowhere else\n"
            f"hint: save them, then umount {path}, or chroot-tool off -d {tiny_chroot}\n"
        )
        assert data.read_text() == "mine"
        assert targets(tiny_chroot) == before
    data.unlink()
    assert "unmount /tmp (if it holds no files)" in cli.ok("on", "--dry-run", "-d", tiny_chroot)
    cli.ok("run", "/bin/true", "-d", tiny_chroot)
    assert targets(tiny_chroot).count("/tmp") == 1
    # An entry that becomes another thing.
    (tiny_chroot / "early/data").write_text("mine")
    configure(tiny_chroot, f"tgt:/early src:{tmp_path}")
    assert cli("on", "-d", tiny_chroot).returncode == 1
    assert (tiny_chroot / "early/data").read_text() == "mine"
    cli.ok("off", "-d", tiny_chroot)
    assert targets(tiny_chroot) == []


@pytest.mark.slow
def test_a_tmpfs_with_what_the_tool_made_in_it_is_no_loss(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    configure(tiny_chroot, f"tgt:/run/a/b src:{tmp_path}")
    cli.ok("on", "-d", tiny_chroot)
    toml = tiny_chroot / "chroot.d/chroot.toml"
    toml.write_text('[system]\ndev = "host"\n[[bind]]\ntarget = "/run"\nsource = "/run"\n')
    configure(tiny_chroot, "")
    cli.ok("bind", "ignore", "--target", "/run/systemd/journal", "-d", tiny_chroot)
    subprocess.run(["umount", tiny_chroot / "run/a/b"], check=True)
    assert mounted(tiny_chroot, "/dev").fs == "tmpfs"
    cli.ok("on", "-d", tiny_chroot)
    assert mounted(tiny_chroot, "/dev").fs == "devtmpfs"
    assert state(cli, tiny_chroot) == "on"


@pytest.mark.slow
def test_a_foreign_mount_is_shown_and_off_takes_it_too(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    (tiny_chroot / "home/mine").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "x", tiny_chroot / "home/mine"], check=True)
    found = cli.json("status", "-d", tiny_chroot)
    mine = next(mount for mount in found["mounts"] if mount["target"] == "/home/mine")
    assert (mine["state"], mine["origin"]) == ("foreign", "foreign")
    cli.ok("off", "-d", tiny_chroot)
    assert targets(tiny_chroot) == []


@pytest.mark.slow
def test_a_recursive_bind_and_what_is_mounted_in_it(
    cli: Cli, tiny_chroot: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    (data / "inner").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "x", data / "inner"], check=True)
    try:
        (data / "inner/file").write_text("seen")
        configure(tiny_chroot, f'src:"{data}" tgt:/data opt:rbind,ro')
        cli.ok("on", "-d", tiny_chroot)
        assert (tiny_chroot / "data/inner/file").read_text() == "seen"
        with pytest.raises(OSError, match="Read-only"):
            (tiny_chroot / "data/inner/new").touch()
        (data / "inner/new").touch()
        found = cli.json("status", "-d", tiny_chroot)
        assert found["state"] == "on"
        assert not [m for m in found["mounts"] if m["state"] == "foreign"]
        cli.ok("off", "-d", tiny_chroot)
        assert targets(tiny_chroot) == []
        assert (data / "inner/file").read_text() == "seen"
    finally:
        subprocess.run(["umount", data / "inner"], check=True)


@pytest.mark.slow
def test_the_chroot_itself_may_be_a_mount(cli: Cli, tiny_chroot: Path) -> None:
    subprocess.run(["mount", "--bind", tiny_chroot, tiny_chroot], check=True)
    try:
        cli.ok("on", "-d", tiny_chroot)
        cli.ok("off", "-d", tiny_chroot)
        assert targets(tiny_chroot) == [""]
        done = cli("delete", "--yes", "-d", tiny_chroot)
        assert done.returncode == 1
        assert (tiny_chroot / "bin/sh").exists()
    finally:
        subprocess.run(["umount", tiny_chroot], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["with space", "new\nline", "e\x1b[31mred", "[red]x", "b\\s#h", "wide字", b"\xff\xfe"]
)
def test_any_name(cli: Cli, tiny_chroot: Path, name: str | bytes) -> None:
    odd = tiny_chroot.parent / os.fsdecode(name)
    tiny_chroot.rename(odd)
    try:
        cli.ok("on", "-d", odd)
        shown = cli("list", "--base", odd.parent)
        assert "\x1b" not in shown.stdout
        assert len(shown.stdout.splitlines()) == 2
        (one,) = cli.json("list", "--base", odd.parent)
        assert one["name"] == odd.name
        assert one["state"] == "on"
        cli.ok("off", "-d", odd)
        assert mounts_below(odd.parent) == []
    finally:
        odd.rename(tiny_chroot)


@pytest.mark.slow
def test_dry_run_says_it_all_and_does_nothing(cli: Cli, tiny_chroot: Path) -> None:
    said = cli.ok("on", "--dry-run", "-d", tiny_chroot)
    assert "bind /proc on /proc (private)" in said.splitlines()
    assert targets(tiny_chroot) == []
    plan = cli.json("on", "--dry-run", "-d", tiny_chroot)
    assert {"mount"} <= {step["step"] for step in plan["steps"]}
    done = cli.events("on", "-d", tiny_chroot)
    assert [e["step"] for e in done if e["event"] == "step"] == [
        step["description"] for step in plan["steps"]
    ]
    assert done[-1]["event"] == "done"
    before = targets(tiny_chroot)
    assert len(cli.json("off", "--dry-run", "-d", tiny_chroot)["steps"]) == len(before)
    assert targets(tiny_chroot) == before


def sleeper(root: Path, script: str) -> Program:
    """Start a shell inside, wait until it says that it is where it wants to be."""
    process = Program(
        ["chroot", root, "/bin/sh", "-c", f"{script}; echo ready; sleep 100 & wait; wait"],
        stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert next_line(process) == b"ready\n"
    return process


@pytest.mark.slow
def test_who_is_inside_is_named_and_kept(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    with sleeper(tiny_chroot, "cd /tmp") as process:
        before = targets(tiny_chroot)
        done = cli("off", "-d", tiny_chroot)
        assert done.returncode == 4
        assert str(process.pid) in done.stderr
        assert "cwd" in done.stderr
        assert targets(tiny_chroot) == before
        status = cli.json("status", "-d", tiny_chroot)
        assert process.pid in [one["pid"] for one in status["processes"]]
        cli.ok("off", "--kill", "-d", tiny_chroot)
        assert process.wait(PATIENCE) == -signal.SIGTERM
    assert targets(tiny_chroot) == []


@pytest.mark.slow
def test_who_ignores_term_is_killed(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    with sleeper(tiny_chroot, "trap '' TERM") as process:
        cli.ok("off", "--kill", "--timeout", "0.3", "-d", tiny_chroot)
        assert process.wait(PATIENCE) == -signal.SIGKILL
    assert targets(tiny_chroot) == []


@pytest.mark.slow
def test_a_host_process_that_holds_a_mount_by_its_cwd(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    with Program(["sleep", "100"], cwd=tiny_chroot / "tmp") as process:
        done = cli("off", "-d", tiny_chroot)
        assert done.returncode == 4
        assert f"{process.pid} " in done.stderr
        events = [
            json.loads(line) for line in cli("off", "--json", "-d", tiny_chroot).stdout.splitlines()
        ]
        assert events[-1]["event"] == "error"
        assert events[-1]["code"] == 4
        assert events[-1]["holders"][0]["pid"] == process.pid
        cli.ok("off", "--lazy", "-d", tiny_chroot)
        assert targets(tiny_chroot) == []
        process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("kill", [("--kill",), ()])
def test_ones_own_shell_is_not_killed(cli: Cli, tiny_chroot: Path, kill: tuple[str, ...]) -> None:
    cli.ok("on", "-d", tiny_chroot)
    argv = [os.fsdecode(a) if isinstance(a, bytes) else str(a) for a in
            cli.argv("off", *kill, "-d", tiny_chroot)]  # fmt: skip
    done = subprocess.run(
        ["sh", "-c", '"$@"; echo "code $?"', "sh", *argv],
        cwd=tiny_chroot / "tmp", capture_output=True, text=True, env=cli.environment(), check=True,
    )  # fmt: skip
    assert "code 4" in done.stdout
    assert done.stderr.splitlines()[-1] == "hint: leave it first: cd /"
    assert "/tmp" in targets(tiny_chroot)


@pytest.mark.parametrize(("script", "warns"), [("exit 0", False), ("exit 3", True), (None, False)])
def test_off_runs_stop_first(cli: Cli, tiny_chroot: Path, script: str | None, warns: bool) -> None:
    cli.ok("on", "-d", tiny_chroot)
    if script is None:
        (tiny_chroot / "chroot.d/chroot-cmd").unlink()
    else:
        stop = tiny_chroot / "chroot.d/stop"
        stop.write_text(f"#!/bin/sh\nls /proc/self > /stopped; echo said; {script}\n")
        stop.chmod(0o755)
    done = cli("off", "-d", tiny_chroot)
    assert done.returncode == 0
    assert ("exit code 3" in done.stderr) == warns
    assert (tiny_chroot / "stopped").exists() == (script is not None)
    assert targets(tiny_chroot) == []


@pytest.mark.parametrize(
    ("head", "mode", "says"),
    [
        ("#!/no/such", 0o755, "needs '/no/such', which does not exist"),
        ("#!/bin/sh", 0o644, "is not executable"),
        ("hello", 0o755, "has no #! line"),
    ],
)
def test_off_warns_where_stop_cannot_be_started(
    cli: Cli, tiny_chroot: Path, head: str, mode: int, says: str
) -> None:
    cli.ok("on", "-d", tiny_chroot)
    command = tiny_chroot / "chroot.d/chroot-cmd"
    command.write_text(f"{head}\n")
    command.chmod(mode)
    done = cli("off", "-d", tiny_chroot)
    warning, hint, rest = done.stderr.split("\n", 2)
    assert (done.returncode, targets(tiny_chroot)) == (0, [])
    assert warning.startswith("warning: stop could not be run: /chroot.d/chroot-cmd")
    assert (says in warning, hint.startswith("hint: ")) == (True, True)
    assert "chroot-tool:" not in rest


@pytest.mark.slow
def test_interrupted_while_stop_runs(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    before = targets(tiny_chroot)
    stop = tiny_chroot / "chroot.d/stop"
    stop.write_text("#!/bin/sh\ntouch /begun\nexec sleep 100\n")
    stop.chmod(0o755)
    with cli.start("off", "-d", tiny_chroot, stderr=subprocess.PIPE) as process:
        wait_until((tiny_chroot / "begun").exists, process)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=PATIENCE)[1].decode()
    assert process.returncode == 130
    assert said == "chroot-tool: interrupted while `stop` ran; nothing was unmounted\n"
    assert targets(tiny_chroot) == before


def test_off_without_stop(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    stop = tiny_chroot / "chroot.d/stop"
    stop.write_text("#!/bin/sh\ntouch /stopped\n")
    stop.chmod(0o755)
    cli.ok("off", "-S", "-d", tiny_chroot)
    assert not (tiny_chroot / "stopped").exists()


@pytest.mark.slow
def test_another_chroot_tool_at_work(cli: Cli, tiny_chroot: Path) -> None:
    fd = os.open(tiny_chroot, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        done = cli("on", "-d", tiny_chroot)
        assert done.returncode == 4
        assert str(os.getpid()) in done.stderr
    finally:
        os.close(fd)


@pytest.mark.slow
def test_the_hosts_own_directories_are_refused(cli: Cli, tmp_path: Path) -> None:
    for place in ("/", "/home", "/usr", tmp_path):
        done = cli("off", "-d", place)
        assert done.returncode == 1, place
        assert "hint:" in done.stderr
    assert cli("off", "-d", tmp_path / "nowhere").returncode == 1


@pytest.mark.slow
def test_create_is_the_way_out_only_where_it_would_begin(cli: Cli, tmp_path: Path) -> None:
    empty, full, broken = (tmp_path / name for name in ("empty", "full", "broken"))
    for path in (empty, full / "photos", broken / "chroot.d"):
        path.mkdir(parents=True)

    def hint(path: Path) -> str:
        done = cli("on", "-d", path)
        assert done.returncode == 1
        return done.stderr.splitlines()[-1]

    assert hint(empty) == f"hint: make one: chroot-tool create -d {empty}"
    assert hint(full) == "hint: see `chroot-tool list`, or name a chroot with -d"
    assert hint(broken) == f"hint: make one: chroot-tool create -d {broken}"
    (broken / "photos").mkdir()
    way_out = f"move all but chroot.d/ away, then chroot-tool create -d {broken}"
    assert hint(broken) == f"hint: {way_out}"
    assert cli.json("status", "-d", broken)["problems"][0]["hint"] == way_out


@pytest.mark.slow
def test_killed_at_any_moment_it_can_be_mended(cli: Cli, tiny_chroot: Path) -> None:
    configure(tiny_chroot, "\n".join(f"tgt:/m/{i} fs:tmpfs" for i in range(150)))
    for delay in (0.06, 0.08, 0.1, 0.12, 0.15):
        process = cli.start("on", "-d", tiny_chroot)
        time.sleep(delay)
        process.kill()
        process.wait(PATIENCE)
        assert state(cli, tiny_chroot) in ("off", "partial", "on")
        cli.ok("on", "-d", tiny_chroot)
        assert state(cli, tiny_chroot) == "on"
        process = cli.start("off", "-S", "-d", tiny_chroot)
        time.sleep(delay)
        process.kill()
        process.wait(PATIENCE)
        cli.ok("off", "-S", "-d", tiny_chroot)
        assert targets(tiny_chroot) == []


def test_interrupted_on_takes_back(cli: Cli, tiny_chroot: Path) -> None:
    configure(tiny_chroot, "\n".join(f"tgt:/m/{i} fs:tmpfs" for i in range(400)))
    process = cli.start("on", "-d", tiny_chroot, stderr=subprocess.PIPE)
    wait_until(lambda: targets(tiny_chroot) or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=PATIENCE)[1].decode().splitlines()[-1:]
    # It may have been done already: then it is on, else nothing of it is left.
    assert (process.returncode, targets(tiny_chroot) == [], said) in (
        (130, True, ["chroot-tool: interrupted; what it had done is taken back"]),
        (0, False, [f"{tiny_chroot}: on"]),
    )


@pytest.mark.slow
def test_more_binds_on_the_command_line(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    cli.ok("on", "-d", tiny_chroot, "-b", f"{data}:/data:ro", "-b", "tgt:/sys ignore:yes")
    there = targets(tiny_chroot)
    assert "/data" in there
    assert "/sys" not in there
    found = {m["target"]: m for m in cli.json("status", "-d", tiny_chroot)["mounts"]}
    assert found["/data"]["state"] == "foreign"
    assert found["/data"]["reason"] == "not in the configuration"
    configure(tiny_chroot, "bogus")
    unread = cli.json("status", "-d", tiny_chroot)
    assert unread["state"] == "broken"
    assert {m["reason"] for m in unread["mounts"]} == {"the configuration can't be read"}
    configure(tiny_chroot, "")
    missing = cli("on", "-d", tiny_chroot, "-b", f"{data}/none:/none")
    assert missing.stderr.splitlines() == [
        f"chroot-tool: {data}/none, wanted at /none, does not exist",
        "hint: make it; nothing is made on the host",
    ]


@pytest.mark.slow
def test_another_configuration_directory(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "tool.conf").write_text("[bind]\ntgt:/elsewhere fs:tmpfs\n")
    cli.ok("on", "-d", tiny_chroot, "-c", other)
    assert "/elsewhere" in targets(tiny_chroot)
    done = cli("on", "-d", tiny_chroot, "-c", tmp_path / "nowhere")
    assert done.returncode == 3


def test_every_configuration_error_is_told_at_once(cli: Cli, tiny_chroot: Path) -> None:
    configure(tiny_chroot, "tgt:a\nbogus\ntgt:/x/..")
    (tiny_chroot / "chroot.d/chroot.toml").write_text('[sistem]\ndev = "host"\n')
    done = cli("on", "-d", tiny_chroot)
    assert done.returncode == 3
    for expected in ("tool.conf:2", "tool.conf:3", "tool.conf:4", "chroot.toml:1", "system"):
        assert expected in done.stderr
    assert targets(tiny_chroot) == []


@pytest.mark.slow
def test_without_privilege(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    let_in(tmp_path)
    argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [*argv, *(os.fsdecode(a) for a in cli.argv(*words))]
        return subprocess.run(
            command, capture_output=True, text=True, env=cli.environment(), check=False
        )

    done = call("on", "-d", str(tiny_chroot))
    assert done.returncode == 5, done.stderr
    assert done.stderr.endswith("\nhint: run as root\n")
    assert targets(tiny_chroot) == []
    seen = call("status", "--json", "-d", str(tiny_chroot))
    assert json.loads(seen.stdout)["state"] == "off"
    assert call("run", "/bin/true", "-d", str(tiny_chroot)).returncode == 125
    assert call("off", "-d", str(tiny_chroot)).returncode == 0
    cli.ok("on", "-d", tiny_chroot)
    before = targets(tiny_chroot)
    for words in (["off"], ["off", "-S", "--lazy"], ["delete", "--yes"]):
        done = call(*words, "-d", str(tiny_chroot))
        assert done.returncode == 5
        assert done.stderr.splitlines() == [
            f"chroot-tool: switching {tiny_chroot} off needs root",
            "hint: run as root",
        ]
    assert call("off", "--dry-run", "-d", str(tiny_chroot)).returncode == 0
    assert targets(tiny_chroot) == before
    # Which differ in what is said before, not in what to do about it.
    for words in (["run", "/bin/true"], ["create"]):
        assert call(*words, "-d", str(tiny_chroot)).stderr.endswith("\nhint: run as root\n")
