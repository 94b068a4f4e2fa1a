"""`snapshot`: states of a chroot to go back to."""

from __future__ import annotations

import os

from ..chroot import (
    open_chroot,
    open_directory,
    refuse_other,
    refuse_silent,
    refuse_unfinished,
)
from ..creating.names import check_name
from ..errors import ChrootError, Problem, UsageError
from ..events import Stage, Warned, ignore
from ..kernel.mount_table import MountTable
from ..lock import Lock
from ..need_root import need_root
from ..trees import snapshots as states
from ..trees.duplicate import SNAPSHOT
from .shared.in_use import is_used, refuse_in_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report
    from ..trees.snapshots import TreeSnapshot

ACTIONS = ("list", "restore", "remove")
"""Words of the command line that no snapshot can be called."""


def snapshots(path: str) -> tuple[TreeSnapshot, ...]:
    """As `Engine.snapshots`."""
    # Whoever shows them asks often, and with thousands of mounts each look at their table is 25 ms.
    try:
        root = open_directory(path)
    except ChrootError:
        refuse_silent(path)
        found = states.listed(_place(path))  # of one that is not there any more
        if not found:
            raise
        return found
    with root:
        found = states.listed(root.path)
        if not found:
            refuse_other(path, root)  # of what is none, it is not that there is no snapshot
        return found


def take_snapshot(
    path: str, name: str = "", *, report: Report = ignore, cancelled: Flag | None = None
) -> TreeSnapshot:
    """As `Engine.take_snapshot`."""
    if name:
        check_name(name)
    if name in ACTIONS:
        raise UsageError(f"no snapshot can be called {name!r}", "take another name")
    need_root("taking a snapshot")
    with open_chroot(path) as root, Lock(root.path, shared=True):
        refuse_unfinished(root)
        if MountTable.read().at(root.path):
            raise ChrootError(
                f"{root.path} is a mount point: what is beside it is on another file system",
                "take snapshots of its own file system, or clone it",
            )
        made = states.make(root.path, root.fd, name, report, cancelled)
        if made.method != SNAPSHOT and is_used(root):
            problem = Problem(
                f"{root.path} is on: what programs wrote while it was copied may be half there",
                f"for a state of one moment: chroot-tool off -d {root.path}, then snapshot",
            )
            report(Warned(root.path, problem))
        report(Stage(root.path, "done", 1.0))
        return made


def restore_snapshot(
    path: str,
    name: str,
    *,
    keep: bool = True,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> str:
    """As `Engine.restore_snapshot`."""
    need_root("putting a snapshot back")
    with open_chroot(path) as root, Lock(root.path):
        refuse_unfinished(root)

        def refuse() -> None:
            refuse_in_use(root, "put back to a snapshot")

        refuse()
        kept = states.restore(root.path, name, report, cancelled, keep=keep, refuse=refuse)
        report(Stage(root.path, "done", 1.0))
        return kept


def remove_snapshot(
    path: str, name: str, *, report: Report = ignore, cancelled: Flag | None = None
) -> None:
    """As `Engine.remove_snapshot`."""
    need_root("removing a snapshot")
    states.remove(_place(path), name, report, cancelled)


def _place(path: str) -> str:
    """Return the physical path of a chroot, which need not be there any more."""
    if os.path.isdir(path):
        with open_directory(path) as root:
            return root.path
    with open_directory(os.path.dirname(path)) as above:
        return f"{above.path.rstrip('/')}/{os.path.basename(path)}"
