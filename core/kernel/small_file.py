"""Reading a small file of ours, whose name somebody may have given to something else."""

from __future__ import annotations

import os
import stat

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
LIMIT = 1 << 20


def read(path: str, *, dir_fd: int | None = None, limit: int = LIMIT) -> bytes:
    """Return the content of a regular file, which with *dir_fd* must be no link.

    Raises OSError, with EFBIG where it has more than *limit* bytes and EINVAL where it is none:
    neither a FIFO that nobody writes nor a file without end keeps us or fills the memory.
    """
    flags = _FLAGS if dir_fd is None else _FLAGS | os.O_NOFOLLOW
    fd = os.open(path, flags, dir_fd=dir_fd)
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, "Is a directory", path)
        if not stat.S_ISREG(mode):
            raise OSError(22, "no regular file", path)
        data = bytearray()
        while chunk := os.read(fd, limit + 1 - len(data)):
            data += chunk
    finally:
        os.close(fd)
    if len(data) > limit:
        raise OSError(27, f"larger than {limit} bytes", path)
    return bytes(data)
