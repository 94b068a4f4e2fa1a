"""Knowing that a session works on a chroot: a lock that the kernel keeps for the one who leads it.

It is a record lock (fcntl(2)) for reading on the chroot's directory. Many can have it at once, it
has nothing to do with the flock(2) of `core.lock`, so nobody waits for it, and it ends with its
process. A process loses it with the first descriptor of that directory that it closes; one that was
opened with O_PATH does not count.
"""

from __future__ import annotations

import fcntl
import os
import struct

_READ = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FLOCK = struct.Struct("@hhqqi4x")
"""struct flock with 64-bit offsets, which is what Python's fcntl has everywhere."""


def mark(directory: int) -> int:
    """Mark the chroot behind the descriptor *directory*; return the one that keeps the mark."""
    fd = os.open(f"/proc/self/fd/{directory}", _READ)
    try:
        fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        pass  # a file system without locks: then nobody is told of us
    return fd


def marked_by(directory: int) -> int:
    """Return the pid of a process that leads a session on the chroot, 0 where there is none.

    -1 where it can't be seen. Whoever can open the directory can mark it: only who could write in
    the chroot counts (`kernel.lock_holders`).
    """
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        fd = os.open(f"/proc/self/fd/{directory}", _READ)
    except PermissionError:
        return 0  # not ours to read
    try:
        kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, asked))
        if kind == fcntl.F_UNLCK:
            return 0
        from .kernel.lock_holders import POSIX, counting_holder, holders

        if pid < 0 and not holders(fd, POSIX):
            return 0  # one that goes with a descriptor (F_OFD_SETLK), as ours do not
        return counting_holder(fd, POSIX)
    except OSError:
        return 0
    finally:
        os.close(fd)


def marks() -> frozenset[int]:
    """Return the inode numbers of all that may be marked by somebody: one look for many chroots."""
    from .kernel.lock_holders import POSIX, listed

    found = (file.rpartition(":")[2] for kind, *_, file in listed(" READ ") if kind == POSIX)
    return frozenset(int(inode) for inode in found)
