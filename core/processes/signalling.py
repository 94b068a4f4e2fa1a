"""Ending who stands in the way: TERM, a while, KILL; nobody else, and never who started this."""

from __future__ import annotations

import math
import os

from ..errors import Cancelled, ChrootError
from ..events import Stage, ignore
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
"""How long a killed process may take. One that waits for a dead disk or server takes for ever."""

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
    import time

    spared = ancestors(os.getpid())
    left = _except(spared, found)
    for numbers, seconds, tell in (
        ((signal.SIGTERM, signal.SIGCONT), timeout, _teller(root.path, "ending", "KILL", report)),
        ((signal.SIGKILL,), _KILL_SECONDS, _teller(root.path, "killing", "giving up", report)),
    ):
        until = time.monotonic() + seconds
        while left and (reached := _signal(left, numbers)):
            _wait(reached, until, tell, cancelled)
            left = _except(spared, _again(root))
            if time.monotonic() >= until:
                break
    return _again(root)


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
    found: list[Holder], until: float, tell: Callable[[int, float], None], cancelled: Flag | None
) -> None:
    """Return when all have ended, or at *until* (monotonic seconds). Raises Cancelled.

    *tell* is called often with how many of *found* are left, and the seconds.
    """
    from ..kernel.pidfd import open_process

    for start in range(0, len(found), _AT_ONCE):
        fds = []
        later = len(found[start + _AT_ONCE :])
        try:
            for holder in found[start : start + _AT_ONCE]:
                try:
                    fds.append(open_process(holder.pid, holder.started))
                except ChrootError:
                    continue
            _wait_for(fds, later, until, tell, cancelled)
        finally:
            for fd in fds:
                os.close(fd)


def _wait_for(
    fds: list[int],
    later: int,
    until: float,
    tell: Callable[[int, float], None],
    cancelled: Flag | None,
) -> None:
    import select
    import time

    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)  # pidfd_open(2): readable when it ended
    running = len(fds)
    while running:
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("interrupted while processes were being ended")
        left = until - time.monotonic()
        if left <= 0:
            return
        tell(running + later, left)
        for fd, _ in poll.poll(max(1.0, min(left, _SLICE) * 1000)):
            poll.unregister(fd)
            running -= 1
