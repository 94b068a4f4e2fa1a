"""How a bind that is unmounted could be made again: from where else the same is mounted. Pure.

An unmount that is to be taken back needs what it was taken from: a detached copy, which costs the
kernel as much as the unmount itself, or, of a bind, the place on the host that shows the same.
"""

from __future__ import annotations

from ..config.bind import Bind
from .compare import ATIME, FLAGS, OPPOSITES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..kernel.mount_table import MountEntry, MountTable

_CLEAR = {flag: word for word, flag in OPPOSITES.items()}


def binds_that_restore(table: MountTable, entries: Sequence[MountEntry]) -> dict[int, Bind]:
    """Return for ids of *entries* the bind that makes the same mount from outside of them.

    Left out is what nothing else shows, and what a bind would not make the same: part of a peer
    group, idmapped, of a file that was deleted.
    """
    ids = {entry.id for entry in entries}
    devices = {entry.device for entry in entries}
    outside: dict[str, list[MountEntry]] = {}
    for entry in table.entries:
        if entry.device in devices and entry.id not in ids:
            outside.setdefault(entry.device, []).append(entry)
    found = {}
    for entry in entries:
        if entry.optional or "idmapped" in entry.options or entry.root.endswith("//deleted"):
            continue
        source = _source(table, entry, outside.get(entry.device, ()))
        if source:
            found[entry.id] = Bind(entry.target, source, options=_words(entry))
    return found


def _source(table: MountTable, entry: MountEntry, others: Iterable[MountEntry]) -> str:
    for other in others:
        top = other.root.rstrip("/")
        if entry.root != other.root and not entry.root.startswith(top + "/"):
            continue
        path = other.target.rstrip("/") + entry.root[len(top) :]
        path = path.rstrip("/") or "/"
        if _shows(table, path, other) and not table.hidden_by(other):
            return path
    return ""


def _shows(table: MountTable, path: str, entry: MountEntry) -> bool:
    """Tell whether *path* is on *entry*, nothing being mounted in between."""
    while path != entry.target:
        if table.at(path):
            return False
        path = path.rpartition("/")[0] or "/"
    return table.at(path)[-1] is entry


def _words(entry: MountEntry) -> tuple[str, ...]:
    """Return options that set every flag of *entry* and clear every other."""
    flags = [f if f in entry.options else _CLEAR[f] for f in (*FLAGS, "nodiratime")]
    time = next((word for word in ATIME if word in entry.options), "strictatime")
    return (*flags, time)
