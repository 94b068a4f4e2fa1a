"""Throw-away sessions, `run -x`: what they are, what they may write, what they do not touch."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.core.kernel.mount_table import MountTable
from support import PATIENCE, Cli, mounts_below, next_line
from support.session_traces import Start, host_table, run, sessions, starter, tree

pytestmark = pytest.mark.root


@pytest.fixture
def start(tiny_chroot: Path, cli: Cli) -> Iterator[Start]:
    with starter(cli, tiny_chroot) as begin:
        yield begin


# -- what a session is


def test_what_changes_in_it_is_gone_afterwards(cli: Cli, tiny_chroot: Path) -> None:
    before, mounts = tree(tiny_chroot), host_table()
    script = """
        echo new >/new; echo changed >/etc/os-release; mkdir -p /srv/a/b; : >/home/app/x
        cat /new /etc/os-release; exit 3
    """
    done = run(cli, tiny_chroot, script)
    assert (done.returncode, done.stdout, done.stderr) == (3, "new\nchanged\n", "")
    assert tree(tiny_chroot) == before
    assert host_table() == mounts
    assert not sessions(tiny_chroot)


@pytest.mark.slow
def test_everything_of_run_holds_in_it(cli: Cli, tiny_chroot: Path) -> None:
    script = 'id -u; id -g; echo "$PWD $HOME $USER $KEY"; read x; echo "<$x>"; echo e >&2; exit 7'
    options = ("-u", "app", "-w", "/home", "-e", "KEY=v")
    done = cli(
        "run", *options, "-xd", tiny_chroot, "--", "/bin/sh", "-c", script, stdin="said\n"
    )  # fmt: skip
    assert done.returncode == 7
    assert done.stdout.splitlines() == ["1000", "1000", "/home /home/app app v", "<said>"]
    assert done.stderr == "e\n"
    assert run(cli, tiny_chroot, 'echo "$debian_chroot"').stdout == "tiny -x\n"
    assert cli("run", "-x", "no-such", "-d", tiny_chroot).returncode == 127
    assert cli("run", "--ephemeral", "-d", tiny_chroot, "--", "sh", "-c", "kill -TERM $$")
    (tiny_chroot / "chroot.d/hello").write_text('#!/bin/sh\necho "hello $1"\n')
    (tiny_chroot / "chroot.d/hello").chmod(0o755)
    assert cli.ok("run", "-x", "hello you", "-d", tiny_chroot) == "hello you\n"


def test_it_has_the_mounts_of_the_chroot_and_no_others(cli: Cli, tiny_chroot: Path) -> None:
    cli.ok("on", "-d", tiny_chroot)
    (tiny_chroot / "tmp/outside").touch()
    configured = {point.removeprefix(str(tiny_chroot)) for point in mounts_below(tiny_chroot)}
    done = run(cli, tiny_chroot, "ls /tmp; : >/tmp/inside; cat /proc/self/mountinfo")
    table = MountTable.parse(done.stdout.encode())
    assert {entry.target for entry in table.entries} == configured | {"/"}
    assert {entry.propagation for entry in table.entries} == {"private"}
    assert os.listdir(tiny_chroot / "tmp") == ["outside"]
    own = {table.at(target)[-1].device for target in ("/proc", "/tmp", "/run", "/dev", "/dev/pts")}
    assert not own & {entry.device for entry in MountTable.read().entries}


def test_it_sees_no_process_and_no_name_of_the_hosts(cli: Cli, tiny_chroot: Path) -> None:
    name = Path("/proc/sys/kernel/hostname").read_text()
    script = f"""
        echo $$; ls -d /proc/[0-9]*; test -e /proc/{os.getpid()} && echo seen
        echo thrown-away >/proc/sys/kernel/hostname; cat /proc/sys/kernel/hostname
    """
    said = run(cli, tiny_chroot, script).stdout.splitlines()
    assert int(said[0]) < 10
    assert said[1] == "/proc/1"
    assert len(said) < 8
    assert "seen" not in said
    assert said[-1] == "thrown-away"
    assert Path("/proc/sys/kernel/hostname").read_text() == name


def test_there_is_no_way_out_by_the_old_root(cli: Cli, tiny_chroot: Path) -> None:
    done = run(cli, tiny_chroot, "ls -d /../../../../proc/1/root/chroot.d; cat /proc/1/mountinfo")
    assert done.stdout.startswith("/../../../../proc/1/root/chroot.d\n")
    assert len(done.stdout.splitlines()) < 15


def test_a_directory_of_the_chroot_can_be_renamed(cli: Cli, tiny_chroot: Path) -> None:
    code = "import os; os.rename('/home/app', '/home/other')"
    script = f"exec {sys.executable} -c {shlex.quote(code)}"
    binds = [f"src:{path} tgt:{path}" for path in {sys.prefix, sys.base_prefix, "/usr", "/lib"}]
    (tiny_chroot / "usr/bin").unlink()
    (tiny_chroot / "chroot.d/tool.conf").write_text("[bind]\n" + "\n".join(binds) + "\n")
    done = run(cli, tiny_chroot, script)
    assert done.returncode == 0, done.stderr
    assert (tiny_chroot / "home/app").is_dir()


def test_its_root_looks_like_the_chroots(cli: Cli, tiny_chroot: Path) -> None:
    tiny_chroot.chmod(0o711)
    os.chown(tiny_chroot, 7, 8)
    said = run(cli, tiny_chroot, "ls -lnd /").stdout
    assert re.match(r"drwx--x--x\S* +\d+ 7 8 ", said)


def test_flags_of_the_mount_below_hold_in_it(cli: Cli, tiny_chroot: Path) -> None:
    subprocess.run(["mount", "--bind", tiny_chroot, tiny_chroot], check=True)
    try:
        options = "remount,bind,nosuid,nodev,ro"
        subprocess.run(["mount", "-o", options, tiny_chroot], check=True)
        done = run(cli, tiny_chroot, ": >/new; cat /proc/self/mountinfo")
        root = MountTable.parse(done.stdout.encode()).at("/")[-1]
        assert {"rw", "nosuid", "nodev"} <= set(root.options)
    finally:
        subprocess.run(["umount", tiny_chroot], check=True)


def test_stop_is_not_run_and_host_cmd_knows(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    scripts = {
        "stop": "#!/bin/sh\n: >/marks/stopped\n",
        "host-cmd": f'#!/bin/sh\necho "$* $CHROOT_TOOL_EPHEMERAL" >>{marks}/host\n',
    }
    for name, text in scripts.items():
        (tiny_chroot / "chroot.d" / name).write_text(text)
        (tiny_chroot / "chroot.d" / name).chmod(0o755)
    (tiny_chroot / "chroot.d/tool.conf").write_text(f"[bind]\nsrc:{marks} tgt:/marks\n")
    cli.ok("run", "-x", "/bin/true", "-d", tiny_chroot)
    assert [(path.name, path.read_text()) for path in marks.iterdir()] == [
        ("host", "/bin/true 1\n")
    ]


def test_binds_are_the_hosts_all_the_same(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    binds = f"[bind]\nsrc:{data} tgt:/data\nsrc:{data} tgt:/data-ro fs:bind-ro\n"
    (tiny_chroot / "chroot.d/tool.conf").write_text(binds)
    done = run(cli, tiny_chroot, ": >/data/written; : >/data-ro/not")
    assert done.returncode != 0
    assert os.listdir(data) == ["written"]
    assert not (tiny_chroot / "data").exists()


def test_a_copied_resolv_conf_is_not_written_below(cli: Cli, tiny_chroot: Path) -> None:
    (tiny_chroot / "chroot.d/chroot.toml").write_text('[system]\nresolv = "copy"\n')
    before = tree(tiny_chroot)
    assert run(cli, tiny_chroot, "cat /etc/resolv.conf").stdout == (
        Path("/etc/resolv.conf").read_text()
    )
    assert tree(tiny_chroot) == before


@pytest.mark.slow
def test_many_at_once_have_their_own(start: Start) -> None:
    script = "echo $0 >/mine; echo up; while [ ! -e /tmp/go ]; do sleep 0.02; done; cat /mine"
    running = [start(script.replace("$0", str(number))) for number in range(8)]
    assert [next_line(process) for process in running] == [b"up\n"] * 8
    for process in running:
        process.terminate()
    assert [process.wait(PATIENCE) for process in running] == [143] * 8
    again = [start(f"echo {number} >/mine; sleep 0.2; cat /mine") for number in range(8)]
    assert [next_line(process) for process in again] == [b"%d\n" % number for number in range(8)]
    assert [process.wait(PATIENCE) for process in again] == [0] * 8


# -- how much it may write


def test_what_it_writes_is_bounded(cli: Cli, tiny_chroot: Path) -> None:
    script = "dd if=/dev/zero of=/big bs=1M count=2048 2>&1; wc -c </big; echo x >/etc/other"
    done = run(cli, tiny_chroot, script, "--size", "24M")
    written = int(done.stdout.splitlines()[-1])
    assert "No space left on device" in done.stdout
    assert 20 << 20 < written <= 24 << 20
    assert "the session was full: it had 24M of memory" in done.stderr
    assert "--size" in done.stderr
    assert run(cli, tiny_chroot, "exit 0").stderr == ""


@pytest.mark.parametrize("size", ["0", "lots", "", "-1", "4Q", "%"])
def test_what_is_no_size(cli: Cli, tiny_chroot: Path, size: str) -> None:
    done = run(cli, tiny_chroot, "exit 0", f"--size={size}")
    if size:
        assert done.returncode == 125
        assert f"{size!r} is no size" in done.stderr
    else:
        assert done.returncode == 0
