"""What has come along with a recursive bind and is gone since: unmounted by hand, or by a kill.

Such a bind shows what was mounted below its source when it was made. What is mounted there later is
none of its business; what was there before, and is not here, was taken away: by an `off` that was
killed, say. The kernel's numbers of mounts tell the two apart, since they only grow (Linux 6.8;
before, nothing counts as lost).
"""

from __future__ import annotations

import os

from ..kernel import answering
from ..kernel.syscalls import mount_id, unique_mount_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..kernel.mount_table import MountEntry, MountTable
    from ..kernel.rootpath import Root

_PLACE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def lost(
    root: Root, target: str, table: MountTable, source: str, host: MountTable
) -> tuple[tuple[str, str], ...]:
    """Return (target, source) of each topmost mount that the recursive bind at *target* has lost.

    *source* is where its source really is, in the table *host*. What lies on a file system that
    somebody else answers for is not asked about, and so never lost.
    """
    place, top = root.path + target, source.rstrip("/")
    found: list[str] = []
    for entry in host.below(source):
        rest = entry.target[len(top) :]
        if table.at(place + rest) or f"{rest}/".startswith(tuple(f"{one}/" for one in found)):
            continue
        if _came_along(host, entry, source) and _is_seen_through(table, place, host, top, rest):
            found.append(rest)
    if not found:
        return ()
    try:
        made = _number(root.open(target, _PLACE, follow=False), table.at(place)[-1])
    except OSError:
        return ()  # it changes just now
    return tuple(
        [(target + rest, top + rest) for rest in found if 0 < _made(host, top + rest) < made]
    )


def _came_along(host: MountTable, entry: MountEntry, source: str) -> bool:
    """Tell whether a mount below a source is copied with it: not what is hidden or unbindable."""
    if answering.place(host, entry.target) or host.hidden_by(entry):
        return False
    while entry.target.startswith(source.rstrip("/") + "/"):
        parent = host.by_id.get(entry.parent)
        if entry.propagation == "unbindable" or parent is None:
            return False
        entry = parent
    return True


def _is_seen_through(table: MountTable, place: str, host: MountTable, top: str, rest: str) -> bool:
    """Tell whether all that is mounted on the way to *rest* is what the source has there, too."""
    while rest := rest.rpartition("/")[0]:
        here, there = table.at(place + rest), host.at(top + rest)
        if here or there:
            return _tops(here) == _tops(there)
    return True


def _tops(stack: Sequence[MountEntry]) -> list[tuple[str, str]]:
    return [(entry.device, entry.root) for entry in stack[-1:]]


def _made(host: MountTable, path: str) -> int:
    """Return the number of the mount at *path*, which is a mount point and so no link; 0: none."""
    try:
        return _number(os.open(path, _PLACE), host.at(path)[-1])
    except OSError:
        return 0


def _number(fd: int, entry: MountEntry) -> int:
    """Return the number of the mount *fd* is on, and close that; 0 where it is not *entry*."""
    try:
        return unique_mount_id(fd) if mount_id(fd) == entry.id else 0
    finally:
        os.close(fd)
