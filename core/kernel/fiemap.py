"""How much of a file shares its blocks with others: FIEMAP (linux/fiemap.h, fiemap.rst).

A file system that has reflinks or snapshots marks such extents; others never do.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct

from .inode_flags import reads, writes

SHARING = ("btrfs", "xfs", "bcachefs", "ocfs2")
"""The file systems on which it is worth asking."""

_MAP = struct.Struct("=QQIIII")  # struct fiemap, without its extents
_EXTENT = struct.Struct("=QQQ16xI12x")  # struct fiemap_extent
_FIEMAP = reads(ord("f"), 11, _MAP.size) | writes(ord("f"), 11, _MAP.size)
_LAST, _SHARED = 0x1, 0x2000
_AT_ONCE, _MOST = 128, 8
"""Extents that are asked for at once, and how often: of a file in more pieces the first count."""
_END = (1 << 64) - 1


def shared_bytes(fd: int) -> int:
    """Return how many bytes of the regular file *fd* are shared, whoever with.

    0 where its file system cannot tell.
    """
    shared = start = 0
    for _ in range(_MOST):
        buffer = bytearray(_MAP.size + _AT_ONCE * _EXTENT.size)
        _MAP.pack_into(buffer, 0, start, _END - start, 0, 0, _AT_ONCE, 0)
        try:
            fcntl.ioctl(fd, _FIEMAP, buffer)
        except OSError:
            return shared
        count = _MAP.unpack_from(buffer)[3]
        for index in range(count):
            logical, _, length, flags = _EXTENT.unpack_from(
                buffer, _MAP.size + index * _EXTENT.size
            )
            shared += length if flags & _SHARED else 0
            start = logical + length
            if flags & _LAST:
                return shared
        if not count:
            break
    return shared


def shared_in(directory: int, name: str) -> int:
    """The same of what *name* in *directory* is, where that is a regular file.

    It is opened only when it is known to be one: opening a device does something.
    """
    try:
        found = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return 0  # gone
    try:
        if not stat.S_ISREG(os.fstat(found).st_mode):
            return 0
        fd = os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return 0  # not ours to read
    finally:
        os.close(found)
    try:
        return shared_bytes(fd)
    finally:
        os.close(fd)
