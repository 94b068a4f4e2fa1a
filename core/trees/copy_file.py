"""Copying regular files from an open directory to another: blocks shared, or ranges, with holes."""

from __future__ import annotations

import fcntl
import os
import stat

from ..errors import ChrootError
from ..kernel.inode_flags import FICLONE, SEALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .attributes import Attributes

    Linked = Callable[[str, os.stat_result], bool]

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WRITE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 32 << 20
"""Bytes between two looks at whether to stop: a tenth of a second on a slow disk."""
_PIECE = 1 << 20
_PAGE = 4096
_BLOCK = 512  # of st_blocks, stat(3type)
_NEVER_CLONES = (18, 25, 95)  # EXDEV, ENOTTY, EOPNOTSUPP
_NO_CLONE = (*_NEVER_CLONES, 1, 22, 26)  # EPERM, EINVAL, ETXTBSY (a swap file)
_NO_RANGE = (18, 22, 26, 38, 95)  # EXDEV, EINVAL, ETXTBSY, ENOSYS, EOPNOTSUPP
_ENXIO, _EACCES, _EINVAL = 6, 13, 22
_TARGET = (27, 28, 122)  # EFBIG, ENOSPC, EDQUOT

OTHER_NOW = (2, _ENXIO, 17, 20, 40)
"""ENOENT, ENXIO (a socket), EEXIST (listed twice), ENOTDIR, ELOOP: it was exchanged meanwhile."""


class FileCopy:
    """Copies files, and counts.

    *tell* is called now and then: it raises what is to end the work.
    """

    def __init__(self, attributes: Attributes, tell: Callable[[], None]) -> None:
        self._attributes = attributes
        self._tell = tell
        self._clones = self._ranges = True
        self.size = 0
        """Bytes of content that were copied."""
        self.shared = 0
        """Bytes of the files whose blocks both share now."""
        self.changed = 0
        """Names that were gone, or something else, when it was their turn."""
        self.sealed: list[tuple[str, int]] = []
        """Names that are to be made immutable or append-only, and which; for the caller to take."""

    def copy(self, source: int, target: int, name: str, linked: Linked) -> None:
        """Copy the regular file *name* from the directory *source* to the directory *target*.

        Where it has several names *linked* is asked, which may have made it another name of what
        was copied. What is something else by now is counted as changed. Raises OSError of the
        target, ChrootError for what can't be read.
        """
        try:
            fd = os.open(name, _READ, dir_fd=source)
        except OSError as error:
            if error.errno in OTHER_NOW or (error.errno == _EACCES and _is_device(source, name)):
                self.changed += 1
                return
            raise _unread(name, error) from error
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                self.changed += 1
            elif status.st_nlink == 1 or not linked(name, status):
                self._copy(name, fd, target, status)
        finally:
            os.close(fd)

    def _copy(self, name: str, source: int, directory: int, status: os.stat_result) -> None:
        try:
            target = os.open(name, _WRITE, 0o600, dir_fd=directory)
        except FileExistsError:
            self.changed += 1  # listed twice, having been renamed meanwhile
            return
        try:
            flags = self._attributes.early(source, target)
            if status.st_size and not (self._clones and self._clone(source, target, status)):
                self._content(name, source, target, status)
            self._attributes.open_file(source, target, status, flags)
            if flags & SEALS:
                self.sealed.append((name, flags))
        finally:
            os.close(target)

    def _clone(self, source: int, target: int, status: os.stat_result) -> bool:
        """Share the blocks of *source* with *target*; False where that can't be."""
        try:
            fcntl.ioctl(target, FICLONE, source)
        except OSError as error:
            if error.errno not in _NO_CLONE:
                raise
            self._clones = error.errno not in _NEVER_CLONES
            return False
        self.shared += content(status)
        return True

    def _content(self, name: str, source: int, target: int, status: os.stat_result) -> None:
        """Copy what *source* holds, as long as it is by *status*."""
        size = status.st_size
        if size <= _PAGE and status.st_blocks:
            extents: Iterator[tuple[int, int]] = iter(((0, size),))
        else:
            extents = _extents(source, size)
        end = 0
        for start, end in extents:
            copied = self._range(name, source, target, start, end)
            if copied < end:
                self.changed += 1  # it became shorter
                os.ftruncate(target, copied)
                return
        if end < size:
            os.ftruncate(target, size)

    def _range(self, name: str, source: int, target: int, start: int, end: int) -> int:
        """Copy the bytes from *start* to *end*; return where the copy ends: before, if they do."""
        while start < end:
            length = min(end - start, _CHUNK)
            done = 0
            if self._ranges:
                try:
                    done = os.copy_file_range(source, target, length, start, start)
                except OSError as error:
                    if error.errno not in _NO_RANGE:
                        raise _unread(name, error) from error
                    self._ranges = False
            if not done:  # some file systems say 0 though there is something
                try:
                    data = os.pread(source, min(length, _PIECE), start)
                except OSError as error:
                    raise _unread(name, error) from error
                if not data:
                    break
                done = os.pwrite(target, data, start)
            start += done
            self.size += done
            if done >= _PIECE:
                self._tell()
        return start


def content(status: os.stat_result) -> int:
    """Return the bytes of a file that are no hole, as far as its status tells."""
    return min(status.st_size, status.st_blocks * _BLOCK or status.st_size)


def _unread(name: str, error: OSError) -> Exception:
    """Return what to raise for *error*: where it is of the target, itself."""
    if error.errno in _TARGET:
        return error
    return ChrootError(f"cannot read {name}: {error.strerror}")


def _is_device(directory: int, name: str) -> bool:
    """Tell whether *name* is a device by now, which the bare view does not let open."""
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return True
    return not stat.S_ISREG(status.st_mode)


def _extents(fd: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of what is no hole in the file *fd* (lseek(2), SEEK_DATA)."""
    place = 0
    while place < size:
        try:
            start = os.lseek(fd, place, os.SEEK_DATA)
            place = os.lseek(fd, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == _ENXIO:  # nothing but a hole to the end
                return
            if place or error.errno != _EINVAL:  # a file system that knows no holes
                raise
            start, place = 0, size
        if start >= size:
            return
        yield start, min(place, size)
