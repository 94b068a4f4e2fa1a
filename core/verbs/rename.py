"""`rename`: another name, or another place on the same file system, for a chroot that is off."""

from __future__ import annotations

import os

from ..chroot import open_chroot, refuse_unfinished
from ..errors import ChrootError, Problem, UsageError
from ..events import Warned, ignore
from ..kernel.syscalls import RENAME_NOREPLACE, renameat2
from ..lock import Lock
from ..need_root import need_root
from . import boot
from .shared.in_use import refuse_in_use
from .shared.place import open_above

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..events import Report
    from ..kernel.rootpath import Root
    from ..trees.snapshot_store import SnapshotDirectory

_EPERM, _EEXIST, _EXDEV = 1, 17, 18


def rename(path: str, new: str, *, report: Report = ignore) -> str:
    """As `Engine.rename`."""
    from ..creating.names import check_name

    check_name(os.path.basename(new))
    need_root("renaming a chroot")
    with open_chroot(path) as root, Lock(root.path):
        refuse_unfinished(root)
        if "/" not in new:
            new = os.path.join(os.path.dirname(root.path), new)
        above, target = open_above(new, root.path, f"{root.path} itself")
        above.close()
        if target == root.path:
            raise UsageError(f"{target} is its name already", "choose another one")
        if os.path.lexists(target):
            raise ChrootError(f"{target} is there already", "choose another name")
        refuse_in_use(root, "renamed")
        before = root.path
        _rename(root, target, report)
        boot.move(before, target, report)
        return target


def _rename(root: Root, target: str, report: Report) -> None:
    """Names inside first, then the snapshots, then itself: done again after a kill, it goes on."""
    from ..creating.names import rename_host
    from ..trees.snapshot_store import SnapshotDirectory

    old, new = os.path.basename(root.path), os.path.basename(target)

    def warn(problem: Problem) -> None:
        report(Warned(target, problem))

    with SnapshotDirectory(root.path) as here:
        renamed = rename_host(root, old, new, warn)
        is_moved = False
        try:
            with SnapshotDirectory(target, make=here.fd >= 0) as there:
                try:
                    _move(root.path, target, here, there)
                except BaseException:
                    there.remove_empty()
                    raise
                is_moved = True
                _settle(here, there, warn)
        except BaseException:
            if renamed and not is_moved:
                rename_host(root, new, old, warn)
            raise


def _move(path: str, target: str, here: SnapshotDirectory, there: SnapshotDirectory) -> None:
    here.move_to(there)
    try:
        renameat2(here.parent, here.name, there.parent, there.name, RENAME_NOREPLACE)
    except BaseException as error:
        here.move_back(there)
        if isinstance(error, OSError):
            raise _explained(error, path, target) from error
        raise


def _settle(
    here: SnapshotDirectory, there: SnapshotDirectory, warn: Callable[[Problem], None]
) -> None:
    """Have the move on the disk, then forget the note of it; it has moved whatever fails here."""
    for parent in (here.parent, there.parent):
        try:
            os.fsync(parent)
        except OSError:
            pass  # written later, then
    try:
        here.moved()
    except OSError as error:
        note = f"the note {here.note} that this rename was begun is left: {error.strerror}"
        warn(Problem(note, "it says nothing any more, and goes with the next use of that name"))


def _explained(error: OSError, path: str, target: str) -> ChrootError:
    if error.errno == _EXDEV:
        return _elsewhere(path, target)
    if error.errno == _EEXIST:
        return ChrootError(f"{target} is there by now", "choose another name")
    hint = "it may be immutable: lsattr -d" if error.errno == _EPERM else ""
    return ChrootError(f"cannot rename {path} to {target}: {error.strerror}", hint)


def _elsewhere(path: str, target: str) -> ChrootError:
    return ChrootError(
        f"{target} is on another file system",
        f"chroot-tool clone --exact -d {path} {target}, then chroot-tool delete -d {path}",
    )
