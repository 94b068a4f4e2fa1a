"""Connections that nobody needs just now, kept open for the next command.

ssh keeps what leads to a machine (ControlPersist of ssh_config(5)); this keeps the chroot-tool that
was started there as well, waiting for a request. A small program of its own has their descriptors
and hands them to who asks by a socket in a directory that is the user's alone (SCM_RIGHTS of
unix(7)). It ends when nobody has asked for a minute. What ends meanwhile, or says a word, is kept
no longer; where the program is killed they are closed with it, and end.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import suppress

from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SECONDS = 60.0
"""For which one is kept, and after which one that was used again is kept no more."""
_PATIENCE = 1.0
"""Seconds in which the keeper answers, who does nothing else."""
_LONGEST = 1 << 16
"""Bytes of a message; who says more of itself than that is not kept."""
_ENDS = 4
_MOST = 1000
_WAITING = 1000
"""Who may have connected and is not answered yet."""
_TAKE, _KEEP = b"t", b"k"
_STARTER = """
import sys
sys.path.insert(0, sys.argv[1])
from chroot_tool.core.remote.idle_connections import main
main(sys.argv[3], int(sys.argv[2]))
"""
_EVENTS = select.POLLIN | select.POLLHUP | select.POLLERR

_starting = threading.Lock()


class Idle(Value):
    """An idle connection."""

    ends: tuple[int, ...]
    """Descriptors of the pipes to stdin, from stdout and stderr of the program that connects, and
    of itself (pidfd_open(2))."""
    hello: bytes
    """What the other has said of itself."""

    def close(self) -> None:
        """End it: who is at the other end need not end with its input."""
        with suppress(OSError):
            signal.pidfd_send_signal(self.ends[3], signal.SIGTERM)
        self.let_go()

    def let_go(self) -> None:
        """Close its ends, which somebody else has, too."""
        _close(self.ends)


def take(place: str, key: bytes) -> Idle | None:
    """Return the connection that was kept at the socket *place* as *key*, None where there is none.

    It is the caller's from now on, and nobody else's.
    """
    try:
        with _connected(place) as asking:
            asking.send(_TAKE + key)
            hello, fds, _, _ = socket.recv_fds(asking, _LONGEST, _ENDS, socket.MSG_CMSG_CLOEXEC)
    except OSError:
        return None
    if len(fds) == _ENDS:
        return Idle(tuple(fds), hello)
    _close(fds)
    return None


def keep(place: str, key: bytes, idle: Idle) -> None:
    """Have a connection kept as *key* at the socket *place*; the caller closes his ends of it.

    Raises OSError where nobody can keep it.
    """
    message = b"%b%b\0%b" % (_KEEP, key, idle.hello)
    if len(message) > _LONGEST:
        raise OSError("it says too much of itself")
    with _starting:
        try:
            asking = _connected(place)
        except OSError:
            _start(place)
            asking = _connected(place)
    with asking:
        socket.send_fds(asking, [message], idle.ends)


def _connected(place: str) -> socket.socket:
    one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one.settimeout(_PATIENCE)
    try:
        one.connect(place)
        # Whoever may rename a directory above can have put one of his own there.
        _, uid, _ = struct.unpack("iII", one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid != os.geteuid():
            raise PermissionError(f"{place} is another user's")
    except OSError:
        one.close()
        raise
    return one


def _start(place: str) -> None:
    """Start a keeper; who connects from now on is answered once it is there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        new = f"{place}.{os.getpid()}"
        with suppress(OSError):
            os.unlink(new)  # of one who was killed just here
        listening.bind(new)
        listening.listen(_WAITING)
        # Two who start one at the same time: the first is asked no more, and ends in a minute.
        mine = os.lstat(new).st_ino
        os.rename(new, place)
        packages = __file__.rpartition("/chroot_tool/")[0]
        argv = [sys.executable, "-I", "-S", "-B", "-c", _STARTER, packages, str(mine), place]
        null = "/dev/null"
        os.posix_spawn(
            sys.executable, argv, os.environ, setsid=True,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, listening.fileno(), 0),
                (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, null, os.O_WRONLY, 0),
            ],
        )  # fmt: skip


def _close(fds: Iterable[int]) -> None:
    for fd in fds:
        os.close(fd)


# -- the program that keeps them -----------------------------------------------------------------


def main(place: str, mine: int, seconds: float = SECONDS) -> None:
    """Be the program that keeps connections, by the listening socket that is stdin.

    *mine*: its inode; another may have taken its place by now.
    """
    import resource

    os.chdir("/")  # no file system is busy for its sake
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 5 * _MOST), most))
    with socket.socket(fileno=0) as listening:
        Keeper(listening, seconds).run()
        with suppress(OSError):  # before it is closed: till then nobody puts another there
            if os.lstat(place).st_ino == mine:
                os.unlink(place)


class Keeper:
    """Keeps connections for those who ask by a socket."""

    def __init__(self, listening: socket.socket, seconds: float) -> None:
        """*seconds*: for how long it keeps one, and waits for somebody to ask."""
        self._listening = listening
        self._seconds = seconds
        self._kept: dict[bytes, tuple[Idle, float]] = {}
        """By key; with when it is kept no longer."""
        self._asking: dict[int, socket.socket] = {}
        self._watched: dict[int, bytes] = {}
        """The key that a descriptor belongs to, from which nothing should come."""
        self._poll = select.poll()
        self._poll.register(listening, select.POLLIN)

    def run(self) -> None:
        """Do it until nobody has asked for so long."""
        until = time.monotonic() + self._seconds
        while (left := until - time.monotonic()) > 0:  # so long, at most, one is kept, too
            ends = (end - time.monotonic() for _, end in self._kept.values())
            ready = [fd for fd, _ in self._poll.poll(max(0.0, min((left, *ends))) * 1000 + 1)]
            for fd in ready:
                if fd in self._watched:  # a word, or the end, that nobody has asked for
                    self._drop(self._watched[fd])
            for fd in ready:
                if fd in self._asking:
                    self._answer(self._forget(fd))
                    until = time.monotonic() + self._seconds
            if self._listening.fileno() in ready:
                self._accept()
            now = time.monotonic()
            for key in [key for key, (_, end) in self._kept.items() if end <= now]:
                self._drop(key)
        for key in tuple(self._kept):
            self._drop(key)

    def _accept(self) -> None:
        try:
            one, _ = self._listening.accept()
        except OSError:  # no descriptor is left for it, and it would be ready again at once
            if self._kept:
                self._drop(next(iter(self._kept)))
            return
        one.setblocking(False)
        self._asking[one.fileno()] = one
        self._poll.register(one, select.POLLIN)

    def _forget(self, fd: int) -> socket.socket:
        self._poll.unregister(fd)
        return self._asking.pop(fd)

    def _answer(self, one: socket.socket) -> None:
        with one:
            try:
                found, fds, _, _ = socket.recv_fds(one, _LONGEST, _ENDS, socket.MSG_CMSG_CLOEXEC)
            except OSError:
                return
            key, _, hello = found[1:].partition(b"\0")
            if found[:1] == _KEEP and len(fds) == _ENDS:
                self._keep(key, Idle(tuple(fds), hello))
                return
            _close(fds)
            if found[:1] == _TAKE and key in self._kept:
                idle = self._let_go(key)
                # Where it is not taken after all it is closed with ours, and ends.
                with suppress(OSError):
                    socket.send_fds(one, [idle.hello], idle.ends)
                idle.let_go()

    def _keep(self, key: bytes, idle: Idle) -> None:
        if key in self._kept:
            self._drop(key)
        if len(self._kept) >= _MOST:
            idle.close()
            return
        self._kept[key] = idle, time.monotonic() + self._seconds
        for fd in idle.ends[1:3]:
            self._watched[fd] = key
            self._poll.register(fd, _EVENTS)

    def _let_go(self, key: bytes) -> Idle:
        idle, _ = self._kept.pop(key)
        for fd in idle.ends[1:3]:
            del self._watched[fd]
            self._poll.unregister(fd)
        return idle

    def _drop(self, key: bytes) -> None:
        self._let_go(key).close()
