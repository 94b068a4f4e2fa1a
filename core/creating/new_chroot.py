"""The frame of all that makes a chroot: its directory made and locked, taken back on failure.

What an unfinished one has left there is taken back first; whatever goes wrong, the directory is as
it was before.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from ..chroot import MARKER
from ..errors import Cancelled
from ..kernel.rootpath import Root
from ..lock import Lock
from ..need_root import need_root
from ..trees.attributes import bare_directory
from .directory import check_content, check_place, explained, make_directories, unmake_directories
from .names import check_name
from .unfinished import take_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .progress import Teller


@contextmanager
def new_chroot(path: str, tell: Teller, doing: str) -> Iterator[Root]:
    """Give DIR as a root in which the marker and an empty `root` in it have been made.

    *doing* is the word for it in messages (`creating`). Raises UsageError, PrivilegeError without
    root, LockedError, ChrootError where the place is not fit for a chroot.
    """
    check_name(os.path.basename(path))
    need_root(f"{doing} a chroot")
    check_place(path)
    made = make_directories(path)
    try:
        with Lock(path), Root(path) as root:
            check_content(root)
            take_back(root)
            try:
                _begin(root)
                yield root
            except BaseException:
                tell.stage("removing what was made")
                take_back(root)
                raise
    except BaseException as error:
        unmake_directories(made)
        if isinstance(error, OSError):
            raise explained(error, path) from error
        if isinstance(error, Cancelled):
            stays = "" if path in made else f"; {path} itself was there before"
            raise Cancelled(
                f"{doing} {path} was interrupted; what it had made is gone{stays}"
            ) from error
        raise


def _begin(root: Root) -> None:
    marker = f"{root.path}{MARKER}"
    os.mkdir(marker, 0o700)
    fd = os.open(marker, os.O_RDONLY | os.O_DIRECTORY)
    try:
        bare_directory(fd)  # what DIR has inherited is none of the system's
        os.mkdir("root", dir_fd=fd)
        os.chmod("root", 0o755, dir_fd=fd)
    finally:
        os.close(fd)
