"""What a file is beside its content, from one to another: owner, xattrs, mode, times, flags.

In this order, since one undoes another: chown(2) takes away set-user-id bits and capabilities, an
ACL sets the mode's bits, and everything sets the times. ACLs and capabilities are xattrs
(xattr(7)), so is what LSMs keep. What the other file system does not take is counted, not lost
silently.
"""

from __future__ import annotations

import os
import stat

from ..kernel.inode_flags import KEPT, NOCOW, SEALS, get_flags, set_flags

_NO_XATTRS = (95,)  # EOPNOTSUPP
_NO_FLAGS = (25, 95, 22, 38)  # ENOTTY, EOPNOTSUPP, EINVAL, ENOSYS
_ENOSPC = 28
_ROOM = 1 << 20
_NOT_TAKEN = (1, 13, 22, 95, 34, 7)  # EPERM, EACCES, EINVAL, EOPNOTSUPP, ERANGE, E2BIG


class Attributes:
    """Carries attributes from one tree to another; knows what its two file systems lack.

    Everything in the target must have been made by this process: owned by its own ids, without
    ACLs or flags that a directory above gave it (see `bare_directory`).
    """

    def __init__(self) -> None:
        self._owner = (os.geteuid(), os.getegid())
        self._xattrs = self._flags = True
        self._hands_on = False
        """Whether a directory may hand on that its files are not copied on write."""
        self.not_kept: dict[str, int] = {}
        """How often each kind of attribute was not taken by the target: `user.*`, `chattr` …"""

    def early(self, source: int, target: int) -> int:
        """Return the flags of *source*; set those on *target*, still empty, that must be first."""
        if not self._flags:
            return 0
        try:
            flags = get_flags(source)
        except OSError as error:
            if error.errno not in _NO_FLAGS:
                raise
            self._flags = False
            return 0
        if flags & NOCOW:  # once there is data it can't be set any more, nor taken away
            self._hands_on = self._set_flags(target, NOCOW) or self._hands_on
        elif self._hands_on and (handed := get_flags(target)) & NOCOW:
            set_flags(target, handed & ~NOCOW)
        return flags

    def open_file(self, source: int, target: int, status: os.stat_result, flags: int) -> None:
        """Give the open file or directory *target* what *source* has, but for its seals."""
        if (status.st_uid, status.st_gid) != self._owner:
            os.fchown(target, status.st_uid, status.st_gid)
        if self._xattrs:
            self._copy_xattrs(source, target, follow=True)
        os.fchmod(target, stat.S_IMODE(status.st_mode))
        if flags & KEPT:
            self._set_flags(target, flags & KEPT)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))

    def named(self, source: int, target: int, name: str, status: os.stat_result) -> None:
        """Give *name* in the directory *target*, no regular file or directory, what it has there.

        *name* must be something that nobody else can reach: it is looked up again and again.
        """
        if (status.st_uid, status.st_gid) != self._owner:
            os.chown(name, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
        if self._xattrs:
            here, there = f"/proc/self/fd/{source}/{name}", f"/proc/self/fd/{target}/{name}"
            self._copy_xattrs(here, there, follow=False)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(name, stat.S_IMODE(status.st_mode), dir_fd=target)
        times = (status.st_atime_ns, status.st_mtime_ns)
        os.utime(name, ns=times, dir_fd=target, follow_symlinks=False)

    def _copy_xattrs(self, source: int | str, target: int | str, *, follow: bool) -> None:
        try:
            names = os.listxattr(source, follow_symlinks=follow)
        except OSError as error:
            if error.errno not in _NO_XATTRS:
                raise
            self._xattrs = False
            return
        for name in names:
            try:
                value = os.getxattr(source, name, follow_symlinks=follow)
            except OSError:
                continue  # gone meanwhile, or one that is listed to nobody's use
            try:
                os.setxattr(target, name, value, follow_symlinks=follow)
            except OSError as error:
                is_large = error.errno == _ENOSPC and _has_room(target)
                if error.errno not in _NOT_TAKEN and not is_large:
                    raise
                self.lost(f"{name.partition('.')[0]}.*")

    def _set_flags(self, target: int, flags: int) -> bool:
        """Add *flags* to those that *target* has: some of them say how it is stored.

        Tell whether it has taken them.
        """
        try:
            set_flags(target, get_flags(target) | flags)
        except OSError as error:
            if error.errno not in _NOT_TAKEN + _NO_FLAGS:
                raise
            self.lost("chattr")
            return False
        return True

    def seal(self, target: int, flags: int) -> None:
        """Set those of *flags* after which *target* can't be changed any more."""
        if flags & SEALS:
            self._set_flags(target, flags & SEALS)

    def lost(self, kind: str) -> None:
        """Count one of *kind* that the target has not taken."""
        self.not_kept[kind] = self.not_kept.get(kind, 0) + 1


def _has_room(target: int | str) -> bool:
    """Tell whether the disk has room: then ENOSPC says that an attribute has none in an inode."""
    space = os.statvfs(target if isinstance(target, int) else os.path.dirname(target))
    return space.f_bfree * space.f_frsize > _ROOM


def bare_directory(fd: int) -> None:
    """Take from the new directory *fd* what the one above it may have handed down.

    A default ACL, a group, set-group-id and flags go from directory to directory; what is copied
    into it is to have what its original has and nothing more.
    """
    os.fchown(fd, os.geteuid(), os.getegid())
    os.fchmod(fd, 0o700)
    for name in ("system.posix_acl_default", "system.posix_acl_access"):
        try:
            os.removexattr(fd, name)
        except OSError:
            pass  # none there, or none known here
    try:
        flags = get_flags(fd)
        if flags & KEPT:
            set_flags(fd, flags & ~KEPT)
    except OSError:
        pass
    os.fchmod(fd, 0o700)


def unseal(fd: int) -> bool:
    """Take immutable and append-only from what *fd* is open on; tell whether that was needed."""
    try:
        flags = get_flags(fd)
        if not flags & SEALS:
            return False
        set_flags(fd, flags & ~SEALS)
    except OSError:
        return False
    return True
