"""What processes have open, and where they listen.

By the words of the links in /proc/PID/fd alone: no file is looked at, so that none of a server that
does not answer holds anybody up, and nothing is opened.
"""

from __future__ import annotations

import os
from itertools import islice

from ..errors import ChrootError
from ..kernel.inet_sockets import InetSocket, inet_sockets
from ..kernel.process_files import command
from ..process import Listener, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST = 4096
"""Descriptors of a process that are told of: it may have a million."""
_MOST_LISTENERS = 256
_PLACES = ("cwd", "root", "exe")


def open_files(pid: int, root_path: str) -> tuple[OpenFile, ...]:
    """Return what a process has open: where it is and its program, then by descriptor.

    *root_path* is what paths inside the chroot begin with out here. Raises ChrootError where it is
    gone, or not for us to look at.
    """
    found = []
    for name in _PLACES:
        link = _link(f"/proc/{pid}/{name}")
        if link:
            found.append(OpenFile(pid, name, "file", _inside(link, root_path)))
    sockets: dict[int, InetSocket] | None = None
    names: dict[int, str] = {}
    for number in _numbers(pid):
        link = _link(f"/proc/{pid}/fd/{number}")
        inode = _inode(link)
        if inode is not None and sockets is None:
            sockets, names = inet_sockets(pid), _unix_names()
        if inode is not None and sockets is not None:
            found.append(OpenFile(pid, str(number), *_socket(inode, sockets, names)))
        elif link:
            found.append(OpenFile(pid, str(number), *_file(link, root_path)))
    return tuple(found)


def listeners(pids: Iterable[int]) -> tuple[Listener, ...]:
    """Return where these processes listen, by port; those that can't be looked at are left out.

    A socket that several have, a server and its workers, is told once, for the first of *pids*.
    """
    spaces: dict[str, dict[int, InetSocket]] = {}
    found: dict[int, Listener] = {}
    for pid in pids:
        space = _link(f"/proc/{pid}/ns/net")
        if not space:
            continue
        if space not in spaces:
            spaces[space] = {
                inode: one for inode, one in inet_sockets(pid).items() if one.state == "listening"
            }
        there = spaces[space]
        for inode in _sockets_of(pid) if there else ():
            one = there.get(inode)
            if one is not None and inode not in found and len(found) < _MOST_LISTENERS:
                found[inode] = Listener(one.protocol, one.local, pid, command(pid))
    return tuple(sorted(found.values(), key=_order))


def _order(one: Listener) -> tuple[str, int, str]:
    address, _, port = one.address.rpartition(":")
    return one.protocol, int(port), address


def _sockets_of(pid: int) -> Iterator[int]:
    try:
        numbers = _numbers(pid)
    except ChrootError:
        return
    for number in numbers:
        inode = _inode(_link(f"/proc/{pid}/fd/{number}"))
        if inode is not None:
            yield inode


def _numbers(pid: int) -> list[int]:
    """Return the descriptors of a process, ascending. Raises ChrootError."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            return sorted(int(one.name) for one in islice(entries, _MOST))
    except PermissionError:
        raise ChrootError(
            f"what process {pid} has open is not ours to see", "run as root"
        ) from None
    except OSError:
        raise ChrootError(f"process {pid} has ended") from None


def _inode(link: str) -> int | None:
    number = link.removeprefix("socket:[").removesuffix("]")
    return int(number) if number.isdigit() and link.startswith("socket:[") else None


def _socket(inode: int, sockets: dict[int, InetSocket], names: dict[int, str]) -> tuple[str, str]:
    """Return the kind of a socket, and what it is called."""
    one = sockets.get(inode)
    if one is not None:
        peer = f" → {one.remote}" if one.remote else ""
        return one.protocol, f"{one.local}{peer}{one.state and ' ' + one.state}"
    if inode in names:
        return "unix", names[inode]
    return "socket", f"socket:[{inode}]"


def _unix_names() -> dict[int, str]:
    from ..kernel.unix_sockets import bound

    return {inode: name for inode, (_, name) in bound().items()}


def _file(link: str, root_path: str) -> tuple[str, str]:
    """Return the kind of what a link says, and what it is called inside."""
    if link.startswith("/"):
        inside = _inside(link, root_path)
        if link.startswith("/memfd:"):
            return "memory", link
        return "device" if inside.startswith("/dev/") else "file", inside
    kind = link.partition(":")[0]
    return ("pipe" if kind == "pipe" else "other"), link


def _inside(link: str, root_path: str) -> str:
    prefix = root_path.rstrip("/")
    if link == prefix:
        return "/"
    return link.removeprefix(prefix) if link.startswith(f"{prefix}/") else link


def _link(path: str) -> str:
    """Return what the link says, "" where it is gone or may not be read."""
    try:
        return os.readlink(path)
    except OSError:
        return ""
