"""What btrfs offers beyond other file systems: subvolumes and their snapshots (linux/btrfs.h).

By ioctl, not by the program `btrfs`: by descriptor, so that no path is looked up twice, and
without a package that nobody needs otherwise.
"""

from __future__ import annotations

import fcntl
import os
import struct

from .inode_flags import reads, writes

_GROUP = 0x94
_ROOT_INODE = 256  # BTRFS_FIRST_FREE_OBJECTID: the inode of a subvolume's top directory
_VOL_ARGS = struct.Struct("=qQQ32x4040s")  # struct btrfs_ioctl_vol_args_v2
_NAME_MAX = 255
_SNAP_CREATE_V2 = writes(_GROUP, 23, _VOL_ARGS.size)
_SNAP_DESTROY_V2 = writes(_GROUP, 63, _VOL_ARGS.size)
_ROOTREF_ARGS = struct.Struct("=Q4080xB7x")  # struct btrfs_ioctl_get_subvol_rootref_args
_GET_SUBVOL_ROOTREF = reads(_GROUP, 61, _ROOTREF_ARGS.size) | writes(_GROUP, 61, _ROOTREF_ARGS.size)
_EOVERFLOW = 75


def is_subvolume(fd: int) -> bool:
    """Tell whether the directory *fd* is the top of a subvolume of btrfs."""
    if os.fstat(fd).st_ino != _ROOT_INODE:
        return False
    try:
        _children(fd)
    except OSError:
        return False  # another file system, that calls this ioctl nothing
    return True


def has_subvolumes(fd: int) -> bool:
    """Tell whether the subvolume *fd* has others in it; a snapshot leaves those out."""
    return _children(fd) > 0


def _children(fd: int) -> int:
    """Return the number of subvolumes directly in the subvolume *fd*; more than 255 are 255."""
    argument = bytearray(_ROOTREF_ARGS.size)
    try:
        fcntl.ioctl(fd, _GET_SUBVOL_ROOTREF, argument)
    except OSError as error:
        if error.errno != _EOVERFLOW:
            raise
        return 255
    _, count = _ROOTREF_ARGS.unpack(argument)
    return int(count)


def snapshot(source: int, parent: int, name: str) -> None:
    """Make *name* in the directory *parent* a writable snapshot of the subvolume *source*.

    It is of one moment, and on the disk when this returns. Raises OSError: EXDEV for another file
    system, EEXIST.
    """
    _named(_SNAP_CREATE_V2, parent, source, name)


def destroy(parent: int, name: str) -> None:
    """Delete the subvolume *name* in the directory *parent* with all it holds, at once.

    Raises OSError: ENOTEMPTY where others are in it, ENOTDIR or EINVAL where it is none.
    """
    _named(_SNAP_DESTROY_V2, parent, 0, name)


def _named(operation: int, parent: int, fd: int, name: str) -> None:
    encoded = os.fsencode(name)
    if not encoded or b"/" in encoded or len(encoded) > _NAME_MAX:
        raise ValueError(f"no single component: {name!r}")
    fcntl.ioctl(parent, operation, bytearray(_VOL_ARGS.pack(fd, 0, 0, encoded)))
