"""The TCP and UDP sockets of a network namespace, by what /proc/PID/net says (proc_pid_net(5)).

psutil reads the same files, once more for each process that it is asked about, or looks at every
process of the machine; and always at those of its own namespace.
"""

from __future__ import annotations

from itertools import islice

from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FILES = ("tcp", "tcp6", "udp", "udp6")
_MOST = 50_000
"""Lines of a file that are read."""
_STATES = {"01": "connected", "0A": "listening"}
"""Of include/net/tcp_states.h, those that one asks for; a UDP socket without a peer has 07."""
_UNCONNECTED = "07"


class InetSocket(Value):
    """One socket. Addresses are as `127.0.0.1:22` and `[::1]:22`."""

    protocol: str
    """`tcp` or `udp`."""
    local: str
    remote: str
    """"" where it has no peer."""
    state: str
    """`listening`, `connected`, or "" for what is on its way from one to the other."""


def inet_sockets(pid: int) -> dict[int, InetSocket]:
    """Return the sockets of the network namespace that a process is in, by their inodes.

    Empty where it is gone, or not for us.
    """
    found: dict[int, InetSocket] = {}
    for name in _FILES:
        try:
            with open(f"/proc/{pid}/net/{name}", encoding="ascii", errors="replace") as lines:
                found.update(_read(islice(lines, 1, _MOST), name.removesuffix("6")))
        except OSError:
            continue
    return found


def _read(lines: Iterator[str], protocol: str) -> Iterator[tuple[int, InetSocket]]:
    for line in lines:
        words = line.split()
        # sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode
        if len(words) < 10 or not words[9].isdigit():
            continue
        try:
            local, remote = address_of(words[1]), address_of(words[2])
        except ValueError:
            continue
        state = _STATES.get(words[3], "")
        if protocol == "udp" and words[3] == _UNCONNECTED:
            state = "listening"
        yield (
            int(words[9]),
            InetSocket(protocol, local, "" if state == "listening" else remote, state),
        )


def address_of(text: str) -> str:
    """Return an address as one writes it: `0100007F:0016` has numbers in the machine's byte order.

    Raises ValueError.
    """
    import socket
    import sys

    address, _, port = text.partition(":")
    data = b"".join(
        int(address[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(address), 8)
    )
    if len(data) == 4:
        return f"{socket.inet_ntop(socket.AF_INET, data)}:{int(port, 16)}"
    return f"[{socket.inet_ntop(socket.AF_INET6, data)}]:{int(port, 16)}"
