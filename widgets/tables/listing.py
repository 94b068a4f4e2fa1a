"""The rows of the environments table: a row a chroot, filtered, or below heads. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...core.looking.status import OFF, ON
from ...core.value import Value
from ..job_status import DONE, FAILED, RUNNING, JobStatus
from .chroot_columns import HEAD, ChrootRow, recent
from .group_heads import NONE, Grouping, head_of, heads, ways

if TYPE_CHECKING:
    from ...core.looking.snapshot import Machine
    from ...core.looking.status import ChrootStatus
    from ..trend_points import Trend


_CAME_ABOUT = {"on": ON, "off": OFF}
"""The state that a verb would have led to."""


class Shown(Value):
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

    def __init__(self, grouping: Grouping) -> None:
        self.known: dict[str, ChrootRow] = {}
        """A row for each chroot by its path, in the order in which they were given."""
        self.filter = ""
        """What it is filtered by, as it was typed."""
        self.way = NONE
        """What chroots stand below; see `heads`."""
        self.grouping = grouping
        self._machines: tuple[Machine, ...] = ()
        self._given: tuple[object, ...] = ()
        self._trends: Mapping[str, Trend] = {}
        self._shape: tuple[object, ...] = ((), frozenset(), NONE)

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
        before, self._trends = self._trends, given[3]
        self._given = given
        self._machines = machines
        possible = ways(machines, chroots)
        chosen = self.grouping.way
        self.way = way = chosen if chosen in possible else possible[0]
        running = {job.path: job for job in jobs if job.state == RUNNING}
        last = _last(jobs)
        rows: dict[str, ChrootRow] = {}
        for one in chroots:
            path = one.path
            row = self.known.get(path)
            job, fails, size = running.get(path), _fails(one, last.get(path)), sizes.get(path)
            trend, below = trends.get(path), head_of(one, way)
            done = recent(trend) if row is None or trend is not before.get(path) else row.recent
            if (
                row is None
                or row.status is not one
                or row.job is not job
                or row.failed is not fails
                or row.size != size
                or row.recent != done
                or row.below != below
            ):
                row = ChrootRow(one, job, fails, size, done, below=below)
            rows[path] = row
        self.known = rows
        return True

    def group_otherwise(self) -> bool:
        """Have chroots stand below something else that they can; tell whether there is anything."""
        chroots = [row.status for row in self.known.values()]
        possible = ways(self._machines, chroots)
        if len(possible) == 1:
            return False  # and what comes later is shown as one expects
        self.way = possible[(possible.index(self.way) + 1) % len(possible)]
        self.grouping = self.grouping.replace(way=self.way)
        self.known = {
            path: row.replace(below=head_of(row.status, self.way))
            for path, row in self.known.items()
        }
        return True

    def fold(self, head: str, *, folded: bool | None = None) -> None:
        """Fold what stands below a head, or show it; None: the other of both."""
        before = self.grouping.folded
        if folded is None:
            folded = head not in before
        self.grouping = self.grouping.replace(folded=before | {head} if folded else before - {head})

    def unfold_for(self, path: str) -> bool:
        """Show the chroot at *path* where it is folded away; tell whether it was."""
        row = self.known.get(path)
        if row is None or row.below not in self.grouping.folded:
            return False
        self.fold(row.below, folded=False)
        return True

    def shown(self) -> Shown:
        """Return the rows: below heads, or as a list where it is filtered or there are none."""
        words = tuple(self.filter.casefold().split())
        known, folded = self.known, self.grouping.folded
        if words:
            return Shown(known, lambda row: row.matches(words), None, words)
        if self.way == NONE:
            return Shown(known, None, None, words)
        below = (row.below for row in known.values())
        made = heads(below, self.way, self._machines, folded)
        return Shown(
            {HEAD + one.key: one.row() for one in made} | known,
            lambda row: row.head is not None or row.below not in folded,
            lambda row: row.group,
            words,
        )

    @property
    def count(self) -> int:
        """How many rows there are, heads among them, if nothing is folded or filtered."""
        if self.way == NONE:
            return len(self.known)
        below = (row.below for row in self.known.values())
        return len(self.known) + len(heads(below, self.way, self._machines, frozenset()))

    def has_another_shape(self, shown: Shown) -> bool:
        """Tell, once, whether rows are chosen by something else than when this was asked last."""
        shape = shown.words, self.grouping.folded, "" if shown.words else self.way
        changed = shape != self._shape
        self._shape = shape
        return changed


def _last(jobs: Iterable[JobStatus]) -> dict[str, JobStatus]:
    """Return by path the last job that came to something; *jobs*: the latest first."""
    last: dict[str, JobStatus] = {}
    for job in jobs:
        if job.state in (DONE, FAILED):
            last.setdefault(job.path, job)
    return last


def _fails(one: ChrootStatus, last: JobStatus | None) -> bool:
    """Tell whether the last thing done to a chroot has failed, and has not come about since."""
    if last is None or last.state != FAILED:
        return False
    return _CAME_ABOUT.get(last.verb) != one.state
