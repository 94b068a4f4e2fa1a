"""Who has a lock on a directory, and whether that is anybody who has a say in it.

Whoever can open a directory can lock it, and a directory that everybody can read, everybody can
open. So a lock is asked for its holders: one that nobody has who could write the directory, or the
configuration in it, is nobody's. Of each process the real user counts: a set-user-id program that
was started with a locked descriptor is not root's.
"""

from __future__ import annotations

import os
import stat
import struct

from .mount_table import device_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FLOCK, POSIX = "FLOCK", "POSIX"
"""flock(2), and fcntl(2), F_SETLK."""
UNSEEN = -1
"""In the place of a pid: of another pid namespace, or one that /proc does not show."""
_READS = 2
_CONFIGURATION = "chroot.d"
_ACL = struct.Struct("<HHI")  # acl(5), linux/posix_acl_xattr.h: tag, permissions, id
_ACL_USER, _ACL_GROUP, _ACL_WRITE = 0x02, 0x08, 2


def holders(fd: int, kind: str = FLOCK) -> list[int]:
    """Return the pids that /proc/locks names for the file behind *fd* (proc_locks(5))."""
    wanted = _identity(fd)
    return [
        max(int(pid), 0) for found, _, _, pid, file in listed(wanted)
        if found == kind and file == wanted
    ]  # fmt: skip


def listed(wanted: str) -> list[list[str]]:
    """Return the locks that /proc/locks has with *wanted* in the line: kind, ADV, how, pid, file.

    It comes a page at a time, each found by how many were before: where one was let go of since,
    the next is left out. So it is read again where there is more than a page, for the union.
    """
    found: dict[str, None] = {}
    for _ in range(_READS):
        pages = _pages()
        # Most are of other files: a database has tens of thousands.
        lines = b"".join(pages).decode("ascii", "replace").splitlines()
        found.update(dict.fromkeys(line.partition(": ")[2] for line in lines if wanted in line))
        if len(pages) < 2:
            break
    words = [line.split() for line in found]
    return [one[:5] for one in words if len(one) > 4 and one[0] != "->"]  # who waits has none


def _pages() -> list[bytes]:
    try:
        with open("/proc/locks", "rb", buffering=0) as file:
            return list(iter(lambda: file.read(1 << 16), b""))
    except OSError:
        return []


def _identity(fd: int) -> str:
    status = os.fstat(fd)
    major, minor = map(int, device_name(status.st_dev).split(":"))
    return f"{major:02x}:{minor:02x}:{status.st_ino}"


def counting_holder(fd: int, kind: str = FLOCK) -> int:
    """Return the pid of a holder who could write the directory behind *fd*; 0: there is none.

    UNSEEN where somebody may have it whom nobody sees. For others than root any holder counts.
    """
    pids = holders(fd, kind)
    if not pids or os.geteuid():
        return pids[0] if pids else UNSEEN
    own = os.getpid()
    if kind == FLOCK:  # goes with the descriptor: who has it now need not be who took it
        wanted = _identity(fd)
        if not all(_has(pid, wanted) for pid in pids):
            pids = [pid for pid in _everybody() if _has(pid, wanted)]
    return next((pid for pid in pids if pid == own or may_write(pid, fd)), 0)


def _everybody() -> Iterable[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _has(pid: int, wanted: str) -> bool:
    """Tell whether a process has a descriptor with that lock."""
    try:
        return any(_is_flock(words, wanted) for words in _said_of_descriptors(pid))
    except OSError:
        return False


def _is_flock(words: list[str], wanted: str) -> bool:
    return words[:1] == ["lock:"] and FLOCK in words and wanted in words


def has_open(pid: int, fd: int) -> bool:
    """Tell whether a process has the directory behind *fd* open.

    True, too, where nothing is to be seen of that process.
    """
    wanted = ["ino:", str(os.fstat(fd).st_ino)]
    try:
        return wanted in _said_of_descriptors(pid)
    except OSError:
        return True


def _said_of_descriptors(pid: int) -> Iterator[list[str]]:
    """Give each line of proc_pid_fdinfo(5) in words. Raises OSError where there is none to see."""
    folder = f"/proc/{pid}/fdinfo"
    for name in os.listdir(folder):
        try:
            with open(f"{folder}/{name}", encoding="ascii", errors="replace") as file:
                yield from (line.split() for line in file)
        except OSError:
            continue  # closed meanwhile


def may_write(pid: int, fd: int) -> bool:
    """Tell whether the real user of a process could write the directory *fd* or its chroot.d."""
    who = _user(pid)
    if who is None:
        return False  # it is gone
    uid, groups = who
    if uid == 0:
        return True
    places = [f"/proc/self/fd/{fd}", f"/proc/self/fd/{fd}/{_CONFIGURATION}"]
    return any(_lets(place, uid, groups, follow=place is places[0]) for place in places)


def _user(pid: int) -> tuple[int, set[int]] | None:
    """Return the real user and all groups of a process."""
    groups: set[int] = set()
    uid = -1
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                name, _, rest = line.partition(":")
                if name == "Uid":
                    uid = int(rest.split()[0])
                elif name in ("Gid", "Groups"):
                    groups.update(map(int, rest.split()))
    except OSError:
        return None
    return (uid, groups) if uid >= 0 else None


def _lets(path: str, uid: int, groups: set[int], *, follow: bool) -> bool:
    try:
        status = os.stat(path, follow_symlinks=follow)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    if status.st_uid == uid or status.st_mode & stat.S_IWOTH:
        return True  # who owns it can make it writable
    if not status.st_mode & stat.S_IWGRP:
        return False  # the mask of a list, too
    if status.st_gid in groups:
        return True
    try:
        data = os.getxattr(path, "system.posix_acl_access", follow_symlinks=follow)
    except OSError:
        return False
    return any(
        permissions & _ACL_WRITE
        and ((tag == _ACL_USER and ident == uid) or (tag == _ACL_GROUP and ident in groups))
        for tag, permissions, ident in _ACL.iter_unpack(data[4:])
    )


def described(pid: int) -> str:
    """Return whose process that is and what it runs, for a message; "" where that is unknown."""
    if pid <= 0:
        return ""
    from .ownership import user_name

    who = _user(pid)
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = os.fsdecode(file.read(200).rstrip(b"\0").replace(b"\0", b" "))
    except OSError:
        words = ""
    if who is None:
        return f" (process {pid})"
    return f" (process {pid} of {user_name(who[0])}{f': {words}' if words else ''})"
