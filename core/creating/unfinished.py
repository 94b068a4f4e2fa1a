"""A system that is built aside in DIR, put in place at the end, and taken back where that fails.

Everything is built in `DIR/.chroot-tool-create/root`, whose parent nobody but root can enter and
whose presence is the marker of an unfinished create. At the end the entries of that root are moved
up into DIR, by rename, and the marker goes last. Before the first of them is moved, all their names
stand in `made` beside it; so whoever finds the marker knows exactly what is ours: a failed,
cancelled or killed create is taken back without touching anything else in DIR.
"""

from __future__ import annotations

import os
import stat

from ..chroot import CONFIG_DIRECTORY, MARKER, is_incomplete
from .initial_setup import CHROOT_CMD, write_chroot_cmd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..kernel.rootpath import Root

_CONFIG = CONFIG_DIRECTORY.lstrip("/")
_COMMAND = CHROOT_CMD.lstrip("/")


def put_in_place(root: Root) -> None:
    """Move the finished system up into DIR; the marker goes last."""
    home = root.open("/", os.O_RDONLY | os.O_DIRECTORY)
    fresh = root.open(f"{MARKER}/root", os.O_RDONLY | os.O_DIRECTORY, follow=False)
    try:
        names = os.listdir(fresh)
        add_command = root.stat("/" + _COMMAND, follow=False) is None and _CONFIG not in names
        _note_made(root, [*names, *([_COMMAND] if add_command else [])])
        for name in names:
            os.rename(name, name, src_dir_fd=fresh, dst_dir_fd=home)
        if add_command:
            write_chroot_cmd(root)
        top = os.fstat(fresh)
        os.fchown(home, top.st_uid, top.st_gid)
        os.fchmod(home, stat.S_IMODE(top.st_mode))  # it is / inside now: all must get in
    finally:
        os.close(fresh)
        os.close(home)
    # Its name is what says "unfinished": one rename ends that, whatever happens then.
    over = f"{root.path}{MARKER}-over"
    os.rename(f"{root.path}{MARKER}", over)
    os.rmdir(f"{over}/root")
    os.unlink(f"{over}/made")
    os.rmdir(over)


def _note_made(root: Root, names: list[str]) -> None:
    data = "\0".join(names).encode("utf-8", "surrogateescape")
    root.write(f"{MARKER}/made", data, 0o600)


def made_names(root: Root) -> list[str]:
    """Return what an unfinished create has, or may have, put into DIR."""
    try:
        text = root.read(f"{MARKER}/made").decode("utf-8", "surrogateescape")
    except OSError:
        return []
    return [name for name in text.split("\0") if name not in ("", ".", "..")]


def take_back(root: Root) -> None:
    """Delete what an unfinished create has made in DIR; the marker goes last."""
    from ..trees.remove import tree

    if not is_incomplete(root):
        return
    for name in [*made_names(root), MARKER]:
        directory, _, last = name.rpartition("/")
        try:
            parent = root.open(f"/{directory}", os.O_RDONLY | os.O_DIRECTORY, follow=False)
        except OSError:
            continue
        try:
            tree(parent, last)
        except FileNotFoundError:
            pass  # noted, but not moved yet
        finally:
            os.close(parent)
