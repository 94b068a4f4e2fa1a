"""`doctor`: what would get in the way, and mending what of it is safe to mend.

Safe is what `on` does to a chroot that is on already, and to take away what killed runs of our own
have left. No process is ended, nothing that somebody made is deleted, nothing is installed.
"""

from __future__ import annotations

import os

from ..chroot import open_chroot
from ..creating.bases.lock import try_lock
from ..creating.bases.store import Store
from ..creating.unfinished import remove_marker, take_back
from ..diagnosis import check, leftovers
from ..diagnosis.all_checks import checks_of
from ..diagnosis.mounts import mend_plan
from ..diagnosis.subject import Subject
from ..errors import ChrootError, LockedError
from ..events import StepDone, ignore
from ..kernel.replace_file import forget
from ..kernel.rootpath import Root
from ..lock import Lock
from ..need_root import need_root
from ..plan import Plan
from ..trees.snapshot_store import SnapshotDirectory
from .delete import delete
from .shared.after_all import raise_after_all
from .shared.in_use import is_used
from .shared.switching import mount_or_tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from ..creating.bases.store import Cache
    from ..diagnosis.finding import Finding
    from ..diagnosis.leftovers import TakeAway
    from ..events import Report


def subject(base: str, path: str, backend: str, cache: Cache | None) -> Subject:
    """Return what is looked at: this host, or the chroot at *path*. Raises as `open_chroot`."""
    if path:
        with open_chroot(path) as root:
            path = root.path
    return Subject(base, path, backend=backend, cache=cache)


def diagnose(
    what: Subject, report: Report = ignore, cancelled: Flag | None = None
) -> tuple[Finding, ...]:
    """As `Engine.diagnose`."""
    return check.run(checks_of(what.path), what, report, cancelled)


def plan_mend(what: Subject) -> Plan:
    """As `Engine.plan_mend`."""
    mounts = _mounts(what)
    return Plan((*leftovers.found(what), *mounts.steps), mounts.own)


def mend(what: Subject, report: Report = ignore, cancelled: Flag | None = None) -> Plan:
    """As `Engine.mend`."""
    need_root("mending")
    failed: list[ChrootError] = []
    if not what.path:
        done = Plan(_taken_away(what, report, failed))
    else:
        with open_chroot(what.path) as root, Lock(root.path):
            away, mounts = _taken_away(what, report, failed), _mounts(what)
            mount_or_tell(root, mounts, what.seen.table, report, cancelled)
            done = Plan((*away, *mounts.steps))
    raise_after_all(failed, what.path, report)
    return done


def _mounts(what: Subject) -> Plan:
    """Return what mends the mounts; nothing where that can't be done: the findings say why."""
    if not what.path:
        return Plan()
    try:
        return mend_plan(what.seen)
    except ChrootError:
        return Plan()


def _taken_away(what: Subject, report: Report, failed: list[ChrootError]) -> tuple[TakeAway, ...]:
    """Take away what is left; return what is gone, and have in *failed* why some is not."""
    done = []
    for step in leftovers.found(what, has_lock=bool(what.path)):
        try:
            _DOES[step.kind](what, step.target)
        except (FileNotFoundError, LockedError):
            continue  # somebody was quicker, or is at work on it again
        except ChrootError as error:
            failed.append(error)
            continue
        report(StepDone(what.path, step))
        done.append(step)
    return tuple(done)


def _remove_tree(_what: Subject, target: str) -> None:
    with Root(target) as root:
        if is_used(root):  # `delete` would end who lives there
            raise LockedError(f"{target} is in use")
    delete(target)


def _remove_edit(what: Subject, target: str) -> None:
    with what.open() as root:
        parent, name = root.parent(target.removeprefix(root.path))
        with parent as fd:
            forget(fd, name)


def _remove_mark(what: Subject, _target: str) -> None:
    with what.open() as root:
        remove_marker(root)


def _take_back(what: Subject, _target: str) -> None:
    with what.open() as root:
        take_back(root)


def _sweep_snapshots(what: Subject, target: str) -> None:
    with SnapshotDirectory(what.path) as snapshots:
        left = snapshots.sweep()  # what is left of others, too, each of which is asked for
    if problem := left.get(target):
        raise ChrootError(problem.message, problem.hint)


def _tidy_base(what: Subject, target: str) -> None:
    with Store(what.cache.directory) as store:
        name = os.path.basename(target)
        lock = try_lock(store, name)
        if lock:
            with lock:
                store.tidy(name)


_DOES: dict[str, Callable[[Subject, str], None]] = {
    leftovers.TREE: _remove_tree,
    leftovers.EDIT: _remove_edit,
    leftovers.MARK: _remove_mark,
    leftovers.CREATE: _take_back,
    leftovers.SNAPSHOT: _sweep_snapshots,
    leftovers.BASE: _tidy_base,
}
