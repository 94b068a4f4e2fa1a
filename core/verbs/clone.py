"""`clone`: a second chroot that is as the first, without its mounts, under a name of its own."""

from __future__ import annotations

import os

from ..chroot import CLONING, MARKER, open_chroot, refuse_unfinished
from ..creating import identity
from ..creating.directory import check_mount
from ..creating.names import check_name, rename_host
from ..errors import Cancelled, ChrootError, Problem, UsageError
from ..events import Stage, Warned, ignore
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..kernel.syscalls import RENAME_NOREPLACE, renameat2
from ..lock import Lock
from ..need_root import need_root
from ..trees.built_aside import Aside, sweep
from ..trees.duplicate import SNAPSHOT, Cloned, Duplicate, Duplicated
from ..trees.snapshot_store import SnapshotDirectory
from .shared.in_use import is_used
from .shared.place import open_above

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report

_SETTING_UP = 0.98
_TAKEN = (16, 17, 20, 39)  # EBUSY, EEXIST, ENOTDIR, ENOTEMPTY


def clone(
    path: str,
    new: str,
    *,
    exact: bool = False,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> Cloned:
    """As `Engine.clone`."""
    need_root("cloning a chroot")
    check_name(os.path.basename(new))
    with open_chroot(path) as root, Lock(root.path, shared=True):
        refuse_unfinished(root)
        return copy_to(new, root, exact=exact, report=report, cancelled=cancelled)


def check_place(new: str, source: str) -> None:
    """See that a chroot can be made at *new* of the one at *source*. Raises ChrootError."""
    check_name(os.path.basename(new))
    _Target(new, source).close()


def copy_to(
    new: str,
    root: Root,
    *,
    exact: bool = False,
    is_view: bool = False,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> Cloned:
    """Make *new* a copy of the tree *root*, as `Engine.clone` says; *is_view* as for Duplicate."""
    try:
        target = _Target(new, root.path)
        try:
            return _cloned(root, target, exact, is_view, report, cancelled)
        finally:
            target.close()
    except BaseException as error:
        if isinstance(error, Cancelled):
            raise Cancelled(f"cloning to {new} was interrupted; nothing of it is left") from error
        if isinstance(error, OSError):
            raise ChrootError(f"cannot clone to {new}: {error.strerror}") from error
        raise


class _Target:
    """Where the new chroot will be: the directory above, open, and the name."""

    def __init__(self, new: str, source: str) -> None:
        """Raises ChrootError where it can't be there."""
        above, self.path = open_above(new, source, f"{source}, which is to be copied")
        with above:
            if self.path == source:
                raise UsageError(f"{self.path} is {source} itself", "choose another place")
            check_mount(above)
            self.name = os.path.basename(new)
            self.fd = above.open("/", os.O_RDONLY | os.O_DIRECTORY)
        try:
            sweep(self.fd, f".{self.name}{CLONING}", self.path)  # also where it is refused below
            self.exists = self._check()
        except BaseException:
            self.close()
            raise

    def _check(self) -> bool:
        """Tell whether there is a directory, which may be replaced, being empty."""
        try:
            fd = os.open(self.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self.fd)
        except FileNotFoundError:
            return False
        except OSError:
            raise ChrootError(f"{self.path} is no directory", "choose another place") from None
        try:
            first = next(iter(sorted(os.listdir(fd))), "")
        finally:
            os.close(fd)
        if first == MARKER.strip("/"):
            raise ChrootError(
                f"in {self.path} a create was begun", f"chroot-tool delete -d {self.path}, first"
            )
        if first:
            raise ChrootError(
                f"{self.path} is there already, and not empty: it holds {first!r}",
                "choose another name",
            )
        if MountTable.read().at(self.path):
            raise ChrootError(
                f"{self.path} is a mount point, which a new chroot can't be put in the place of",
                f"a name below it: {self.path}/{self.name}",
            )
        return True

    def put(self, aside: Aside, name: str) -> None:
        """Put what was built in its place. Raises ChrootError where something is there by now."""
        try:
            if self.exists:  # a directory that is empty is replaced by one
                os.rename(name, self.name, src_dir_fd=aside.fd, dst_dir_fd=self.fd)
            else:
                renameat2(aside.fd, name, self.fd, self.name, RENAME_NOREPLACE)
        except OSError as error:
            if error.errno in _TAKEN:
                raise ChrootError(
                    f"{self.path} was made by somebody else meanwhile", "choose another name"
                ) from error
            raise

    def close(self) -> None:
        """Close the directory above."""
        os.close(self.fd)


def _cloned(
    root: Root,
    target: _Target,
    exact: bool,
    is_view: bool,
    report: Report,
    cancelled: Flag | None,
) -> Cloned:
    """Build the new one aside and put it in place; the caller holds the lock of *root*."""
    with (
        Aside(target.fd, f".{target.name}{CLONING}", target.path, report) as aside,
        Duplicate(root.fd, aside.fd, target.path, report, cancelled, is_view=is_view) as copy,
    ):
        os.mkdir(MARKER.strip("/"), 0o700, dir_fd=aside.fd)
        try:
            done = copy.make()
            _tell(done, root, target, report, alone=is_view)
            report(Stage(target.path, "setting it up", _SETTING_UP))
            if not exact:
                _make_its_own(root, copy, target, report)
            copy.seal()
            if cancelled and cancelled.is_set():
                raise Cancelled("cloning was stopped")
            target.put(aside, copy.name)
            copy.seal_top()
        except BaseException:
            report(Stage(target.path, "removing what was made"))
            raise
    _tell_older_snapshots(target, report)
    report(Stage(target.path, "done", 1.0))
    return Cloned(target.path, done.method, done.entries, done.size)


def _make_its_own(root: Root, copy: Duplicate, target: _Target, report: Report) -> None:
    """Give the copy its own names and take from it what must not be twice."""

    def warn(problem: Problem) -> None:
        report(Warned(target.path, problem))

    with Root(f"/proc/self/fd/{copy.fd}") as fresh:
        rename_host(fresh, os.path.basename(root.path), target.name, warn)
        identity.forget(fresh, target.path, warn)


def _tell(done: Duplicated, root: Root, target: _Target, report: Report, *, alone: bool) -> None:
    """Tell what of the copy may not be as the original is, which we may be *alone* with."""

    def warn(message: str, hint: str) -> None:
        report(Warned(target.path, Problem(message, hint)))

    if done.not_kept:
        warn(
            f"not all attributes could be kept: {', '.join(done.not_kept)}",
            "its file system does not take them; choose a place on another one",
        )
    if alone or done.method == SNAPSHOT:
        return  # of one moment, whoever writes
    if is_used(root):
        more = f" ({done.changed} files changed meanwhile)" if done.changed else ""
        warn(
            f"{root.path} is on: what programs wrote while it was copied may be half there{more}",
            f"for a copy of one moment: chroot-tool off -d {root.path}, then clone",
        )
    elif done.changed:
        warn(f"{done.changed} files were changed while they were copied", "clone it again")


def _tell_older_snapshots(target: _Target, report: Report) -> None:
    """Tell of snapshots of a chroot of that name which somebody removed by hand."""
    try:
        with SnapshotDirectory(target.path, held=False) as snapshots:
            count = len(snapshots.names())
    except ChrootError:
        return
    if count:
        problem = Problem(
            f"{count} snapshots of an earlier {target.name} are there, and none of its own",
            f"chroot-tool snapshot list -d {target.path}",
        )
        report(Warned(target.path, problem))
