"""Cloning: a second chroot built beside its place, as `trees.duplicate` does, then put there.

It is built in `.NAME.cloning`, whose marker says "unfinished" as that of a create does, so what a
kill leaves shows in `list`, and the next clone to that place, or `delete`, removes it.
"""

from __future__ import annotations

import os

from ..chroot import CLONING, MARKER
from ..errors import Cancelled, ChrootError, PrivilegeError, Problem, UsageError
from ..events import Stage, Warned
from ..kernel.mount_table import MountTable
from ..kernel.rootpath import Root
from ..kernel.syscalls import RENAME_NOREPLACE, renameat2
from ..trees.aside import Aside
from ..trees.duplicate import SNAPSHOT, Cloned, Duplicate, Duplicated
from ..trees.shelf import Shelf
from .names import make_unique, rename_host
from .options import check_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from ..events import Report

_SETTING_UP = 0.98
_TAKEN = (16, 17, 20, 39)  # EBUSY, EEXIST, ENOTDIR, ENOTEMPTY


class Cloning:
    """One clone of the chroot *root* to the path *new*.

    *used* tells whether somebody may write into *root* meanwhile.
    """

    def __init__(
        self, root: Root, new: str, used: Callable[[], bool], report: Report, cancelled: Flag | None
    ) -> None:
        """Raises UsageError for a name that will not do, PrivilegeError without root."""
        check_name(os.path.basename(new))
        if os.geteuid():
            raise PrivilegeError("cloning a chroot needs root", "run as root")
        self._root = root
        self._new = new
        self._used = used
        self._report = report
        self._cancelled = cancelled

    def run(self, *, exact: bool) -> Cloned:
        """Make the clone, with *exact* as the original is, else with names of its own.

        Raises ChrootError, LockedError, Cancelled; then nothing is left of it.
        """
        made = _make_directories(os.path.dirname(self._new))
        try:
            target = _Target(self._new, self._root.path)
            try:
                return self._build(target, exact=exact)
            finally:
                target.close()
        except BaseException as error:
            _unmake_directories(made)
            if isinstance(error, Cancelled):
                message = f"cloning to {self._new} was interrupted; nothing of it is left"
                raise Cancelled(message) from error
            if isinstance(error, OSError):
                raise ChrootError(f"cannot clone to {self._new}: {error.strerror}") from error
            raise

    def _build(self, target: _Target, *, exact: bool) -> Cloned:
        """Build it aside and put it in place."""
        with (
            Aside(target.fd, f".{target.name}{CLONING}", target.path) as aside,
            Duplicate(self._root.fd, aside.fd, target.path, self._report, self._cancelled) as copy,
        ):
            os.mkdir(MARKER.strip("/"), 0o700, dir_fd=aside.fd)
            try:
                done = copy.make()
                self._tell(done, target.path)
                self._report(Stage(target.path, "setting it up", _SETTING_UP))
                if not exact:
                    self._make_its_own(copy, target)
                copy.seal()
                if self._cancelled and self._cancelled.is_set():
                    raise Cancelled("cloning was stopped")
                target.put(aside, copy.name)
                copy.seal_top()
            except BaseException:
                self._report(Stage(target.path, "removing what was made"))
                raise
        self._tell_older_snapshots(target)
        self._report(Stage(target.path, "done", 1.0))
        return Cloned(target.path, done.method, done.entries, done.size)

    def _make_its_own(self, copy: Duplicate, target: _Target) -> None:
        """Give the copy its own names and take from it what must not be twice."""

        def warn(problem: Problem) -> None:
            self._report(Warned(target.path, problem))

        with Root(f"/proc/self/fd/{copy.fd}") as fresh:
            rename_host(fresh, os.path.basename(self._root.path), target.name, warn)
            make_unique(fresh, target.path, warn)

    def _tell(self, done: Duplicated, new: str) -> None:
        """Tell what of the copy may not be as the original is."""

        def warn(message: str, hint: str) -> None:
            self._report(Warned(new, Problem(message, hint)))

        if done.not_kept:
            warn(
                f"not all attributes could be kept: {', '.join(done.not_kept)}",
                "its file system does not take them; choose a place on another one",
            )
        if done.method == SNAPSHOT:
            return  # of one moment, whoever writes
        path = self._root.path
        if self._used():
            more = f" ({done.changed} files changed meanwhile)" if done.changed else ""
            warn(
                f"{path} is on: what programs wrote while it was copied may be half there{more}",
                f"for a copy of one moment: chroot-tool off -d {path}, then clone",
            )
        elif done.changed:
            warn(f"{done.changed} files were changed while they were copied", "clone it again")

    def _tell_older_snapshots(self, target: _Target) -> None:
        """Tell of snapshots of a chroot of that name which somebody removed by hand."""
        try:
            with Shelf(target.path) as shelf:
                count = len(shelf.names())
        except ChrootError:
            return
        if count:
            problem = Problem(
                f"{count} snapshots of an earlier {target.name} are there, and none of its own",
                f"chroot-tool snapshot list -d {target.path}",
            )
            self._report(Warned(target.path, problem))


class _Target:
    """Where the new chroot will be: the directory above, open, and the name."""

    def __init__(self, new: str, source: str) -> None:
        """Raises ChrootError where it can't be there."""
        with Root(os.path.dirname(new)) as above:
            self.path = f"{above.path.rstrip('/')}/{os.path.basename(new)}"
            if f"{self.path}/".startswith(f"{source}/"):
                raise UsageError(
                    f"{self.path} is {source} itself"
                    if self.path == source
                    else f"{self.path} would lie in {source}, which is to be copied",
                    "choose another place",
                )
            self.name = os.path.basename(new)
            self.fd = above.open("/", os.O_RDONLY | os.O_DIRECTORY)
        try:
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


def _make_directories(path: str) -> list[str]:
    """Make *path* and what is missing above it; return what was made, topmost first."""
    missing = []
    while not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    made: list[str] = []
    try:
        for directory in reversed(missing):
            os.mkdir(directory)
            made.append(directory)
            os.chmod(directory, 0o755)  # whatever the umask is
    except OSError as error:
        _unmake_directories(made)
        raise ChrootError(f"cannot make {directory}: {error.strerror}") from error
    return made


def _unmake_directories(made: list[str]) -> None:
    for directory in reversed(made):
        try:
            os.rmdir(directory)
        except OSError:
            return  # somebody put something there meanwhile
