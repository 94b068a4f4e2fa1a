"""Who stands in the way of an unmount. What is found is held against what the kernel says."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from chroot_tool.core.errors import Cancelled
from chroot_tool.core.events import Event, Stage
from chroot_tool.core.kernel import syscalls
from chroot_tool.core.kernel.process_files import linked
from chroot_tool.core.kernel.rootpath import Root
from chroot_tool.core.process import Holder
from chroot_tool.core.processes import signalling, uses
from chroot_tool.core.processes.in_the_way import ancestors, holders, stands_in
from chroot_tool.core.processes.residents import kernel_threads
from chroot_tool.core.processes.signalling import end
from support import IN_CHROOT, PATIENCE, mounts_below, next_line, wait_until

pytestmark = pytest.mark.root

Start = Callable[..., "subprocess.Popen[bytes]"]
OTHER_NAMESPACES = pytest.mark.skipif(
    IN_CHROOT, reason="from a chroot, the mounts of another namespace can't be told"
)
READY = "print('ready', flush=True); input()"


@pytest.fixture
def root(tiny_template: Path, tmp_path: Path) -> Iterator[Path]:
    """A root with a tmpfs on /tmp, which has a program, and another on /srv."""
    root = Path(shutil.copytree(tiny_template, tmp_path / "deb", symlinks=True))
    (root / "tmp/below").mkdir()
    (root / "srv").mkdir()
    for name in ("tmp", "srv"):
        subprocess.run(["mount", "-t", "tmpfs", "none", root / name], check=True)
    shutil.copy(shutil.which("sleep") or "", root / "tmp/program")
    yield root
    for point in reversed(mounts_below(root)):
        subprocess.run(["umount", point], check=True)


@pytest.fixture
def start(root: Path) -> Iterator[Start]:
    """Start a program that says a line when it is ready; all are killed before the unmount."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*words: str | Path, **options: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # type: ignore[call-overload]
            words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, **options
        )
        started.append(process)
        assert next_line(process) == b"ready\n"
        return process  # type: ignore[no-any-return]

    yield run
    for process in started:
        process.kill()
        process.communicate(timeout=PATIENCE)


def python(start: Start, code: str, *words: str | Path) -> subprocess.Popen[bytes]:
    code = f"import os, sys, mmap, socket, threading, ctypes\n{code}\n{READY}"
    return start(sys.executable, "-c", code, *words)


def held(root: Path, *targets: str) -> dict[int, tuple[str, ...]]:
    status = os.stat(root)
    only = [f"{root}/{target}" for target in targets] or None
    found = holders(str(root), (status.st_dev, status.st_ino), only)
    return {holder.pid: holder.holds for holder in found if holder.blocks}


def is_busy(point: Path) -> bool:
    """Try it: the kernel knows."""
    done = subprocess.run(["umount", point], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "busy" in done.stderr
    return done.returncode != 0


UNSHARED = """
def work():
    ctypes.CDLL(None).unshare(0x200)
    os.chdir(sys.argv[1])
    ready.set()
    threading.Event().wait()
ready = threading.Event()
threading.Thread(target=work, daemon=True).start()
ready.wait()
"""

# A descriptor's number is 3, or what a library (libffi since 3.5) has left over.
HOLDS = {
    "cwd": ("os.chdir(sys.argv[1])", "cwd {}"),
    "directory": ("f = os.open(sys.argv[1], os.O_RDONLY)", "fd 3 {}"),
    "file": ("f = open(sys.argv[1] + '/f', 'w')", "fd 3 {}/f"),
    "path": ("f = os.open(sys.argv[1] + '/program', os.O_PATH)", "fd 3 {}/program"),
    "deleted": (
        "f = open(sys.argv[1] + '/f', 'w'); os.unlink(sys.argv[1] + '/f')", "fd 3 {}/f (deleted)",
    ),
    "map": (
        "f = open(sys.argv[1] + '/program'); m = mmap.mmap(f.fileno(), 1, prot=mmap.PROT_READ)",
        "map {}/program",
    ),
    "newline": ("f = open(sys.argv[1] + '/a\\nb', 'w')", "fd 3 {}/a\nb"),
    "socket": ("s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1] + '/s')", "socket {}/s"),
    "thread": (UNSHARED, "cwd {}"),
    "root": ("os.chroot(sys.argv[1])", "root /tmp"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOLDS)
def test_what_keeps_a_mount_busy(kind: str, root: Path, start: Start) -> None:
    code, word = HOLDS[kind]
    point = root / "tmp"
    process = python(start, code, point)
    expected = word.format(point)
    for targets in ((), ("tmp",), ("tmp", "srv")):
        found = held(root, *targets)
        assert found.keys() == {process.pid}
        assert expected in [re.sub(r"^fd \d+ ", "fd 3 ", word) for word in found[process.pid]]
    assert held(root, "srv") == {}
    assert is_busy(point)


def test_a_program_on_the_mount(root: Path, start: Start) -> None:
    process = start("sh", "-c", 'echo ready; exec "$0" 1000', root / "tmp/program")
    wait_until(lambda: process.pid in held(root))
    assert held(root) == {process.pid: (f"exe {root}/tmp/program",)}
    assert is_busy(root / "tmp")


def test_who_is_about_to_end(root: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel takes its program first: exit_mm() in do_exit(). Without a processor it stays."""
    process = python(start, "os.chdir(sys.argv[1])", root / "tmp")
    program = f"/proc/{process.pid}/exe"
    monkeypatch.setattr(uses, "linked", lambda path: "" if path == program else linked(path))
    assert held(root) == {process.pid: (f"cwd {root}/tmp",)}


HOLDS_NOT = {
    "below the mount": "os.chdir(sys.argv[1] + '/tmp/below')",
    "in the root's own directory": "os.chdir(sys.argv[1])",
    "a file of the root's own": "f = open(sys.argv[1] + '/etc/passwd')",
    "a name that begins alike": "os.mkdir(sys.argv[1] + '/tmp2'); os.chdir(sys.argv[1] + '/tmp2')",
    "a socket that is gone": "s = socket.socket(1); s.bind(sys.argv[1] + '/tmp/s'); s.close()",
}  # fmt: skip


@pytest.mark.parametrize("kind", HOLDS_NOT)
def test_what_does_not_keep_a_mount_busy(kind: str, root: Path, start: Start) -> None:
    point = root / "tmp"
    if kind == "below the mount":
        subprocess.run(["umount", point], check=True)
    process = python(start, HOLDS_NOT[kind], root)
    if kind == "below the mount":
        subprocess.run(["mount", "-t", "tmpfs", "none", point], check=True)
        assert os.readlink(f"/proc/{process.pid}/cwd").startswith(f"{point}/")
    assert held(root) == {}
    assert not is_busy(point)


def test_who_lives_inside_counts_even_without_a_mount(root: Path, start: Start) -> None:
    process = start("chroot", root, "/bin/sh", "-c", "echo ready; read line")
    assert held(root) == {process.pid: ("root /",)}
    assert held(root, "tmp") == {}  # only what hinders unmounting that one


def test_who_lives_inside_and_what_it_holds(root: Path, start: Start) -> None:
    inside = "cd /tmp; exec 7>f; echo ready; read line"
    process = start("chroot", root, "/bin/sh", "-c", inside)
    assert held(root) == {process.pid: ("root /", f"cwd {root}/tmp", f"fd 7 {root}/tmp/f")}
    assert held(root, "tmp") == {process.pid: (f"cwd {root}/tmp", f"fd 7 {root}/tmp/f")}


def test_a_socket_that_was_bound_inside(root: Path, start: Start) -> None:
    code = "os.chroot(sys.argv[1]); s = socket.socket(socket.AF_UNIX); s.bind('/tmp/s')"
    process = python(start, code, root)
    assert held(root, "tmp") == {process.pid: (f"socket {root}/tmp/s",)}


@pytest.fixture
def short(root: Path) -> Iterator[Path]:
    """The same root by a path of few characters: a socket's name may have 107."""
    place = Path("/mnt")
    subprocess.run(["mount", "--rbind", root, place], check=True)
    yield place
    subprocess.run(["umount", "--recursive", place], check=True)


def test_a_forged_name(short: Path, start: Start) -> None:
    """In /proc/net/unix this name makes a line about another process's socket."""
    other = python(start, "s = socket.socket(socket.AF_UNIX)")
    inode = os.readlink(f"/proc/{other.pid}/fd/3")[8:-1]
    name = f"\n0: 2 0 0 1 1 {inode} {short}/tmp/s"
    code = (
        "os.chdir(sys.argv[1]); os.makedirs(os.path.dirname(sys.argv[2]))\n"
        "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[2])"
    )
    python(start, code, short / "etc", name)
    assert name in Path("/proc/net/unix").read_text()
    assert held(short) == {}


def test_who_carries_a_terminal_ends_with_the_one_inside(root: Path, start: Start) -> None:
    """`chroot-tool shell` holds a terminal of the chroot's: it is not what is to be ended."""
    pts = root / "dev/pts"
    pts.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "devpts", "-o", "newinstance", "none", pts], check=True)
    script = (
        "import os, subprocess, sys\n"
        "fd = os.open(sys.argv[1] + '/dev/pts/ptmx', os.O_RDWR | os.O_NOCTTY)\n"
        "argv = ['chroot', sys.argv[1], '/bin/sh', '-c', 'echo ready; read line']\n"
        "child = subprocess.Popen(argv, stdin=subprocess.PIPE)\n"
        "input()\n"
        "child.communicate(b'\\n')\n"
        "print('alone', flush=True)\n"
        "input()"
    )
    process = start(sys.executable, "-c", script, root)
    (inside,) = psutil.Process(process.pid).children()
    assert held(root) == {inside.pid: ("root /",)}
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    assert next_line(process) == b"alone\n"
    assert held(root) == {process.pid: (f"fd 3 {pts}/ptmx",)}


def test_in_a_mount_namespace_of_its_own(root: Path, start: Start) -> None:
    process = start(
        "unshare", "--mount", "chroot", root, "/bin/sh", "-c", "echo ready; read line"
    )  # fmt: skip
    assert held(root) == {process.pid: ("root /",)}


def private(*words: str) -> tuple[str, ...]:
    return ("unshare", "--mount", "--propagation", "private", *words)


@OTHER_NAMESPACES
def test_a_copy_in_another_mount_namespace_hinders_nothing(root: Path, start: Start) -> None:
    """Every service of systemd that was started after `on` has one: none of them is to be hit."""
    process = start(*private("sh", "-c", 'cd "$0"; echo ready; read line'), root / "tmp")
    assert held(root) == {}
    status = os.stat(root)
    (there,) = holders(str(root), (status.st_dev, status.st_ino))
    assert (there.pid, there.holds) == (process.pid, ("mount namespace",))
    assert not there.blocks
    assert end_all(root, 0.2) == set()
    assert process.poll() is None
    assert not is_busy(root / "tmp")


def test_who_has_no_program_keeps_no_copy(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As kthreadd, where the tool has a mount namespace of its own and copies stay in the host's:
    it is one of the kernel's threads, and no child of itself."""
    with Root(str(root)) as opened:
        scan = uses.Scan(opened.path, syscalls.identity(opened.fd, "."))
    monkeypatch.setattr(scan._namespaces, "look", lambda *_: (frozenset(), True))
    assert scan.holds(os.getpid()) == (uses.COPY,)
    monkeypatch.setattr(scan, "_kernel", frozenset())  # nor where the kernel lists no children
    for pid in kernel_threads() | {"2"}:
        assert scan.holds(int(pid)) == ()


@OTHER_NAMESPACES
@pytest.mark.parametrize("propagation", ["unchanged", "slave"])
def test_a_copy_that_an_unmount_is_propagated_to(
    propagation: str, root: Path, tmp_path: Path, start: Start
) -> None:
    """As of every mount below a shared `/`: in use there, it cannot be unmounted here."""
    subprocess.run(["mount", "-t", "tmpfs", "none", root / "srv"], check=True)
    subprocess.run(["mount", "--make-shared", root / "srv"], check=True)
    point = root / "srv/deep"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", point], check=True)
    words = ("unshare", "--mount", "--propagation", propagation)
    process = start(*words, "sh", "-c", 'cd "$0"; echo ready; read line', point)
    idle = start(*words, "sh", "-c", "echo ready; read line")
    found = held(root)
    assert idle.pid not in found
    assert found == {process.pid: (f"cwd {point}",)}
    assert is_busy(point)


def test_without_a_mount_nobody_holds_one(root: Path, start: Start) -> None:
    python(start, "os.chdir(sys.argv[1])", root)
    for name in ("tmp", "srv"):
        subprocess.run(["umount", root / name], check=True)
    assert held(root) == {}


def test_this_process_is_no_holder(root: Path) -> None:
    fd = os.open(root / "tmp", os.O_RDONLY)
    try:
        assert held(root) == {}
    finally:
        os.close(fd)


def test_a_hostile_command_line(root: Path, start: Start) -> None:
    hostile = b"\x1b]0;x\x07\n\xff"
    process = python(start, "os.chdir(sys.argv[1])", root / "tmp", hostile)  # type: ignore[arg-type]
    status = os.stat(root)
    (found,) = holders(str(root), (status.st_dev, status.st_ino))
    assert found.pid == process.pid
    assert os.fsencode(found.command).endswith(hostile)


# -- ending them -----------------------------------------------------------------------------------


def end_all(root: Path, timeout: float, cancelled: threading.Event | None = None) -> set[int]:
    with Root(str(root)) as opened:
        status = os.fstat(opened.fd)
        found = holders(opened.path, (status.st_dev, status.st_ino))
        left = end(opened, found, timeout=timeout, cancelled=cancelled)
    return {holder.pid for holder in left}


def test_a_shell_on_a_terminal_is_hung_up(root: Path) -> None:
    """It ignores TERM, and is not to be waited for until it is killed."""
    pid, terminal = pty.fork()
    if pid == 0:  # who leads the session lives outside, as with `chroot-tool shell`
        argv = ["chroot", str(root), "/bin/sh", "-i"]
        os._exit(-subprocess.call(argv, env={"PS1": "ready", "PATH": os.environ["PATH"]}))
    said = b""
    while b"ready" not in said:
        assert select.select([terminal], [], [], PATIENCE)[0], said
        said += os.read(terminal, 4096)
    assert end_all(root, 60.0) == set()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == signal.SIGHUP
    os.close(terminal)


@pytest.mark.slow
def test_end_says_what_it_waits_for(root: Path, start: Start) -> None:
    stubborn = inside(start, root, "trap '' TERM; echo ready; read line")
    told: list[Event] = []
    with Root(str(root)) as opened:
        status = os.fstat(opened.fd)
        found = holders(opened.path, (status.st_dev, status.st_ino))
        assert end(opened, found, timeout=1.5, report=told.append) == ()
    assert stubborn.wait(PATIENCE) == -signal.SIGKILL
    stages = [event.stage for event in told if isinstance(event, Stage)]
    assert stages[0].startswith("ending 1 process, KILL in ")
    assert len(stages) == len(set(stages))
    assert {event.chroot for event in told} == {str(root)}


def inside(start: Start, root: Path, script: str) -> subprocess.Popen[bytes]:
    return start("chroot", root, "/bin/sh", "-c", script)


def test_end_asks_first(root: Path, start: Start) -> None:
    polite = inside(start, root, "trap 'echo bye; exit 7' TERM; echo ready; while :; do :; done")
    on_mount = python(start, "os.chdir(sys.argv[1])", root / "tmp")
    assert end_all(root, 30) == set()
    assert polite.communicate(timeout=PATIENCE)[0] == b"bye\n"
    assert polite.returncode == 7
    assert on_mount.wait(PATIENCE) == -signal.SIGTERM
    assert not is_busy(root / "tmp")


def test_end_kills_who_will_not(root: Path, start: Start) -> None:
    stubborn = inside(start, root, "trap '' TERM; echo ready; read line")
    assert end_all(root, 0.3) == set()
    assert stubborn.wait(PATIENCE) == -signal.SIGKILL


def test_end_wakes_who_is_stopped(root: Path, start: Start) -> None:
    process = inside(start, root, "trap 'exit 7' TERM; echo ready; while :; do :; done")
    process.send_signal(signal.SIGSTOP)
    assert end_all(root, 30) == set()
    assert process.wait(PATIENCE) == 7


def test_end_finds_who_takes_their_place(root: Path, start: Start) -> None:
    """TERM makes it leave a child behind, which holds the root as much."""
    heir = "/bin/sh -c 'trap \"\" TERM; exec >/dev/full; /bin/sleep 1000'"
    os.mknod(root / "dev/full", 0o20666, os.makedev(1, 7))
    parent = inside(
        start, root, f'trap "{heir.replace(chr(34), chr(92) + chr(34))} & exit" TERM; '
        "echo ready; while :; do :; done",
    )  # fmt: skip
    assert end_all(root, 1) == set()
    parent.wait(PATIENCE)
    assert held(root) == {}


def test_end_finds_who_comes_while_it_looks(
    root: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose parent was looked for when it had ended, while it was not there yet at the listing."""
    inside(start, root, "echo ready; read line")
    heirs: list[subprocess.Popen[bytes]] = []
    look = holders

    def late(*what: Any) -> tuple[Holder, ...]:
        found = look(*what)
        if not found and not heirs:
            heirs.append(inside(start, root, "trap '' TERM; echo ready; read line"))
        return found

    monkeypatch.setattr(signalling, "holders", late)
    assert end_all(root, 1) == set()
    assert heirs[0].wait(PATIENCE) == -signal.SIGKILL


@pytest.mark.parametrize("is_held_up", [False, True])
def test_who_is_killed_and_waits_for_a_processor_is_waited_for(
    root: Path, start: Start, monkeypatch: pytest.MonkeyPatch, is_held_up: bool
) -> None:
    """Unlike who waits for a disk or a server, which may be dead."""
    stubborn = inside(start, root, "trap '' TERM; echo ready; read line")
    looks = 0

    def look(_pid: int) -> bool:
        nonlocal looks
        looks += 1
        if looks == 20:  # each after some time
            stubborn.kill()
        return is_held_up

    def send(_pid: int, _started: float, *_numbers: int) -> None:
        """As to one that has no processor to end on."""

    monkeypatch.setattr("chroot_tool.core.kernel.pidfd.send", send)
    monkeypatch.setattr(signalling, "_is_held_up", look)
    monkeypatch.setattr(signalling, "_KILL_SECONDS", 0.3)
    assert end_all(root, 0.1) == ({stubborn.pid} if is_held_up else set())


def test_who_takes_no_signal_is_held_up(tmp_path: Path) -> None:
    """As for a disk a process waits for its child until that has opened what it is to have."""
    os.mkfifo(tmp_path / "fifo")
    code = (
        "import os, sys; opens = (os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0)\n"
        "os.posix_spawn('/bin/true', ['true'], {}, file_actions=[opens])"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path / "fifo"]) as process:
        try:
            wait_until(lambda: signalling._is_held_up(process.pid), process)
        finally:
            writer = os.open(tmp_path / "fifo", os.O_RDWR)  # until it has: it may not be there yet
            try:
                process.wait(PATIENCE)
            finally:
                os.close(writer)
    assert not signalling._is_held_up(process.pid)


@pytest.mark.slow
def test_end_many(root: Path, start: Start) -> None:
    os.mknod(root / "dev/null", 0o20666, os.makedev(1, 3))
    crowd = "i=0; while [ $i -lt 300 ]; do sleep 1000 & i=$((i+1)); done; echo ready; wait"
    inside(start, root, crowd)
    assert len(held(root)) == 301
    assert end_all(root, 30) == set()


def test_end_stops_when_cancelled(root: Path, start: Start) -> None:
    stubborn = inside(start, root, "trap '' TERM; echo ready; read line")
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    with pytest.raises(Cancelled):
        end_all(root, 30, cancelled)
    assert stubborn.poll() is None


def test_end_spares_who_started_it(root: Path, start: Start) -> None:
    """A shell that stands on the mount starts the tool: it is told of, never signalled."""
    tool = (
        "import os, sys; sys.path[:0] = eval(sys.argv[1])\n"
        "from chroot_tool.core.processes.signalling import end\n"
        "from chroot_tool.core.processes.in_the_way import holders, stands_in\n"
        "from chroot_tool.core.kernel.rootpath import Root\n"
        "os.chdir('/')\n"
        "with Root(sys.argv[2]) as root:\n"
        "    status = os.fstat(root.fd)\n"
        "    found = holders(root.path, (status.st_dev, status.st_ino))\n"
        "    left = end(root, found, timeout=0.2)\n"
        "print(stands_in(found).pid, [holder.pid for holder in left])"
    )
    victim = python(start, "os.chdir(sys.argv[1])", root / "srv")
    shell = subprocess.Popen(
        ["sh", "-c", '"$@"; exit 5', "sh", sys.executable, "-c", tool, repr(sys.path), str(root)],
        cwd=root / "tmp", stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert shell.communicate(timeout=60)[0] == f"{shell.pid} [{shell.pid}]\n"
    assert shell.returncode == 5
    assert victim.wait(PATIENCE) == -signal.SIGTERM


def test_stands_in() -> None:
    def holder(pid: int) -> Holder:
        return Holder(pid, "root", "sh", ("root /",))

    stranger, parent = holder(2**22 + 1), holder(os.getppid())
    assert stands_in([stranger]) is None
    assert stands_in([stranger, parent]) is parent
    assert stands_in([holder(os.getpid())]) is not None
    assert ancestors(2**22 + 2) == {2**22 + 2}  # there is none
