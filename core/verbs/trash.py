"""The trash: what `delete` has kept a while, to be had back or to go for good."""

from __future__ import annotations

import os
import time

from ..chroot import open_directory
from ..errors import AbsentError, Cancelled, ChrootError, LockedError, Problem
from ..events import Stage, Warned, ignore
from ..need_root import need_root
from . import boot
from .shared.after_all import raise_after_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from threading import Event as Flag

    from ..events import Report
    from ..trees.trash import Trash, Trashed


def trash(at: str, *, sizes: bool = False, cancelled: Flag | None = None) -> tuple[Trashed, ...]:
    """As `Engine.trash`."""
    with _opened(at) as found:
        if found.fd >= 0 and not os.geteuid():
            found.settle()
        listed = found.list()
        if not sizes:
            return listed
        from ..trees.disk_size import count

        counted = [(one, count(found.place(one.id), cancelled)) for one in listed]
    return tuple(one.replace(size=taken.size) if taken else one for one, taken in counted)


def restore_trashed(path: str, ident: str = "", *, report: Report = ignore) -> str:
    """As `Engine.restore_trashed`."""
    need_root("having a chroot back from the trash")
    with _opened(os.path.dirname(os.path.abspath(path))) as found:
        one = found.find(ident or os.path.basename(path))
        found.settle()
        if one.only_snapshots:
            report(Stage(one.path, "putting its snapshots back"))
            if one.id in found.ids():  # else they have just been
                found.give_back(one)
            return one.path
        if why := found.take_out(one):
            said = f"the snapshots of {one.path} stay in the trash: {why}"
            base = os.path.dirname(one.path)
            hint = f"when that is mended: chroot-tool trash restore {one.id} --base {base}"
            report(Warned(one.path, Problem(said, hint)))
    if one.enabled:
        boot.recall(one.path, report)
    return one.path


def empty_trash(
    at: str,
    idents: Sequence[str] | None = None,
    *,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> tuple[str, ...]:
    """As `Engine.empty_trash`."""
    need_root("emptying the trash")
    with _opened(at) as found:
        found.settle()
        meant = found.ids() if idents is None else [found.find(word).id for word in idents]
        failed = _remove(found, dict.fromkeys(meant), report, cancelled)
    raise_after_all(failed, at, report)
    return tuple(dict.fromkeys(meant))


def expire(directory: str, report: Report, cancelled: Flag | None) -> None:
    """Remove what has been in the trash of *directory* for its time. A failure is warned of."""
    failed: list[ChrootError] = []
    try:
        with _opened(directory) as found:
            found.settle()  # snapshots alone may be those of a chroot that is being had back
            over = [kept.id for kept in found.list() if kept.until < time.time()]
            failed = _remove(found, over, report, cancelled)
    except Cancelled:
        pass  # what was asked for is done; the next delete goes on
    except ChrootError as error:
        failed.append(error)
    for one in failed:
        if isinstance(one, LockedError):
            continue  # whoever has it removes it, or is having it back
        report(Warned(directory, Problem(f"the trash: {one.message}", one.hint)))


def _remove(
    found: Trash, idents: Iterable[str], report: Report, cancelled: Flag | None
) -> list[ChrootError]:
    """Remove what kills have left, and *idents*; return why some could not be. Raises Cancelled."""
    failed = [*found.sweep(report, cancelled)]
    for ident in idents:
        try:
            found.remove(ident, report, cancelled)
        except AbsentError:
            pass  # somebody else was quicker
        except Cancelled:
            raise
        except ChrootError as error:
            failed.append(error)
    return failed


def _opened(directory: str) -> Trash:
    from ..trees.trash import Trash

    try:
        with open_directory(directory) as root:
            return Trash(root.path)
    except AbsentError:
        return Trash(directory)
