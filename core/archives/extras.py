"""What tar leaves out, made from the manifest: sockets, and further names of what is no file.

GNU tar passes over sockets, and gives a fifo or device node with two names twice.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

from ..kernel.rootpath import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .manifest import Manifest, Socket


def make(directory: str, manifest: Manifest) -> list[str]:
    """Make them in the unpacked *directory*; return what could not be made, and why.

    The paths are foreign: no link is followed on their way.
    """
    failed = []
    with Root(directory) as root:
        for one in manifest.sockets:
            try:
                _socket(root, one)
            except OSError as error:
                failed.append(f"{one.path}: {error.strerror}")
        for path, first in manifest.links:
            try:
                _link(root, path, first)
            except OSError as error:
                failed.append(f"{path}: {error.strerror}")
    return failed


@contextmanager
def _within(root: Root, path: str) -> Iterator[tuple[int, str]]:
    """Give the directory of *path* and its name there; the directory's times stay as they are."""
    directory, _, name = f"/{path}".rpartition("/")
    above = root.open(directory or "/", os.O_RDONLY | os.O_DIRECTORY, follow=False)
    try:
        before = os.fstat(above)
        yield above, name
        os.utime(above, ns=(before.st_atime_ns, before.st_mtime_ns))
    finally:
        os.close(above)


def _socket(root: Root, one: Socket) -> None:
    with _within(root, one.path) as (above, name):
        os.mknod(name, stat.S_IFSOCK | one.mode, dir_fd=above)
        os.chown(name, one.uid, one.gid, dir_fd=above, follow_symlinks=False)
        os.chmod(name, one.mode, dir_fd=above)  # whatever the umask is
        os.utime(name, ns=(one.mtime, one.mtime), dir_fd=above, follow_symlinks=False)


def _link(root: Root, path: str, first: str) -> None:
    with _within(root, path) as (above, name), _within(root, first) as (source, origin):
        kind = os.stat(origin, dir_fd=source, follow_symlinks=False).st_mode
        if stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISLNK(kind):
            raise OSError(22, "its first name is of another kind")
        try:
            os.unlink(name, dir_fd=above)  # tar has made one of its own
        except FileNotFoundError:
            pass  # a socket
        os.link(origin, name, src_dir_fd=source, dst_dir_fd=above, follow_symlinks=False)
