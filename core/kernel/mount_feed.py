"""The mount table, kept up to date at the price of what has changed.

With thousands of mounts, reading and parsing all of them for every change would cost more than all
the rest. Which mounts there are, the kernel says by number (listmount(2)), and only the lines of
new ones are read. Lines that were there before are not parsed again, and the table of one chroot
holds only its own mounts and those outside the base directory.
"""

from __future__ import annotations

from . import syscalls
from .mount_table import MountReader, MountTable, MountWatch, parse_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .mount_table import MountEntry

_OUTSIDE = ""


class MountFeed:
    """Follows the mount table. *base* is the physical path whose directories are chroots."""

    def __init__(self, base: str) -> None:
        self._prefix = base.rstrip("/") + "/"
        self._watch = MountWatch()
        self._reader = MountReader()
        self._lines: dict[int, bytes] = {}
        """By the ids of listmount, in its order; empty where the kernel does not tell them."""
        self._groups: dict[str, dict[bytes, MountEntry]] = {_OUTSIDE: {}}
        self._group_of: dict[bytes, str] = {}
        self._answered_for: dict[bytes, MountEntry] = {}
        self._whole: MountTable | None = None
        self.is_sure = False
        """Whether `refresh` can have missed nothing that was so when it began."""

    def fileno(self) -> int:
        """Return the descriptor to wait for with POLLPRI: the table has changed."""
        return self._watch.fileno()

    def refresh(self, *, whole: bool = False) -> set[str]:
        """Look what has changed; return the mount points at which something is other than before.

        The kernel says that something has changed, not what. Where mounts have come or gone, that
        is taken to be it, unless *whole*: flags or propagation of another one, changed in the same
        moment, are seen by the next call with *whole*. `is_sure` says whether there was any such
        guess.
        """
        changed = None if whole else self._come_and_gone()
        return self._everything() if changed is None else changed

    def _come_and_gone(self) -> set[str] | None:
        """Take in which mounts are new and which are gone, None where that is not all."""
        known = self._lines
        if not known:
            return None
        self._reader.has_changed()  # takes note of everything up to here
        ids = _ids()
        came = [one for one in ids if one not in known]
        gone = known.keys() - ids if len(ids) < len(known) + len(came) else set()
        if not came and not gone:
            return None
        lines = self._reader.more() if came else []
        if len(lines) != len(came) or (came and self._reader.has_changed()):
            return None
        self.is_sure = False
        removed = [known.pop(one) for one in gone]
        known.update(zip(came, lines, strict=True))
        return self._update(removed, lines)

    def _everything(self) -> set[str]:
        ids = _ids()
        lines = self._reader.whole()
        if len(ids) != len(lines) or _ids() != ids:
            ids = []  # no listmount, or mounts out of reach for it; or a change meanwhile
        self._lines = dict(zip(ids, lines, strict=False))
        self.is_sure = True
        if lines == list(self._group_of):
            return set()
        found = dict.fromkeys(lines)
        return self._update(
            [line for line in self._group_of if line not in found],
            [line for line in found if line not in self._group_of],
        )

    def _update(self, removed: Iterable[bytes], added: Iterable[bytes]) -> set[str]:
        changed = set()
        self._whole = None
        for line in removed:
            changed.add(self._groups[self._group_of.pop(line)].pop(line).target)
            self._answered_for.pop(line, None)
        for line in added:
            entry = parse_line(line.decode("utf-8", "surrogateescape"))
            group = self._group_of[line] = self._group(entry.target)
            self._groups.setdefault(group, {})[line] = entry
            changed.add(entry.target)
            if entry.is_answered_for:
                self._answered_for[line] = entry
        return changed

    def _group(self, target: str) -> str:
        if not target.startswith(self._prefix):
            return _OUTSIDE
        return target[len(self._prefix) :].partition("/")[0]

    def has_mounts(self, name: str) -> bool:
        """Tell whether anything is mounted in the chroot *name* under the base, or on it."""
        return bool(self._groups.get(name))

    def table(self, name: str) -> MountTable:
        """Return the table as far as the chroot *name* under the base is concerned.

        What others have mounted that may not answer is in it: a source may lead there.
        """
        near = {**self._groups[_OUTSIDE], **self._groups.get(name, {})}
        return MountTable({**near, **self._answered_for}.values())

    def answered_for(self) -> MountTable | None:
        """Return the whole table; None where nobody need be waited for: `answering.table`, kept."""
        if not self._answered_for:
            return None
        if self._whole is None:
            self._whole = MountTable([e for group in self._groups.values() for e in group.values()])
        return self._whole

    def name_of(self, target: str) -> str:
        """Return the name of the chroot that a mount point is in, "" for one outside the base."""
        return self._group(target)

    def close(self) -> None:
        """Stop following."""
        self._watch.close()
        self._reader.close()


def _ids() -> list[int]:
    try:
        return syscalls.listmount()
    except OSError:  # older than Linux 6.8, or not allowed
        return []
