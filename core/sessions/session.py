"""A throw-away session, seen by the process that starts it: its beginning, its root, its end."""

from __future__ import annotations

import os

from ..errors import BusyError, ChrootError, PrivilegeError, UsageError
from ..kernel import syscalls
from ..session_locks import mark
from . import first_process
from .overlay import Overlay, explained
from .own_namespace import OwnNamespace
from .size_limit import room

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from ..config.bind import Bind
    from ..kernel.rootpath import Root
    from ..mounts.limits import Limits
else:
    import _signal as signal  # see entering.launch

_KINDS = {kind.__name__: kind for kind in (BusyError, PrivilegeError, UsageError)}


class Session:
    """Namespaces with a root that is thrown away, for as long as this object is not closed.

    A context manager. Children that this process forks meanwhile are in the session's pid
    namespace, and join its others by `member`. Only for a process with one thread.
    """

    def __init__(
        self,
        below: Root,
        binds: Iterable[Bind],
        size: str = "",
        limits: Limits | None = None,
        *,
        is_kept: bool = False,
    ) -> None:
        """Make a session on the tree *below*; *size* bounds what it can write, see `room`.

        *limits*: what the administrator allows. *is_kept*: there will be a `view` of it. Raises
        UsageError, PrivilegeError, ChrootError, PolicyError.
        """
        bound = room(size)
        if os.readlink("/proc/self") != str(os.getpid()):
            raise ChrootError("/proc is that of other processes", "mount -t proc proc /proc")
        self._before = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        control, self._control = os.pipe2(os.O_CLOEXEC)
        self._report, report = os.pipe2(os.O_CLOEXEC | os.O_DIRECT)  # a read for each write
        try:
            with OwnNamespace(below.fd) as top:
                self._overlay = Overlay(below, binds, limits, bound, top, is_kept=is_kept)
                os.close(top)
                self._pid = self._fork(control, report)
        except OSError as error:
            raise explained(error) from error
        finally:
            os.close(control)
            os.close(report)
        self.root = self._overlay.root
        """The session's root, with all that is mounted on it once there is a `member`."""
        self._mark = mark(below.fd)
        self._first = os.pidfd_open(self._pid)

    def _fork(self, control: int, report: int) -> int:
        syscalls.unshare(syscalls.CLONE_NEWPID)
        try:
            pid = os.fork()
        except OSError:
            self._leave()
            raise
        if not pid:
            os.close(self._control)
            first_process.keep(self._overlay, control, report)
        return pid

    def member(self) -> int:
        """Return a pidfd of one in the session's namespaces, when they can be joined.

        Raises ChrootError where that is not to be.
        """
        word, *rest = os.fsdecode(os.read(self._report, first_process.PACKET)).split("\0")
        if word == first_process.JOINABLE:
            return self._first
        if len(rest) == 2:
            raise _KINDS.get(word, ChrootError)(*rest)
        raise ChrootError("the session was ended before it began")

    @property
    def view(self) -> int:
        """A descriptor of the tree without what is mounted on it, which can only be read.

        What the session has written lives on by it after its end.
        """
        return self._overlay.view

    def end(self, slow: Callable[[], None] = lambda: None) -> None:
        """End who is left in the session: TERM, five seconds, KILL. *slow* is called after one.

        Everything of the session is gone on return, but for what the caller holds open.
        """
        os.close(self._control)
        self._control = -1
        if os.read(self._report, first_process.PACKET):
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
        self.root.close()
        try:
            signal.pidfd_send_signal(self._first, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass  # it is reaped already where our caller ignores ended children
        self._leave()
        for fd in (self.view, self._first, self._mark, self._before, self._report, self._control):
            if fd >= 0:
                os.close(fd)

    def _leave(self) -> None:
        """Have children in our own pid namespace again, which the session's allows no more of."""
        syscalls.setns(self._before, syscalls.CLONE_NEWPID)
