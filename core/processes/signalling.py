"""Ending who stands in the way: TERM, a while, KILL; nobody else, and never who started this."""

from __future__ import annotations

import math
import os
import time

from ..errors import Cancelled, ChrootError
from ..events import Stage, ignore
from ..kernel.process_files import head
from ..text import processes
from .in_the_way import ancestors, holders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from threading import Event as Flag

    from ..events import Report
    from ..kernel.rootpath import Root
    from ..process import Holder

_KILL_SECONDS = 5.0
"""How long a killed process may wait for a disk or server: for a dead one it waits for ever."""
_LAST_SECONDS = 60.0
"""How long it may take in all: on a busy machine it waits for a processor to end on."""

_SLICE = 0.1
"""Seconds between two looks at `cancelled`."""

_AT_ONCE = 128
"""Descriptors in use at a time: 1,024 is the usual limit, and the UI needs its own."""


def end(
    root: Root,
    found: Iterable[Holder],
    *,
    timeout: float,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> tuple[Holder, ...]:
    """End those of *found* that block, and who takes their place; return who blocks after all.

    TERM, and CONT, since a stopped process must wake to comply, and HUP for what is on a terminal,
    since shells there ignore TERM; up to *timeout* seconds, then KILL. A Stage each second says how
    many are left and when the KILL comes. Never this process or one that it descends from: those
    are among the rest. Raises Cancelled; what was signalled by then stays signalled, nothing is
    killed any more.
    """
    import signal

    spared = ancestors(os.getpid())
    left = _except(spared, found)
    for numbers, bound, tell in (
        ((signal.SIGTERM, signal.SIGCONT), _Bound(timeout),
         _teller(root.path, "ending", "KILL", report)),
        ((signal.SIGKILL,), _Bound(_KILL_SECONDS, _LAST_SECONDS),
         _teller(root.path, "killing", "giving up", report)),
    ):  # fmt: skip
        while left and (reached := _signal(left, numbers)):
            _wait(reached, bound, tell, cancelled)
            # Who forks and ends while all are looked at is not seen, nor who takes their place.
            left = _except(spared, _again(root)) or _except(spared, _again(root))
            if bound.left([holder.pid for holder in left]) <= 0:
                break
    return _again(root)


class _Bound:
    """How long is waited for processes, from the first question on."""

    def __init__(self, seconds: float, most: float | None = None) -> None:
        """Wait *seconds*; where *most* are given, those only count in which one is held up."""
        self._left, self._most = seconds, most
        self._asked: float | None = None

    def left(self, pids: Iterable[int]) -> float:
        """Return the seconds that are left to wait for *pids*."""
        now = time.monotonic()
        passed = now - (now if self._asked is None else self._asked)
        self._asked = now
        if self._most is None:
            self._left -= passed
        else:
            self._most -= passed
            if any(map(_is_held_up, pids)):
                self._left -= passed
            self._left = min(self._left, self._most)
        return self._left


def _is_held_up(pid: int) -> bool:
    """Tell whether a thread of a process waits for what no signal ends: D in proc_pid_stat(5)."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return False
    stats = (head(f"/proc/{pid}/task/{thread}/stat") for thread in threads)
    return any(stat.rpartition(b") ")[2][:1] == b"D" for stat in stats)


def _teller(path: str, doing: str, then: str, report: Report) -> Callable[[int, float], None]:
    """Return what reports how many are left and the seconds until *then*, where it is news."""
    said = ""

    def tell(count: int, seconds: float) -> None:
        nonlocal said
        stage = f"{doing} {processes(count)}, {then} in {math.ceil(seconds)} s"
        if stage != said:
            said = stage
            report(Stage(path, stage))

    return tell


def _again(root: Root) -> tuple[Holder, ...]:
    status = os.fstat(root.fd)
    found = holders(root.path, (status.st_dev, status.st_ino))
    return tuple(holder for holder in found if holder.blocks)


def _except(spared: set[int], found: Iterable[Holder]) -> list[Holder]:
    return [holder for holder in found if holder.blocks and holder.pid not in spared]


def _is_on_terminal(pid: int) -> bool:
    """Tell whether a process has a controlling terminal, as a shell has and no daemon."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            words = file.read().rpartition(b") ")[2].split()
    except OSError:
        return False
    return int(words[4]) != 0


def _signal(found: Iterable[Holder], numbers: Sequence[int]) -> list[Holder]:
    """Send each of *numbers* to each; return those it reached: not who is gone or not ours."""
    import signal

    from ..kernel.pidfd import send

    reached = []
    for holder in found:
        severed = signal.SIGTERM in numbers and _is_on_terminal(holder.pid)
        try:
            send(holder.pid, holder.started, *((signal.SIGHUP,) if severed else ()), *numbers)
        except ChrootError:
            continue
        reached.append(holder)
    return reached


def _wait(
    found: list[Holder],
    bound: _Bound,
    tell: Callable[[int, float], None],
    cancelled: Flag | None,
) -> None:
    """Return when all have ended, or when *bound* has nothing left. Raises Cancelled.

    *tell* is called often with how many of *found* are left, and the seconds.
    """
    from ..kernel.pidfd import open_process

    for start in range(0, len(found), _AT_ONCE):
        pids: dict[int, int] = {}
        later = len(found[start + _AT_ONCE :])
        try:
            for holder in found[start : start + _AT_ONCE]:
                try:
                    pids[open_process(holder.pid, holder.started)] = holder.pid
                except ChrootError:
                    continue
            _wait_for(dict(pids), later, bound, tell, cancelled)
        finally:
            for fd in pids:
                os.close(fd)


def _wait_for(
    pids: dict[int, int],
    later: int,
    bound: _Bound,
    tell: Callable[[int, float], None],
    cancelled: Flag | None,
) -> None:
    """Wait for *pids*, by the pidfd of each; who has ended is taken out."""
    import select

    poll = select.poll()
    for fd in pids:
        poll.register(fd, select.POLLIN)  # pidfd_open(2): readable when it ended
    while pids:
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("interrupted while processes were being ended")
        left = bound.left(pids.values())
        if left > 0:
            tell(len(pids) + later, left)
        # A last look, too: they may have ended while it was we who had no processor.
        for fd, _ in poll.poll(max(1.0, min(left, _SLICE) * 1000) if left > 0 else 0):
            poll.unregister(fd)
            del pids[fd]
        if left <= 0:
            return
