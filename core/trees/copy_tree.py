"""Copying a whole tree by descriptor, with all that a file system holds.

What is read is a bare view of the source: a mount of its own, without what is mounted on it, that
can't be written through, opens no device and leaves no access times. So it does not matter whether
a chroot is on, and nothing of the host's is ever read. Each directory is entered as in `remove`,
from its parent, no link followed; what somebody exchanges meanwhile is left out and counted.

The target must be out of everybody's reach until it is done. Blocks are shared where the file
system can (FICLONE), else copied by the kernel (copy_file_range(2)), holes left as holes.
"""

from __future__ import annotations

import os
import stat

from ..errors import Cancelled, ChrootError, PrivilegeError
from ..kernel import syscalls
from ..kernel.inode_flags import SEALS
from ..value import Value
from .attributes import Attributes
from .copy_file import OTHER_NOW, FileCopy
from .two_tree_walk import Level, Levels, identity, open_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    Progress = Callable[[int, int], None]

_TICK = 64
_EINVAL, _EMLINK = 22, 31


class Copied(Value):
    """What a copy came to."""

    entries: int
    """Names, directories among them, the top not."""
    size: int
    """Bytes of content that were copied; shared ones are in `shared`."""
    shared: int
    """Bytes of the files whose blocks both trees use now."""
    changed: int
    """Names that were gone, or something else, when it was their turn."""
    not_kept: tuple[str, ...]
    """The kinds of attributes that the target's file system did not take: `user.*`, `chattr`."""


def bare(fd: int, path: str) -> int:
    """Return a descriptor of the directory *fd* as it is below all mounts; its mount ends with it.

    *path* is only what an error is about. Raises PrivilegeError without CAP_SYS_ADMIN, ChrootError.
    """
    tree = -1
    try:
        tree = syscalls.open_tree(fd, "", syscalls.OPEN_TREE_CLONE | syscalls.AT_EMPTY_PATH)
        syscalls.mount_setattr(
            tree, path, propagation=syscalls.MS_PRIVATE,
            set_=syscalls.MOUNT_ATTR_RDONLY | syscalls.MOUNT_ATTR_NODEV
            | syscalls.MOUNT_ATTR_NOATIME, clear=syscalls.MOUNT_ATTR__ATIME,
        )  # fmt: skip
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=tree)
    except PermissionError:
        raise PrivilegeError(f"copying {path} needs root", "run as root") from None
    except OSError as error:
        raise ChrootError(f"{path} can't be seen without its mounts: {error.strerror}") from error
    finally:
        if tree >= 0:
            os.close(tree)


class TreeCopy:
    """One copy of the directory *source* into the empty directory *target*, both descriptors.

    `run` copies, `seal` makes immutable what its original is: nothing can be changed, moved or
    deleted there afterwards, so it comes last. *progress* is called now and then with the numbers
    of entries and bytes so far. Both raise OSError of the target (ENOSPC …), ChrootError for what
    can't be read, Cancelled.
    """

    def __init__(
        self,
        source: int,
        target: int,
        *,
        progress: Progress | None = None,
        cancelled: Flag | None = None,
    ) -> None:
        self._target = target
        self._levels = Levels(source, target)
        self._attributes = Attributes()
        self._progress = progress
        self._cancelled = cancelled
        self._files = FileCopy(self._attributes, self._tell)
        self._entries = 0
        self._links: dict[tuple[int, int], str] = {}
        self._sealed: list[tuple[str, int]] = []

    def run(self) -> Copied:
        """Copy everything; return what it came to."""
        try:
            self._fill(self._levels.deepest)
            while self._levels:
                self._step()
        finally:
            self._levels.close()
        files = self._files
        kinds = tuple(sorted(self._attributes.not_kept))
        return Copied(self._entries, files.size, files.shared, files.changed, kinds)

    def seal(self) -> None:
        """Set immutable and append-only where the source has them, but on the top itself."""
        for path, flags in self._sealed:
            if path:
                fd = open_below(self._target, path, os.O_RDONLY | os.O_NONBLOCK)
                try:
                    self._attributes.seal(fd, flags)
                finally:
                    os.close(fd)

    def seal_top(self) -> None:
        """Do the same for the top, which can't be renamed afterwards."""
        for path, flags in self._sealed:
            if not path:
                self._attributes.seal(self._target, flags)

    # -- directories -----------------------------------------------------------------------------

    def _step(self) -> None:
        """Go into the next directory of the deepest level, or finish that level."""
        level = self._levels.deepest
        if not level.pending:
            status = os.fstat(level.source)
            self._attributes.open_file(level.source, level.target, status, level.flags)
            if level.flags & SEALS:
                self._sealed.append((self._levels.path(), level.flags))
            self._levels.leave()
            return
        name = level.pending.pop()
        self._counted()
        try:
            entered = self._levels.enter(name)
        except OSError as error:
            if error.errno not in OTHER_NOW:
                raise
            self._files.changed += 1
            return
        if entered.identities[0] == identity(self._target):
            raise ChrootError("the copy would lie in what is copied", "choose another place")
        self._fill(entered)

    def _fill(self, level: Level) -> None:
        """Copy everything in *level* but directories, which are noted as pending."""
        level.flags = self._attributes.early(level.source, level.target)
        with os.scandir(level.source) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    level.pending.append(entry.name)
                    continue
                self._counted()
                if entry.is_file(follow_symlinks=False):
                    self._files.copy(level.source, level.target, entry.name, self._linked)
                else:
                    self._other(level, entry.name)
        if self._files.sealed:
            self._sealed += [(self._levels.path(name), flags) for name, flags in self._files.sealed]
            self._files.sealed.clear()

    # -- what is no plain file -------------------------------------------------------------------

    def _linked(self, name: str, status: os.stat_result) -> bool:
        """Make *name* another name of a file that was copied before; False for the first one."""
        level = self._levels.deepest
        file = (status.st_dev, status.st_ino)
        first = self._links.get(file)
        if first is None:
            self._links[file] = self._levels.path(name)
            return False
        directory, _, last = first.rpartition("/")
        there = open_below(self._target, directory, os.O_PATH | os.O_DIRECTORY)
        try:
            os.link(last, name, src_dir_fd=there, dst_dir_fd=level.target, follow_symlinks=False)
        except FileExistsError:
            self._files.changed += 1
        except OSError as error:
            # ENOENT: the first was exchanged before it could be copied.
            if error.errno not in (2, _EMLINK):
                raise
            if error.errno == _EMLINK:
                self._attributes.lost("hard links")
            self._links[file] = self._levels.path(name)
            return False
        finally:
            os.close(there)
        return True

    def _other(self, level: Level, name: str) -> None:
        """Copy a link, FIFO, socket or device."""
        try:
            status = os.stat(name, dir_fd=level.source, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
                self._files.changed += 1
                return
            if status.st_nlink > 1 and self._linked(name, status):
                return
            if stat.S_ISLNK(status.st_mode):
                os.symlink(os.readlink(name, dir_fd=level.source), name, dir_fd=level.target)
            else:
                kind = stat.S_IFMT(status.st_mode)
                os.mknod(name, kind | 0o600, status.st_rdev, dir_fd=level.target)
            self._attributes.named(level.source, level.target, name, status)
        except OSError as error:
            if error.errno not in (*OTHER_NOW, _EINVAL):  # EINVAL: no link any more
                raise
            self._files.changed += 1

    # -- telling ---------------------------------------------------------------------------------

    def _counted(self) -> None:
        self._entries += 1
        if not self._entries % _TICK:
            self._tell()

    def _tell(self) -> None:
        if self._cancelled and self._cancelled.is_set():
            raise Cancelled("copying was stopped")
        if self._progress:
            self._progress(self._entries, self._files.size + self._files.shared)
