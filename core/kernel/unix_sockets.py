"""Where unix sockets are bound: a socket keeps the mount busy that its name was made on.

A syslog daemon of the host that listens in a chroot's /dev/log is the usual case. Nothing in
/proc/PID says so, and /proc/net/unix prints names as they are, newlines too: a line can be forged
by a name. So the kernel is asked by sock_diag(7).
"""

from __future__ import annotations

import os

# linux/netlink.h, linux/sock_diag.h, linux/unix_diag.h
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST_DUMP = 0x301
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_UDIAG_SHOW_NAME_VFS = 3
_UNIX_DIAG_NAME = 0
_UNIX_DIAG_VFS = 1
_ALL_STATES = 0xFFFFFFFF
_HEADER = "=IHHII"
_HEADER_SIZE = 16
_MESSAGE_SIZE = 16  # struct unix_diag_msg


def bound() -> dict[int, tuple[str, str]]:
    """Return the sockets of this network namespace that are bound to a path.

    Inode of the socket (as in `socket:[N]`) to (device as mountinfo has it, the name as the
    process gave it, from its own root). Empty where the kernel cannot say.
    """
    import socket
    import struct

    family, states, show = socket.AF_UNIX, _ALL_STATES, _UDIAG_SHOW_NAME_VFS
    request = struct.pack("=BBHIIIII", family, 0, 0, states, 0, show, 0, 0)  # unix_diag_req
    header = struct.pack(
        _HEADER, _HEADER_SIZE + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST_DUMP, 1, 0
    )
    found: dict[int, tuple[str, str]] = {}
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asked:
            asked.send(header + request)
            while _take(asked.recv(1 << 16), found):
                pass
    except OSError:
        pass
    return found


def _take(data: bytes, found: dict[int, tuple[str, str]]) -> bool:
    """Add what one datagram holds to *found*; return whether there is more to come."""
    import struct

    at = 0
    while at + _HEADER_SIZE <= len(data):
        length, kind, *_ = struct.unpack_from(_HEADER, data, at)
        if kind in (_NLMSG_DONE, _NLMSG_ERROR) or length < _HEADER_SIZE:
            return False
        body = data[at + _HEADER_SIZE : at + length]
        (inode,) = struct.unpack_from("=I", body, 4)
        attributes = _attributes(body[_MESSAGE_SIZE:])
        if _UNIX_DIAG_VFS in attributes:
            _, device = struct.unpack("=II", attributes[_UNIX_DIAG_VFS])
            name = attributes.get(_UNIX_DIAG_NAME, b"").rstrip(b"\0")
            # The kernel's own dev_t: 12 bits major, 20 bits minor (linux/kdev_t.h).
            found[inode] = (f"{device >> 20}:{device & 0xFFFFF}", os.fsdecode(name))
        at += (length + 3) & ~3
    return True


def _attributes(data: bytes) -> dict[int, bytes]:
    import struct

    found = {}
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[kind] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found
