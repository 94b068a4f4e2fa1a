"""`delete`: switched off, then removed with all it holds, and its snapshots; or kept a while."""

from __future__ import annotations

import os

from ..chroot import (
    CLONING,
    folders,
    has_system,
    is_chroot,
    is_incomplete,
    is_there,
    open_chroot,
    open_directory,
    refuse_unfinished,
)
from ..errors import Cancelled, ChrootError
from ..events import Stage, ignore
from ..kernel import answering
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..lock import Lock, is_locked
from ..need_root import need_root
from . import boot
from .off import off
from .shared.in_use import refuse_sessions
from .trash import expire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report
    from ..kernel.rootpath import Root


def delete(
    path: str,
    *,
    timeout: float = 10.0,
    trash: float = 0.0,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> str:
    """As `Engine.delete`."""
    from ..trees.snapshot_store import SnapshotDirectory, aside_of

    left = rests(path)
    if not left and trash:
        return _throw(path, timeout, trash, report, cancelled)
    if not left:
        above = _above(path) or "/"
        _delete(path, timeout, report, cancelled)
        for rest in rests(path):  # of the clone that it was, killed when it was in its place
            if rest.endswith(CLONING):
                _finish(rest, timeout, report, cancelled)
        expire(above, report, cancelled)
        return ""
    place = f"{_above(path)}/{os.path.basename(path)}"
    for rest in left:
        if rest != aside_of(place):
            _finish(rest, timeout, report, cancelled)
    boot.forget(place, report)
    with SnapshotDirectory(place, held=False) as snapshots:
        snapshots.remove_aside(report, cancelled)
    return ""


def _throw(path: str, timeout: float, days: float, report: Report, cancelled: Flag | None) -> str:
    """Switch a chroot off and put it into the trash for some days; return its id there."""
    import time

    from ..host.boot import is_enabled
    from ..trees.trash import Trash

    with open_chroot(path) as root:
        physical = root.path
        refuse_sessions(root)
        refuse_unfinished(root)
        _refuse_mount_point(physical)
        sound = has_system(root)
    need_root("deleting a chroot")
    off(physical, stop=sound, kill=True, timeout=timeout, report=report, cancelled=cancelled)
    above = os.path.dirname(physical)
    with Lock(physical), Trash(above, make=True) as trash:
        report(Stage(physical, "putting it into the trash"))
        until = time.time() + days * 86400
        ident = trash.put(physical, until, enabled=is_enabled(physical), report=report)
    boot.forget(physical, report)
    expire(above, report, cancelled)
    return ident


def _refuse_mount_point(physical: str) -> None:
    if MountTable.read().at(physical):
        raise ChrootError(f"{physical} is itself a mount point", "unmount it, or empty it by hand")


def _finish(rest: str, timeout: float, report: Report, cancelled: Flag | None) -> None:
    if _is_emptied(rest):
        os.rmdir(rest)
    else:
        _delete(rest, timeout, report, cancelled)


def rests(path: str) -> tuple[str, ...]:
    """As `Engine.rests`."""
    from ..trees.remove import is_rest
    from ..trees.snapshot_store import aside_of

    name = os.path.basename(path)
    if is_there(path):
        return ()
    try:
        above = _above(path)
        places = folders(above or "/", answering.table())  # no links
    except ChrootError:
        return ()
    found = [
        place
        for place in places
        if (last := os.path.basename(place)) == f".{name}{CLONING}" or is_rest(last, name)
        if _is_ours(place) or _is_emptied(place)
    ]
    snapshots = aside_of(f"{above}/{name}")
    return (*found, snapshots) if os.path.lexists(snapshots) else tuple(found)


def _above(path: str) -> str:
    """Return the physical path of the directory that *path* is in, "" for /. Raises ChrootError."""
    with open_directory(os.path.dirname(os.path.abspath(path))) as root:
        return root.path.rstrip("/")


def _is_ours(rest: str) -> bool:
    try:
        with Root(rest) as root:
            return is_chroot(root)
    except OSError:
        return False


def _is_emptied(rest: str) -> bool:
    """Tell whether a kill of `delete` or `clone` has left but the directory itself."""
    from ..trees.remove import is_rest

    name = os.path.basename(rest)
    try:
        is_one = is_rest(name) or name.endswith(CLONING)
        return is_one and not os.listdir(rest) and not is_locked(rest)
    except OSError:
        return False


def _was(physical: str) -> str:
    """Return what a rest of `delete` was, where that is gone; any other path as it is."""
    from ..trees.remove import is_rest

    above, name = os.path.split(physical)
    if not is_rest(name):
        return physical
    old = os.path.join(above, name[1:].rpartition(".deleting-")[0])
    return physical if is_there(old) else old


def _delete(path: str, timeout: float, report: Report, cancelled: Flag | None) -> None:
    from ..creating.unfinished import unseal
    from ..trees import remove
    from ..trees.snapshot_store import SnapshotDirectory

    with open_chroot(path) as root:
        physical = root.path
        refuse_sessions(root)
        _refuse_mount_point(physical)
        sound = has_system(root) and not is_incomplete(root)
    off(physical, stop=sound, kill=True, timeout=timeout, report=report, cancelled=cancelled)
    if not sound:
        with Lock(physical), Root(physical) as root:
            unseal(root)
    with Lock(physical), SnapshotDirectory(physical) as snapshots:
        report(Stage(physical, "removing"))
        # Out of sight first: a kill must not leave them for the next chroot of that name.
        snapshots.put_aside()
        try:
            # A rest of a clone has immutable files where its original has them.
            rest = not sound and physical.endswith(CLONING)
            remove.chroot(physical, report, cancelled, sealed=rest)
        except BaseException:
            snapshots.put_back()
            raise
        boot.forget(_was(physical), report)
        try:
            snapshots.remove_aside(report, cancelled)
        except Cancelled:
            raise
        except ChrootError as error:
            raise ChrootError(
                f"{physical} is deleted, but not all of its snapshots: {error.message}",
                f"chroot-tool delete -d {physical} goes on",
            ) from error
