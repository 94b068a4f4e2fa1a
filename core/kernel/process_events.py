"""The kernel's news of processes: who began, who ended. Nothing is polled.

Root only before Linux 6.6, and only in the machine's first user, pid and network namespaces.

The process connector (netlink, linux/cn_proc.h) tells of every process of the machine. A socket
filter keeps all but fork, exec and exit of whole processes from waking us, not of threads, and the
receive buffer is kept small: in a storm of forks the kernel drops what is not read in time and says
so once, which costs less than to read it; the caller then looks at everything anew. Once a second
is enough while that lasts.

What a process does without exec, chroot(2) above all, is no news: look at everything once in a
while as well (ten seconds will do).
"""

from __future__ import annotations

from ..errors import ChrootError, PrivilegeError
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

# linux/netlink.h, linux/connector.h, linux/cn_proc.h
_NETLINK_CONNECTOR = 11
_CN_IDX_PROC = 1
_CN_VAL_PROC = 1
_PROC_CN_MCAST_LISTEN = 1
_PROC_CN_MCAST_IGNORE = 2
_NLMSG_DONE = 3
_FORK = 0x00000001
_EXEC = 0x00000002
_EXIT = 0x80000000
_ACK = 0x00000000
_SO_ATTACH_FILTER = 26  # asm-generic/socket.h
_ENOBUFS = 105

_WHAT = 36  # after struct nlmsghdr (16 bytes) and struct cn_msg (20)
_DATA = 52  # what, cpu, timestamp_ns
_BUFFER = 64 << 10
_MOST = 512
"""Messages taken at once: reading 500 costs about as much as looking at 200 processes."""


class ProcessChanges(Value):
    """What happened to processes since the last time."""

    began: frozenset[int]
    """Pids that were forked or that called exec, and had not ended when this was read."""
    ended: frozenset[int]
    lost: bool = False
    """More happened than is told: look at everything."""

    def __bool__(self) -> bool:
        return self.lost or bool(self.began) or bool(self.ended)


class ProcessEvents:
    """An open connection. Wait for `fileno()` to be readable, then `drain()`.

    Let some time pass between two drains (a tenth of a second, say): what comes in meanwhile is
    told at once, and the next wait returns at once if there was anything.
    """

    def __init__(self) -> None:
        """Connect. Raises PrivilegeError where it is not allowed, ChrootError where there is none.

        Both are usual in containers: whoever wants the news then has to look by the clock.
        """
        import socket

        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_CONNECTOR)
        except OSError as error:
            raise _none(error) from error
        try:
            self._open()
        except PermissionError as error:
            self._socket.close()
            raise PrivilegeError("may not listen to process events", "run as root") from error
        except OSError as error:
            self._socket.close()
            raise _none(error) from error

    def _open(self) -> None:
        import socket

        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        _attach_filter(self._socket)
        self._socket.bind((0, _CN_IDX_PROC))
        self._tell(_PROC_CN_MCAST_LISTEN)
        if not self._answered():
            raise PermissionError(1, "no process events in this namespace")

    def _tell(self, operation: int) -> None:
        import struct

        message = struct.pack("=IIIIHHI", _CN_IDX_PROC, _CN_VAL_PROC, 0, 0, 4, 0, operation)
        header = struct.pack("=IHHII", 16 + len(message), _NLMSG_DONE, 0, 0, 0)
        self._socket.send(header + message)

    def _answered(self) -> bool:
        """Tell whether the kernel acknowledged: outside its first namespaces it says nothing.

        It answers before send returns; events can come before the answer, or crowd it out.
        """
        import struct

        try:
            while True:
                (what,) = struct.unpack_from("=I", self._socket.recv(256), _WHAT)
                if what == _ACK:
                    return True
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != _ENOBUFS:
                raise
            return True

    def fileno(self) -> int:
        """Return the descriptor: readable when there is something to drain."""
        return self._socket.fileno()

    def drain(self) -> ProcessChanges:
        """Return what happened since the last call, without waiting. Raises OSError."""
        import struct

        began: set[int] = set()
        ended: set[int] = set()
        receive, unpack = self._socket.recv, struct.Struct("=I12x4I").unpack_from
        for _ in range(_MOST):
            try:
                what, first, _, child, _ = unpack(receive(256), _WHAT)
            except BlockingIOError:
                return ProcessChanges(frozenset(began), frozenset(ended))
            except OSError as error:
                if error.errno != _ENOBUFS:
                    raise
                break
            if what == _EXIT:
                ended.add(first)
                began.discard(first)
            elif what in (_FORK, _EXEC):
                pid = child if what == _FORK else first
                began.add(pid)
                ended.discard(pid)
        self._throw_away()
        return ProcessChanges(frozenset(began), frozenset(ended), lost=True)

    def _throw_away(self) -> None:
        """Empty the buffer: all will be looked at anew anyway. In a storm it never is empty."""
        try:
            for _ in range(_MOST):
                self._socket.recv(1)
        except OSError:
            pass

    def close(self) -> None:
        """Disconnect. Kernels before 6.6 go on making events until they are told to stop."""
        if self._socket.fileno() < 0:
            return
        try:
            self._tell(_PROC_CN_MCAST_IGNORE)
        except OSError:
            pass
        self._socket.close()


def _none(error: OSError) -> ChrootError:
    return ChrootError(f"the kernel tells nothing of processes here: {error.strerror or error}")


def _attach_filter(sock: socket.socket) -> None:
    """Let the kernel drop what is neither acknowledgement nor fork, exec, exit of a process."""
    import array
    import socket
    import struct

    code = b"".join([struct.pack("=HBBI", *instruction) for instruction in _program()])
    memory = array.array("B", code)  # struct sock_fprog points to it
    address, length = memory.buffer_info()
    program = struct.pack("@HP", length // 8, address)
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _program() -> tuple[tuple[int, int, int, int], ...]:
    """Return classic BPF (linux/filter.h): operation, jump if true, jump if false, operand.

    A fork made a thread where child_pid is not child_tgid, an exit ended one where process_pid
    is not process_tgid.
    """
    import socket

    load, to_x, is_equal, is_equal_x, give = 0x20, 0x07, 0x15, 0x1D, 0x06
    fork, exec_, exit_, ack = map(socket.htonl, (_FORK, _EXEC, _EXIT, _ACK))  # it loads big-endian
    return (
        (load, 0, 0, _WHAT),
        (is_equal, 3, 0, fork),  # to A
        (is_equal, 10, 0, exec_),  # to TAKE
        (is_equal, 5, 0, exit_),  # to B
        (is_equal, 8, 9, ack),  # to TAKE, else DROP
        (load, 0, 0, _DATA + 8),  # A
        (to_x, 0, 0, 0),
        (load, 0, 0, _DATA + 12),
        (is_equal_x, 4, 5, 0),  # to TAKE, else DROP
        (load, 0, 0, _DATA),  # B
        (to_x, 0, 0, 0),
        (load, 0, 0, _DATA + 4),
        (is_equal_x, 0, 1, 0),  # to TAKE, else DROP
        (give, 0, 0, 0xFFFF),  # TAKE
        (give, 0, 0, 0),  # DROP
    )
