"""`delete`: switched off, then removed with all it holds, and with its snapshots."""

from __future__ import annotations

from ..chroot import CLONING, has_system, is_incomplete, open_chroot
from ..errors import ChrootError
from ..events import Stage, ignore
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..lock import Lock
from .off import off
from .opened import refuse_sessions

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
        shelf.remove_aside()
