"""Replacing a file at once or not at all, so that a kill at any moment leaves nothing for good.

What is written has no name (O_TMPFILE, open(2)) until it is whole, and only for the moment until
it is renamed the name `.NAME.PID.XXXXXXXX`; where a file system has no such files, it has that name
from the beginning. Its writer holds a lock on it (flock(2)), which ends with the writer: a file so
called that nobody has locked was left by a kill, and whoever writes NAME next removes it.
"""

from __future__ import annotations

import fcntl
import os
import stat

from ..errors import ChrootError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Fill = Callable[[int], None]

_PRIVATE = 0o600
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES = 8
_HEX = frozenset("0123456789abcdef")
_DIGITS = 8


def replace(parent: int, name: str, data: bytes, mode: int, *, is_synced: bool) -> None:
    """Put a file with *data* in the place of *name* in the directory *parent*.

    Owner and mode of a file that is there are kept, else *mode* counts. *is_synced*: it is on the
    disk when this returns. Raises OSError, ChrootError where *name* is no regular file.
    """
    old = _old(parent, name)
    sweep(parent, name)

    def fill(fd: int) -> None:
        _fill(fd, data, mode, old, is_synced=is_synced)

    if not _replaced_by_unnamed(parent, name, fill):
        _replace_by_named(parent, name, fill)
    if is_synced:
        os.fsync(parent)


def _old(parent: int, name: str) -> os.stat_result | None:
    try:
        old = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(old.st_mode):
        raise ChrootError(f"{name} is no regular file", "move it away")
    return old


def _fill(fd: int, data: bytes, mode: int, old: os.stat_result | None, *, is_synced: bool) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    if old:
        os.fchown(fd, old.st_uid, old.st_gid)
    os.fchmod(fd, stat.S_IMODE(old.st_mode) if old else mode)
    if is_synced:
        os.fsync(fd)


def _replaced_by_unnamed(parent: int, name: str, fill: Fill) -> bool:
    """Replace *name* by a file that has no name while it is filled; False where that can't be."""
    try:
        fd = os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, _PRIVATE, dir_fd=parent)
    except OSError:
        return False  # what else is wrong with the directory shows when the file has a name
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass  # see `_named`
        fill(fd)
        temporary = _temporary(name)
        try:
            os.link(f"/proc/self/fd/{fd}", temporary, dst_dir_fd=parent, follow_symlinks=True)
        except OSError:
            return False  # no /proc, say
        _rename(parent, temporary, name)
    finally:
        os.close(fd)
    return True


def _replace_by_named(parent: int, name: str, fill: Fill) -> None:
    fd, temporary = _named(parent, name)
    try:
        try:
            fill(fd)
        except BaseException:
            os.unlink(temporary, dir_fd=parent)
            raise
        _rename(parent, temporary, name)
    finally:
        os.close(fd)


def _rename(parent: int, temporary: str, name: str) -> None:
    try:
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        os.unlink(temporary, dir_fd=parent)
        raise


def _named(parent: int, name: str) -> tuple[int, str]:
    """Return a descriptor of a new file beside *name*, locked, and what it is called."""
    for _ in range(_TRIES):
        temporary = _temporary(name)
        fd = os.open(temporary, _CREATE, _PRIVATE, dir_fd=parent)
        try:
            is_ours = is_locked_as(fd, parent, temporary)
        except OSError:
            is_ours = True  # there are no locks here, so nothing is swept either
        if is_ours:
            return fd, temporary
        os.close(fd)  # somebody was quicker, and took it for what a kill has left
    raise FileNotFoundError(2, os.strerror(2), name)


def _temporary(name: str) -> str:
    return f".{name}.{os.getpid()}.{os.urandom(_DIGITS // 2).hex()}"


def _is_temporary(found: str, name: str) -> bool:
    """Tell whether *found* is what a file is called that is to become *name*."""
    begin = f".{name}."
    if not found.startswith(begin):
        return False
    pid, _, rest = found[len(begin) :].partition(".")
    return pid.isdecimal() and len(rest) == _DIGITS and _HEX.issuperset(rest)


def sweep(parent: int, *names: str) -> list[str]:
    """Remove from a directory what kills have left of writing *names*; return what was in it."""
    there = os.listdir(parent)
    for found in _called_so(there, names):
        try:
            forget(parent, found)
        except (OSError, ChrootError):
            pass  # then it stays: it stands in nobody's way
    return there


def temporaries(parent: int, *names: str) -> list[str]:
    """Return what in a directory is called as a file is that is to become one of *names*."""
    return _called_so(os.listdir(parent), names)


def _called_so(there: list[str], names: tuple[str, ...]) -> list[str]:
    return [found for found in there for name in names if _is_temporary(found, name)]


def forget(parent: int, name: str) -> None:
    """Remove the file *name*, which somebody had locked who wrote it, where nobody has any more.

    Raises OSError, ChrootError for what is no regular file.
    """
    try:
        there = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISREG(os.fstat(there).st_mode):
            raise ChrootError(f"{name} is no regular file", "move it away")
        # Not waiting for whoever has a lease on it (fcntl(2)), to write since NFS wants it so.
        fd = os.open(f"/proc/self/fd/{there}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    finally:
        os.close(there)
    try:
        if is_locked_as(fd, parent, name):
            os.unlink(name, dir_fd=parent)
    finally:
        os.close(fd)


def is_locked_as(fd: int, parent: int, name: str) -> bool:
    """Lock *fd*; tell whether that could be, and it still is the file called *name* in *parent*.

    Until it was locked, whoever had it may have given it its own name, or removed it.
    Raises OSError.
    """
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        there = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except (BlockingIOError, FileNotFoundError):
        return False
    return os.path.samestat(there, os.fstat(fd))
