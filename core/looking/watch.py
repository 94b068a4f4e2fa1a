"""The stream of snapshots: the kernel says when, only what may have changed is looked at again.

Mounts: POLLPRI on mountinfo. Directories and configuration: inotify, where others have not used it
up, else looks at all. Processes: the process connector where it is allowed, else a look a second.
Nothing is asked on a timer but what nobody
tells: CPU and memory of processes inside while there are any, the lock of an unfinished create,
and everything once in a long while, should news have been lost.
"""

from __future__ import annotations

import _thread
import math
import os
import select
import time
from functools import partial

from .. import chroot
from ..chroot import CONFIG_DIRECTORY, Chroot, chroot_at, folders
from ..errors import ChrootError, Problem
from ..host import boot
from ..host.mount_points import host_facts
from ..kernel import answering
from ..kernel.answering import NotAnswering
from ..kernel.inotify import DirectoryWatch
from ..kernel.mount_feed import MountFeed
from ..kernel.mount_table import MountTable
from ..kernel.process_events import ProcessEvents
from ..kernel.rootpath import Root
from ..session_locks import marks
from .inhabitants import Inhabitants
from .snapshot import Snapshot
from .status import CREATING, INCOMPLETE
from .status_reader import StatusReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .status import ChrootStatus


_SAMPLE = 2.0
"""Seconds between two looks at the CPU and memory of processes inside."""
_COALESCE = 0.2
"""Seconds for which events of processes, and of directories, are gathered after some have been
looked at."""
_STORM = 1.0
"""The same where there were more events of processes than are told: each time all is looked at."""
_POLL = 1.0
"""Seconds between looks at what cannot be waited for."""
_REREAD = 2.0
"""Seconds after which the mount table is read whole, where the feed can have missed something,
plus a fiftieth for each chroot."""
_EVERYTHING = 60.0
"""Seconds after which all is looked at once more, plus a tenth for each chroot."""
_UNTOLD_EVERYTHING = 1.0
"""The same where nobody tells of directories, plus a fiftieth for each chroot."""
_LATE = Problem(
    "no inotify left: changes are seen late",
    "other programs have used it up: raise fs.inotify.max_user_instances, sysctl(8)",
)


class Watcher:
    """Follows the chroots under a base. Used by one thread; `wake` may be called from any."""

    def __init__(self, base: str) -> None:
        self.base = chroot.absolute(base)
        self._physical = _physical(self.base)
        self._has_answered = False
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        try:
            self._feed = MountFeed(self._physical)
        except OSError:
            os.close(self._wake)
            raise
        self._dirs = DirectoryWatch()
        self._events = _process_events()
        self._waking = _thread.allocate_lock()
        self._crowd = Inhabitants()
        self._chroots: dict[str, Chroot] = {}
        self._known: dict[str, ChrootStatus] = {}
        self._problem: Problem | None = None
        self._due = _Due()
        self._last = Snapshot(self.base)
        self._marks: frozenset[int] = frozenset()
        """What sessions had marked when it was looked at last."""
        self._looked = -math.inf  # never yet; 0 would be a moment ago just after a boot
        self._reread = math.inf
        self._deaf_until = -math.inf
        self._dirs_until = -math.inf
        self._end_listening = answering.listen(self._answered)

    def close(self) -> None:
        """Let go of everything that is open."""
        self._end_listening()
        self._feed.close()
        self._dirs.close()
        if self._events:
            self._events.close()
        with self._waking:
            wake, self._wake = self._wake, -1
        os.close(wake)

    def wake(self) -> None:
        """Have `wait` return at once, from another thread; after `close` nothing."""
        with self._waking:  # the number may be another's as soon as it is closed
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def _answered(self) -> None:
        """Look again, since somebody answers who did not. Called in another thread."""
        self._has_answered = True
        self.wake()

    # -- looking ---------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Look at what may have changed since the last time; return all of it.

        The very one before where nothing may have, equal to it where nothing did. Raises nothing
        that a chroot or the base could cause.
        """
        due, self._due = self._due, _Due(everything=False)
        now = time.monotonic()
        whole = due.everything or now >= self._reread
        if not (due or whole or self._crowd.is_due(now, _SAMPLE)):
            return self._last  # somebody has forked elsewhere: that is all the time
        if due.everything:
            self._looked = now
        # First, for it knows whom to wait for.
        targets = self._feed.refresh(whole=whole) if due.mounts or whole else set()
        dirty = self._find() if due.everything or due.base else self._find_again(due.chroots)
        dirty |= due.chroots & self._chroots.keys()
        dirty |= self._moved(targets)
        if due.mounts or whole:
            later = now + _REREAD + len(self._chroots) / 50
            self._reread = math.inf if self._feed.is_sure else min(self._reread, later)
        if due.everything:
            dirty |= self._chroots.keys()
        self._look(dirty)
        if due.processes or due.everything or due.base or due.chroots:
            table = self._feed.answered_for() or MountTable(())
            self._crowd.look(tuple(self._chroots.values()), table)
        self._crowd.sample(now, _SAMPLE)
        found = self._crowd.with_processes([self._known[name] for name in self._chroots])
        late = None if self._dirs.tells else _LATE
        self._last = Snapshot(self.base, found, self._problem, late=late)
        return self._last

    def _find(self) -> set[str]:
        """Find the chroots anew; return the names of those that are new."""
        table = self._feed.answered_for()
        if not self._dirs.tells and self._dirs.begin():
            self._follow([one.path + CONFIG_DIRECTORY for one in self._chroots.values()], table)
        self._dirs.add((*_administrators(), *boot.directories()))
        self._follow([self._physical], table)  # before it is read: what comes meanwhile is told
        try:
            paths = folders(self.base, table)
            self._problem = None
        except ChrootError as error:
            paths = ()
            self._problem = Problem(error.message, error.hint)
        # Those too that are no chroot: they may become one.
        self._follow(paths, table)
        found = [chroot_at(path, table) for path in paths]
        return self._take([chroot for chroot in found if chroot], table)

    def _find_again(self, names: set[str]) -> set[str]:
        """Look whether these directories are chroots; return the names of those that became one."""
        if not names:
            return set()
        paths = [f"{self._physical.rstrip('/')}/{name}" for name in names]
        others = [chroot for name, chroot in self._chroots.items() if name not in names]
        table = self._feed.answered_for()
        again = [chroot_at(path, table) for path in paths]
        return self._take([*others, *(chroot for chroot in again if chroot)], table)

    def _follow(self, paths: Iterable[str], table: MountTable | None) -> None:
        """Have the kernel tell of these directories, but for those that do not answer."""
        if table is None:
            self._dirs.add(paths)
            return
        for path in paths:
            try:
                answering.see(table, path, partial(self._dirs.add, [path]), seconds=answering.LOOK)
            except NotAnswering:
                pass  # when it does, all is looked at anew

    def _take(self, found: list[Chroot], table: MountTable | None) -> set[str]:
        before = self._chroots
        self._chroots = {one.name: one for one in sorted(found, key=lambda one: one.name)}
        self._known = {n: s for n, s in self._known.items() if n in self._chroots}
        new = self._chroots.keys() - before.keys()
        self._follow([self._chroots[name].path + CONFIG_DIRECTORY for name in new], table)
        return set(new)

    def _moved(self, targets: set[str]) -> set[str]:
        """Return the names of the chroots that a change at these mount points concerns."""
        names = set()
        for target in targets:
            name = self._feed.name_of(target)
            if name:
                names.add(name)
            else:
                names |= {n for n, one in self._known.items() if _depends(one, target)}
        return names & self._chroots.keys()

    def _look(self, names: set[str]) -> None:
        if not names:
            return
        host = host_facts()
        for_unused: StatusReader | None = None
        for name in names:
            if self._feed.has_mounts(name):
                reader = StatusReader(self._feed.table(name), host)
            else:  # they see the same table: what they want of the host is looked up once for all
                reader = for_unused = for_unused or StatusReader(self._feed.table(name), host)
            found = reader.one(self._chroots[name])
            if found != self._known.get(name):  # what is the same stays the same value
                self._known[name] = found

    # -- waiting ---------------------------------------------------------------------------------

    def wait(self) -> None:
        """Return when there may be something new to see, or `wake` was called."""
        poll = select.poll()
        poll.register(self._feed, select.POLLPRI)
        poll.register(self._wake, select.POLLIN)
        now = time.monotonic()
        if self._dirs.tells and now >= self._dirs_until:
            poll.register(self._dirs, select.POLLIN)
        if self._events and now >= self._deaf_until:
            poll.register(self._events.fileno(), select.POLLIN)
        ready = {fd for fd, _ in poll.poll(max(self._next(now) - now, 0) * 1000)}
        self._note(ready)

    def _next(self, now: float) -> float:
        """Return the monotonic time at which to look although nobody said anything."""
        times = [self._next_everything, self._reread]
        if self._crowd.anyone:
            times.append(self._crowd.sampled + _SAMPLE)
        times += [until for until in (self._deaf_until, self._dirs_until) if now < until]
        if (
            self._finds_no_base
            or not self._events
            or any(one.state in _UNTOLD for one in self._known.values())
        ):
            times.append(now + _POLL)
        return min(times)

    @property
    def _next_everything(self) -> float:
        if self._dirs.tells:
            return self._looked + _EVERYTHING + len(self._chroots) / 10
        return self._looked + _UNTOLD_EVERYTHING + len(self._chroots) / 50

    @property
    def _finds_no_base(self) -> bool:
        """Whether the base was not there or not to be read, so that nobody tells of it either."""
        is_followed = self._dirs.follows(self._physical) or not self._dirs.tells
        return self._problem is not None or not is_followed

    def _note(self, ready: set[int]) -> None:
        due = self._due
        if self._wake in ready:
            os.eventfd_read(self._wake)
        if self._has_answered:
            self._has_answered = False
            due.everything = True
        if self._feed.fileno() in ready:
            due.mounts = True
        if self._dirs.fileno() in ready:
            self._note_directories()
        if self._events and self._events.fileno() in ready:
            self._note_processes(self._events)
        if not ready:
            due.everything |= time.monotonic() >= self._next_everything
            due.processes = not self._events
            if not self._events:
                self._note_sessions()
            due.base = self._finds_no_base or not self._chroots
            due.chroots |= {n for n, one in self._known.items() if one.state in _UNTOLD}

    def _note_directories(self) -> None:
        changed = self._dirs.changed()
        # Somebody inside may write without end: as with processes.
        self._dirs_until = time.monotonic() + _COALESCE
        if changed is None:
            self._due.everything = True
            return
        for path in changed:
            if path == self._physical:
                self._due.base = True
                # What was moved has taken its mounts along, of which the kernel tells nobody.
                self._reread = -math.inf
            elif path in (*_administrators(), *boot.directories()):
                self._due.everything = True
            else:
                name = path[len(self._physical.rstrip("/")) + 1 :].partition("/")[0]
                self._due.chroots.add(name)
                config = f"{self._physical.rstrip('/')}/{name}{CONFIG_DIRECTORY}"
                self._follow([config], self._feed.answered_for())

    def _note_processes(self, events: ProcessEvents) -> None:
        changes = events.drain()
        self._note_sessions()
        # What comes in the next moment is told together: a storm of forks must not keep us busy.
        self._deaf_until = time.monotonic() + (_STORM if changes.lost else _COALESCE)
        if changes.lost or self._crowd.concerned(changes.began, changes.ended):
            self._due.processes = True

    def _note_sessions(self) -> None:
        """Note whose marks have come or gone: a session's processes are not in the chroot."""
        before, self._marks = self._marks, marks()
        other = before ^ self._marks
        if other:
            concerned = self._crowd.paths_of(other)
            self._due.chroots |= {n for n, one in self._chroots.items() if one.path in concerned}


class _Due:
    """What has to be looked at again."""

    def __init__(self, *, everything: bool = True) -> None:
        self.everything = everything
        self.base = False
        self.mounts = False
        self.processes = False
        self.chroots: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self.everything or self.base or self.mounts or self.processes or self.chroots)


_UNTOLD = (CREATING, INCOMPLETE)
"""States that hang on a lock: nobody tells when it is taken or let go."""


def _depends(one: ChrootStatus, target: str) -> bool:
    """Tell whether a change of the mounts at *target*, outside, can concern a chroot."""
    below = target.rstrip("/") + "/"
    paths = (one.path, *(mount.source for mount in one.mounts if mount.fs == "bind"))
    return any(path == target or path.startswith(below) for path in paths)


def _administrators() -> tuple[str, ...]:
    """Return the directories in which something is said of all chroots."""
    return (chroot.ADMINISTRATOR, f"{chroot.ADMINISTRATOR}/chroots.d")


def _physical(base: str) -> str:
    def look() -> str:
        with Root(base) as root:
            return root.path

    try:
        return answering.look(base, look, seconds=answering.LOOK)
    except OSError:
        return base


def _process_events() -> ProcessEvents | None:
    try:
        return ProcessEvents()
    except (ChrootError, OSError):
        return None
