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

from ..chroot import (
    CONFIG_DIRECTORY,
    MADE,
    MARKER,
    is_half_deleted,
    is_incomplete,
    refuse_unfinished,
)
from ..errors import ChrootError
from ..kernel.rootpath import Root
from .initial_setup import CHROOT_CMD, write_chroot_cmd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .progress import Teller

_CONFIG = CONFIG_DIRECTORY.lstrip("/")
_COMMAND = CHROOT_CMD.lstrip("/")
_FOUND = "lost+found"
_NOTE_LIMIT = 64 << 20  # that of a manifest, whose flags are noted


def put_in_place(
    root: Root,
    tell: Teller,
    *,
    is_exact: bool = False,
    flags: Sequence[tuple[str, str]] = (),
) -> list[str]:
    """Move the finished system up into DIR; the marker goes last.

    From then on it is there: what still fails is told. *is_exact*: nothing is added, and DIR itself
    gets all that its original had. *flags* are those of an archive's manifest. Returns what of
    those could not be set. Raises ChrootError where DIR holds something of the same name.
    """
    from ..archives.flags import restore

    home = root.open("/", os.O_RDONLY | os.O_DIRECTORY)
    fresh = root.open(f"{MARKER}/root", os.O_RDONLY | os.O_DIRECTORY, follow=False)
    try:
        top = os.fstat(fresh)
        names = _free_names(root, fresh, home)
        has_command = root.stat("/" + _COMMAND, follow=False) is not None or _CONFIG in names
        add_command = not is_exact and not has_command
        _note_made(root, [*names, *([_COMMAND] if add_command else [])])
        for name in names:
            os.rename(name, name, src_dir_fd=fresh, dst_dir_fd=home)
        if add_command:
            write_chroot_cmd(root)
        os.fchown(home, top.st_uid, top.st_gid)
        os.fchmod(home, stat.S_IMODE(top.st_mode))  # it is / inside now: all must get in
        if is_exact:
            _give_attributes(fresh, home)
        failed = _restore(root, flags)
    finally:
        os.close(fresh)
        os.close(home)
    # Its name is what says "unfinished": one rename ends that, whatever happens then.
    os.rename(f"{root.path}{MARKER}", f"{root.path}{MADE}")
    try:
        remove_marker(root)
    except (OSError, ChrootError) as error:
        why = getattr(error, "strerror", "") or str(error)
        tell.warn(f"{root.path}{MADE} could not be removed: {why}", "the next `on` does it")
    if is_exact:
        os.utime(f"/proc/self/fd/{root.fd}", ns=(top.st_atime_ns, top.st_mtime_ns))
    # With that flag nothing could have been renamed in it.
    return failed + restore(root, [pair for pair in flags if pair[0] == "."])


def _free_names(root: Root, fresh: int, home: int) -> list[str]:
    """Return what is to be moved up; raise where DIR has one of these: it would pass for ours.

    Of two `lost+found` the one of the disk stays, with what fsck has put there.
    """
    from ..trees.remove import tree

    try:
        tree(fresh, MADE.lstrip("/"))  # left by a kill, and packed
    except FileNotFoundError:
        pass
    names, there = os.listdir(fresh), frozenset(os.listdir(home))
    if _FOUND in there and _FOUND in names:
        try:
            os.rmdir(_FOUND, dir_fd=fresh)
            names.remove(_FOUND)
        except OSError:
            pass  # it holds something
    taken = next((name for name in names if name in there), None)
    if taken is not None:
        raise ChrootError(
            f"{root.path} holds {taken!r} by now, which the new system has, too",
            "move it away, and try again",
        )
    return names


def remove_marker(root: Root) -> None:
    """Remove what the marker has become, of a create that was killed in doing so as well."""
    from ..trees.remove import tree

    home = root.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        tree(home, MADE.lstrip("/"))
    except FileNotFoundError:
        pass
    finally:
        os.close(home)


def _give_attributes(source: int, target: int) -> None:
    """Give one directory the extended attributes of another, ACLs among them, and no others."""
    names = os.listxattr(source)
    for name in os.listxattr(target):
        if name not in names and not name.startswith("security."):
            os.removexattr(target, name)  # inherited from above: a default ACL
    for name in names:
        try:
            os.setxattr(target, name, os.getxattr(source, name))
        except OSError:
            pass  # security modules have some that they give themselves


def _restore(root: Root, flags: Sequence[tuple[str, str]]) -> list[str]:
    """Set flags, noted first: what is immutable can't be taken back without looking there."""
    from ..archives.flags import restore

    inside = [pair for pair in flags if pair[0] != "."]
    if not inside:
        return []
    noted = "\0".join(path for path, _ in inside).encode("utf-8", "surrogateescape")
    root.write(f"{MARKER}/flags", noted, 0o600)
    return restore(root, inside)


def _note_made(root: Root, names: list[str]) -> None:
    data = "\0".join(names).encode("utf-8", "surrogateescape")
    root.write(f"{MARKER}/made", data, 0o600)


def made_names(root: Root) -> list[str]:
    """Return what an unfinished create has, or may have, put into DIR."""
    names = _noted(root, "made")
    return [name for name in names if name.rpartition("/")[2] not in ("", ".", "..")]


def _noted(root: Root, name: str) -> list[str]:
    """Return what stands in a note beside the system that is built."""
    try:
        text = root.read(f"{MARKER}/{name}", _NOTE_LIMIT).decode("utf-8", "surrogateescape")
    except (OSError, ChrootError):
        return []  # none yet, or one that root inside has put there
    return [word for word in text.split("\0") if word]


def unseal(root: Root) -> None:
    """Let what an unfinished one has made immutable be deleted."""
    from ..archives.flags import clear

    clear(root, _noted(root, "flags"))


def plan_take_back(path: str) -> tuple[str, ...]:
    """Return what a plan says of an unfinished create in *path*, where there is one.

    Raises ChrootError where deleting that was begun.
    """
    try:
        with Root(path) as root:
            if is_half_deleted(root):
                refuse_unfinished(root)
            if not is_incomplete(root):
                return ()
    except OSError:
        return ()  # nothing is there, as mostly
    return ("creating it was begun and not finished: what that has made is deleted first",)


def take_back(root: Root) -> None:
    """Delete what an unfinished create has made in DIR; the marker goes last."""
    from ..trees.remove import tree

    if not is_incomplete(root):
        return
    unseal(root)
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
