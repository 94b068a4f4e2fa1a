"""Who lives in a root, and the facts about them: real processes in real roots."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from chroot_tool.core.errors import ChrootError, PrivilegeError
from chroot_tool.core.kernel.pidfd import open_process, send
from chroot_tool.core.kernel.process_files import disk_bytes
from chroot_tool.core.processes import residents
from chroot_tool.core.processes.residents import Sampler, pids_by_root
from support import CHECKOUT, IN_CHROOT, PATIENCE, next_line, wait_until
from support.served import Served

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a program that says a line when it is ready; all are killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*words: str | Path, **options: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, **options)  # type: ignore[call-overload]
        started.append(process)
        assert next_line(process) == b"ready\n"
        return process  # type: ignore[no-any-return]

    yield run
    for process in started:
        process.kill()
        process.communicate(timeout=PATIENCE)


@pytest.fixture
def root(tiny_template: Path, tmp_path: Path) -> Path:
    """A root of the test's own that nothing is mounted in."""
    return Path(shutil.copytree(tiny_template, tmp_path / "deb", symlinks=True))


SLEEP = "echo ready; exec sleep 1000"
CHROOT = "import os, sys; os.chroot(sys.argv[1]); print('ready', flush=True); input()"


def identity(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def living_in(*roots: Path) -> list[tuple[int, ...]]:
    found = pids_by_root({str(path): identity(path) for path in roots})
    assert list(found) == [str(path) for path in roots]
    return list(found.values())


# -- who lives where -------------------------------------------------------------------------------


@pytest.mark.root
def test_who_lives_in_a_root(root: Path, start: Start) -> None:
    assert living_in(root) == [()]
    one = start("chroot", root, "/bin/sh", "-c", SLEEP)
    two = start("chroot", root, "/bin/sh", "-c", SLEEP)
    assert living_in(root) == [tuple(sorted((one.pid, two.pid)))]


@pytest.mark.root
def test_a_root_whose_name_begins_alike_is_another(root: Path, start: Start) -> None:
    other = root.with_name(root.name + "2")
    shutil.copytree(root, other, symlinks=True)
    process = start("chroot", other, "/bin/sh", "-c", SLEEP)
    assert living_in(root, other) == [(), (process.pid,)]


@pytest.mark.root
def test_who_went_further_down_lives_in_both(root: Path, start: Start) -> None:
    """A daemon that chroots, or a chroot within a chroot."""
    inner = root / "srv/inner"
    shutil.copytree(root, inner, symlinks=True)
    process = start("chroot", inner, "/bin/sh", "-c", SLEEP)
    assert living_in(root, inner) == [(process.pid,), (process.pid,)]
    assert living_in(root) == [(process.pid,)]


@pytest.mark.root
def test_a_root_seen_under_another_path(root: Path, tmp_path: Path, start: Start) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "empty").mkdir()
    enter = f'mount --bind "$0" "$1"; exec {sys.executable} -c "$2" "$1/empty"'
    process = start(
        "unshare", "--mount", "--propagation", "private",
        "sh", "-c", enter, root, elsewhere, CHROOT,
        stdin=subprocess.PIPE,
    )  # fmt: skip
    assert os.readlink(f"/proc/{process.pid}/root").endswith(f"{elsewhere}/empty")
    assert living_in(root) == [(process.pid,)]


@pytest.mark.root
@pytest.mark.skipif(IN_CHROOT, reason="in a chroot, no root is that of a namespace")
def test_a_root_that_is_the_root_of_its_mount_namespace(root: Path, start: Start) -> None:
    """As containers are entered: /proc/PID/root reads "/" there."""
    pivot = 'mount --bind "$0" "$0"; cd "$0"; mkdir old; pivot_root . old; exec /bin/sh -c "$1"'
    process = start(
        "unshare", "--mount", "--propagation", "private", "sh", "-c", pivot, root, SLEEP
    )  # fmt: skip
    assert os.readlink(f"/proc/{process.pid}/root") == "/"
    assert living_in(root) == [(process.pid,)]


@pytest.mark.root
def test_a_root_that_was_deleted_below_the_process(root: Path, start: Start) -> None:
    inner = root / "var/empty"
    inner.mkdir(parents=True)
    process = start(sys.executable, "-c", CHROOT, inner, stdin=subprocess.PIPE)
    inner.rmdir()
    assert living_in(root) == [(process.pid,)]


@pytest.mark.root
def test_a_root_too_deep_for_a_path(root: Path, start: Start) -> None:
    """Who may chroot inside could hide behind PATH_MAX from a look-up by name."""
    burrow = (
        "import os, sys; os.chdir(sys.argv[1])\n"
        "for _ in range(30): os.mkdir('d' * 200); os.chdir('d' * 200)\n"
        "os.chroot('.'); print('ready', flush=True); input()"
    )
    process = start(sys.executable, "-c", burrow, root, stdin=subprocess.PIPE)
    with pytest.raises(OSError, match="too long"):
        os.readlink(f"/proc/{process.pid}/root")
    assert living_in(root) == [(process.pid,)]


def test_our_own_root_is_no_chroot() -> None:
    assert pids_by_root({"/": identity(Path("/"))}) == {"/": ()}


def test_one_directory_under_two_names() -> None:
    assert pids_by_root({"/a": (1, 1), "/b": (1, 1)}) == {"/a": (), "/b": ()}


@pytest.mark.root
def test_the_dead_are_left_out(root: Path, start: Start) -> None:
    process = start("chroot", root, "/bin/sh", "-c", "echo ready")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert living_in(root) == [()]
    assert Sampler().facts([process.pid]) == {}


@pytest.mark.root
def test_who_may_not_look_sees_nobody(root: Path, start: Start) -> None:
    start("chroot", root, "/bin/sh", "-c", SLEEP)
    look = (
        "import os, sys; sys.path[:0] = eval(sys.argv[1])\n"
        "from chroot_tool.core.processes import in_the_way, residents, uses\n"
        "import psutil, array\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "path, who = sys.argv[2], (int(sys.argv[3]), int(sys.argv[4]))\n"
        "print(residents.pids_by_root({path: who}), in_the_way.holders(path, who))"
    )
    who = map(str, identity(root))
    words = [sys.executable, "-c", look, repr(sys.path), str(root), *who]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == f"{{'{root}': ()}} ()\n"


# -- facts -----------------------------------------------------------------------------------------


def test_the_facts(start: Start) -> None:
    before = time.time()
    process = start("sh", "-c", "echo ready; read line", "a", "b c", stdin=subprocess.PIPE)
    after = time.time()
    fact = Sampler().facts([process.pid])[process.pid]
    assert fact.pid == process.pid
    assert fact.command == "sh -c echo ready; read line a b c"
    assert fact.rss > 0
    assert fact.parent == os.getpid()
    assert before - 2 < fact.started < after + 2  # the time of the boot is known to a second
    assert fact.user == subprocess.run(
        ["id", "-un"], capture_output=True, text=True, check=True
    ).stdout.strip()  # fmt: skip


@pytest.mark.root
@pytest.mark.parametrize(("uid", "name"), [(65534, "nobody"), (54321, "54321")])
def test_the_user_has_the_hosts_name_else_the_number(uid: int, name: str, start: Start) -> None:
    become = f"import os; os.setuid({uid}); print('ready', flush=True); input()"
    process = start(sys.executable, "-c", become, stdin=subprocess.PIPE)
    assert Sampler().facts([process.pid])[process.pid].user == name


RENAMED = """
import ctypes, os
os.setuid(65534)
ctypes.CDLL(None).prctl(15, b"Uid:\\t0\\t0\\t0", 0, 0, 0)
print("ready", flush=True)
input()
"""


@pytest.mark.root
def test_a_name_that_looks_like_a_line_of_status_makes_nobody_root(start: Start) -> None:
    process = start(sys.executable, "-c", RENAMED, stdin=subprocess.PIPE)
    assert Sampler().facts([process.pid])[process.pid].user == "nobody"


def test_a_command_line_without_end_is_cut(start: Start) -> None:
    """With prctl(2) it can be made a gigabyte; so can the arguments, under another limit."""
    say = "print('ready', flush=True); input()"
    process = start(sys.executable, "-c", say, *["A" * 100_000] * 10, stdin=subprocess.PIPE)
    command = Sampler().facts([process.pid])[process.pid].command
    assert 1000 < len(command) < 1 << 16
    assert command.endswith("AAA")


def test_a_command_is_kept_as_the_process_wrote_it(start: Start) -> None:
    hostile = b"\x1b[31m\n\x9b\xff[/x]"
    process = start("python3", "-c", "print('ready', flush=True); input()", hostile,
                    stdin=subprocess.PIPE)  # fmt: skip
    command = Sampler().facts([process.pid])[process.pid].command
    assert os.fsencode(command).endswith(b" " + hostile)


def test_without_arguments_it_is_the_name(start: Start) -> None:
    process = start("bash", "-c", "echo ready; exec -a '' cat", stdin=subprocess.PIPE)

    def is_cat() -> bool:  # once it has called exec
        return Sampler().facts([process.pid])[process.pid].command == "[cat]"

    wait_until(is_cat)


@pytest.mark.root
def test_who_ends_keeps_its_command(tmp_path: Path, start: Start) -> None:
    """Its memory goes first, and its command line with it; here it then waits for a server."""
    with Served(tmp_path / "far", tmp_path / "near", keeps=True) as served:
        (served.top / "file").touch()
        words = ("sh", "-c", 'exec 3<"$0"; echo ready; read line', served.point / "file")
        process = start(*words, stdin=subprocess.PIPE)
        sampler = Sampler()
        before = sampler.facts([process.pid])[process.pid]
        served.stop()
        assert process.stdin is not None
        os.write(process.stdin.fileno(), b"\n")
        wait_until(lambda: psutil.Process(process.pid).memory_info().vms == 0)
        ending = sampler.facts([process.pid])[process.pid]
        assert (ending.command, ending.rss) == (before.command, 0)
        assert Sampler().facts([process.pid])[process.pid].command == "[sh]"  # as it can be known
        served.go_on()


def test_a_pid_that_is_not_there_is_left_out() -> None:
    assert Sampler().facts([2**22 + 1, os.getpid()]).keys() == {os.getpid()}


def fields(pid: int) -> list[str]:
    """State, parent … of proc_pid_stat(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def wait_for_work(pid: int, ticks: int = 3) -> None:
    """Return when it has had the processor for a while, which on a busy machine comes late."""
    before = int(fields(pid)[11])
    wait_until(lambda: int(fields(pid)[11]) >= before + ticks)


def test_cpu_is_the_share_between_two_looks(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    idle = start("sh", "-c", SLEEP)
    idle.send_signal(signal.SIGSTOP)
    wait_until(lambda: fields(idle.pid)[0] == "T")
    busy = start("sh", "-c", "echo ready; while :; do :; done")
    sampler = Sampler()
    sampler.facts([idle.pid, busy.pid])
    began = time.monotonic()
    wait_for_work(busy.pid)
    busy.send_signal(signal.SIGSTOP)  # what it does from here on would be in no time
    wait_until(lambda: fields(busy.pid)[0] == "T")
    now = max(time.monotonic(), began + residents._SHORTEST)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    facts = sampler.facts([idle.pid, busy.pid])
    assert facts[idle.pid].cpu_percent == 0.0
    assert 0.0 < facts[busy.pid].cpu_percent < 250
    again = sampler.facts([idle.pid, busy.pid])  # too soon to tell anything new
    assert again[busy.pid].cpu_percent == facts[busy.pid].cpu_percent


def test_cpu_at_the_first_look_is_that_since_the_start(start: Start) -> None:
    busy = start("sh", "-c", "echo ready; while :; do :; done")
    wait_for_work(busy.pid)
    assert Sampler().facts([busy.pid])[busy.pid].cpu_percent > 0.0


def test_what_a_process_has_read_and_written_is_told_a_second(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = start("sh", "-c", SLEEP)
    sampler, at = Sampler(), time.monotonic()
    told = {"read": 4096, "write": 0}
    monkeypatch.setattr(residents, "disk_bytes", lambda _pid: (told["read"], told["write"]))
    monkeypatch.setattr(time, "monotonic", lambda: at)
    sampler.facts([idle.pid])
    told |= {"read": 4096 + 5000, "write": 2000}
    at += 2
    fact = sampler.facts([idle.pid])[idle.pid]
    assert (fact.read_rate, fact.write_rate) == (2500.0, 1000.0)
    told |= {"read": 0, "write": 0}  # it is another user's by now, say
    at += 2
    fact = sampler.facts([idle.pid])[idle.pid]
    assert (fact.read_rate, fact.write_rate) == (0.0, 0.0)


def test_the_kernel_tells_what_was_read_and_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(1 << 20))
    asked = psutil.Process()
    before = asked.io_counters()
    read, written = disk_bytes(os.getpid())
    after = asked.io_counters()
    assert before.read_bytes <= read <= after.read_bytes
    assert before.write_bytes <= written <= after.write_bytes
    assert disk_bytes(2**22 + 1) == (0, 0), "nobody has this pid"


def test_looking_at_one_chroot_does_not_forget_the_other(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = start("sh", "-c", SLEEP), start("sh", "-c", SLEEP)
    sampler = Sampler()
    sampler.facts([one.pid])
    sampler.facts([two.pid])
    assert len(sampler._seen) == 2
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1000)
    sampler.facts([two.pid])
    assert len(sampler._seen) == 1


USED_AGAIN = """
import os, signal, subprocess, time
from pathlib import Path
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.kernel.pidfd import send
from chroot_tool.core.processes.residents import Sampler

old = subprocess.Popen(["sh", "-c", "while :; do :; done"])
time.sleep(3)  # the start of a process is known to two seconds
while int(Path(f"/proc/{old.pid}/stat").read_text().split()[13]) < 10:
    time.sleep(0.05)
sampler = Sampler()
fact = sampler.facts([old.pid])[old.pid]
old.kill()
old.wait()
Path("/proc/sys/kernel/ns_last_pid").write_text(str(old.pid - 1))
new = subprocess.Popen(["sleep", "1000"])
assert new.pid == old.pid
seen = sampler.facts([new.pid])[new.pid]
assert seen.started > fact.started
assert fact.cpu_percent > 0.0
assert seen.cpu_percent >= 0.0  # what it has less than the other had is not counted
try:
    send(fact.pid, fact.started, signal.SIGKILL)
except ChrootError as error:
    print(error)
assert new.poll() is None
"""


@pytest.mark.slow
@pytest.mark.root
def test_a_pid_that_was_used_again_is_another_process() -> None:
    """In a pid namespace, which ends with its first process: on the host others wait for theirs."""
    done = subprocess.run(
        ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-c",
         USED_AGAIN],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / ".pkg")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"process \d+ is gone\n", done.stdout)


# -- signals ---------------------------------------------------------------------------------------


def test_send(start: Start) -> None:
    process = start("sh", "-c", SLEEP)
    fact = Sampler().facts([process.pid])[process.pid]
    send(fact.pid, fact.started, signal.SIGTERM)
    assert process.wait(PATIENCE) == -signal.SIGTERM
    with pytest.raises(ChrootError, match="is gone"):
        send(fact.pid, fact.started, signal.SIGTERM)


def test_the_dead_cannot_be_signalled(start: Start) -> None:
    process = start("sh", "-c", SLEEP)
    fact = Sampler().facts([process.pid])[process.pid]
    fd = open_process(fact.pid, fact.started)
    os.close(fd)
    process.kill()
    process.wait(PATIENCE)
    with pytest.raises(ChrootError, match="is gone"):
        open_process(fact.pid, fact.started)


@pytest.mark.root
def test_send_without_the_right_to() -> None:
    fact = Sampler().facts([os.getpid()])[os.getpid()]
    attempt = (
        "import os, sys; sys.path[:0] = eval(sys.argv[1])\n"
        "from chroot_tool.core import errors\n"
        "from chroot_tool.core.kernel import pidfd\n"
        "import psutil, signal\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: pidfd.send(int(sys.argv[2]), float(sys.argv[3]), signal.SIGTERM)\n"
        "except errors.PrivilegeError as error: print(error.message, '|', error.hint)"
    )
    words = [sys.executable, "-c", attempt, repr(sys.path), str(fact.pid), str(fact.started)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == f"may not signal process {fact.pid} | run as root\n"
    assert issubclass(PrivilegeError, ChrootError)


def test_looking_who_lives_where_loads_no_psutil() -> None:
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from chroot_tool.core.processes import residents, in_the_way\n"
        "from chroot_tool.core.kernel import pidfd, process_events\n"
        "residents.pids_by_root({'/nowhere': (1, 1)})\n"
        "print({'psutil', 'dataclasses', 're', 'typing', 'subprocess'} & set(sys.modules))"
    )
    words = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert residents.pids()
