"""The rows of the environments table: a row a chroot, filtered, or below heads. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..job_status import FAILED, RUNNING, JobStatus
from .chroot_columns import ChrootRow, recent
from .machine_tree import is_tree, tree

if TYPE_CHECKING:
    from ...core.looking.status import ChrootStatus
    from ...core.looking.watch import Machine
    from ..trend import Trend


@dataclass(frozen=True)
class Shown:
    """What the table is to show."""

    rows: Mapping[str, ChrootRow]
    """By their keys: paths, or those of heads."""
    accepts: Callable[[ChrootRow], bool] | None
    """What a row has to be to be seen; None: anything."""
    group: Callable[[ChrootRow], Any] | None
    """What rows are sorted by before all else."""
    words: tuple[str, ...]
    """What is marked in them."""


class Listing:
    """Knows the chroots, what they are filtered by, and what is folded."""

    def __init__(self) -> None:
        self.known: dict[str, ChrootRow] = {}
        """A row for each chroot by its path, in the order in which they were given."""
        self.filter = ""
        """What it is filtered by, as it was typed."""
        self._folded: frozenset[str] = frozenset()
        self._machines: tuple[Machine, ...] = ()
        self._given: tuple[object, ...] = ()
        self._shape: tuple[object, ...] = ((), self._folded, True)

    def take(
        self,
        chroots: tuple[ChrootStatus, ...],
        jobs: tuple[JobStatus, ...],
        sizes: Mapping[str, int],
        trends: Mapping[str, Trend],
        machines: tuple[Machine, ...],
    ) -> bool:
        """Take over what there is now; tell whether it is other than before.

        A row that says the same stays the same object: the table goes by that.
        """
        given = (chroots, jobs, dict(sizes), dict(trends), machines)
        if self._given and all(a is b or a == b for a, b in zip(given, self._given, strict=True)):
            return False
        self._given = given
        self._machines = machines
        running = {job.path: job for job in jobs if job.state == RUNNING}
        failed = {job.path for job in jobs if job.state == FAILED}
        below = is_tree(machines)
        rows: dict[str, ChrootRow] = {}
        for one in chroots:
            path = one.path
            row = self.known.get(path)
            job, fails, size = running.get(path), path in failed, sizes.get(path)
            done = recent(trends.get(path))
            if (
                row is None
                or row.status is not one
                or row.job is not job
                or row.failed is not fails
                or row.size != size
                or row.recent != done
                or row.below is not below
            ):
                row = ChrootRow(one, job, fails, size, done, below=below)
            rows[path] = row
        self.known = rows
        return True

    def fold(self, head: str, *, folded: bool | None = None) -> None:
        """Fold what stands below a head, or show it; None: the other of both."""
        if folded is None:
            folded = head not in self._folded
        self._folded = self._folded | {head} if folded else self._folded - {head}

    def unfold_for(self, path: str) -> bool:
        """Show the chroot at *path* where it is folded away; tell whether it was."""
        row = self.known.get(path)
        if row is None or row.status.host not in self._folded:
            return False
        self.fold(row.status.host, folded=False)
        return True

    def shown(self) -> Shown:
        """Return the rows: as a tree, or as a list where it is filtered or machines are few."""
        words = tuple(self.filter.casefold().split())
        known, folded = self.known, self._folded
        rows = known if words else tree(known, self._machines, folded)
        accepts: Callable[[ChrootRow], bool] | None = None
        if words:
            accepts = lambda row: row.matches(words)  # noqa: E731
        elif rows is not known:
            accepts = lambda row: row.head is not None or row.status.host not in folded  # noqa: E731
        return Shown(rows, accepts, None if rows is known else lambda row: row.group, words)

    def has_another_shape(self, shown: Shown) -> bool:
        """Tell, once, whether rows are chosen by something else than when this was asked last."""
        shape = shown.words, self._folded, shown.rows is self.known
        changed = shape != self._shape
        self._shape = shape
        return changed
