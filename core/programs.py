"""Starting other programs to have their output: the only place that does.

Always an argument list, an explicit environment and no stdin unless asked; always a process group
of its own, ended by TERM and then KILL when the caller cancels; never a shell.

It stands on posix_spawn and not on `subprocess`, which takes 8 ms to import and cannot put a pipe
on a given descriptor of the child (debootstrap reports on 3).
"""

from __future__ import annotations

import os

from .errors import Cancelled, ChrootError
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event as CancelEvent
    from typing import Any

    OnLine = Callable[[str], None]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
"""Taken over from the caller's environment, and their upper-case forms: without them nobody behind
a proxy can download."""
ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Before the words of a program that the kernel is to end with the thread that started it."""

_PACKAGES = {
    "ansible-inventory": "ansible-core", "apt-get": "apt", "dpkg": "dpkg",
    "setpriv": "util-linux", "unshare": "util-linux", "xz": "xz-utils",
}  # fmt: skip
_SIGPIPE, _SIGTERM, _SIGKILL = 13, 15, 9  # `signal` would load enum
_ENOEXEC = 8
_SIDE = 3
_LONGEST_LINE = 1 << 16
_TICK = 0.1  # how late a cancel may be seen, in seconds
_DRAIN = 5.0  # what a killed group may take to be gone, in seconds


class GoesOnError(Cancelled):
    """What was cancelled runs as another user by now and could not be ended."""


class Completed(Value):
    """A program that ended."""

    argv: tuple[str, ...]
    code: int
    """Its exit code; -N where signal N ended it."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the whole environment that programs get, *extra* on top of it."""
    env = {
        "PATH": PATH,
        "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
        "HOME": os.environ.get("HOME", "/"),
    }
    for name in PASSED:
        for spelling in (name, name.upper()):
            if value := os.environ.get(spelling):
                env[spelling] = value
    return env | dict(extra or {})


def find(name: str, path: str = PATH) -> str | None:
    """Return the path of the program *name*, None where it is not installed."""
    if "/" in name:
        return name if os.access(name, os.X_OK) else None
    for directory in path.split(":"):
        candidate = f"{directory}/{name}"
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None


def require(name: str, path: str = PATH) -> str:
    """Return the path of the program *name*. Raises ChrootError with what to install."""
    found = find(name, path)
    if found is None:
        package = _PACKAGES.get(name, name)
        raise ChrootError(f"{name} is not installed", f"apt install {package}")
    return found


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: int | None = None,
    stdout: int | None = None,
    on_line: OnLine | None = None,
    on_error: OnLine | None = None,
    on_side: OnLine | None = None,
    keep: Sequence[int] = (),
    cancelled: CancelEvent | None = None,
    timeout: float | None = None,
    grace: float = 5.0,
    no_terminal: bool = False,
) -> Completed:
    """Run *argv* to its end and return how it ended; its exit code is the caller's to judge.

    env: the whole environment (default: `environment()`). stdin: a descriptor (default:
    /dev/null). stdout: a descriptor that gets the bytes as they are. on_line gets every line of
    stdout, and of stderr unless on_error is given; on_side those of descriptor 3. It has the
    descriptors *keep*, too. Lines come without newline, surrogate-escaped; of one that was
    overwritten by carriage returns, the last state.

    *no_terminal*: it has a session of its own, and so no /dev/tty, on which it would wait for an
    answer, or write what is painted there over.

    When *cancelled* is set or *timeout* seconds are over, the group gets TERM and after *grace*
    seconds KILL (grace 0: KILL at once). Raises ChrootError where the program is not there or
    cannot be executed or took too long, Cancelled where it was cancelled. A descendant that
    outlives the program is waited for only after a KILL. One that runs as another user by then, as
    sudo does, can't be ended: GoesOnError, or ChrootError, and nobody hears it any more.
    """
    whole = environment() if env is None else dict(env)
    program = require(argv[0], whole.get("PATH", PATH))
    streams = _Streams()
    try:
        given = (stdin, stdout)
        pid = _spawn(
            program, argv, whole, given, streams, on_line, on_error, on_side, keep,
            no_terminal=no_terminal,
        )  # fmt: skip
    except BaseException:
        streams.close()
        raise
    return _follow(tuple(argv), pid, streams, cancelled, timeout, grace)


def output(
    argv: Sequence[str],
    *,
    cancelled: CancelEvent | None = None,
    timeout: float = 30.0,
    grace: float = 5.0,
) -> str:
    """Return what *argv* prints on stdout, without the last newline; the rest as of `run`.

    Raises ChrootError where it fails, with the last line of its stderr, Cancelled.
    """
    lines: list[str] = []
    errors: list[str] = [""]
    done = run(
        argv, on_line=lines.append, on_error=errors.append, cancelled=cancelled, timeout=timeout,
        grace=grace,
    )  # fmt: skip
    if done.code:
        raise ChrootError(f"{argv[0]} failed: {errors[-1] or f'exit code {done.code}'}")
    return "\n".join(lines)


def passthrough(argv: Sequence[str], *, env: Mapping[str, str], keep: Sequence[int] = ()) -> int:
    """Run *argv* with stdin, stdout, stderr and terminal of this process; return its exit code.

    It has the descriptors *keep*, too. 128+N where signal N ended it. Raises ChrootError where it
    cannot be executed.
    """
    whole = dict(env)
    program = require(argv[0], whole.get("PATH", PATH))
    try:
        pid = os.posix_spawn(
            program, list(argv), whole, file_actions=_kept(keep), setsigdef=[_SIGPIPE]
        )
    except OSError as error:
        raise _not_run(program, error) from error
    while True:
        try:
            _, status = os.waitpid(pid, 0)
        except KeyboardInterrupt:
            continue  # the terminal sent it to the program too, which decides what it means
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code


def _kept(fds: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return what leaves descriptors open in the child, and in no other (posix_spawn(3))."""
    return [(os.POSIX_SPAWN_DUP2, fd, fd) for fd in fds]


class _Streams:
    """The reading ends of the pipes to a program, each with who gets its lines."""

    def __init__(self) -> None:
        self.readers: dict[int, OnLine] = {}
        self._rest: dict[int, bytes] = {}

    def add(self, on_line: OnLine) -> int:
        """Make a pipe whose lines go to *on_line*; return its writing end."""
        reader, writer = os.pipe()
        self.readers[reader] = on_line
        self._rest[reader] = b""
        os.set_blocking(reader, False)
        return writer

    def read(self, reader: int) -> None:
        """Hand on the lines that are there; forget the reader at the end of file."""
        try:
            data = os.read(reader, 1 << 16)
        except BlockingIOError:
            return
        *lines, rest = (self._rest[reader] + data).split(b"\n")
        if len(rest) > _LONGEST_LINE or (rest and not data):
            lines.append(rest)
            rest = b""
        self._rest[reader] = rest
        on_line = self.readers[reader]
        if not data:
            del self.readers[reader]
            os.close(reader)
        for line in lines:
            on_line(_last_state(line))

    def close(self) -> None:
        for reader in self.readers:
            os.close(reader)
        self.readers.clear()


def _last_state(line: bytes) -> str:
    line = line.rstrip(b"\r")
    return line[line.rfind(b"\r") + 1 :].decode("utf-8", "surrogateescape")


def _not_run(program: str, error: OSError) -> ChrootError:
    hint = "a script starts with #! and its interpreter" if error.errno == _ENOEXEC else ""
    return ChrootError(f"cannot run {program}: {error.strerror}", hint)


def _ignore(_line: str) -> None:
    """Drop a line nobody asked for."""


def _spawn(
    program: str,
    argv: Sequence[str],
    env: dict[str, str],
    given: tuple[int | None, int | None],
    streams: _Streams,
    on_line: OnLine | None,
    on_error: OnLine | None,
    on_side: OnLine | None,
    keep: Sequence[int],
    *,
    no_terminal: bool,
) -> int:
    """Start *program* with its pipes in *streams*; return its pid. *given*: stdin, stdout."""
    import fcntl

    stdin, stdout = given

    mine: list[int] = []

    def high(fd: int) -> int:
        # Out of the way of 0 to 3, which the child's are put on one after the other.
        moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
        mine.append(moved)
        return moved

    def pipe(receiver: OnLine) -> int:
        writer = streams.add(receiver)
        try:
            return high(writer)
        finally:
            os.close(writer)

    try:
        source = pipe(on_line or _ignore)
        errors = pipe(on_error) if on_error else source
        actions: list[tuple[int, int, int]] = [
            (os.POSIX_SPAWN_DUP2, source if stdout is None else high(stdout), 1),
            (os.POSIX_SPAWN_DUP2, errors, 2),
        ]
        if on_side:
            actions.append((os.POSIX_SPAWN_DUP2, pipe(on_side), _SIDE))
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC) if stdin is None else -1
        try:
            actions.insert(0, (os.POSIX_SPAWN_DUP2, high(null if stdin is None else stdin), 0))
        finally:
            if null >= 0:
                os.close(null)
        # Either makes a process group of its own.
        apart: dict[str, Any] = {"setsid": True} if no_terminal else {"setpgroup": 0}
        return os.posix_spawn(
            program, list(argv), env,
            file_actions=[*actions, *_kept(keep)], setsigmask=[], setsigdef=[_SIGPIPE], **apart,
        )  # fmt: skip
    except OSError as error:
        raise _not_run(program, error) from error
    finally:
        for fd in mine:
            os.close(fd)


def _follow(
    argv: tuple[str, ...],
    pid: int,
    streams: _Streams,
    cancelled: CancelEvent | None,
    timeout: float | None,
    grace: float,
) -> Completed:
    """Carry lines until the program is gone, ending it when that is wanted; reap it."""
    from time import monotonic

    reaped = False
    may_end = True
    late = monotonic() + timeout if timeout is not None else None
    stopped = ""
    kill_at: float | None = None
    try:
        handle = os.pidfd_open(pid)
        try:
            tick = _TICK if cancelled or late is not None else None
            while may_end and not _wait(handle, streams, tick):
                now = monotonic()
                if not stopped and cancelled and cancelled.is_set():
                    stopped = "cancelled"
                elif not stopped and late is not None and now > late:
                    stopped = "late"
                if stopped and kill_at is None:
                    kill_at = now + grace
                    may_end = _signal(pid, _SIGTERM if grace else _SIGKILL)
                elif kill_at is not None and now > kill_at:
                    may_end = _signal(pid, _SIGKILL)
        finally:
            os.close(handle)
        if not may_end:
            why = f"{argv[0]} goes on: it runs as another user, who alone can end it"
            raise (GoesOnError if stopped == "cancelled" else ChrootError)(why)
        if stopped:
            _signal(pid, _SIGKILL)  # before it is reaped: until then the group's number is taken
        _, status = os.waitpid(pid, 0)
        reaped = True
        _drain(streams, _DRAIN if stopped else 0.0)
    finally:
        if not reaped:
            _end(pid)
        streams.close()
    if stopped == "cancelled":
        raise Cancelled(f"{argv[0]} was stopped")
    if stopped:
        raise ChrootError(f"{argv[0]} did not end within {timeout:g} seconds and was stopped")
    return Completed(argv, os.waitstatus_to_exitcode(status))


def _wait(handle: int, streams: _Streams, seconds: float | None) -> bool:
    """Wait for lines, handing them on, or for the end; return whether the program ended."""
    import select

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    for reader in streams.readers:
        poll.register(reader, select.POLLIN)
    ended = False
    for fd, _ in poll.poll(None if seconds is None else seconds * 1000):
        if fd == handle:
            ended = True
        else:
            streams.read(fd)
    return ended


def _drain(streams: _Streams, seconds: float) -> None:
    """Hand on what is left in the pipes; wait up to *seconds* for the others who hold them."""
    import select
    from time import monotonic

    until = monotonic() + seconds
    given_up = until + 1.0  # a descendant that writes without end
    while streams.readers and monotonic() < given_up:
        poll = select.poll()
        for reader in streams.readers:
            poll.register(reader, select.POLLIN)
        ready = poll.poll(max(0.0, until - monotonic()) * 1000)
        if not ready:
            return
        for fd, _ in ready:
            streams.read(fd)


def _end(pid: int) -> None:
    """Kill the group of *pid* and reap that; where this user may not, when it ends by itself."""
    if _signal(pid, _SIGKILL):
        os.waitpid(pid, 0)
        return
    from threading import Thread

    Thread(target=os.waitpid, args=(pid, 0), name=f"reaps {pid}", daemon=True).start()


def _signal(pid: int, number: int) -> bool:
    """Send a signal to the group of *pid*; tell whether this user may."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        return False
    return True
