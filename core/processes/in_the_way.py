"""Who stands in the way of switching a chroot off.

"target is busy" is all that umount(2) says. Here the processes are found that live in the chroot
or use one of its mounts, and by what: uses.py looks at each. What hinders without being a
process, a swap file or a loop device in use, is not found.
"""

from __future__ import annotations

import os

from ..process import Holder
from .residents import Sampler, pids
from .uses import COPY, Scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from .residents import Identity


def holders(
    root_path: str, identity: Identity, targets: Collection[str] | None = None
) -> tuple[Holder, ...]:
    """Return who hinders unmounting what is below *root_path*, by pid; this process never.

    *root_path* is the chroot's physical path, *identity* its (st_dev, st_ino). Without *targets*
    everybody counts who lives in the root, and who has a working directory, a program, an open,
    mapped or deleted file or a bound socket on a mount below it. With *targets*, mount points
    as mountinfo has them, only use of those counts. Who has a copy of the mounts in another mount
    namespace and no more is among them with `blocks` false. Who only carries the terminal of one
    inside, as `chroot-tool shell` does, is not: it ends with that one. Raises OSError where the
    mount table cannot be read.
    """
    scan = Scan(root_path, identity, targets)
    own = os.getpid()
    looked = {pid: scan.holds(pid) for pid in pids() if pid != own}
    found = {pid: held for pid, held in looked.items() if held}
    for pid in _ending_with(scan, found):
        found.pop(pid, None)
    if not found:
        return ()
    return tuple(
        Holder(
            fact.pid, fact.user, fact.command, found[fact.pid],
            fact.started, blocks=found[fact.pid] != (COPY,),
        )
        for fact in Sampler().facts(found).values()
    )  # fmt: skip


def _ending_with(scan: Scan, found: Iterable[int]) -> set[int]:
    """Return who only carries the terminal of one of *found*, and ends with that one."""
    if not scan.carriers:
        return set()
    above = set[int]().union(*map(ancestors, scan.inside.intersection(found)))
    return scan.carriers & above


def stands_in(holders: Iterable[Holder]) -> Holder | None:
    """Return which of *holders* is this process or an ancestor of it, or None.

    That is the shell of the caller, or what else started it: ending it would end this one too.
    """
    line = ancestors(os.getpid())
    return next((holder for holder in holders if holder.pid in line), None)


def ancestors(pid: int) -> set[int]:
    """Return *pid* and the pids of all that it descends from."""
    import psutil

    line = {pid}
    try:
        line.update(ancestor.pid for ancestor in psutil.Process(pid).parents())
    except psutil.Error:
        pass  # gone: nobody's shell any more
    return line
