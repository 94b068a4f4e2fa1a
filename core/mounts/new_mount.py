"""Making a mount that is not attached yet: a bind, or a new file system, with all its options.

It is complete before anybody can see it: flags, propagation, the nodes of a private /dev
(fsopen(2), open_tree(2), mount_setattr(2)).
"""

from __future__ import annotations

import os
import stat

from ..errors import PolicyError
from ..kernel import syscalls
from .compare import flag_changes, super_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config.bind import Bind
    from .limits import Limits

_ATTRIBUTES = {
    "ro": syscalls.MOUNT_ATTR_RDONLY,
    "nosuid": syscalls.MOUNT_ATTR_NOSUID,
    "nodev": syscalls.MOUNT_ATTR_NODEV,
    "noexec": syscalls.MOUNT_ATTR_NOEXEC,
    "nosymfollow": syscalls.MOUNT_ATTR_NOSYMFOLLOW,
    "nodiratime": syscalls.MOUNT_ATTR_NODIRATIME,
}
ATIME_ATTRIBUTES = {
    "relatime": 0,
    "noatime": syscalls.MOUNT_ATTR_NOATIME,
    "strictatime": syscalls.MOUNT_ATTR_STRICTATIME,
}
PROPAGATION = {
    "private": syscalls.MS_PRIVATE,
    "slave": syscalls.MS_SLAVE,
    "shared": syscalls.MS_SHARED,
    "unbindable": syscalls.MS_UNBINDABLE,
}
_DEV_NODES = (
    ("null", 1, 3, 0o666), ("zero", 1, 5, 0o666), ("full", 1, 7, 0o666),
    ("random", 1, 8, 0o666), ("urandom", 1, 9, 0o666), ("tty", 5, 0, 0o666),
    ("console", 5, 1, 0o600),
)  # fmt: skip
"""Linux's admin-guide/devices.txt."""
DEV_LINKS = (
    ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
)  # fmt: skip


def detached_mount(bind: Bind, limits: Limits | None = None) -> int:
    """Return a detached mount for *bind*, complete but for its place.

    Raises OSError; PolicyError where what was opened is not within *limits*.
    """
    set_, clear = attributes(*flag_changes(bind.options), bind.options)
    if bind.fs != "bind":
        return _new_file_system(bind, set_)
    flags = syscalls.OPEN_TREE_CLONE | (syscalls.AT_RECURSIVE if bind.recursive else 0)
    if limits:
        tree = _within(limits, bind, flags)
    else:
        tree = syscalls.open_tree(syscalls.AT_FDCWD, bind.source, flags)
    try:
        syscalls.mount_setattr(
            tree, bind.source, set_=set_, clear=clear,
            propagation=PROPAGATION[bind.propagation], recursive=bind.recursive,
        )  # fmt: skip
    except BaseException:
        os.close(tree)
        raise
    return tree


def _within(limits: Limits, bind: Bind, flags: int) -> int:
    """Return the copy of the tree at the source, if what is open there is within *limits*.

    The name is looked up once, and what was found is checked: what the name leads to by then does
    not matter. After the copy, so that all that is mounted in it was seen.
    """
    from .sources import Sources

    # As a plain open, but what is mounted on demand is mounted (open_tree(2), AT_NO_AUTOMOUNT).
    fd = syscalls.open_tree(syscalls.AT_FDCWD, bind.source, 0)
    tree = -1
    try:
        tree = syscalls.open_tree(fd, "", flags | syscalls.AT_EMPTY_PATH)
        sources = Sources()
        problem = sources.refusal(limits, bind, sources.look_at(fd, bind.source))
        if problem:
            raise PolicyError([problem])
    except BaseException:
        if tree >= 0:
            os.close(tree)
        raise
    finally:
        os.close(fd)
    return tree


def _new_file_system(bind: Bind, flags: int) -> int:
    """Return a mount of a new file system, which has no flags to clear and is private."""
    context = syscalls.fsopen(bind.fs)
    try:
        if bind.source != "none":  # what the kernel calls it by itself
            syscalls.fsconfig(context, syscalls.FSCONFIG_SET_STRING, "source", bind.source)
        for option in super_options(bind):
            configure(context, option)
        syscalls.fsconfig(context, syscalls.FSCONFIG_CMD_CREATE)
        tree = syscalls.fsmount(context, flags, bind.fs)
    finally:
        os.close(context)
    try:
        if bind.propagation != "private":
            kind = PROPAGATION[bind.propagation]
            syscalls.mount_setattr(tree, bind.source, propagation=kind)
        if bind.nodes:
            _populate_dev(tree)
    except BaseException:
        os.close(tree)
        raise
    return tree


def configure(context: int, option: str) -> None:
    """Give a file system context one option, `key=value` or a word (fsconfig(2))."""
    key, equals, value = option.partition("=")
    command = syscalls.FSCONFIG_SET_STRING if equals else syscalls.FSCONFIG_SET_FLAG
    syscalls.fsconfig(context, command, key, value)


def _populate_dev(tree: int) -> None:
    """Make the standard nodes in a /dev that nobody can see yet."""
    for name, major, minor, mode in _DEV_NODES:
        os.mknod(name, mode | stat.S_IFCHR, os.makedev(major, minor), dir_fd=tree)
        os.chmod(name, mode, dir_fd=tree)  # the umask belongs to all threads: it is left alone
    for name, to in DEV_LINKS:
        os.symlink(to, name, dir_fd=tree)
    for name in ("pts", "shm"):
        os.mkdir(name, dir_fd=tree)
        os.chmod(name, 0o755, dir_fd=tree)


def attributes(set_: set[str], clear: set[str], words: tuple[str, ...]) -> tuple[int, int]:
    """Return MOUNT_ATTR_* to set and to clear for flag names, and for access times in *words*."""
    on = sum(_ATTRIBUTES.get(flag, 0) for flag in set_)
    off = sum(_ATTRIBUTES.get(flag, 0) for flag in clear)
    for word in words:
        if word in ATIME_ATTRIBUTES:
            # mount_setattr(2): access time is one value, cleared whole before one is set
            off |= syscalls.MOUNT_ATTR__ATIME
            on = on & ~syscalls.MOUNT_ATTR__ATIME | ATIME_ATTRIBUTES[word]
    return on, off
