"""What happened to chroots, from one look to the next: switched, drifted, processes, packages.

Pure: looks and times go in, happenings come out. Processes that last are told one by one, when they
began and when they ended; those that do not, a compiler's say, are counted together.
"""

from __future__ import annotations

from ..value import Value
from .status import DRIFTED, FOREIGN_MOUNT, MISSING, PARTIAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..process import Process
    from .package_log import PackageRun
    from .status import ChrootStatus

    New = list[tuple[str, "Happening"]]

STARTED, ENDED, BRIEF, PACKAGES = "started", "ended", "brief", "packages"
"""Kinds of happenings beside the states of a chroot (status.py), which are kinds, too."""

_LASTS = 10.0
"""Seconds from which on a process is told by itself."""
_TOGETHER = 60.0
"""Seconds for which those that do not last are counted together."""
_PASSING = 3.0
"""Seconds: a state that lasts less is one that a switch has passed through."""
_SAME = 5.0
"""Seconds by which the start of a process may seem another from one look to the next."""
_LONGEST = 200
_MOUNTS, _PROGRAMS = 4, 5
"""How many are named."""


class Happening(Value):
    """One thing that happened to a chroot."""

    time: float
    """Epoch seconds."""
    kind: str
    """One of the kinds here, or the state that the chroot came to."""
    text: str = ""
    """Foreign text, unsafe as it is."""


class Happenings:
    """Follows chroots. What it returns is new: the path of a chroot, and what happened to it."""

    def __init__(self) -> None:
        self._stories: dict[str, _Story] | None = None

    def take(self, chroots: Iterable[ChrootStatus], now: float) -> New:
        """Take over a look. At the first one there is nothing to tell: all was so before."""
        first = self._stories is None
        before = self._stories or {}
        self._stories = {}
        new: New = []
        for one in chroots:
            story = before.get(one.path)
            if story is None:
                story = self._stories[one.path] = _Story(one)
                if not first:
                    new.append((one.path, Happening(now, one.state, "is new here")))
            else:
                self._stories[one.path] = story
                new += [(one.path, found) for found in story.take(one, now)]
        return new

    def advance(self, now: float) -> New:
        """Tell what has become plain by time alone."""
        stories = (self._stories or {}).items()
        return [(path, found) for path, story in stories for found in story.advance(now)]

    def finish(self, now: float) -> New:
        """Tell what was still being counted: nothing more will come."""
        stories = (self._stories or {}).items()
        return [(path, found) for path, story in stories for found in story.finish(now)]

    @property
    def are_waiting(self) -> bool:
        """Whether time alone will tell something."""
        return any(story.is_waiting for story in (self._stories or {}).values())


class _Story:
    """What is known of one chroot, and what is not told yet."""

    def __init__(self, one: ChrootStatus) -> None:
        self._one = one
        self._told = (one.state, _amiss(one))
        self._seen = self._told
        self._since = 0.0
        self._processes: dict[int, Process] = {each.pid: each for each in one.processes}
        self._young: set[int] = set()
        self._brief: dict[str, int] = {}
        self._first_brief = self._last_brief = 0.0

    def take(self, one: ChrootStatus, now: float) -> list[Happening]:
        """Take over a look; return what has become plain."""
        if one is self._one and not self.is_waiting:
            return []  # most are, of a thousand
        self._one = one
        new = self.advance(now)
        seen = (one.state, _amiss(one))
        if seen != self._seen:
            self._seen, self._since = seen, now
            # What a switch passes through is not told, where it comes to rest is, at once.
            if one.state != PARTIAL:
                new += self._settle()
        return new + self._compare({each.pid: each for each in one.processes}, now)

    def advance(self, now: float) -> list[Happening]:
        """Tell what has become plain by time alone."""
        new = self._settle() if now >= self._since + _PASSING else []
        for pid in sorted(self._young):
            process = self._processes[pid]
            if now >= process.started + _LASTS:
                self._young.discard(pid)
                new.append(_started(process))
        if self._brief and now >= self._first_brief + _TOGETHER:
            new += self._tell_brief()
        return new

    def finish(self, now: float) -> list[Happening]:
        """Tell what was still being counted."""
        return self._settle() + self._tell_brief()

    @property
    def is_waiting(self) -> bool:
        """Whether time alone will tell something."""
        return bool(self._young or self._brief) or self._seen != self._told

    def _settle(self) -> list[Happening]:
        if self._seen == self._told:
            return []
        (before, _), (state, amiss) = self._told, self._seen
        self._told = self._seen
        if state == before and not amiss:
            return []
        text = ", ".join(amiss[:_MOUNTS])
        if len(amiss) > _MOUNTS:
            text += f" and {len(amiss) - _MOUNTS} more"
        return [Happening(self._since, state, text)]

    def _compare(self, now_there: dict[int, Process], now: float) -> list[Happening]:
        new = []
        for pid, process in self._processes.items():
            still = now_there.get(pid)
            if still is not None and abs(still.started - process.started) < _SAME:
                continue
            lived = now - process.started
            if pid in self._young and lived < _LASTS:
                self._count(process, now)
            else:
                new += [_started(process)] if pid in self._young else []
                new.append(Happening(now, ENDED, _called(process)))
            self._young.discard(pid)
        for pid, process in now_there.items():
            before = self._processes.get(pid)
            if before is None or abs(before.started - process.started) >= _SAME:
                self._young.add(pid)
        self._processes = now_there
        return new

    def _count(self, process: Process, now: float) -> None:
        if not self._brief:
            self._first_brief = now
        self._last_brief = now
        name = process.command.split(" ", 1)[0].rpartition("/")[2][:_LONGEST]
        if name in self._brief or len(self._brief) < _LONGEST:
            self._brief[name] = self._brief.get(name, 0) + 1

    def _tell_brief(self) -> list[Happening]:
        if not self._brief:
            return []
        most = sorted(self._brief.items(), key=lambda each: (-each[1], each[0]))
        count = sum(self._brief.values())
        self._brief = {}
        named = ", ".join(f"{times} {name}" for name, times in most[:_PROGRAMS])
        more = ", …" if len(most) > _PROGRAMS else ""
        return [Happening(self._last_brief, BRIEF, f"{count}: {named}{more}")]


def _amiss(one: ChrootStatus) -> tuple[str, ...]:
    """Return the mounts that are not as they should be, in words; () while nothing is mounted."""
    if not one.is_on:
        return ()
    return tuple(
        f"{mount.target} {mount.state}"
        for mount in one.mounts
        if mount.state in (MISSING, DRIFTED, FOREIGN_MOUNT)
    )


def _called(process: Process) -> str:
    return f"{process.pid} {process.user}: {process.command[:_LONGEST]}"


def _started(process: Process) -> Happening:
    return Happening(process.started, STARTED, _called(process))


def of_packages(run: PackageRun) -> Happening:
    """Return what a run of apt or dpkg did as something that happened."""
    counts = (("installed", run.installed), ("upgraded", run.upgraded), ("removed", run.removed))
    did = ", ".join(f"{word} {count}" for word, count in counts if count)
    more = ", …" if sum(count for _, count in counts) > len(run.names) else ""
    return Happening(run.started, PACKAGES, f"{did}: {', '.join(run.names)}{more}")
