"""What tests share: the command line as a user runs it, a tiny root, the mount tables.

`outer_terminal` is a shell on a real terminal around it. For the UI: `samples` of what it shows,
what really stands on the `screen`, `widget_host` and `dialog_host` for one widget or dialog alone,
`whole_ui` for all of it on a recording engine.

Imported as `support` (pytest's `pythonpath` holds tests/); the fixtures over it are in conftest.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from . import warm

CHECKOUT = Path(__file__).absolute().parent.parent.parent
MNT_DETACH = 2

Arg = str | bytes | Path


def _stay(_number: int, _frame: object) -> None:
    """Do nothing."""


def _reset_signals() -> None:
    """Have every signal do here, and in what tests start, what it does below a shell's prompt.

    Who starts us in the background, by nohup or as a service ignores or blocks some, and every
    child would have that from us. Those that Python itself ignores it does not hand on.
    """
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) is signal.SIG_IGN:
            default = {
                signal.SIGINT: signal.default_int_handler,
                signal.SIGHUP: _stay,  # nohup is meant for us; no exec hands a handler on
            }
            signal.signal(number, default.get(number, signal.SIG_DFL))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


_OF_THE_USER = {
    "NO_COLOR", "FORCE_COLOR",
    "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME",
    "COLUMNS", "LINES",  # of readline, which pytest imports, and so of its workers
}  # fmt: skip


def _reset_environment() -> None:
    """Have what is made readable as by default, and colours where there are some.

    Settings and state are not those of who tests.
    """
    os.umask(0o022)
    for name in list(os.environ):
        if name.startswith("TEXTUAL_SNAPSHOT_"):
            continue  # of the plugin, for its workers
        if name.startswith(("TEXTUAL", "CHROOT_TOOL_")) or name in _OF_THE_USER:
            del os.environ[name]


# This module is imported before all that starts processes, and before Textual.
_reset_signals()
_reset_environment()


def _is_chroot() -> bool:
    """Enter our own mount namespace in a child: that leads to its root, setns(2)."""
    here = os.stat("/")
    child = os.fork()
    if not child:
        try:
            entered = ctypes.CDLL(None).setns(os.open("/proc/self/ns/mnt", os.O_RDONLY), 0) == 0
            os._exit(entered and not os.path.samestat(os.stat("/"), here))
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] != 0


IN_CHROOT = _is_chroot()
"""Whether these tests run in a chroot themselves: above their root there is another."""


class Program(subprocess.Popen[bytes]):
    """A program that is killed where the test fails beside it. Popen waits for its own end."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, tb)


_started: set[str] = set()
"""The verbs that were started in this process."""


@cache
def _warm() -> warm.Warm:
    """A process that has imported the command line."""
    imports = Path(__file__).with_name("warm_cli.py")
    return warm.Warm([sys.executable, "-I", "-S"], imports)


class Cli:
    """The command line of this checkout, started as chroot-tool.sh starts it."""

    def __init__(
        self,
        home: Path,
        bases: Path | None = None,
        administrator: Path | None = None,
        booted: Path | None = None,
        unbounded: tuple[str, ...] = (),
    ) -> None:
        self._home = home
        """Where settings, history and logs of the user would be: never the real user's."""
        self.bases = bases or home / "bases"
        """Where `create` keeps what it bootstraps: the first test of a kind fills it for all."""
        self.administrator = administrator
        """In the place of /etc/chroot-tool."""
        self.booted = booted
        """The root of what systemd has to do at boot."""
        self.unbounded = unbounded
        """Which bounds are out of reach (support/otherwise.py)."""

    def with_bases(self, bases: Path) -> Cli:
        """The same with another directory of bases."""
        return Cli(self._home, bases, self.administrator, self.booted, self.unbounded)

    def administered(self, directory: Path) -> Cli:
        """The same on a host whose administrator says what stands in *directory*.

        Nothing that a user says leads it there, so it has a start of its own.
        """
        return Cli(self._home, self.bases, directory, self.booted, self.unbounded)

    def booting(self, root: Path) -> Cli:
        """The same on a host that systemd boots, some day: its units and links are below *root*."""
        return Cli(self._home, self.bases, self.administrator, root, self.unbounded)

    def without(self, *bounds: str) -> Cli:
        """The same with these *bounds* out of reach: for a test that is not about them.

        They are functions of support/otherwise.py. No option or setting leads there.
        """
        return Cli(self._home, self.bases, self.administrator, self.booted, bounds)

    def stopping_at(self, stage: str) -> Cli:
        """The same, which stops (SIGSTOP) when it has first told of a stage that begins so.

        What it has started goes on, and it does from SIGCONT on: to be interrupted, `holding_at`.
        """
        return self.without(f"stops={stage}")

    def holding_at(self, stage: str) -> Cli:
        """The same, which comes no further than a stage that begins so until it is interrupted.

        However quick it is, and what it has started, and however late the signal comes.
        """
        return self.without(f"holds={stage}")

    def dying(self) -> Cli:
        """The same, which is killed (SIGKILL) before it renames anything."""
        return self.without("dies")

    def argv(self, *args: Arg) -> list[Arg]:
        """The whole command, for a test that starts it itself: in a pty, in tmux, by a shell."""
        start: list[Arg] = [CHECKOUT / ".pkg/start.py"]
        if self.administrator or self.booted or self.unbounded:
            host = [self.administrator or "", "|".join(self.unbounded), self.booted or ""]
            start = [Path(__file__).with_name("otherwise.py"), *host]
        return [sys.executable, "-I", "-S", *start, *args]

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """This process's environment without settings of chroot-tool and the user; and *env*."""
        own = {name: v for name, v in os.environ.items() if not name.startswith("CHROOT_TOOL_")}
        kinds = ("CONFIG", "STATE", "CACHE", "DATA")
        places = {f"XDG_{k}_HOME": str(self._home / k.lower()) for k in kinds}
        # Who is not root here is to meet that, unless a test is about becoming it.
        ours = {"CHROOT_TOOL_CACHE": str(self.bases), "CHROOT_TOOL_PRIVILEGE": "none"}
        return own | places | ours | dict(env or {})

    def __call__(
        self,
        *args: Arg,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        cwd: Path | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end and return code, stdout and stderr as text."""
        done = self.binary(*args, env=env, stdin=os.fsencode(stdin), cwd=cwd, timeout=timeout)
        return subprocess.CompletedProcess(
            done.args, done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)
        )

    def binary(
        self,
        *args: Arg,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        cwd: Path | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[bytes]:
        """The same with stdin, stdout and stderr as bytes."""
        argv, whole = self.argv(*args), self.environment(env)
        if self._is_warm(args, whole):
            done = _warm().run(argv, whole, stdin, cwd, timeout)
        else:
            done = subprocess.run(
                argv, env=whole, input=stdin, cwd=cwd,
                capture_output=True, timeout=timeout, check=False,
            )  # fmt: skip
        if "--json" in args:
            from .json_schema import check

            check(map(str, args), done.stdout)
        return done

    @staticmethod
    def _is_warm(args: tuple[Arg, ...], env: Mapping[str, str]) -> bool:
        """Whether a process that has imported everything may run it: each verb is started once."""
        verb = os.fsdecode(args[0]) if args else ""
        if verb in _started and warm.runs_like_started(env):
            return True
        _started.add(verb)
        return False

    def ok(self, *args: Arg, **options: Any) -> str:
        """Run it, expect success and return its stdout."""
        done = self(*args, **options)
        assert done.returncode == 0, f"exit {done.returncode}: {done.args}\n{done.stderr}"
        return done.stdout

    def json(self, *args: Arg, **options: Any) -> Any:
        """Run it with `--json`, expect success and return the one document it prints."""
        return json.loads(self.ok(*args, "--json", **options))

    def events(self, *args: Arg, **options: Any) -> list[Any]:
        """The same for a command that prints a JSON object a line."""
        lines = self.ok(*args, "--json", **options).splitlines()
        return [json.loads(line) for line in lines]

    def start(self, *args: Arg, **options: Any) -> Program:
        """Start it in a session of its own and return at once; the caller waits for it."""
        return Program(self.argv(*args), env=self.environment(), start_new_session=True, **options)


PATIENCE = 60.0
"""Seconds after which what is waited for will not come any more. No test expects a speed."""


class Looks:
    """How often is looked for something: most of the processor is for those who bring it about."""

    def __init__(self) -> None:
        self.pause = 0.005
        """Seconds to the next look."""

    def at(self, holds: Callable[[], object]) -> object:
        """Look once."""
        began = time.thread_time()
        found = holds()
        self.pause = max(0.005, 3 * (time.thread_time() - began))
        return found


def wait_until(
    holds: Callable[[], object],
    process: subprocess.Popen[Any] | None = None,
    patience: float = PATIENCE,
) -> None:
    """Return as soon as *holds* does; fail where *process*, which is to bring it about, ended."""
    end = time.monotonic() + patience
    looks = Looks()
    while not looks.at(holds):
        assert process is None or process.poll() is None, f"it ended before: {process}"
        assert time.monotonic() < end, "it never came"
        time.sleep(looks.pause)


def wait_until_stopped(process: subprocess.Popen[Any]) -> None:
    """Return as soon as a process has stopped (SIGSTOP); fail where it ended before."""
    how = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert how is not None
    assert how.si_code == os.CLD_STOPPED, f"it ended before: {process}"


def next_line(process: subprocess.Popen[bytes], patience: float = PATIENCE) -> bytes:
    """The next line that *process* says on stdout, of which no more is read; b"" at its end."""
    assert process.stdout is not None
    line = b""
    while not line.endswith(b"\n"):
        assert select.select([process.stdout], [], [], patience)[0], f"silent after {line!r}"
        if not (byte := os.read(process.stdout.fileno(), 1)):
            break
        line += byte
    return line


TINY_PROGRAMS = (
    "sh", "cat", "dd", "env", "false", "head", "id", "ls", "mkdir", "sleep", "sort", "stty",
    "touch", "true", "tty", "wc",
)  # fmt: skip


def make_tiny_root(root: Path) -> None:
    """Make a root in which a shell and a few programs of the host run: no Debian, but quick.

    Users root and app (1000, also in group audio), `chroot.d/chroot-cmd` as `create` writes it.
    """
    for folder in ("bin", "dev", "etc", "home/app", "proc", "root", "run", "sys", "tmp", "usr"):
        (root / folder).mkdir(parents=True)
    (root / "usr/bin").symlink_to("../bin")
    for program in TINY_PROGRAMS:
        source = shutil.which(program)
        assert source is not None, f"{program} is missing on this host"
        shutil.copy(source, root / "bin" / program)
        for library in _libraries(source):
            place = root / library.relative_to("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, place)
    (root / "etc/os-release").write_text('PRETTY_NAME="Tiny"\n')
    (root / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:App:/home/app:/bin/sh\n"
    )
    (root / "etc/group").write_text("root:x:0:\naudio:x:29:app\napp:x:1000:\n")
    command = root / "chroot.d/chroot-cmd"
    command.parent.mkdir()
    command.write_text('#!/bin/sh\nexec "$@"\n')
    command.chmod(0o755)


@cache
def _libraries(program: str) -> tuple[Path, ...]:
    """The files that the dynamic linker loads for *program*, itself among them."""
    lines = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    paths = [[w for w in line.split() if w.startswith("/")] for line in lines.splitlines()]
    return tuple(Path(found[0]) for found in paths if found)


class MountLine(NamedTuple):
    """A line of mountinfo, read without the engine's own parser, which is what is tested."""

    point: str
    line: str


def stop_that_waits(root: Path) -> None:
    """Give a chroot a `stop` that makes `/began` and then goes on for ever."""
    script = root / "chroot.d/stop"
    script.write_text("#!/bin/sh\necho stopping >/began\nsleep 1000\n")
    script.chmod(0o755)


def read_mounts(process: str = "self") -> dict[int, MountLine]:
    """The mount table that *process* sees, by mount id."""
    text = Path(f"/proc/{process}/mountinfo").read_bytes().decode(errors="surrogateescape")
    return mounts_in(text)


def mounts_in(text: str) -> dict[int, MountLine]:
    """The same of what some process has read."""
    fields = [line.split(" ") for line in text.splitlines()]
    return {int(field[0]): MountLine(_unescape(field[4]), " ".join(field)) for field in fields}


def _unescape(point: str) -> str:
    for character in ("\\040", "\\011", "\\012", "\\134"):
        point = point.replace(character, chr(int(character[1:], 8)))
    return point


SYSTEM_POINTS = ("/", "/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/run", "/tmp")
"""What must stay as it is on the host. Its other mounts come and go with users and services."""
AUTOMOUNT = "/proc/sys/fs/binfmt_misc"
"""systemd mounts it wherever it is first looked at: no mount of ours."""
_PASSING = Counter(m.point for m in read_mounts().values() if m.point not in SYSTEM_POINTS)
"""Where there were mounts at the start: one that the host unmounts goes here with its directory."""


def lasting(mounts: dict[int, MountLine]) -> dict[int, MountLine]:
    """Those of *mounts* that nobody but we change: without those that the host may take away.

    What is mounted over one is among them; whether one went by us, the fixtures tell.
    """
    passing = _PASSING.copy()
    found = {}
    for i, mount in mounts.items():
        if passing[mount.point]:
            passing[mount.point] -= 1
        elif mount.point != AUTOMOUNT:
            found[i] = mount
    return found


def is_below(path: str, folder: Path) -> bool:
    """Whether *path*, in the kernel's words, is *folder* or lies in it, by components."""
    # Asked of every process and mount around every test: as text, not as two more Paths each.
    above = os.fspath(folder).rstrip("/")
    return path == above or path.startswith(f"{above}/")


def mounts_below(folder: Path) -> list[str]:
    """The mount points at and below *folder*, in the order of the table."""
    return [mount.point for mount in read_mounts().values() if is_below(mount.point, folder)]


def processes_below(folder: Path) -> dict[int, str]:
    """The processes whose root is *folder* or lies in it: pid and command line."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError):  # it ended meanwhile
                if is_below(os.readlink(f"/proc/{name}/root"), folder):
                    command = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(name)] = command.decode(errors="replace")
    return found


def descriptors() -> list[str]:
    """What this process has open. What earlier tests have left to the collector is closed first."""
    gc.collect()
    return sorted(os.listdir("/proc/self/fd"))


def has_ended(pid: int) -> bool:
    """Whether a process is no more, or waits to be reaped only: init does that at its leisure."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "XZ"


def let_in(folder: Path) -> None:
    """Let other users go to *folder*: pytest lets only its own, and workers' are one level down."""
    for place in (folder, *folder.parents):
        if not place.stat().st_mode & 0o001:
            place.chmod(0o755)


def detach(points: list[str]) -> None:
    """Take mounts away at once, the latest first, so that nothing is deleted through them."""
    libc = ctypes.CDLL(None)
    for point in reversed(points):
        libc.umount2(os.fsencode(point), MNT_DETACH)


def kill(pids: list[int]) -> None:
    """KILL processes that may have ended already, and wait until none is left."""
    for pid in pids:
        with suppress(ProcessLookupError):
            ended = os.pidfd_open(pid)
            try:
                signal.pidfd_send_signal(ended, signal.SIGKILL)
                select.select([ended], [], [], PATIENCE)
            finally:
                os.close(ended)
