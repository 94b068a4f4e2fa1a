"""The mounts of a chroot: drifted, missing, stacked, stray."""

from __future__ import annotations

from ..errors import ChrootError
from ..kernel.mount_table import inside
from ..looking.status import DRIFTED, FOREIGN_MOUNT, IGNORED, MISSING, MOUNTED, OFF
from ..mounts.plan import plan_on
from ..plan import Plan
from .check import CHROOT, Check
from .finding import ok, problem, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Finding
    from .subject import Seen, Subject


def mend_plan(seen: Seen) -> Plan:
    """Return what brings a chroot that is on to what is wanted; empty where it is off, or is.

    Empty too where its configuration, or the policy of this host, has mistakes.

    Raises ChrootError where that can't be done.
    """
    if seen.mistakes:
        return Plan()  # nobody knows then what is wanted, or allowed
    if not any(mount.state in (MOUNTED, DRIFTED) for mount in seen.mounts):
        return Plan()  # what somebody else has mounted does not make it on
    return plan_on(seen.wanted, seen.table, seen.root, seen.host_pts)


def _can_mend(seen: Seen) -> bool:
    try:
        return bool(mend_plan(seen))
    except ChrootError:
        return False


def drift(subject: Subject) -> Iterator[Finding]:
    """Compare the mounts of a chroot that is on with what its configuration wants."""
    seen = subject.seen
    states = {mount.state for mount in seen.mounts}
    if seen.config is None or not states & {MOUNTED, DRIFTED}:
        yield ok("it is off" if seen.state == OFF else "nothing of its configuration is mounted")
        return
    mends = _can_mend(seen)
    for mount in seen.mounts:
        if mount.state == DRIFTED:
            yield warning(
                f"{mount.target} is not as it is wanted: {mount.reason}",
                "somebody has changed it, or its entry, since it was mounted",
                f"chroot-tool on -d {subject.path}",
                mends=mends,
            )
        elif mount.state == MISSING:
            why = f": {mount.reason}" if mount.reason else ""
            yield warning(
                f"{mount.target} is not mounted{why}",
                "the next on or run mounts it" if mends else "on and run will fail",
                f"chroot-tool on -d {subject.path}",
                mends=mends,
            )
    if not states & {DRIFTED, MISSING}:
        yield ok("every mount is as it is wanted")


def mountable(subject: Subject) -> Iterator[Finding]:
    """See that everything that is wanted can be mounted."""
    wanted = [one for one in subject.seen.wanted if not one.bind.ignored]
    wrong = [one for one in wanted if one.problem]
    for one in wrong:
        if one.problem:
            yield problem(one.problem.message, "on and run will fail", one.problem.hint)
    if not wrong and subject.seen.config is not None:
        yield ok(f"all {sum(one.active for one in wanted)} mounts can be made")


def stacked(subject: Subject) -> Iterator[Finding]:
    """Look for places on which more than one thing is mounted."""
    seen = subject.seen
    counts: dict[str, int] = {}
    for entry in seen.table.below(seen.root):
        counts[entry.target] = counts.get(entry.target, 0) + 1
    wanted = {seen.root + one.target for one in seen.wanted if one.active}
    found = {target: count for target, count in counts.items() if count > 1}
    for target, count in found.items():
        ours = target in wanted and _can_mend(seen)
        yield warning(
            f"{count} mounts are stacked at {inside(target, seen.root)}",
            "only the last one is seen; what is written goes there",
            f"chroot-tool on -d {subject.path}" if ours else f"umount {target}",
            mends=ours,
        )
    if not found:
        yield ok("nothing is mounted twice")


def stray(subject: Subject) -> Iterator[Finding]:
    """Look for mounts that the configuration does not know."""
    seen = subject.seen
    if seen.config is None:
        yield ok("nobody can tell: the configuration has mistakes")
        return
    found = [mount for mount in seen.mounts if mount.state == FOREIGN_MOUNT]
    for mount in found:
        yield warning(
            f"{mount.target} is mounted, and wanted by no entry: {mount.real}",
            "somebody mounted it by hand, or its entry is gone; delete and rename wait for it",
            f"umount {seen.root}{mount.target}; off takes it away, too",
        )
    if not found:
        yield ok("no mount that is not its own")


def left_out(subject: Subject) -> tuple[str, ...]:
    """Return the targets that are left out now, their sources being absent."""
    return tuple(m.target for m in subject.seen.mounts if m.state == IGNORED and m.reason)


CHECKS = (
    Check("mountable", "whether every entry can be mounted: its source, its target", mountable,
          (CHROOT,)),
    Check("drift", "mounts that are missing or not as they are wanted, where it is on", drift,
          (CHROOT,)),
    Check("stacked", "more than one mount at a place", stacked, (CHROOT,)),
    Check("stray", "mounts that no entry wants", stray, (CHROOT,)),
)  # fmt: skip
