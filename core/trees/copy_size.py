"""How much there is to copy: entries and bytes of a tree, at full speed, by descriptor.

`disk_size` counts what deleting a chroot would free, slowly and remembered, for a UI that shows
it all the time; this is for whoever starts to copy now.
"""

from __future__ import annotations

import os
import stat

from ..errors import Cancelled
from ..kernel import syscalls
from ..value import Value
from .copy_file import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

_ENTER = syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_XDEV
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_BLOCK = 512  # of st_blocks, stat(3type)


class Measured(Value):
    """What a tree holds."""

    entries: int
    size: int
    """Bytes of content, holes not counted: what has to be copied."""
    allocated: int
    """Bytes that they take on the disk, a file with several names once."""


def measure(top: int, cancelled: Flag | None = None) -> Measured:
    """Return what the directory behind descriptor *top* holds, mounts on it not entered.

    What is deeper than PATH_MAX is not counted: who copies is told of as much. Raises Cancelled.
    """
    entries = size = blocks = 0
    seen: set[tuple[int, int]] = set()
    pending = ["."]
    while pending:
        if cancelled and cancelled.is_set():
            raise Cancelled("counting was stopped")
        directory = pending.pop()
        try:
            fd = syscalls.openat2(top, directory, _DIRECTORY, _ENTER)
        except OSError:
            continue  # gone, or not to be had
        try:
            blocks += os.fstat(fd).st_blocks
            with os.scandir(fd) as found:
                for entry in found:
                    entries += 1
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(f"{directory}/{entry.name}")
                        continue
                    status = entry.stat(follow_symlinks=False)
                    if status.st_nlink > 1:
                        identity = (status.st_dev, status.st_ino)
                        if identity in seen:
                            continue
                        seen.add(identity)
                    blocks += status.st_blocks
                    if stat.S_ISREG(status.st_mode):
                        size += content(status)
        except OSError:
            pass  # gone while we read it
        finally:
            os.close(fd)
    return Measured(entries, size, blocks * _BLOCK)
