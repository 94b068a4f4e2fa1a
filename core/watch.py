"""The stream of changes: woken by the kernel for mounts, looking at processes once a second."""

from __future__ import annotations

import select

from .chroot import find
from .mountinfo import MountWatch
from .survey import Survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event as Flag

    from .status import ChrootStatus

_SECOND = 1.0


def changes(base: str, cancelled: Flag) -> Iterator[tuple[str, ChrootStatus | None]]:
    """Yield (name, status) of every chroot now, and again whenever it changes; None when gone.

    What counts is state, mounts, problems and which processes live inside; their CPU and memory
    change all the time and do not. Ends when *cancelled* is set.
    """
    watch = MountWatch()
    try:
        poll = select.poll()
        poll.register(watch, select.POLLPRI)
        known: dict[str, tuple[object, ...]] = {}
        while not cancelled.is_set():
            yield from _look(base, known)
            poll.poll(_SECOND * 1000)
    finally:
        watch.close()


def _look(
    base: str, known: dict[str, tuple[object, ...]]
) -> Iterator[tuple[str, ChrootStatus | None]]:
    from .processes import Sampler

    chroots = find(base)
    for name in known.keys() - {chroot.name for chroot in chroots}:
        del known[name]
        yield name, None
    sampler = Sampler()
    survey = Survey(chroots, sampler=sampler)
    for chroot, found in zip(chroots, survey.all(), strict=True):
        content = (found.state, found.mounts, found.problems, survey.pids.get(chroot.path))
        if known.get(chroot.name) != content:
            known[chroot.name] = content
            yield chroot.name, found
