"""Throw-away sessions, `run -x` and `shell -x`: that nothing of them is left, whatever happens."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chroot_tool.core.kernel.mount_table import MountTable
from outer import PROMPT, Bash
from support import CHECKOUT, IN_CHROOT, Cli, mounts_below, read_mounts, wait_until

pytestmark = pytest.mark.root

Start = Callable[..., "subprocess.Popen[bytes]"]


def sessions(root: Path) -> dict[int, str]:
    """Every process in a session on *root*, by the mount table that it has: pid and program."""
    found = {}
    mark = b" / / rw,", b" - overlay %s " % os.fsencode(root)
    for entry in Path("/proc").iterdir():
        with suppress(OSError):  # it ended meanwhile
            if entry.name.isdecimal() and all(
                part in (entry / "mountinfo").read_bytes() for part in mark
            ):
                found[int(entry.name)] = os.path.basename(os.readlink(entry / "exe"))
    return found


def tree(root: Path) -> dict[str, tuple[int, ...]]:
    """What is in a directory, without what is mounted there."""
    found: dict[str, tuple[int, ...]] = {}
    for path in (root, *root.rglob("*")):
        there = path.lstat()
        if there.st_dev == root.stat().st_dev:
            facts = (there.st_mode, there.st_uid, there.st_size, there.st_mtime_ns, there.st_ino)
            found[str(path)] = facts
    return found


def host_table() -> list[str]:
    return [mount.line for mount in read_mounts().values()]


@pytest.fixture
def start(tiny_chroot: Path, cli: Cli) -> Iterator[Start]:
    """Start a script in a session, with pipes; whatever of it is left at the end fails."""
    before: dict[str, tuple[int, ...]] = {}
    mounts: list[str] = []
    started: list[subprocess.Popen[bytes]] = []

    def begin(script: str, *options: str | Path) -> subprocess.Popen[bytes]:
        if not started:
            before.update(tree(tiny_chroot))
            mounts.extend(host_table())
        argv = ("run", "-x", "-d", tiny_chroot, *options, "--", "/bin/sh", "-c", script)
        process = cli.start(
            *argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()
    wait_until(lambda: not sessions(tiny_chroot))
    assert tree(tiny_chroot) == before
    assert host_table() == mounts


def line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode()


def run(cli: Cli, root: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    return cli("run", "-x", "-d", root, *options, "--", "/bin/sh", "-c", script)


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


def test_many_at_once_have_their_own(start: Start) -> None:
    script = "echo $0 >/mine; echo up; while [ ! -e /tmp/go ]; do sleep 0.02; done; cat /mine"
    running = [start(script.replace("$0", str(number))) for number in range(8)]
    assert [line(process) for process in running] == ["up\n"] * 8
    for process in running:
        process.terminate()
    assert [process.wait(20) for process in running] == [143] * 8
    again = [start(f"echo {number} >/mine; sleep 0.2; cat /mine") for number in range(8)]
    assert [line(process) for process in again] == [f"{number}\n" for number in range(8)]
    assert [process.wait(20) for process in again] == [0] * 8


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


# -- nothing is left, whatever happens


LEFT = "sleep 1000 >/dev/null 2>&1 & (sleep 1001 >/dev/null 2>&1 &); "
"""What the command leaves running: a child of its own, and one that nobody is the parent of."""


@pytest.mark.parametrize("ending", ["exit 0", "exit 4", "kill -KILL $$", "exec no-such"])
def test_what_the_command_leaves_running_ends_with_it(
    start: Start, tiny_chroot: Path, ending: str
) -> None:
    process = start(LEFT + ending)
    process.wait(20)
    assert process.returncode == {"exit 0": 0, "exit 4": 4, "kill -KILL $$": 137}.get(ending, 127)
    assert not sessions(tiny_chroot)  # at once: nobody has to wait for it


def test_it_is_asked_to_end_first(start: Start, tmp_path: Path, tiny_chroot: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    config = tmp_path / "config"
    config.mkdir()
    (config / "tool.conf").write_text(f"[bind]\nsrc:{data} tgt:/data\n")
    script = """
        exec 2>/dev/null
        (trap ': >/data/saved; exit' TERM; : >/data/up; while :; do sleep 0.02; done) >&2 &
        while [ ! -e /data/up ]; do sleep 0.02; done
    """
    assert start(script, "-c", config).wait(20) == 0
    assert (data / "saved").exists()


def test_who_does_not_end_is_killed(start: Start) -> None:
    loop = "trap '' TERM HUP; : >/tmp/up; while :; do sleep 0.02; done"
    process = start(f"({loop}) >/dev/null 2>&1 & while [ ! -e /tmp/up ]; do sleep 0.02; done")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b"ending what was left running" in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_all_of_it(start: Start, number: signal.Signals) -> None:
    process = start(LEFT + "echo up; exec sleep 1002")
    assert line(process) == "up\n"
    process.send_signal(number)
    assert process.wait(20) == 128 + number


@pytest.mark.parametrize("victim", ["tool", "first", "command"])
def test_kill_9_of_any_process_of_ours_ends_all(
    start: Start, tiny_chroot: Path, victim: str
) -> None:
    process = start(LEFT + "echo up; exec sleep 1002")
    assert line(process) == "up\n"
    wait_until(lambda: len([p for p in sessions(tiny_chroot).values() if p == "sleep"]) == 3)
    found = sessions(tiny_chroot)
    first = next(pid for pid, program in found.items() if program.startswith("python"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    command = next(int(pid) for pid in children if int(pid) != first)
    os.kill({"tool": process.pid, "first": first, "command": command}[victim], signal.SIGKILL)
    assert process.wait(20) == (-9 if victim == "tool" else 137)
    wait_until(lambda: not sessions(tiny_chroot))


def test_kill_9_at_any_moment(start: Start, tiny_chroot: Path) -> None:
    chance = random.Random(7)
    for _ in range(40):
        process = start(LEFT + "exec sleep 1002")
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, 0.12))
        process.kill()
        process.wait()
        wait_until(lambda: not sessions(tiny_chroot))


def test_nothing_is_mounted_on_the_host_even_where_all_is_shared(
    cli: Cli, tiny_chroot: Path
) -> None:
    line = shlex.join(map(str, cli.argv("run", "-xd", tiny_chroot, "--", "sh", "-c", "read x")))
    script = f"""
        mount --make-rshared / 2>/dev/null || mount --make-rshared /proc
        cat /proc/self/mountinfo
        mkfifo {tiny_chroot}/../fifo
        {line} <{tiny_chroot}/../fifo &
        exec 9>{tiny_chroot}/../fifo
        until grep -q ' - overlay {tiny_chroot} ' /proc/[0-9]*/mountinfo; do sleep 0.05; done
        cat /proc/self/mountinfo
        exec 9>&-; wait
        cat /proc/self/mountinfo
    """
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "unchanged", "sh", "-ec", script],
        env=cli.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    lines = [text for text in done.stdout.splitlines() if "binfmt_misc" not in text]
    assert len(lines) > 6, done.stderr
    third = len(lines) // 3
    assert lines[:third] == lines[third : 2 * third] == lines[2 * third :]


# -- the chroot below


def test_the_chroot_below_is_switched_while_sessions_run(
    start: Start, cli: Cli, tiny_chroot: Path
) -> None:
    for verb in ("on", "off"):  # makes what is missing below, once
        cli.ok(verb, "-d", tiny_chroot)
    process = start("echo up; exec sleep 1000")
    assert line(process) == "up\n"
    for verb in ("on", "off", "on", "off"):
        cli.ok(verb, "-d", tiny_chroot)
        status = cli.json("status", "-d", tiny_chroot)
        assert status["state"] == verb
        assert status["processes"] == []
    assert process.poll() is None
    cli.ok("on", "-d", tiny_chroot)
    other = start("echo up; sleep 1000")
    assert line(other) == "up\n"
    mounts = mounts_below(tiny_chroot)
    other.terminate()
    assert other.wait(20) == 143
    assert mounts_below(tiny_chroot) == mounts
    cli.ok("off", "-d", tiny_chroot)
    assert process.poll() is None


def test_it_is_not_waited_for(cli: Cli, tiny_chroot: Path) -> None:
    import fcntl

    fd = os.open(tiny_chroot, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)  # as a long `off --kill` has it
        assert run(cli, tiny_chroot, "exit 3").returncode == 3
    finally:
        os.close(fd)


def test_delete_refuses_while_a_session_works_on_it(
    start: Start, cli: Cli, tiny_chroot: Path
) -> None:
    process = start("echo up; exec sleep 1000")
    assert line(process) == "up\n"
    done = cli("delete", "--yes", "-d", tiny_chroot)
    assert done.returncode == 4
    assert f"a throw-away session works on {tiny_chroot} (process {process.pid})" in done.stderr
    assert (tiny_chroot / "bin/sh").exists()
    process.terminate()
    process.wait(20)
    copy = tiny_chroot.parent / "copy"
    shutil.copytree(tiny_chroot, copy, symlinks=True)
    assert run(cli, copy, "exit 0").returncode == 0
    cli.ok("delete", "--yes", "-d", copy)


def test_a_file_changed_below_is_no_crash(start: Start, tiny_chroot: Path) -> None:
    process = start("echo up; while [ ! -e /home/go ]; do ls /home >/dev/null; sleep 0.02; done")
    assert line(process) == "up\n"
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
    for folder in (tiny_chroot, *tiny_chroot.parents):
        if folder == Path("/var/tmp"):
            break
        folder.chmod(folder.stat().st_mode | 0o055)
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


# -- on a terminal


@pytest.fixture
def bash(tiny_chroot: Path, cli: Cli) -> Iterator[Bash]:
    terminal = Bash(cli, tiny_chroot)
    yield terminal
    terminal.close()
    wait_until(lambda: not sessions(tiny_chroot))


def test_a_shell_on_a_terminal(bash: Bash, tiny_chroot: Path) -> None:
    bash.start("r -x -- sh -c 'trap \"\" INT; tty; stty size; echo x >/new; read y; echo got $y'")
    bash.wait_for(r"/dev/pts/0\r\n30 90\r\n")
    bash.resize(41, 123)
    bash.type("\x03said\n")
    bash.wait_for("got said")
    assert bash.code() == 0
    assert bash.modes() == bash.before
    assert not (tiny_chroot / "new").exists()


def test_ctrl_c_and_ctrl_z(bash: Bash) -> None:
    bash.start("r -x sleep 1000")
    wait_until(bash.is_raw)
    bash.type("\x1a")
    bash.wait_for("Stopped")
    bash.wait_for(re.escape(PROMPT))
    bash.start("fg")
    wait_until(bash.is_raw)
    bash.type("\x03")
    assert bash.code() == 130


def test_a_bind_that_can_be_written_is_named(bash: Bash, tiny_chroot: Path, tmp_path: Path) -> None:
    binds = f"[bind]\nsrc:{tmp_path} tgt:/data\nsrc:{tmp_path} tgt:/data-ro fs:bind-ro\n"
    (tiny_chroot / "chroot.d/tool.conf").write_text(binds)
    bash.start("r -x true")
    bash.wait_for(r"what is changed in /data is changed on the host")
    assert bash.code() == 0


@pytest.mark.parametrize("whom", ["tool", "terminal"])
def test_a_terminal_that_goes_takes_the_session_along(
    bash: Bash, tiny_chroot: Path, whom: str
) -> None:
    bash.start("r -x -- sh -c 'trap \"\" HUP; echo up; while :; do sleep 0.02; done'")
    bash.wait_for("up")
    if whom == "terminal":
        bash.hang_up()
    else:
        tool = Path(f"/proc/{bash.pid}/task/{bash.pid}/children").read_text().split()[0]
        os.kill(int(tool), signal.SIGKILL)
    wait_until(lambda: not sessions(tiny_chroot))


# -- in a chroot


@pytest.mark.skipif(IN_CHROOT, reason="this is one already")
def test_in_a_plain_chroot(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    """The tool's own root is no mount point there."""
    nest = tmp_path / "nest"
    nest.mkdir()
    places = " ".join(f"usr lib lib64 bin sbin etc var {CHECKOUT} {sys.base_prefix}".split())
    script = f"""
        cd {nest}
        for place in {places}; do
            place=${{place#/}}
            [ -e /$place ] || continue
            mkdir -p $place
            mount --bind /$place $place
        done
        mkdir -p proc sys tmp dev
        mount --rbind /dev dev; mount -t proc proc proc; mount -t sysfs sysfs sys
        exec chroot . sh -c 'wc -l </proc/self/mountinfo
            {shlex.join(map(str, cli.argv("run", "-xd", tiny_chroot, "--", "sh", "-c")))} "
                cat /proc/self/mountinfo; ls /proc; : >/new"
            wc -l </proc/self/mountinfo'
    """
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", script], env=cli.environment(),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == said[-1]
    assert f" / / rw,relatime - overlay {tiny_chroot} " in done.stdout
    assert not (tiny_chroot / "new").exists()
