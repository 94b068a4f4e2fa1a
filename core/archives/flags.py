"""The flags of chattr(1) that tar has no words for: set at the very end, taken away before all.

With an immutable file in it a tree can be neither moved nor deleted. So whoever builds one sets the
flags when it stands where it belongs, and whoever takes an unfinished one back clears them first.
"""

from __future__ import annotations

import os
import stat

from ..kernel.inode_flags import APPEND, IMMUTABLE, NODUMP, get_flags, set_flags
from ..kernel.rootpath import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_BITS = {"a": APPEND, "i": IMMUTABLE, "d": NODUMP}
"""As `manifest.FLAGS` has them."""


def restore(root: Root, flags: Iterable[tuple[str, str]]) -> list[str]:
    """Set the flags of a manifest in *root*; return what could not be set, and why."""
    failed = []
    for path, letters in flags:
        wanted = 0
        for letter in letters:
            wanted |= _BITS[letter]
        try:
            _change(root, path, add=wanted)
        except OSError as error:
            failed.append(f"{path}: {error.strerror}")
    return failed


def clear(root: Root, paths: Iterable[str]) -> None:
    """Take from each of *paths* what would hinder deleting it; what is not there is passed over."""
    for path in paths:
        try:
            _change(root, path, remove=APPEND | IMMUTABLE)
        except OSError:
            pass  # not there yet, or not ours: deleting it will say so


def _change(root: Root, path: str, *, add: int = 0, remove: int = 0) -> None:
    found = root.open(f"/{path}", os.O_PATH | os.O_NOFOLLOW, follow=False)
    try:
        if not stat.S_ISREG(mode := os.fstat(found).st_mode) and not stat.S_ISDIR(mode):
            raise OSError(22, "neither a file nor a directory")
        fd = os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            now = get_flags(fd)
            if (now | add) & ~remove != now:
                set_flags(fd, (now | add) & ~remove)
        finally:
            os.close(fd)
    finally:
        os.close(found)
