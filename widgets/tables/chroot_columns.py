"""A chroot as a row of the environments table, and its columns. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby

from ...core.looking.status import (
    BROKEN,
    CREATING,
    INCOMPLETE,
    NOT_ANSWERING,
    OFF,
    ON,
    PARTIAL,
    ChrootStatus,
)
from ...core.text import safe
from ...core.value import Value
from ..job_status import JobStatus
from ..text.amounts import age, cpu, memory
from ..text.braille import line
from ..text.states import ACCENT, BAD, MUTED, PLAIN, WARN, Cell, chroot_state, doing, machine_state
from ..trend_points import Trend
from .columns import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...core.looking.snapshot import Machine

COLUMNS = (
    "state", "name", "host", "system", "mounts", "processes", "processes-graph", "cpu", "cpu-graph",
    "memory", "memory-graph", "size", "changed",
)  # fmt: skip
"""The ids of all columns, in the order in which they stand unless the user wants another."""

HEAD = "\0"
"""What the key of a head begins with: no path does."""
TAG = "#"
"""What the head of a tag begins with, then: no machine does."""
_CELLS = 8
"""The cells of a graph, two points each."""
_PER_POINT = 3
"""Points of a trend that are one there: so it is four minutes."""
_MIB = 1024**2
_CPU_STEPS = (0.05, 10.0, 50.0, 100.0)
_MEMORY_STEPS = (1, 64 * _MIB, 512 * _MIB, 4096 * _MIB)
_PROCESSES_STEPS = (1, 4, 16, 64)
"""Percent of a core, bytes and processes from which on a point has one dot, two, three, four: the
same for all chroots, so that they can be compared at a glance, and a full cell is much. Of its own
peak a shell that only waits would look as full as a build; the course of the one is in the
details."""

_STATES = (ON, PARTIAL, NOT_ANSWERING, CREATING, OFF, INCOMPLETE, BROKEN)


class Head(Value):
    """The row above the chroots of a machine, or of a tag."""

    key: str
    """The name of a machine, "" for this one; `#` and a tag, `#` for those that have none."""
    count: int
    """How many chroots it has."""
    machine: Machine | None = None
    """How it answers, where it is another one."""
    folded: bool = False

    @property
    def is_tag(self) -> bool:
        """Whether it is of a tag, not of a machine."""
        return self.key.startswith(TAG)

    @property
    def counted(self) -> str:
        """How many chroots it has, in words."""
        return f"{self.count} chroot{'' if self.count == 1 else 's'}"

    @property
    def whose(self) -> str:
        """What these have in common, in words: `on build1`, `with the tag web`."""
        if not self.is_tag:
            return f"on {self.name}"
        return f"with the tag {self.name}" if self.key != TAG else "without a tag"

    @property
    def name(self) -> str:
        """What it is called."""
        if self.is_tag:
            return self.key.removeprefix(TAG) or "no tag"
        return self.key or "this machine"

    def row(self) -> ChrootRow:
        """Return it as a row of the table."""
        host = "" if self.is_tag else self.key
        status = ChrootStatus(self.name, HEAD + self.key, "", host=host)
        return ChrootRow(status, head=self, below=self.key)

    def cell(self, column: str) -> Cell:
        """Return what stands in a column."""
        if column == "name":
            return f"{'▸' if self.folded else '▾'} {self.name}", ACCENT
        if column == "state" and self.machine is not None:
            return machine_state(self.machine)
        if column == "system":
            return self.counted, MUTED
        return "", MUTED


class Recent(Value):
    """What a chroot has been doing in the last minutes, as dots; () where it was nothing."""

    cpu: tuple[int, ...] = ()
    memory: tuple[int, ...] = ()
    processes: tuple[int, ...] = ()


NOTHING = Recent()


class ChrootRow(Value):
    """What the table knows of one chroot."""

    status: ChrootStatus
    job: JobStatus | None = None
    """What is being done to it now."""
    failed: bool = False
    """What was done to it last has failed, has not come about since, nor been dismissed."""
    size: int | None = None
    """Bytes on disk; None while they are not counted."""
    recent: Recent = NOTHING
    """What it has been doing."""
    head: Head | None = None
    """It is none, but the head of a machine's."""
    below: str | None = None
    """The key of the head that it stands below, of a head its own; None: of none."""

    @property
    def group(self) -> tuple[object, ...]:
        """What rows of a tree are sorted by first: what they stand below, and its head above."""
        below = self.below or ""
        return below == TAG, natural(below), self.head is None

    def matches(self, words: tuple[str, ...]) -> bool:
        """Tell whether each of *words*, in lower case, is in its name, host, system, state or tags.

        A tag begins with `#` here: `#web` is what has one that begins so.
        """
        one = self.status
        tags = " ".join(TAG + tag for tag in one.tags)
        text = f"{safe(one.name)}\n{one.host}\n{safe(one.os)}\n{one.state}\n{tags}".casefold()
        return all(word in text for word in words)

    @property
    def cpu(self) -> float:
        """Percent of one core, of all processes inside."""
        return sum(process.cpu_percent for process in self.status.processes)

    @property
    def memory(self) -> int:
        """Resident memory of all processes inside, bytes; shared pages count for each."""
        return sum(process.rss for process in self.status.processes)


def recent(trend: Trend | None) -> Recent:
    """Return what the graphs of a *trend* show."""
    if trend is None:
        return NOTHING
    return Recent(
        _levels(trend.cpu, trend.at, _CPU_STEPS),
        _levels(trend.memory, trend.at, _MEMORY_STEPS),
        _levels(trend.processes, trend.at, _PROCESSES_STEPS),
    )


def _levels(values: Sequence[float], at: int, steps: tuple[float, ...]) -> tuple[int, ...]:
    """Return dots for *values*, the last of them that of the span *at*."""
    if not any(values):
        return ()
    # Grouped by the clock, not by age: a peak moves on without changing its height.
    behind = (at + 1) % _PER_POINT
    known = (*values, *(0.0,) * (-behind % _PER_POINT))
    wanted = known[-2 * _CELLS * _PER_POINT :]
    missing = 2 * _CELLS * _PER_POINT - len(wanted)
    groups = zip(*[iter((0.0,) * missing + wanted)] * _PER_POINT, strict=True)
    return tuple(bisect_right(steps, max(group)) for group in groups)


def columns(names: tuple[str, ...], clock: Callable[[], float]) -> tuple[Column[ChrootRow], ...]:
    """Return the columns of these ids, in this order; *clock* tells ages from."""
    every = {column.id: _with_heads(column) for column in _columns(clock)}
    return tuple(every[name] for name in names)


def _with_heads(column: Column[ChrootRow]) -> Column[ChrootRow]:
    """Return the column with cells for heads, too."""

    def cell(row: ChrootRow, width: int) -> Cell:
        return column.cell(row, width) if row.head is None else row.head.cell(column.id)

    return column.replace(cell=cell)


def _name(row: ChrootRow, _width: int) -> Cell:
    return row.status.name if row.below is None else f"  {row.status.name}", PLAIN


def _columns(clock: Callable[[], float]) -> tuple[Column[ChrootRow], ...]:
    return (
        Column("state", "State", _state, _state_order, 13, rank=1),
        Column("name", "Name", _name, lambda row: natural(row.status.name), 12, most=40, rank=0),
        Column("host", "Host", lambda row, _: (row.status.host, MUTED),
               lambda row: natural(row.status.host), 0, most=20, rank=2),
        Column("system", "System", lambda row, width: (short_system(row.status.os, width), MUTED),
               lambda row: natural(row.status.os), 12, most=36, rank=3),
        Column("mounts", "Mounts", _mounts, lambda row: row.status.mounted, 7, right=True, rank=2,
               biggest_first=True),
        Column("processes", "Procs", _processes,
               lambda row: len(row.status.processes), 6, right=True, rank=4, biggest_first=True),
        Column("processes-graph", "Procs 4m", lambda row, _: _graph(row.recent.processes),
               # One more, for the sign behind its heading that it is sorted by.
               lambda row: sum(row.recent.processes), _CELLS + 1, rank=11, spare=True,
               biggest_first=True),
        Column("cpu", "CPU %", lambda row, _: _quiet(cpu(row.cpu)),
               lambda row: row.cpu, 6, right=True, rank=5, biggest_first=True),
        Column("cpu-graph", "CPU 4m", lambda row, _: _graph(row.recent.cpu),
               lambda row: sum(row.recent.cpu), _CELLS, rank=7, spare=True, biggest_first=True),
        Column("memory", "Memory", lambda row, _: _quiet(memory(row.memory)),
               lambda row: row.memory, 7, right=True, rank=6, biggest_first=True),
        Column("memory-graph", "Mem 4m", lambda row, _: _graph(row.recent.memory),
               lambda row: sum(row.recent.memory), _CELLS, rank=10, spare=True,
               biggest_first=True),
        Column("size", "Disk", lambda row, _: _size(row.size),
               lambda row: row.size or 0, 5, right=True, rank=8, spare=True, biggest_first=True),
        Column("changed", "Changed", lambda row, _: _changed(row, clock()),
               lambda row: row.status.changed, 8, right=True, rank=9, spare=True,
               biggest_first=True),
    )  # fmt: skip


def _state(row: ChrootRow, width: int) -> Cell:
    if row.job is not None:
        return doing(row.job, width), ACCENT
    text, tone = chroot_state(row.status.condition)
    if len(text) > width:
        text = row.status.condition  # words say it without the sign
    if row.failed:
        return f"{text} !", BAD
    return text, tone


def _state_order(row: ChrootRow) -> int:
    state = row.status.state
    return _STATES.index(state) if state in _STATES else len(_STATES)  # of a newer chroot-tool


def _mounts(row: ChrootRow, _width: int) -> Cell:
    there, wanted = row.status.mounted, row.status.wanted
    if not wanted:
        return "-", MUTED
    tone = WARN if 0 < there < wanted else PLAIN if there else MUTED
    return f"{there}/{wanted}", tone


def _processes(row: ChrootRow, _width: int) -> Cell:
    count = len(row.status.processes)
    return ("?", MUTED) if row.status.unseen and not count else _number(count)


def _number(count: int) -> Cell:
    return _quiet(str(count or "-"))


def _quiet(text: str) -> Cell:
    """Return a number; a dash, which stands for nothing, steps back."""
    return text, MUTED if text == "-" else PLAIN


def _graph(levels: tuple[int, ...]) -> Cell:
    return (line(levels) if any(levels) else ""), ACCENT


def _size(size: int | None) -> Cell:
    return ("…", MUTED) if size is None else _quiet(memory(size))


def _changed(row: ChrootRow, now: float) -> Cell:
    changed = row.status.changed
    return (age(now - changed) if changed else "-"), MUTED


def short_system(name: str, width: int) -> str:
    """Return the name of a system, shortened to `width` cells where leaving out words does it.

    `Debian GNU/Linux 12 (bookworm)`, `Debian 12 (bookworm)`, `Debian 12`; `Ubuntu 24.04`.
    """
    name = name.replace(" GNU/Linux", "").replace(" Linux", "")
    if len(name) > width:
        name = name.partition(" (")[0].removesuffix(" LTS")
    if len(name) > width and name.count(".") == 2:
        name = name.rpartition(".")[0]
    return name


@lru_cache(maxsize=8192)
def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return what to sort *text* by so that `deb2` comes before `deb10`, and `7` before `a`."""
    parts = ("".join(part) for _, part in groupby(text.casefold(), _is_digit))
    return tuple(_number_key(part) if _is_digit(part[0]) else (1, 0, part) for part in parts)


def _number_key(digits: str) -> tuple[int, int, str]:
    """Order numbers without making them ints, which Python refuses from 4,301 digits on."""
    digits = digits.lstrip("0")
    return 0, len(digits), digits


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"
