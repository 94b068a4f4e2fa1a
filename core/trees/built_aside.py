"""A directory in which something is built, out of everybody's reach, until it is renamed in place.

It is hidden by its name, locked by who builds, and nobody but root can enter it. One that nobody
has locked was left by a kill: whoever comes next removes it. One name is for one thing, so two who
make the same do not meet: the second is told who the first is.
"""

from __future__ import annotations

import fcntl
import os
import time

from ..errors import ChrootError, LockedError, Problem, reason_of
from ..events import Warned
from ..kernel import btrfs
from ..kernel.lock_holders import counting_holder, described
from ..kernel.rootpath import descriptor_path
from ..kernel.syscalls import RESOLVE_NO_XDEV, openat2
from . import remove
from .attributes import bare_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag
    from types import TracebackType

    from ..events import Report

    Progress = Callable[[int], None]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES = 8
_PATIENCE = 30.0
"""Seconds: what was made just now nobody has but who looks for the rests of kills, for a moment."""
_DEPTH = 3
"""In the trash there are a directory of snapshots and each one's tree: none is further down."""


class Aside:
    """The directory *name*, made in the directory *parent* and locked. A context manager.

    At its end what is left of it is removed; `keep` says that it is to stay. What can't be removed
    is reported, and is the next one's matter: what was built stands, or has failed for a reason of
    its own. Raises LockedError where another process is building there, with *what* it builds;
    OSError.
    """

    def __init__(self, parent: int, name: str, what: str, report: Report) -> None:
        self.name = name
        self._report = report
        self._parent = os.dup(parent)
        self._keeps = False
        try:
            self.fd = _made(parent, name, what)
        except BaseException:
            os.close(self._parent)
            raise

    def keep(self) -> None:
        """Leave the directory alone from now on: it stands where it belongs."""
        self._keeps = True

    def __enter__(self) -> Aside:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            if not self._keeps:
                _remove(self._parent, self.name, self.fd)
        except (OSError, ChrootError) as problem:
            self._tell(problem)
        finally:
            os.close(self.fd)
            os.close(self._parent)

    def _tell(self, error: OSError | ChrootError) -> None:
        path = f"{descriptor_path(self._parent).rstrip('/')}/{self.name}"
        self._report(Warned(path, left_behind(path, error)))


def left_behind(path: str, error: OSError | ChrootError) -> Problem:
    """Return what is to be said of what should have gone and could not."""
    hint = "whoever makes the same next removes it, and `delete` does"
    return Problem(f"{path} is left: {reason_of(error)}", hint)


def _made(parent: int, name: str, what: str) -> int:
    """Make the directory and lock it, after removing one that a kill has left."""
    for _ in range(_TRIES):
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            sweep(parent, name, what)
            continue
        fd = _locked(parent, name, what, _PATIENCE)
        if fd >= 0:
            try:
                bare_directory(fd)
            except OSError as error:
                os.close(fd)
                os.rmdir(name, dir_fd=parent)
                path = f"{descriptor_path(parent).rstrip('/')}/{name}"
                raise ChrootError(f"cannot work in {path}: {error.strerror}") from error
            return fd
    raise LockedError(f"another chroot-tool is at work on {what}", "try it again")


def sweep(
    parent: int,
    name: str,
    what: str,
    progress: Progress | None = None,
    cancelled: Flag | None = None,
) -> None:
    """Remove the directory *name*, in which nobody builds any more; see `discard`.

    Raises LockedError where somebody does.
    """
    fd = _locked(parent, name, what)
    if fd >= 0:
        try:
            _remove(parent, name, fd, progress, cancelled)
        finally:
            os.close(fd)


def _locked(parent: int, name: str, what: str, patience: float = 0.0) -> int:
    """Open and lock a directory; -1 where it is another one, or gone, by then."""
    try:
        fd = os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        return -1  # somebody took it for the rest of a kill, and was quicker
    try:
        lock(fd, fcntl.LOCK_EX, what, patience)
        if os.path.samestat(os.fstat(fd), os.stat(name, dir_fd=parent, follow_symlinks=False)):
            return fd
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return -1


def lock(fd: int, how: int, what: str, patience: float = 0.0) -> None:
    """Lock the directory behind *fd* as flock(2) has it, LOCK_EX or LOCK_SH.

    A lock that only somebody has who may not write there is as good as none. Raises LockedError,
    which names *what* it is about and who has it, where they still do after *patience* seconds.
    """
    deadline = time.monotonic() + patience
    unnamed = 0
    while True:
        try:
            return fcntl.flock(fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = counting_holder(fd)
        if pid <= 0 and unnamed < _TRIES:
            unnamed += 1  # whoever had it has let go of it just now, mostly
        elif not pid:
            return None
        elif time.monotonic() < deadline:
            time.sleep(0.01)
        else:
            raise LockedError(
                f"another chroot-tool is at work on {what}{described(pid)}",
                "wait for it, or end it",
                max(pid, 0),
            )


def _remove(
    parent: int,
    name: str,
    fd: int,
    progress: Progress | None = None,
    cancelled: Flag | None = None,
) -> None:
    """Remove the directory *name*, which *fd* is open on, where it is still that one."""
    try:
        there = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return
    if os.path.samestat(os.fstat(fd), there):
        discard(parent, name, progress, cancelled)


def discard(
    parent: int, name: str, progress: Progress | None = None, cancelled: Flag | None = None
) -> None:
    """Remove the directory *name* with all it holds, immutable or not; subvolumes at once.

    *progress*, *cancelled* and what is raised: as `remove.tree`, but for a name that is not there.
    """
    try:
        fd = os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        return
    try:
        remove.refuse_mounts(descriptor_path(fd))
        _destroy_subvolumes(fd, _DEPTH)
    finally:
        os.close(fd)
    try:
        remove.tree(parent, name, sealed=True, progress=progress, cancelled=cancelled)
    except FileNotFoundError:
        pass


def _destroy_subvolumes(parent: int, depth: int) -> None:
    """Remove the subvolumes in a directory, as far down as we make any; leave what can't go."""
    for name in os.listdir(parent):
        try:
            fd = openat2(parent, name, _DIRECTORY, RESOLVE_NO_XDEV)
        except OSError:
            continue
        try:
            if btrfs.is_subvolume(fd):
                btrfs.destroy(parent, name)
            elif depth > 1:
                _destroy_subvolumes(fd, depth - 1)
        except OSError:
            pass  # others in it: entry by entry, then
        finally:
            os.close(fd)
