"""`delete`: switched off, then removed with all it holds, and with its snapshots."""

from __future__ import annotations

import os

from ..chroot import CLONING, folders, has_system, is_chroot, is_incomplete, open_chroot
from ..errors import ChrootError
from ..events import Stage, ignore
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..lock import Lock
from .in_use import refuse_sessions
from .off import off

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report
    from ..kernel.rootpath import Root


def delete(
    path: str,
    *,
    timeout: float = 10.0,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> None:
    """As `Engine.delete`."""
    from ..trees.snapshot_store import Shelf

    if not rests(path):
        _delete(path, timeout, report, cancelled)
        return
    for rest in _rests(path):
        _delete(rest, timeout, report, cancelled)
    with Shelf(os.path.abspath(path)) as shelf:
        shelf.remove_aside(report, cancelled)


def rests(path: str) -> tuple[str, ...]:
    """As `Engine.rests`."""
    from ..trees.snapshot_store import Shelf

    if os.path.lexists(path):
        return ()
    try:
        with Shelf(os.path.abspath(path)) as shelf:
            snapshots = (f"the snapshots of {shelf.name}",) if shelf.has_aside() else ()
    except ChrootError:
        snapshots = ()
    return _rests(path) + snapshots


def _rests(path: str) -> tuple[str, ...]:
    """Return the directories beside *path* that were, or were to be, that chroot."""
    from ..trees.remove import is_rest

    above, name = os.path.split(os.path.abspath(path))
    try:
        places = folders(above)  # no links
    except ChrootError:
        return ()
    return tuple(
        [
            place
            for place in places
            if (last := os.path.basename(place)) == f".{name}{CLONING}" or is_rest(last, name)
            if _is_ours(place)
        ]
    )


def _is_ours(rest: str) -> bool:
    try:
        with Root(rest) as root:
            return is_chroot(root)
    except OSError:
        return False


def _delete(path: str, timeout: float, report: Report, cancelled: Flag | None) -> None:
    from ..creating.unfinished import unseal
    from ..trees import remove
    from ..trees.snapshot_store import Shelf

    with open_chroot(path) as root:
        physical = root.path
        refuse_sessions(root)
        if MountTable.read().at(physical):
            raise ChrootError(
                f"{physical} is itself a mount point", "unmount it, or empty it by hand"
            )
        sound = has_system(root) and not is_incomplete(root)
    off(physical, stop=sound, kill=True, timeout=timeout, report=report, cancelled=cancelled)
    if not sound:
        with Lock(physical), Root(physical) as root:
            unseal(root)
    with Lock(physical), Shelf(physical) as shelf:
        report(Stage(physical, "removing"))
        # Out of sight first: a kill must not leave them for the next chroot of that name.
        shelf.put_aside()
        try:
            # A rest of a clone has immutable files where its original has them.
            rest = not sound and physical.endswith(CLONING)
            remove.chroot(physical, report, cancelled, sealed=rest)
        except BaseException:
            shelf.put_back()
            raise
        shelf.remove_aside(report, cancelled)
