"""Deleting a directory tree by descriptor: no link is followed, no mount is ever crossed.

First the mount table is asked: where anything is mounted below, nothing is touched. Then every
directory is entered by openat2(RESOLVE_NO_XDEV), with which the kernel itself compares the mount of
the directory with that of its parent, bind mounts of the same file system included; so a mount that
appears meanwhile is not entered either. The walk needs neither recursion nor a descriptor per
level, so no depth of directories ends it.
"""

from __future__ import annotations

import os
import stat

from ..chroot import CLONING, DELETING
from ..errors import BusyError, Cancelled, ChrootError, PrivilegeError
from ..events import Stage, ignore
from ..kernel import syscalls
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import descriptor_path
from ..kernel.syscalls import mount_id
from .attributes import unseal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as CancelEvent

    from ..events import Report

    Progress = Callable[[int], None]

_ENTER = syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_XDEV
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_OPEN_LEVELS = 100
_EPERM, _ENOENT, _EACCES, _EBUSY, _EXDEV, _ENOTDIR, _EROFS, _ENOTEMPTY, _ELOOP = (
    1, 2, 13, 16, 18, 20, 30, 39, 40,
)  # fmt: skip
_FULL = (28, 122)  # ENOSPC, EDQUOT
_TICK = 500
_HEX = frozenset("0123456789abcdef")


def tree(
    parent: int,
    name: str,
    *,
    called: str = "",
    sealed: bool = False,
    progress: Progress | None = None,
    cancelled: CancelEvent | None = None,
) -> int:
    """Delete *name* in the directory behind descriptor *parent*, whatever it is; return the count.

    *name* is one component, any bytes (surrogate-escaped). *called* is the path that errors name
    it by, where that is another. With *sealed* what is immutable or append-only goes, too: only for
    what nobody else can reach. *progress* is called now and then with the number of entries
    deleted so far.

    Raises BusyError where something is mounted at or below it (found before the start: nothing
    was touched), ChrootError or PrivilegeError where an entry cannot be deleted, FileNotFoundError
    where there is no such name, Cancelled. What stands deeper than the place of a failure, and
    what came before it, is gone then.
    """
    if name in ("", ".", "..") or "/" in name:
        raise ValueError(f"no single component: {name!r}")
    path = f"{descriptor_path(parent).rstrip('/')}/{name}"
    refuse_mounts(path)
    removal = _Removal(called or path, progress, cancelled, sealed=sealed)
    return removal.run(parent, name)


def chroot(
    path: str,
    report: Report = ignore,
    cancelled: CancelEvent | None = None,
    *,
    sealed: bool = False,
) -> None:
    """Delete the directory *path*, a physical path, with all it holds, and report how far it is.

    It is renamed aside first, so that nobody finds half a chroot under its name, and named back
    where deleting fails or is cancelled. From the first entry that goes to the last a marker stands
    in it: what is left, by a kill say, shows as incomplete. *sealed* and what is raised: as `tree`.
    """
    directory, _, name = path.rpartition("/")
    aside = f"{_aside_of(name)}{os.urandom(4).hex()}"
    if is_rest(name) or (name[0] == "." and name.endswith(CLONING)):
        aside = name  # nobody knows it as a chroot, and under this name it is found again
    parent = os.open(directory or "/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        refuse_mounts(path)
        try:
            os.rename(name, aside, src_dir_fd=parent, dst_dir_fd=parent)
        except OSError as error:
            raise _explained(error, path) from error
        removal = _Removal(
            path,
            lambda count: report(Stage(path, f"removing, {count} files gone")),
            cancelled,
            sealed=sealed,
        )
        marked = False
        try:
            marked = _mark(parent, aside, path)
            refuse_mounts(f"{directory}/{aside}")
            removal.run(parent, aside, last=DELETING.lstrip("/"))
        except BaseException:
            try:
                if marked and not removal.count:
                    os.unlink(f"{aside}{DELETING}", dir_fd=parent)
                elif removal.count:
                    _mark(parent, aside, path)  # it is the last to go, but for the directory itself
                os.rename(aside, name, src_dir_fd=parent, dst_dir_fd=parent)
            except (OSError, ChrootError):
                pass  # there is something of that name again; `list` shows the rest as it is
            raise
    finally:
        os.close(parent)


def _aside_of(name: str) -> str:
    short = os.fsdecode(os.fsencode(name)[:200])  # a name may have 255 bytes
    return f".{short}.deleting-"


def is_rest(name: str, of: str = "") -> bool:
    """Tell whether *name* is what `chroot` calls a directory (that was called *of*) meanwhile."""
    start, number = name[:-8], name[-8:]
    if of and start != _aside_of(of):
        return False
    return start.startswith(".") and start.endswith(".deleting-") and set(number) <= _HEX


def _mark(parent: int, aside: str, path: str) -> bool:
    """Make the marker; return whether it was made. What stands there already is one too."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    try:
        os.close(os.open(f"{aside}{DELETING}", flags, 0o600, dir_fd=parent))
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in _FULL:  # then there is all the more need to delete
            return False
        raise _explained(error, path) from error
    return True


def refuse_mounts(path: str) -> None:
    """Raise BusyError where something is mounted at or below *path*, a physical path."""
    table = MountTable.read()
    mounted = table.at(path) + table.below(path)
    if mounted:
        more = f" (and {len(mounted) - 1} more)" if len(mounted) > 1 else ""
        raise _mounted(mounted[0].target + more)


def _mounted(target: str) -> BusyError:
    return BusyError(
        f"{target} is mounted: deleting stops there, so that nothing behind it is lost",
        "switch the chroot off or unmount it first",
    )


class _Level:
    """A directory on the way down: what is left to do in it, and how to know it again."""

    __slots__ = ("fd", "identity", "name", "pending", "tries")

    def __init__(self, fd: int, name: str) -> None:
        self.fd = fd
        """-1 while it is closed, to be found again as the parent of its child."""
        self.name = name
        self.identity = _identity(fd)
        self.pending: list[str] = []
        """Names of the directories in it that are still to be entered."""
        self.tries = 0


def _identity(fd: int) -> tuple[int, int, int]:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino, mount_id(fd)


class _Removal:
    """One run: the stack of levels, the count, who is told."""

    def __init__(
        self,
        path: str,
        progress: Progress | None,
        cancelled: CancelEvent | None,
        *,
        sealed: bool = False,
    ) -> None:
        self._path = path
        self._sealed = sealed
        self._progress = progress
        self._cancelled = cancelled
        self._levels: list[_Level] = []
        self._last = ""
        self.count = 0
        """Entries deleted so far."""

    def run(self, parent: int, name: str, last: str = "") -> int:
        """Delete *name*; the entry *last* directly in it goes after all others."""
        self._last = last
        try:
            if not self._enter(parent, name):
                self._unlink(parent, name)
                return self.count
            while self._levels:
                self._step(parent)
            return self.count
        finally:
            for level in self._levels:
                self._close(level)

    def _step(self, parent: int) -> None:
        """Go into the next directory of the deepest level, or leave that level for good."""
        level = self._levels[-1]
        if level.pending:
            name = level.pending.pop()
            if not self._enter(level.fd, name):
                self._unlink(level.fd, name)
            return
        above = self._reopen_above() if len(self._levels) > 1 else parent
        if self._last and len(self._levels) == 1:
            self._unlink(level.fd, self._last)
        try:
            os.rmdir(level.name, dir_fd=above)
        except OSError as error:
            if error.errno == _ENOTEMPTY and level.tries < 3:
                level.tries += 1  # somebody wrote into it meanwhile
                self._empty(level)
                return
            if not self._may_unseal(error, above, level.name):
                raise _explained(error, self._shown()) from error
            os.rmdir(level.name, dir_fd=above)
        self._close(self._levels.pop())
        self._counted()

    def _reopen_above(self) -> int:
        """Return the descriptor of the deepest level but one, opening it again if need be."""
        level, above = self._levels[-1], self._levels[-2]
        if above.fd < 0:
            fd = os.open("..", _DIRECTORY | os.O_CLOEXEC, dir_fd=level.fd)
            if _identity(fd) != above.identity:
                os.close(fd)
                raise ChrootError(f"{self._shown()} was moved while it was being deleted")
            above.fd = fd
        return above.fd

    def _enter(self, parent: int, name: str) -> bool:
        """Open the directory *name*, delete all in it but directories; False if it is none."""
        try:
            fd = syscalls.openat2(parent, name, _DIRECTORY, _ENTER)
        except OSError as error:
            if error.errno == _ENOENT and self._levels:
                return True  # somebody else was quicker
            if error.errno in (_ENOTDIR, _ELOOP, _ENOENT):
                return False
            raise _explained(error, self._shown(name)) from error
        if len(self._levels) >= _OPEN_LEVELS:
            self._close(self._levels[-_OPEN_LEVELS])
        level = _Level(fd, name)
        self._levels.append(level)
        self._empty(level)
        return True

    def _empty(self, level: _Level) -> None:
        """Delete everything in *level* but directories, which are noted as pending."""
        others: list[str] = []
        with os.scandir(level.fd) as entries:
            for entry in entries:
                directory = entry.is_dir(follow_symlinks=False)
                if entry.name == self._last and len(self._levels) == 1 and not directory:
                    continue
                (level.pending if directory else others).append(entry.name)
        for name in others:
            self._unlink(level.fd, name)

    def _unlink(self, parent: int, name: str) -> None:
        try:
            os.unlink(name, dir_fd=parent)
        except FileNotFoundError:
            if not self._levels:
                raise
        except OSError as error:
            if not self._may_unseal(error, parent, name):
                raise _explained(error, self._shown(name)) from error
            os.unlink(name, dir_fd=parent)
        self._counted()

    def _may_unseal(self, error: OSError, parent: int, name: str) -> bool:
        """Take the seals that made *error* from *name* and *parent*; False if there are none."""
        if not self._sealed or error.errno != _EPERM:
            return False
        found = any(level.fd == parent for level in self._levels) and unseal(parent)
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
            fd = os.open(name, _READ, dir_fd=parent)
            try:
                found = unseal(fd) or found
            finally:
                os.close(fd)
        return found

    def _counted(self) -> None:
        self.count += 1
        if self._cancelled and self._cancelled.is_set():
            raise Cancelled(
                f"deleting {self._path} was stopped half-way",
                f"chroot-tool delete -d {self._path} goes on",
            )
        if self._progress and self.count % _TICK == 0:
            self._progress(self.count)

    @staticmethod
    def _close(level: _Level) -> None:
        if level.fd >= 0:
            os.close(level.fd)
            level.fd = -1

    def _shown(self, name: str = "") -> str:
        """Return the path of the deepest level, or of *name* in it."""
        if not self._levels:
            return self._path
        names = [self._path, *(level.name for level in self._levels[1:])]
        return "/".join([*names, name] if name else names)


def _explained(error: OSError, where: str) -> ChrootError:
    if error.errno in (_EBUSY, _EXDEV):
        return _mounted(where)
    message = f"cannot delete {where}: {error.strerror}"
    if error.errno in (_EPERM, _EACCES):
        if os.geteuid():
            return PrivilegeError(message, "run as root")
        return ChrootError(message, f"it may be immutable: chattr -i -a {where}")
    if error.errno == _ENOTEMPTY:
        return ChrootError(message, "something still writes there: see who, and end it")
    if error.errno == _EROFS:
        return ChrootError(message, "the file system is read-only")
    return ChrootError(message)
