"""What processes have open, and where they listen.

By the words of the links in /proc/PID/fd alone: no file is looked at, so that none of a server that
does not answer holds anybody up, and nothing is opened.
"""

from __future__ import annotations

import os
from itertools import islice

from ..errors import ChrootError
from ..kernel.inet_sockets import InetSocket, inet_sockets
from ..kernel.process_files import command, linked
from ..process import MOST_LISTENERS, Listener, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST = 4096
"""Descriptors of a process that are told of: it may have a million."""
_MOST_OF_ALL = 10_000
_MOST_TEXT = 1 << 20
"""Characters of all names that are told of at once: with a path of each 4 K they would be 16 M."""
_PLACES = ("cwd", "root", "exe")
MORE = "…"
"""What an entry is called that stands for those that are not told of."""


def open_files(pid: int, root_path: str) -> tuple[OpenFile, ...]:
    """Return what a process has open: where it is and its program, then by descriptor.

    *root_path* is what paths inside the chroot begin with out here. Raises ChrootError where it is
    gone, or not for us to look at.
    """
    look = _Look(root_path)
    look.take(pid)
    return tuple(look.found)


def all_open_files(pids: Iterable[int], root_path: str) -> tuple[OpenFile, ...]:
    """Return what processes have open, one after the other; who can't be looked at is left out."""
    look = _Look(root_path)
    for pid in pids:
        if look.is_full:
            break
        try:
            look.take(pid)
        except ChrootError:
            continue
    return tuple(look.found)


def listeners(pids: Iterable[int]) -> tuple[Listener, ...]:
    """Return where these processes listen, by port; those that can't be looked at are left out.

    A socket that several have, a server and its workers, is told once, for the first of *pids*.
    """
    sockets = _Sockets()
    found: dict[int, Listener] = {}
    for pid in pids:
        there = sockets.listening(pid)
        for inode in _sockets_of(pid) if there else ():
            one = there.get(inode)
            if one is not None and inode not in found and len(found) < MOST_LISTENERS:
                found[inode] = Listener(one.protocol, one.local, pid, command(pid))
    return tuple(sorted(found.values(), key=_order))


class _Look:
    """What is found, as far as it is told of."""

    def __init__(self, root_path: str) -> None:
        self.found: list[OpenFile] = []
        self.is_full = False
        self._root_path = root_path
        self._text = 0
        self._sockets = _Sockets()

    def take(self, pid: int) -> None:
        """Add what a process has open. Raises ChrootError."""
        numbers = _numbers(pid)
        for name in _PLACES:
            link = linked(f"/proc/{pid}/{name}")
            if link:
                self._add(pid, name, "file", _inside(link, self._root_path))
        for number in numbers[:_MOST]:
            if self.is_full:
                return
            link = linked(f"/proc/{pid}/fd/{number}")
            inode = _inode(link)
            if inode is not None:
                self._add(pid, str(number), *self._sockets.said(pid, inode))
            elif link:
                self._add(pid, str(number), *_file(link, self._root_path))
        if len(numbers) > _MOST:
            said = f"it has more open: {_MOST} are told"
            self.found.append(OpenFile(pid, MORE, "other", said))

    def _add(self, pid: int, name: str, kind: str, what: str) -> None:
        if self.is_full:
            return
        self._text += len(what)
        if len(self.found) >= _MOST_OF_ALL or self._text > _MOST_TEXT:
            self.is_full = True
            said = f"there is more: {len(self.found)} are told"
            self.found.append(OpenFile(pid, MORE, "other", said))
        else:
            self.found.append(OpenFile(pid, name, kind, what))


class _Sockets:
    """What sockets are called, of each network namespace that was asked about read once."""

    def __init__(self) -> None:
        self._of_spaces: dict[str, dict[int, InetSocket]] = {}
        self._listening: dict[str, dict[int, InetSocket]] = {}
        self._names: dict[int, str] | None = None

    def said(self, pid: int, inode: int) -> tuple[str, str]:
        """Return the kind of a socket that a process has, and what it is called."""
        one = self._of_spaces.get(self._space(pid), {}).get(inode)
        if one is not None:
            peer = f" → {one.remote}" if one.remote else ""
            return one.protocol, f"{one.local}{peer}{one.state and ' ' + one.state}"
        if self._names is None:
            self._names = _unix_names()
        if inode in self._names:
            return "unix", self._names[inode]
        return "socket", f"socket:[{inode}]"

    def listening(self, pid: int) -> dict[int, InetSocket]:
        """Return the sockets of a process's network namespace that listen, by inode."""
        return self._listening.get(self._space(pid), {})

    def _space(self, pid: int) -> str:
        """Return the network namespace of a process, whose sockets are known then; "": it ended."""
        space = linked(f"/proc/{pid}/ns/net")
        if space and space not in self._of_spaces:
            found = inet_sockets(pid)
            if linked(f"/proc/{pid}/ns/net") != space:
                return ""  # it has ended meanwhile, and what was read is nothing, or half of it
            self._of_spaces[space] = found
            self._listening[space] = {
                inode: one for inode, one in found.items() if one.state == "listening"
            }
        return space


def _order(one: Listener) -> tuple[str, int, str]:
    address, _, port = one.address.rpartition(":")
    return one.protocol, int(port), address


def _sockets_of(pid: int) -> Iterator[int]:
    try:
        numbers = _numbers(pid)
    except ChrootError:
        return
    for number in numbers:
        inode = _inode(linked(f"/proc/{pid}/fd/{number}"))
        if inode is not None:
            yield inode


def _numbers(pid: int) -> list[int]:
    """Return the descriptors of a process, to one more than are told. Raises ChrootError."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            return sorted(int(one.name) for one in islice(entries, _MOST + 1))
    except PermissionError:
        raise ChrootError(
            f"what process {pid} has open is not ours to see", "run as root"
        ) from None
    except OSError:
        raise ChrootError(f"process {pid} has ended") from None


def _inode(link: str) -> int | None:
    number = link.removeprefix("socket:[").removesuffix("]")
    return int(number) if number.isdigit() and link.startswith("socket:[") else None


def _unix_names() -> dict[int, str]:
    from ..kernel.unix_sockets import bound

    return {inode: name for inode, (_, name) in bound().items()}


def _file(link: str, root_path: str) -> tuple[str, str]:
    """Return the kind of what a link says, and what it is called inside."""
    if link.startswith("/"):
        inside = _inside(link, root_path)
        if link.startswith("/memfd:"):
            return "memory", link
        is_device = inside.startswith("/dev/") and not inside.startswith("/dev/shm/")
        return "device" if is_device else "file", inside
    kind = link.partition(":")[0]
    return ("pipe" if kind == "pipe" else "other"), link


def _inside(link: str, root_path: str) -> str:
    prefix = root_path.rstrip("/")
    if link == prefix:
        return "/"
    return link.removeprefix(prefix) if link.startswith(f"{prefix}/") else link
