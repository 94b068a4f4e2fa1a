"""A throw-away session, seen by the process that starts it: its beginning, its root, its end."""

from __future__ import annotations

import os

from ..errors import BusyError, ChrootError, PrivilegeError, UsageError
from ..kernel import syscalls
from ..kernel.rootpath import Root
from . import first
from .marks import mark
from .room import room

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from ..config.bind import Bind
else:
    import _signal as signal  # see entering.launch

_KINDS = {kind.__name__: kind for kind in (BusyError, PrivilegeError, UsageError)}


class Session:
    """Namespaces with a root that is thrown away, for as long as this object is not closed.

    A context manager. Children that this process forks meanwhile are in the session's pid
    namespace, and join its others by `member`. Only for a process with one thread.
    """

    def __init__(self, below: Root, binds: Iterable[Bind], size: str = "") -> None:
        """Begin to make a session on the tree *below*; `wait` until it can be used.

        *size* bounds what it can write, see `room`. Raises UsageError, PrivilegeError, ChrootError.
        """
        self._path = below.path
        self._bare = ""
        bound = room(size)
        if os.readlink("/proc/self") != str(os.getpid()):
            raise ChrootError("/proc is that of other processes", "mount -t proc proc /proc")
        self._before = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        control, self._control = os.pipe2(os.O_CLOEXEC)
        self._report, report = os.pipe2(os.O_CLOEXEC | os.O_DIRECT)  # a read for each write
        try:
            self._pid = self._fork(below, binds, bound, control, report)
        finally:
            os.close(control)
            os.close(report)
        self._mark = mark(below.fd)
        self._first = os.pidfd_open(self._pid)

    def _fork(
        self, below: Root, binds: Iterable[Bind], bound: int, control: int, report: int
    ) -> int:
        try:
            syscalls.unshare(syscalls.CLONE_NEWPID)
        except OSError as error:
            what = f"a session needs a pid namespace: {error.strerror}"
            if error.errno == 1:
                raise PrivilegeError(what, "run as root") from error
            raise ChrootError(what, "see /proc/sys/user/max_pid_namespaces") from error
        try:
            pid = os.fork()
        except OSError as error:
            self._forget()
            raise ChrootError(f"a session needs a process: {error.strerror}") from error
        if not pid:
            os.close(self._control)
            first.keep(below, binds, bound, control, report)
        return pid

    def wait(self) -> Root:
        """Return the session's root; the caller closes it. Raises ChrootError without one."""
        tree, self._bare = self._hear(first.READY)
        root = Root(self._of_first(tree))
        root.path = self._path  # what messages are about
        return root

    def member(self) -> int:
        """Return a pidfd of one in the session's namespaces, when they can be joined.

        Raises ChrootError where that is not to be.
        """
        self._hear(first.JOINABLE)
        return self._first

    def _hear(self, expected: str) -> list[str]:
        """Return the words that stand behind the one that is *expected*; raise what is told."""
        word, *rest = os.fsdecode(os.read(self._report, first.PACKET)).split("\0")
        if word == expected:
            return rest
        if len(rest) == 2:
            raise _KINDS.get(word, ChrootError)(*rest)
        raise ChrootError("the session was ended before it began")

    def view(self) -> int:
        """Return a descriptor of the tree without what is mounted on it, which can only be read.

        The caller closes it; until then what the session has written lives on.
        """
        return os.open(self._of_first(self._bare), os.O_PATH | os.O_CLOEXEC)

    def _of_first(self, fd: str) -> str:
        return f"/proc/{self._pid}/fd/{fd}"

    def end(self, slow: Callable[[], None] = lambda: None) -> None:
        """End who is left in the session: TERM, five seconds, KILL. *slow* is called after one.

        Everything of the session is gone on return, but for what the caller holds open.
        """
        os.close(self._control)
        self._control = -1
        if os.read(self._report, first.PACKET):
            slow()
            os.read(self._report, 1)  # ends with who writes to it
        self._leave()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill whoever is left, and have this process as it was before."""
        try:
            signal.pidfd_send_signal(self._first, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass  # it is reaped already where our caller ignores ended children
        os.close(self._first)
        os.close(self._mark)
        self._forget()

    def _forget(self) -> None:
        self._leave()
        for fd in (self._before, self._report, self._control):
            if fd >= 0:
                os.close(fd)

    def _leave(self) -> None:
        """Have children in our own pid namespace again, which the session's allows no more of."""
        syscalls.setns(self._before, syscalls.CLONE_NEWPID)
