"""Programs that can write in one directory and nowhere else, whatever they are made to do.

Unpacking somebody's archive as root is asking for trouble: a member called `../../etc/passwd`, a
link and then a member below it, a hard link to the host's shadow. tar has answers to each, and has
had holes in each. So the kernel gives the answer: the program gets as its root a copy of the mount
tree in which every mount is read-only, and as its directory a detached mount of the one it is to
fill, from which no `..` leads out, on which no device can be opened, and to which nothing else can
be hard-linked, being another mount. Neither needs a mount namespace, works in a chroot too, and is
gone with the process.
"""

from __future__ import annotations

import os
import sys

from ..kernel import syscalls
from ..kernel.syscalls import (
    AT_FDCWD,
    AT_RECURSIVE,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    MS_PRIVATE,
    OPEN_TREE_CLONE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = "@HERE@"
"""In an argument: the path of the directory, for the program."""
_SIGKILL = 9
_STARTER = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from chroot_tool.core.archives.confined import main; main(sys.argv[2:])"
)


def command(directory: str, words: Sequence[str]) -> list[str]:
    """Return the command that runs *words* in *directory*, its working directory then.

    It ends with the thread that starts it. `HERE` in *words* stands for the directory.
    """
    packages = __file__.rpartition("/chroot_tool/")[0]
    return [sys.executable, "-I", "-S", "-c", _STARTER, packages, directory, *words]


def main(arguments: list[str]) -> None:
    """Become the program. Only for a process of its own, started by `command`."""
    directory, *words = arguments
    try:
        here = _confine(directory)
        os.execvp(words[0], [word.replace(HERE, here) for word in words])
    except OSError as error:
        sys.exit(f"{words[0]}: {error.filename or directory}: {error.strerror}")


def _confine(directory: str) -> str:
    """Make the directory all that can be written; return its path."""
    parent = os.getppid()
    syscalls.set_parent_death_signal(_SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)  # it ended before the kernel knew
    target = detached(directory, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
    world = syscalls.open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE)
    syscalls.mount_setattr(
        world, "/", set_=MOUNT_ATTR_RDONLY, propagation=MS_PRIVATE, recursive=True
    )
    for fd in (target, world):  # with the last descriptor a detached tree comes apart
        os.set_inheritable(fd, True)
    os.fchdir(world)
    os.chroot(".")
    os.fchdir(target)
    os.umask(0o022)
    return f"/proc/self/fd/{target}"


def detached(directory: str, attributes: int) -> int:
    """Return a descriptor of a copy of the mount at *directory*, without what is mounted below.

    Through it nothing but that one file system is seen, what mounts hide too. *attributes* are
    MOUNT_ATTR_*. Raises OSError.
    """
    tree = syscalls.open_tree(AT_FDCWD, directory, OPEN_TREE_CLONE)
    try:
        syscalls.mount_setattr(tree, directory, set_=attributes, propagation=MS_PRIVATE)
    except BaseException:
        os.close(tree)
        raise
    return tree
