"""The flags that chattr(1) sets, FICLONE, and the numbers of such ioctls (ioctl_iflags(2)).

Nothing on the way of `run` imports this: `fcntl` costs it a tenth of a millisecond.
"""

from __future__ import annotations

import fcntl
import os
import sys

_OTHER = os.uname().machine.startswith(("ppc", "mips", "sparc", "alpha"))
# linux/ioctl.h; those machines have asm/ioctl.h of their own: 13 bits of size, 3 of direction.
_READ, _WRITE = (2 << 29, 4 << 29) if _OTHER else (2 << 30, 1 << 30)
_LONG = 8 if sys.maxsize > 1 << 32 else 4


def reads(group: int, number: int, size: int) -> int:
    """Return the number of an ioctl that gives *size* bytes: _IOR of linux/ioctl.h."""
    return _READ | size << 16 | group << 8 | number


def writes(group: int, number: int, size: int) -> int:
    """Return the number of an ioctl that takes *size* bytes: _IOW of linux/ioctl.h."""
    return _WRITE | size << 16 | group << 8 | number


FICLONE = writes(0x94, 9, 4)
"""Share the content of one file with another (ioctl_ficlonerange(2)), for `fcntl.ioctl`."""
_NOTHING, _ORDER = bytes(8), sys.byteorder
_GETFLAGS = reads(ord("f"), 1, _LONG)
_SETFLAGS = writes(ord("f"), 2, _LONG)

# linux/fs.h, FS_*_FL
SYNC, IMMUTABLE, APPEND, NODUMP, NOATIME = 0x8, 0x10, 0x20, 0x40, 0x80
COMPRESSED, JOURNAL_DATA, DIRSYNC, TOPDIR, NOCOW = 0x4, 0x4000, 0x10000, 0x20000, 0x800000
KEPT = SYNC | NODUMP | NOATIME | COMPRESSED | JOURNAL_DATA | DIRSYNC | TOPDIR | NOCOW
"""What a user sets with chattr, that hinders no work on the file."""
SEALS = IMMUTABLE | APPEND
"""What keeps even root from changing or deleting it."""


def get_flags(fd: int) -> int:
    """Return the flags of a regular file or directory. Raises OSError (ENOTTY: knows none)."""
    # The kernel writes an int, whatever the ioctl's number says.
    return int.from_bytes(fcntl.ioctl(fd, _GETFLAGS, _NOTHING)[:4], _ORDER)


def set_flags(fd: int, flags: int) -> None:
    """Set the flags of a regular file or directory. Raises OSError."""
    fcntl.ioctl(fd, _SETFLAGS, flags.to_bytes(4, _ORDER) + bytes(4))
