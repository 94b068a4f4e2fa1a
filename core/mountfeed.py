"""The mount table, kept up to date at the price of what has changed.

With thousands of mounts, parsing all of them for every change would cost more than all the rest.
Lines that were there before are not parsed again, and the table of one chroot holds only its own
mounts and those outside the base directory.
"""

from __future__ import annotations

from .mountinfo import MountTable, MountWatch, lines_of, parse_line, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .mountinfo import MountEntry

_OUTSIDE = ""


class MountFeed:
    """Follows the mount table. *base* is the physical path whose directories are chroots."""

    def __init__(self, base: str) -> None:
        self._prefix = base.rstrip("/") + "/"
        self._watch = MountWatch()
        self._groups: dict[str, dict[str, MountEntry]] = {_OUTSIDE: {}}
        self._group_of: dict[str, str] = {}

    def fileno(self) -> int:
        """Return the descriptor to wait for with POLLPRI: the table has changed."""
        return self._watch.fileno()

    def refresh(self) -> set[str]:
        """Read the table; return the mount points at which something is other than before."""
        lines = dict.fromkeys(lines_of(read_text()))
        changed = set()
        for line in [line for line in self._group_of if line not in lines]:
            changed.add(self._groups[self._group_of.pop(line)].pop(line).target)
        for line in lines:
            if line not in self._group_of:
                entry = parse_line(line)
                group = self._group(entry.target)
                self._group_of[line] = group
                self._groups.setdefault(group, {})[line] = entry
                changed.add(entry.target)
        return changed

    def _group(self, target: str) -> str:
        if not target.startswith(self._prefix):
            return _OUTSIDE
        return target[len(self._prefix) :].partition("/")[0]

    def table(self, name: str) -> MountTable:
        """Return the table as far as the chroot *name* under the base is concerned."""
        own = self._groups.get(name, {})
        return MountTable([*self._groups[_OUTSIDE].values(), *own.values()])

    def name_of(self, target: str) -> str:
        """Return the name of the chroot that a mount point is in, "" for one outside the base."""
        return self._group(target)

    def close(self) -> None:
        """Stop following."""
        self._watch.close()
