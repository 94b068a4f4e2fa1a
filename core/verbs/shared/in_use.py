"""What else goes on in a chroot, which a verb has to refuse, to tell of or to wait for."""

from __future__ import annotations

import os

from ...errors import BusyError, ChrootError
from ...kernel.mount_table import MountTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...kernel.rootpath import Root
    from ...process import Holder


def holders_of(root: Root, points: Sequence[str] | None = None) -> tuple[Holder, ...]:
    """Return who lives in a chroot or holds a mount below it, or one of the mounts at *points*."""
    from ...processes.in_the_way import holders

    status = os.fstat(root.fd)
    found = holders(root.path, (status.st_dev, status.st_ino), points)
    return tuple(holder for holder in found if holder.blocks)


def lives_inside(root: Root) -> bool:
    """Tell whether a process has its root here: a pass over /proc that takes 5 µs for each."""
    from ...processes.residents import pids_by_root

    status = os.fstat(root.fd)
    return any(pids_by_root({root.path: (status.st_dev, status.st_ino)}).values())


def is_used(root: Root) -> bool:
    """Tell whether programs may be writing in a chroot: it is on, or somebody lives inside."""
    return bool(MountTable.read().below(root.path)) or lives_inside(root)


def refuse_in_use(root: Root, to_be: str) -> None:
    """Raise BusyError with who holds it where a chroot is on or somebody lives in it.

    *to_be* says what can't be done then (`renamed`). Raises ChrootError where it is a mount point.
    """
    from ...text import processes

    refuse_sessions(root)
    table = MountTable.read()
    if table.at(root.path):
        raise ChrootError(
            f"{root.path} is itself a mount point: it can't be {to_be}",
            "mount it elsewhere, or clone it to a place that is none",
        )
    mounted = table.below(root.path)
    found = holders_of(root) if mounted or lives_inside(root) else ()
    if mounted:
        raise BusyError(
            f"{root.path} can't be {to_be} while it is on",
            f"chroot-tool off -d {root.path}, first",
            found,
        )
    if found:
        raise BusyError(
            f"{root.path} is in use by {processes(len(found))}",
            f"end them: chroot-tool off --kill -d {root.path}",
            found,
        )


def refuse_sessions(root: Root) -> None:
    """Refuse to take the ground away from a session, which holds what is nowhere else.

    Raises BusyError.
    """
    from ...session_locks import marked_by

    pid = marked_by(root.fd)
    if pid:
        who = f" (process {pid})" if pid > 0 else ""
        raise BusyError(
            f"a throw-away session works on {root.path}{who}", "end it first: leave it, or kill it"
        )
