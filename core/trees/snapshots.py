"""States of a chroot to go back to: made, listed, put back, removed.

Each is whole or not there: it is built under a hidden name, written to the disk, then renamed. One
that is put back is duplicated, and stays; the duplicate and the chroot change places in one step
(RENAME_EXCHANGE), and what was there before is a snapshot, too, unless it is not wanted.
"""

from __future__ import annotations

import fcntl
import json
import os
import time

from .. import json_values
from ..errors import Cancelled, ChrootError
from ..events import Stage
from ..kernel import small_file
from ..kernel.syscalls import RENAME_EXCHANGE, RENAME_NOREPLACE, renameat2, syncfs
from ..value import Value
from .built_aside import Aside, discard, lock, sweep
from .copy_size import measure
from .duplicate import REFLINK, SNAPSHOT, Duplicate, Duplicated
from .snapshot_store import REMOVING, SnapshotDirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from ..events import Report

KEPT = "kept"
"""How a snapshot was made that is a former state itself, taken out of the chroot's place."""
BEFORE = "before-restore"

_TOP, _ABOUT = "root", "about.json"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST = 1 << 16
_WRITING = 0.99  # where this stage begins


class TreeSnapshot(Value):
    """A state of a chroot that can be gone back to."""

    name: str
    created: float
    """Seconds since the epoch."""
    method: str
    """How it was made: `snapshot` (a subvolume of btrfs), `reflink`, `copy`, or `kept`."""
    size: int
    """Bytes of content when it was made; 0 where nobody counted."""

    @property
    def shared(self) -> bool:
        """Whether it takes only what has changed since, being a snapshot or made by reflinks."""
        return self.method in (SNAPSHOT, REFLINK)


def listed(path: str) -> tuple[TreeSnapshot, ...]:
    """Return the snapshots of the chroot at *path*, a physical path, the oldest first."""
    found = []
    with SnapshotDirectory(path, held=False) as snapshots:
        for name in snapshots.names():
            try:
                found.append(_about(snapshots.fd, name))
            except FileNotFoundError:
                pass  # removed meanwhile
    return tuple(sorted(found, key=lambda one: (one.created, one.name)))


def make(path: str, top: int, name: str, report: Report, cancelled: Flag | None) -> TreeSnapshot:
    """Make a snapshot called *name*, "" for the time, of the chroot *path*, open as *top*.

    Raises ChrootError where there is one of that name, LockedError where it is just being made.
    """
    name = name or time.strftime("%Y%m%d-%H%M%S")
    with SnapshotDirectory(path, make=True) as snapshots:
        try:
            return _made(snapshots, path, top, name, report, cancelled)
        except BaseException as error:
            snapshots.remove_empty()
            if isinstance(error, Cancelled):
                raise Cancelled(
                    f"the snapshot {name} of {path} was interrupted; nothing of it is left"
                ) from error
            raise


def _made(
    snapshots: SnapshotDirectory,
    path: str,
    top: int,
    name: str,
    report: Report,
    cancelled: Flag | None,
) -> TreeSnapshot:
    snapshots.sweep(report, cancelled)
    _refuse_taken(snapshots, name)
    with (
        Aside(snapshots.fd, f".{name}.making", f"the snapshot {name}", report) as aside,
        Duplicate(top, aside.fd, path, report, cancelled) as copy,
    ):
        done = copy.make()
        copy.seal()
        _tell_losses(done, name)
        made = TreeSnapshot(name, time.time(), done.method, done.size)
        _finish(aside.fd, made, path, report)
        _mind(cancelled)
        _commit(snapshots, aside, name)
        copy.seal_top()
    return made


def restore(
    path: str,
    name: str,
    report: Report,
    cancelled: Flag | None,
    *,
    keep: bool = True,
    refuse: Callable[[], None],
) -> str:
    """Put the chroot *path* back to what it was when *name* was made; the caller holds its lock.

    Returns the name of the snapshot that what it was until now has become, "" without *keep*.
    *refuse* is called when all is ready, to raise where that may not be: copying takes minutes.
    Raises ChrootError where there is no such snapshot, or it can't be put there; then nothing
    has changed.
    """
    with SnapshotDirectory(path) as snapshots:
        snapshots.sweep(report, cancelled)
        kept = _unused(snapshots, f"{BEFORE}-{time.strftime('%Y%m%d-%H%M%S')}")
        source = _open(snapshots, name, fcntl.LOCK_SH)
        try:
            with (
                Aside(snapshots.fd, f".{kept}.making", f"the snapshot {name}", report) as aside,
                _Opened(source, _TOP) as top,
                Duplicate(top, aside.fd, path, report, cancelled) as copy,
            ):
                _tell_losses(copy.make(), name)
                copy.seal()
                size = _size(snapshots, cancelled)
                _finish(aside.fd, TreeSnapshot(kept, time.time(), KEPT, size), path, report)
                _mind(cancelled)
                refuse()
                if keep:
                    # Before the places are changed: a kill must not leave the only copy of what
                    # there was under the name of a rest. For a moment it holds the other state.
                    _commit(snapshots, aside, kept)
                _exchange(snapshots, aside, kept if keep else "")
                copy.seal_top()
                if not keep:
                    report(Stage(path, "removing what it was"))
        except Cancelled as error:
            raise Cancelled(
                f"putting {path} back to {name} was interrupted; it is as it was"
            ) from error
        finally:
            os.close(source)
    return kept if keep else ""


def remove(path: str, name: str, report: Report, cancelled: Flag | None) -> None:
    """Remove a snapshot, or what an interrupt has left of it.

    Raises ChrootError without one, LockedError where it is being read, Cancelled.
    """
    report(Stage(path, f"removing {name}"))
    with SnapshotDirectory(path, held=False) as snapshots:
        try:
            _remove(snapshots, name, report, cancelled)
        except Cancelled as error:
            raise _stopped(path, name, is_whole=name in snapshots.names()) from error
        except OSError as error:
            raise ChrootError(f"the snapshot {name} can't be removed: {error.strerror}") from error
        try:
            snapshots.sweep(report, cancelled)
        except Cancelled:
            pass  # what was asked for is done


def _remove(
    snapshots: SnapshotDirectory, name: str, report: Report, cancelled: Flag | None
) -> None:
    rest = f".{name}.{REMOVING}"

    def tell(count: int) -> None:
        report(Stage(snapshots.path, f"removing {name}, {count} files gone"))

    if name not in snapshots.names() and _is_there(snapshots, rest):
        sweep(snapshots.fd, rest, f"the snapshot {name}", tell, cancelled)
        return
    held = _open(snapshots, name, fcntl.LOCK_EX)
    try:
        _mind(cancelled)
        os.rename(name, rest, src_dir_fd=snapshots.fd, dst_dir_fd=snapshots.fd)
        discard(snapshots.fd, rest, tell, cancelled)
    finally:
        os.close(held)


def _stopped(path: str, name: str, *, is_whole: bool) -> Cancelled:
    if is_whole:
        return Cancelled(f"the snapshot {name} of {path} was not removed")
    return Cancelled(
        f"removing the snapshot {name} of {path} was stopped half-way",
        f"chroot-tool snapshot remove {name} -d {path} goes on, as does the next snapshot",
    )


def _is_there(snapshots: SnapshotDirectory, name: str) -> bool:
    return snapshots.fd >= 0 and name in os.listdir(snapshots.fd)


class _Opened:
    """A directory in another, open for the time of a `with`."""

    def __init__(self, parent: int, name: str) -> None:
        self._fd = os.open(name, _DIRECTORY, dir_fd=parent)

    def __enter__(self) -> int:
        return self._fd

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _open(snapshots: SnapshotDirectory, name: str, how: int) -> int:
    if name not in snapshots.names():
        known = ", ".join(snapshots.names()[-5:])
        hint = f"there are: {known}" if known else "there is none yet"
        raise ChrootError(f"{snapshots.path} has no snapshot {name!r}", hint)
    fd = os.open(name, _DIRECTORY, dir_fd=snapshots.fd)
    try:
        lock(fd, how, f"the snapshot {name}")
    except BaseException:
        os.close(fd)
        raise
    return fd


def _refuse_taken(snapshots: SnapshotDirectory, name: str) -> None:
    if name in snapshots.names():
        raise ChrootError(
            f"{snapshots.path} has a snapshot {name!r} already",
            f"chroot-tool snapshot remove {name} -d {snapshots.path}, or take another name",
        )


def _unused(snapshots: SnapshotDirectory, name: str) -> str:
    known = snapshots.names()
    return next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in known)


def _size(snapshots: SnapshotDirectory, cancelled: Flag | None) -> int:
    """Return the bytes of content of the chroot as it is."""
    with _Opened(snapshots.parent, snapshots.name) as top:
        return measure(top, cancelled).size


def _tell_losses(done: Duplicated, name: str) -> None:
    """Raise where a state could not be put back as it was: same file system, so never seen yet."""
    if done.not_kept:
        raise ChrootError(
            f"the snapshot {name} would lack {', '.join(done.not_kept)}",
            "the file system does not take these attributes",
        )


def _finish(directory: int, made: TreeSnapshot, path: str, report: Report) -> None:
    """Write down what is known of a snapshot, then have all of it on the disk."""
    report(Stage(path, "writing it to the disk", _WRITING))
    about = {"created": made.created, "method": made.method, "size": made.size}
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    try:
        with open(os.open(_ABOUT, flags, 0o600, dir_fd=directory), "w", encoding="ascii") as file:
            json.dump(about, file)
        syncfs(directory)
    except OSError as error:
        raise ChrootError(f"the snapshot can't be written: {error.strerror}") from error


def _mind(cancelled: Flag | None) -> None:
    """Stop here, the last place where it costs nothing; a small tree is copied without a look."""
    if cancelled and cancelled.is_set():
        raise Cancelled("a snapshot was stopped")


def _about(parent: int, name: str) -> TreeSnapshot:
    """Return what is known of a snapshot; what is not in its file, from the directory."""
    with _Opened(parent, name) as fd:
        changed = os.fstat(fd).st_mtime
        try:
            found = json_values.document(small_file.read(_ABOUT, dir_fd=fd, limit=_LONGEST))
            created, size = (json_values.number(found, key) for key in ("created", "size"))
            return TreeSnapshot(name, created, json_values.text(found, "method"), int(size))
        except (OSError, ValueError):
            return TreeSnapshot(name, changed, KEPT, 0)


def _commit(snapshots: SnapshotDirectory, aside: Aside, name: str) -> None:
    """Give what was built its name, for good."""
    try:
        renameat2(snapshots.fd, aside.name, snapshots.fd, name, RENAME_NOREPLACE)
    except FileExistsError:
        raise ChrootError(f"{snapshots.path} has a snapshot {name!r} by now", "try again") from None
    aside.keep()
    os.fsync(snapshots.fd)


def _exchange(snapshots: SnapshotDirectory, aside: Aside, committed: str) -> None:
    """Let the state in *aside* and the chroot change places, or take everything back."""
    try:
        renameat2(aside.fd, _TOP, snapshots.parent, snapshots.name, RENAME_EXCHANGE)
    except OSError as error:
        if committed:
            discard(snapshots.fd, committed)
        raise ChrootError(
            f"the state can't be put in the place of {snapshots.path}: {error.strerror}",
            "it may be a mount point in another mount namespace, or immutable: lsattr -d",
        ) from error
    try:
        os.fsync(snapshots.parent)
    except OSError:
        pass  # written later, then: *committed* is what the chroot was by now
