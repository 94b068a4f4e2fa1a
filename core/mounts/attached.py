"""Mounts that are attached: looked at, reached and taken away by descriptor, never by a path.

Nothing here plans or remembers anything; `apply` does.
"""

from __future__ import annotations

import os
import stat

from ..errors import ChrootError
from ..kernel import syscalls
from ..kernel.syscalls import mount_id
from .new_mount import DEV_LINKS, configure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..kernel.mount_table import MountEntry, MountTable
    from ..kernel.rootpath import Root

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LEVELS = 16
"""How far down files are looked for: who fills a chroot must not lead us down without end."""


def subtree(table: MountTable, ident: int) -> list[MountEntry]:
    """Return the mount *ident* and all that stands on it, parents first; none if it is gone."""
    known = {ident}
    found = [table.by_id[ident]] if ident in table.by_id else []
    grown = True
    while grown:
        more = [e for e in table.entries if e.parent in known and e.id not in known]
        known |= {entry.id for entry in more}
        found += more
        grown = bool(more)
    return found


def reconfigure(fd: int, target: str, options: Sequence[str]) -> None:
    """Give the file system behind the mount *fd* other options."""
    context = syscalls.fspick(fd, target)
    try:
        for option in options:
            configure(context, option)
        syscalls.fsconfig(context, syscalls.FSCONFIG_CMD_RECONFIGURE)
    finally:
        os.close(context)


def holds_files(directory: int, name: str, levels: int = _LEVELS) -> bool:
    """Tell whether *name* is, or holds, more than what the tool makes: directories and a /dev."""
    mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
    if not stat.S_ISDIR(mode):
        return not (stat.S_ISCHR(mode) or (stat.S_ISLNK(mode) and name in dict(DEV_LINKS)))
    if not levels:
        return True
    fd = os.open(name, _DIRECTORY, dir_fd=directory)
    try:
        return any(holds_files(fd, below, levels - 1) for below in os.listdir(fd))
    finally:
        os.close(fd)  # one that stays open makes the later unmount EBUSY


def attach(root: Root, tree: int, target: str) -> None:
    """Attach the detached mount *tree* at *target*, in which no link is followed."""
    parent, name = root.parent(target)
    with parent as directory:
        syscalls.move_mount(tree, directory, name, target)


def open_mount(root: Root, target: str, ident: int) -> int:
    """Open the mount point *target* and see that the mount there is the one that is meant."""
    fd = root.open(target, os.O_PATH | os.O_NOFOLLOW, follow=False)
    try:
        see(fd, "", target, ident)
    except BaseException:
        os.close(fd)
        raise
    return fd


def see(fd: int, name: str, target: str, ident: int) -> None:
    """See that the mount at *name* in the directory, or *fd* itself, is the one that is meant."""
    if mount_id(fd, name) != ident:
        raise ChrootError(
            f"{target} is not the mount that it was a moment ago",
            "somebody else mounts here too, or it is hidden by another mount: look and try again",
        )


def umount(directory: int, name: str, target: str, *, lazy: bool = False) -> None:
    """Unmount what is seen at *name* in a directory, which was just looked at."""
    flags = syscalls.UMOUNT_NOFOLLOW | (syscalls.MNT_DETACH if lazy else 0)
    try:
        syscalls.umount2(f"/proc/self/fd/{directory}/{name}", flags)
    except OSError as error:
        raise OSError(error.errno, error.strerror, target) from None
