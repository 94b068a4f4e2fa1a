"""What one process uses of a chroot and of the mounts below it.

A file is on a mount when its mount id says so; its path alone would be wrong about what lies
hidden below a mount, and about paths of another mount namespace. But the path that the kernel
shows for a file on a mount begins with where that is mounted, so it tells quickly who need not be
looked at closer: 2 µs for a path, 20 µs for a mount id.
"""

from __future__ import annotations

import os

from ..kernel import syscalls
from ..kernel.mount_table import MountTable
from ..kernel.process_files import head, lines_with, linked
from .residents import Climb, kernel_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ..kernel.mount_table import MountEntry
    from .residents import Identity

COPY = "mount namespace"
"""What a process holds that merely is in a mount namespace where the mounts are mounted too."""


class Scan:
    """Looks at one process after another; the mount table is that of the moment it was made."""

    def __init__(
        self, root_path: str, identity: Identity, targets: Collection[str] | None = None
    ) -> None:
        """*targets*: only these mount points matter, and not who merely lives in the root."""
        table = MountTable.read()
        wanted = table.below(root_path)
        if targets is not None:
            wanted = [entry for entry in wanted if entry.target in targets]
        self._root_path = root_path
        self._lives_matter = targets is None
        self._climb = Climb({identity: (root_path,)})
        self._identity = identity
        self._kernel = kernel_threads()
        self._namespaces = Namespaces(wanted, table)
        self._targets = tuple({entry.target for entry in wanted})
        self._sockets = _sockets_on({entry.device for entry in wanted})
        self._terminals = {entry.id for entry in wanted if entry.fs == "devpts"}
        self.inside: set[int] = set()
        """Which of those looked at live in the root."""
        self.carriers: set[int] = set()
        """Which of those looked at live outside, and use nothing but terminals of the chroot's."""

    def holds(self, pid: int) -> tuple[str, ...]:
        """Return what the process uses, as `Holder.holds` has it; () where it uses nothing.

        (COPY,) where it hinders nothing, but is in a mount namespace with copies to keep.
        """
        held: dict[str, None] = {}
        inside = keeps = False
        base = ""
        mounts: frozenset[int] = frozenset()
        # Not by its program, which who ends has no more, but its directories and descriptors.
        if str(pid) in self._kernel:
            return ()
        for thread in _threads(pid):
            path = f"/proc/{pid}/task/{thread}"
            root = linked(f"{path}/root")
            if not root:
                continue  # it ended: the others can live on without the first
            if not base:
                base = path
                mounts, keeps = self._namespaces.look(path, root)
            lives = self._lives(path)
            inside = inside or lives
            if (lives and self._lives_matter) or self._is_on(f"{path}/root", root, mounts):
                held[f"root {self._inside(path, root)}"] = None
            self._add(held, "cwd", f"{path}/cwd", mounts)
        if base and mounts:
            self._add(held, "exe", f"{base}/exe", mounts)
            files = dict(self._files(base, mounts, inside))
            held.update(dict.fromkeys(files))
            held.update(dict.fromkeys(self._maps(pid, base, mounts)))
            if held and not inside and all(files.get(w) in self._terminals for w in held):
                self.carriers.add(pid)
        if inside:
            self.inside.add(pid)
        if keeps and not held and not inside and linked(f"{base}/exe"):
            return (COPY,)  # not kthreadd, say, which has no program
        return tuple(held)

    def _lives(self, path: str) -> bool:
        try:
            identity = syscalls.identity(syscalls.AT_FDCWD, f"{path}/root")
        except OSError:
            return False
        return bool(self._climb.paths(f"{path}/root", identity))

    def _inside(self, path: str, root: str) -> str:
        """Return *root*, the link's text, as it is called inside the chroot."""
        try:
            if syscalls.identity(syscalls.AT_FDCWD, f"{path}/root") == self._identity:
                return "/"
        except OSError:
            pass
        prefix = self._root_path + "/"
        return "/" + root.removeprefix(prefix) if root.startswith(prefix) else root

    def _add(self, held: dict[str, None], word: str, path: str, mounts: Collection[int]) -> None:
        link = linked(path)
        if self._is_on(path, link, mounts):
            held[f"{word} {link}"] = None

    def _is_on(self, path: str, link: str, mounts: Collection[int]) -> bool:
        return link.startswith(self._targets) and _mount_id(path) in mounts

    def _files(
        self, base: str, mounts: Collection[int], inside: bool
    ) -> Iterator[tuple[str, int | None]]:
        """Yield what is open, with the id of its mount, None for a socket."""
        try:
            numbers = os.listdir(f"{base}/fd")
        except OSError:
            return
        for number in numbers:
            link = linked(f"{base}/fd/{number}")
            if link.startswith("socket:["):
                name = self._sockets.get(int(link[8:-1]), "") if self._sockets else ""
                bound = self._root_path + name if inside else name
                if name and bound.startswith(self._targets):
                    yield f"socket {bound}", None
            elif link.startswith(self._targets):
                mount = _fd_mount_id(base, number)
                if mount in mounts:
                    yield f"fd {number} {link}", mount

    def _maps(self, pid: int, base: str, mounts: Collection[int]) -> Iterator[str]:
        """Yield the mapped files; the program itself is `exe` and not named again."""
        wanted = tuple(os.fsencode(target).replace(b"\n", b"\\012") for target in self._targets)
        program = ""
        seen = set()
        for line in lines_with(f"{base}/maps", wanted):
            words = line.split(b" ", 5)  # proc_pid_maps(5): range rights offset device inode path
            name = words[-1].lstrip(b" ")
            if len(words) < 6 or name in seen or not name.startswith(wanted):
                continue
            seen.add(name)
            program = program or linked(f"{base}/exe")
            shown = os.fsdecode(name.replace(b"\\012", b"\n"))
            # Readable with CAP_SYS_ADMIN only, without which nobody unmounts: then it is the path.
            mount = _mount_id(f"/proc/{pid}/map_files/{os.fsdecode(words[0])}")
            if shown != program and (mount in mounts or mount == _UNKNOWN):
                yield f"map {shown}"


class Namespaces:
    """Which mounts matter for a process of this or of another mount namespace."""

    def __init__(self, wanted: list[MountEntry], table: MountTable) -> None:
        self._ids = frozenset(entry.id for entry in wanted)
        self._wanted = {_key(entry): _shares(table, entry) for entry in wanted}
        self._known = {linked("/proc/self/ns/mnt"): (self._ids, False)}

    def look(self, path: str, root: str) -> tuple[frozenset[int], bool]:
        """Return the ids that matter for the process at *path* (/proc/PID), which has *root*.

        Ours always: a descriptor can be carried into any namespace. And the copies in its own
        that an unmount of ours is propagated to, which fails where one of those is in use. And
        whether there are others, that an unmount of ours leaves there.
        """
        namespace = linked(f"{path}/ns/mnt")
        known = self._known.get(namespace)
        if known is None:
            # From below another root the table has other paths, and not all: nothing to learn.
            if not namespace or root != "/":
                return self._ids, False
            known = self._known[namespace] = self._read(f"{path}/mountinfo")
        return known

    def _read(self, path: str) -> tuple[frozenset[int], bool]:
        try:
            table = MountTable.read(path)
        except (OSError, ValueError):
            return self._ids, False
        copies = [entry for entry in table.entries if _key(entry) in self._wanted]
        follow = {
            entry.id for entry in copies if self._wanted[_key(entry)] and _follows(table, entry)
        }
        return self._ids | follow, len(follow) < len(copies)


def _key(entry: MountEntry) -> tuple[str, str, str]:
    return entry.device, entry.root, entry.target


def _shares(table: MountTable, entry: MountEntry) -> bool:
    """Tell whether unmounting *entry* reaches other namespaces: what it is mounted on decides."""
    parent = table.by_id.get(entry.parent)
    return parent is not None and parent.propagation == "shared"


def _follows(table: MountTable, entry: MountEntry) -> bool:
    parent = table.by_id.get(entry.parent)
    return parent is not None and parent.propagation in ("shared", "slave")


def _sockets_on(devices: set[str]) -> dict[int, str]:
    """Return the unix sockets bound on one of *devices*: inode to name."""
    from ..kernel.unix_sockets import bound

    if not devices:
        return {}
    return {inode: name for inode, (device, name) in bound().items() if device in devices}


def _threads(pid: int) -> list[str]:
    """Return the threads: each can have a root and a working directory of its own (smbd has)."""
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


_UNKNOWN = -1


def _mount_id(path: str) -> int:
    """Return the id of the mount that the file behind *path* is on; 0: gone, _UNKNOWN: no right."""
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except PermissionError:
        return _UNKNOWN
    except OSError:
        return 0
    try:
        return _fd_mount_id("/proc/self", str(fd))
    finally:
        os.close(fd)


def _fd_mount_id(base: str, number: str) -> int:
    # It comes first; an epoll or inotify descriptor has a line behind it for all that it watches.
    _, _, rest = head(f"{base}/fdinfo/{number}").partition(b"mnt_id:")
    return int(rest.split(maxsplit=1)[0]) if rest else 0
