"""Chroots that were deleted and can still be had back: beside where they were, out of reach.

    PARENT/.chroot-tool/trash/ID/root         the chroot
    PARENT/.chroot-tool/trash/ID/snapshots    its snapshots, as snapshot_store.py has them
    PARENT/.chroot-tool/trash/ID/about.json   what it was called, and how long it stays
    PARENT/.chroot-tool/trash/.ID.…           being made or removed, or left by a kill

What could hurt, and what is done about it:

- It fills the disk unseen: `trash list` and `delete` say what it takes, and what is over its time
  goes at the next delete.
- What is in it can be reached: nobody but root can enter it, as with snapshots.
- A mount goes along, or is emptied through: nothing is moved with a mount on it, and emptying
  crosses none (`remove`).
- A kill in the middle loses something: all is moved by renames on one file system, the chroot
  first. What a kill leaves between two of them (snapshots that are not where their chroot is) is
  known by the inodes of both and put right by whoever looks next; nothing is removed for it.
- Another one has its name by then: nothing is put over it, and what it is is said.
- Half of a chroot passes for a whole one: what is to be removed is hidden first.
"""

from __future__ import annotations

import fcntl
import json
import os
import time

from .. import json_values
from ..errors import AbsentError, Cancelled, ChrootError, LockedError, Problem, reason_of
from ..events import Stage, Warned, ignore
from ..kernel import replace_file, small_file
from ..kernel.rootpath import descriptor_path
from ..kernel.syscalls import RENAME_NOREPLACE, renameat2
from ..value import Value
from . import remove
from .built_aside import Aside, discard, lock, sweep
from .snapshot_store import STORE, SnapshotDirectory, open_room, unseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as Flag

    from ..events import Report

_TRASH = "trash"
_ROOT, _SNAPSHOTS, _ABOUT = "root", "snapshots", "about.json"
_ITS_SNAPSHOTS = "shelf"  # the inode of their directory, by the name that stands in files by now
_MAKING, _REMOVING = ".making", ".removing"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST = 1 << 16
_PATIENCE = 1.0
"""Seconds: who finishes what a kill has left of an entry takes milliseconds."""
_EPERM, _EEXIST, _EXDEV = 1, 17, 18


class Trashed(Value):
    """A chroot in the trash, or what is left there of one that was had back."""

    id: str
    """Its name there."""
    name: str
    """What it was called."""
    path: str
    """Where it was, and comes back to."""
    deleted: float
    """Seconds since the epoch."""
    until: float
    """When it goes, in seconds since the epoch."""
    enabled: bool = False
    """Whether it was on from boot on."""
    size: int = 0
    """Bytes that it takes of the disk, its snapshots too; 0 where nobody counted."""
    only_snapshots: bool = False
    """Whether it is but the snapshots of one that was had back, which could not come along."""

    @property
    def called(self) -> str:
        """What it is, for people."""
        return f"snapshots of {self.name}" if self.only_snapshots else self.name


class Trash:
    """The trash of the directory *directory*, a physical path. A context manager.

    `fd` is -1 where there is none; with *make* it is made. Raises PrivilegeError, ChrootError
    where something else stands there.
    """

    def __init__(self, directory: str, *, make: bool = False) -> None:
        self.directory = directory.rstrip("/")
        self.fd = self.parent = -1
        try:
            self.parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self.fd = open_room(self.parent, _TRASH, self.directory, make=make)
        except FileNotFoundError:
            self.close()  # there is no such directory, and so no trash in it
        except OSError as error:
            self.close()
            raise unseen(f"{self.directory}/{STORE}/{_TRASH}", error) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Trash:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the descriptors."""
        for fd in (self.fd, self.parent):
            if fd >= 0:
                os.close(fd)
        self.fd = self.parent = -1

    # -- what is in it ---------------------------------------------------------------------------

    def list(self) -> tuple[Trashed, ...]:
        """Return what can be had back, the latest first."""
        names = os.listdir(self.fd) if self.fd >= 0 else []
        found = [self._about(name) for name in names if not name.startswith(".")]
        return tuple(sorted((one for one in found if one), key=lambda one: -one.deleted))

    def find(self, word: str) -> Trashed:
        """Return what *word* means: an id, or the name of the one deleted last. Raises.

        By the name snapshots alone are meant where there is no chroot.
        """
        found = sorted(self.list(), key=lambda one: one.only_snapshots)
        for one in (*(o for o in found if o.id == word), *(o for o in found if o.name == word)):
            return one
        known = ", ".join(one.id for one in found[:5])
        where = self.directory or "/"
        hint = f"there are: {known}" if known else "chroot-tool trash list --base DIR, for others"
        raise ChrootError(f"there is no {word!r} in the trash of {where}", hint)

    def _about(self, name: str) -> Trashed | None:
        """Return what is known of an entry; None where nothing is in it."""
        try:
            fd = os.open(name, _DIRECTORY, dir_fd=self.fd)
        except OSError:
            return None
        try:
            only_snapshots = not _has(fd, _ROOT)
            if only_snapshots and not _has(fd, _SNAPSHOTS):
                return None
            said = _read(fd)
            called = json_values.text(said, "name")
            if "/" in called or called in ("", ".", ".."):
                return None
            deleted, until = (json_values.number(said, key) for key in ("deleted", "until"))
            return Trashed(
                name, called, f"{self.directory}/{called}", deleted, until,
                bool(said.get("enabled")), only_snapshots=only_snapshots,
            )  # fmt: skip
        except (OSError, ValueError):
            return None  # of another version: left alone
        finally:
            os.close(fd)

    def place(self, ident: str) -> str:
        """Return the path of an entry."""
        return f"{descriptor_path(self.fd)}/{ident}"

    # -- in, out, away ---------------------------------------------------------------------------

    def put(self, path: str, until: float, *, enabled: bool, report: Report = ignore) -> str:
        """Move the chroot *path*, which is in this directory, here with its snapshots.

        The caller holds its lock. Returns its id. Raises BusyError where something is mounted,
        ChrootError; then all is as before.
        """
        remove.refuse_mounts(path)
        name = path.rpartition("/")[2]
        ident = self._unused(name)
        inode = os.stat(name, dir_fd=self.parent, follow_symlinks=False).st_ino
        with (
            SnapshotDirectory(path) as snapshots,
            Aside(self.fd, f".{ident}{_MAKING}", f"the trash of {path}", report) as entry,
        ):
            said = {
                "name": name, "deleted": time.time(), "until": until, "enabled": enabled,
                "inode": inode, _ITS_SNAPSHOTS: snapshots.inode,
            }  # fmt: skip
            _write(entry.fd, said)
            # First its own name, then what is kept by it: under the other it would pass for a rest.
            renameat2(self.fd, entry.name, self.fd, ident, RENAME_NOREPLACE)
            entry.keep()
            try:
                renameat2(self.parent, name, entry.fd, _ROOT, RENAME_NOREPLACE)
            except OSError as error:
                self._forget(entry.fd, ident)
                raise _explained(error, path, "put into the trash") from error
            try:
                snapshots.give(entry.fd, _SNAPSHOTS)
                for fd in (entry.fd, self.fd, self.parent):
                    os.fsync(fd)
            except (OSError, ChrootError) as error:  # it is there all the same
                report(Warned(path, Problem(f"{path} is in the trash, but: {reason_of(error)}")))
        return ident

    def take_out(self, one: Trashed) -> str:
        """Move a chroot back to where it was, with its snapshots.

        Returns why these could not come along, "" where they did. Raises ChrootError where
        something is there again, LockedError; then all is as before.
        """
        held = self._held(one.id, _PATIENCE)
        try:
            try:
                renameat2(held, _ROOT, self.parent, one.name, RENAME_NOREPLACE)
            except OSError as error:
                raise _explained(error, one.path, "put back") from error
            why = ""
            try:
                if not self._give_back(held, one.path):
                    why = "there are others of that name"
            except (OSError, ChrootError) as error:  # the chroot is back all the same
                why = reason_of(error)
            for fd in (self.parent, held):
                os.fsync(fd)
            if why:
                _keep_on(held, one)
            else:
                self._forget(held, one.id)
            return why
        finally:
            os.close(held)

    def give_back(self, one: Trashed) -> None:
        """Put back what is but snapshots, to what is where their chroot was.

        Raises ChrootError where nothing is, or it has others; LockedError.
        """
        held = self._held(one.id, _PATIENCE)
        try:
            if self._inode(one.path) < 0:
                raise ChrootError(
                    f"{one.id} is only the snapshots of {one.path}, which is not there",
                    "they can be put back when it is",
                )
            if not self._give_back(held, one.path):
                raise ChrootError(
                    f"{one.id} is only the snapshots of {one.path}, which has others",
                    "they can be put back when those are gone: "
                    f"chroot-tool snapshot list -d {one.path}",
                )
            self._forget(held, one.id)
        finally:
            os.close(held)

    def ids(self) -> tuple[str, ...]:
        """Return all that is in it, what `list` can't tell of among them."""
        names = os.listdir(self.fd) if self.fd >= 0 else []
        return tuple(sorted(name for name in names if not name.startswith(".")))

    def remove(self, ident: str, report: Report = ignore, cancelled: Flag | None = None) -> None:
        """Remove an entry for good.

        Raises AbsentError where it is gone by then, BusyError where something is mounted there,
        LockedError, ChrootError, Cancelled: what is left then goes with the next (`sweep`).
        """
        held = self._held(ident, _PATIENCE)
        rest = f".{ident}{_REMOVING}"
        try:
            remove.refuse_mounts(self.place(ident))
            os.rename(ident, rest, src_dir_fd=self.fd, dst_dir_fd=self.fd)
            self._remove(held, rest, report, cancelled)
        finally:
            os.close(held)

    def _remove(self, held: int, rest: str, report: Report, cancelled: Flag | None) -> None:
        def tell(count: int) -> None:
            report(Stage(self.directory, f"emptying the trash, {count} files gone"))

        if _has(held, _ROOT):
            # What is immutable in it stops it, as it stops `delete`.
            remove.tree(
                held, _ROOT, called=f"{self.place(rest)}/{_ROOT}", progress=tell,
                cancelled=cancelled,
            )  # fmt: skip
        discard(self.fd, rest, tell, cancelled)

    def sweep(
        self, report: Report = ignore, cancelled: Flag | None = None
    ) -> tuple[ChrootError, ...]:
        """Remove what kills have left of entries that were being made, or removed.

        Returns why some of it could not be. Raises Cancelled.
        """
        failed = []
        for name in os.listdir(self.fd) if self.fd >= 0 else ():
            try:
                if name.startswith(".") and name.endswith(_MAKING):
                    sweep(self.fd, name, self.directory)
                elif name.startswith(".") and name.endswith(_REMOVING):
                    held = self._held(name)
                    try:
                        self._remove(held, name, report, cancelled)
                    finally:
                        os.close(held)
            except (LockedError, AbsentError):
                pass  # somebody is at work on it, or was quicker
            except Cancelled:
                raise
            except ChrootError as error:
                failed.append(error)
        return tuple(failed)

    def settle(self) -> None:
        """Finish the moves that kills have come between."""
        for ident in self.ids():
            try:
                self._settle(ident)
            except ChrootError:
                pass  # somebody is at work on it, or its snapshots may not be moved

    def _settle(self, ident: str) -> None:
        """Have the snapshots where their chroot is, where a kill has come between both moves."""
        try:
            entry = os.open(ident, _DIRECTORY, dir_fd=self.fd)
            try:
                # Looked at first: who has it back or removes it would find it locked.
                if self._left_to_do(entry, ident):
                    self._lock(entry, ident)
                    if do := self._left_to_do(entry, ident):
                        do()
            finally:
                os.close(entry)
        except (OSError, ValueError):
            pass  # of another version, or no longer there

    def _left_to_do(self, entry: int, ident: str) -> Callable[[], object] | None:
        """Return what finishes the moves of an entry; None where that is nothing."""
        said = _read(entry)
        path = f"{self.directory}/{json_values.text(said, 'name')}"
        inode = self._inode(path)
        if not _has(entry, _ROOT):
            if not _has(entry, _SNAPSHOTS) or inode == said.get("inode"):
                return lambda: self._end_way_back(entry, ident, path)
        elif inode < 0 and not _has(entry, _SNAPSHOTS):
            with SnapshotDirectory(path) as snapshots:
                # An older version has not noted it.
                if snapshots.fd >= 0 and snapshots.inode == said.get(
                    _ITS_SNAPSHOTS, snapshots.inode
                ):
                    return lambda: _take_along(path, entry)
        return None  # the snapshots that are there are a later chroot's

    def _end_way_back(self, entry: int, ident: str, path: str) -> None:
        if self._give_back(entry, path):
            self._forget(entry, ident)

    def _inode(self, path: str) -> int:
        try:
            return os.stat(
                path.rpartition("/")[2], dir_fd=self.parent, follow_symlinks=False
            ).st_ino
        except FileNotFoundError:
            return -1

    @staticmethod
    def _give_back(held: int, path: str) -> bool:
        """Put snapshots back where they were; tell whether there are none left here."""
        if not _has(held, _SNAPSHOTS):
            return True
        with SnapshotDirectory(path, store=True, held=False) as snapshots:
            return snapshots.take(held, _SNAPSHOTS)

    def _forget(self, held: int, ident: str) -> None:
        """Remove an entry in which there is nothing but what is said of it."""
        try:
            os.unlink(_ABOUT, dir_fd=held)
        except FileNotFoundError:
            pass
        os.rmdir(ident, dir_fd=self.fd)

    def _held(self, name: str, patience: float = 0.0) -> int:
        """Return a descriptor of an entry, with its lock, for which to have so many seconds.

        Raises LockedError; AbsentError, also where whoever had it took it away; ChrootError.
        """
        try:
            fd = os.open(name, _DIRECTORY, dir_fd=self.fd)
            try:
                self._lock(fd, name, patience)
            except BaseException:
                os.close(fd)
                raise
        except FileNotFoundError as error:
            raise AbsentError(f"{name} is in the trash no more") from error
        except OSError as error:
            raise ChrootError(f"{name} in the trash: {error.strerror}") from error
        return fd

    def _lock(self, fd: int, name: str, patience: float = 0.0) -> None:
        """Lock an entry. Raises LockedError, FileNotFoundError where it is another one by then."""
        lock(fd, fcntl.LOCK_EX, f"{name} in the trash", patience)
        there = os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        if not os.path.samestat(there, os.fstat(fd)):
            raise FileNotFoundError

    def _unused(self, name: str) -> str:
        short = os.fsdecode(os.fsencode(name)[:200]).lstrip(".") or "_"
        stem = f"{short}-{time.strftime('%Y%m%d-%H%M%S')}"
        known = set(os.listdir(self.fd))
        return next(n for n in (stem, *(f"{stem}-{i}" for i in range(2, 9999))) if n not in known)


def _take_along(path: str, entry: int) -> None:
    """Have the snapshots of what was at *path* in its entry."""
    with SnapshotDirectory(path) as snapshots:
        snapshots.give(entry, _SNAPSHOTS)


def _has(directory: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _read(directory: int) -> dict[str, object]:
    return json_values.document(small_file.read(_ABOUT, dir_fd=directory, limit=_LONGEST))


def _write(directory: int, said: dict[str, object]) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    with open(os.open(_ABOUT, flags, 0o600, dir_fd=directory), "w", encoding="ascii") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    os.fsync(directory)


def _keep_on(directory: int, one: Trashed) -> None:
    """Have what is left of an entry stay as long again as all of it was to."""
    try:
        said = _read(directory) | {"until": time.time() + max(one.until - one.deleted, 0.0)}
        data = json.dumps(said).encode("ascii")
        replace_file.replace(directory, _ABOUT, data, 0o600, is_synced=True)
    except (OSError, ValueError, ChrootError):
        pass  # then it goes when it was to


def _explained(error: OSError, path: str, to_be: str) -> ChrootError:
    if error.errno == _EEXIST:
        return ChrootError(
            f"{path} is there again: what is in the trash can't be {to_be}",
            f"give that one another name first: chroot-tool rename -d {path} NEW",
        )
    if error.errno == _EXDEV:
        return ChrootError(
            f"{path} can't be {to_be}: {STORE} beside it is on another file system",
            "delete it without --trash",
        )
    hint = "it may be immutable: lsattr -d" if error.errno == _EPERM else ""
    return ChrootError(f"{path} can't be {to_be}: {error.strerror}", hint)
