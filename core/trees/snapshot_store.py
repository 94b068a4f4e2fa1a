"""Where the snapshots of a chroot are: beside it, on the same file system, out of its reach.

    PARENT/.chroot-tool/snapshots/NAME/SNAPSHOT/root         the state
    PARENT/.chroot-tool/snapshots/NAME/SNAPSHOT/about.json   when and how it was made
    PARENT/.chroot-tool/snapshots/NAME/.…                    being made, or left by a kill
    PARENT/.chroot-tool/snapshots/.NAME.removing             the same, of a chroot that is deleted
    PARENT/.chroot-tool/snapshots/.NAME.renaming             a rename of the chroot under way

Nothing of it lies in the chroot, whose content is hostile, and nobody but root can enter it: states
of a chroot hold set-user-id programs that were mended since.
"""

from __future__ import annotations

import fcntl
import os
import stat

from ..errors import Cancelled, ChrootError, LockedError, PrivilegeError, Problem
from ..events import Stage, Warned, ignore
from ..kernel.rootpath import descriptor_path
from ..kernel.syscalls import RENAME_NOREPLACE, renameat2
from ..lock import Lock, is_locked
from .built_aside import discard, left_behind, sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report

STORE = ".chroot-tool"
_SNAPSHOTS = "snapshots"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_RENAMING, REMOVING = "renaming", "removing"
_LONGEST = 4096


def aside_of(path: str) -> str:
    """Return where `put_aside` takes the snapshots of the chroot *path*, a physical path."""
    directory, _, name = path.rpartition("/")
    return f"{directory}/{STORE}/{_SNAPSHOTS}/.{name}.{REMOVING}"


class SnapshotDirectory:
    """The directory of one chroot's snapshots. A context manager; `fd` is -1 where there is none.

    *path* is the chroot's physical path. With *make* it is made where it is missing, with *store*
    what it is in. *held*: the caller has the chroot's lock. Raises PrivilegeError, ChrootError
    where something else stands there.
    """

    def __init__(
        self, path: str, *, make: bool = False, store: bool = False, held: bool = True
    ) -> None:
        directory, _, self.name = path.rpartition("/")
        self.path = path
        self.parent = -1
        """The directory that the chroot is in."""
        self.fd = self._store = -1
        try:
            self.parent = os.open(directory or "/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._store = open_room(self.parent, _SNAPSHOTS, directory, make=make or store)
            if self._store >= 0:
                self._finish_rename(held=held)
                self.fd = _open_private(self._store, self.name, directory, make=make)
        except OSError as error:
            self.close()
            raise unseen(f"the snapshots of {path}", error) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> SnapshotDirectory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the descriptors."""
        for fd in (self.fd, self._store, self.parent):
            if fd >= 0:
                os.close(fd)
        self.fd = self._store = self.parent = -1

    @property
    def inode(self) -> int:
        """Which directory it is; -1 where there is none."""
        return os.fstat(self.fd).st_ino if self.fd >= 0 else -1

    def names(self) -> list[str]:
        """Return the names of the snapshots that are whole."""
        if self.fd < 0:
            return []
        return sorted(name for name in os.listdir(self.fd) if not name.startswith("."))

    def sweep(self, report: Report = ignore, cancelled: Flag | None = None) -> dict[str, Problem]:
        """Remove what kills have left; what somebody is at work on is locked, and stays.

        It may be another chroot's: what can't be removed is reported, and returned by its path.
        Raises Cancelled.
        """
        left: dict[str, Problem] = {}
        hidden = self._hidden()
        if hidden:
            report(Stage(self.path, "removing what a kill has left"))
        for where, name in hidden:
            try:
                sweep(where, name, self.path, cancelled=cancelled)
            except LockedError:
                pass
            except Cancelled:
                raise
            except (OSError, ChrootError) as error:
                path = f"{descriptor_path(where)}/{name}"
                problem = left[path] = left_behind(path, error)
                report(Warned(self.path, problem))
        for name in os.listdir(self._store):
            self._forget_rename(name)
        return left

    def _forget_rename(self, name: str) -> None:
        """Remove the note *name* of a rename that is done, killed before it forgot it itself."""
        old = name.removeprefix(".").removesuffix(f".{_RENAMING}")
        place = f"{self.path.rpartition('/')[0]}/{old}"
        if name == f".{old}.{_RENAMING}" and not os.path.lexists(place):
            note = _read(self._store, name)
            if note and os.path.lexists(note):
                os.unlink(name, dir_fd=self._store)

    def rests(self) -> list[str]:
        """Return the paths of what `sweep` would remove."""
        paths = [f"{descriptor_path(where)}/{name}" for where, name in self._hidden()]
        return [path for path in paths if not is_locked(path)]

    def _hidden(self) -> list[tuple[int, str]]:
        """Return what is being made or removed, or was when a kill came: directory and name."""
        if self.fd < 0:
            return []
        removing = [name for name in os.listdir(self._store) if name.endswith(f".{REMOVING}")]
        return [
            *((self.fd, name) for name in os.listdir(self.fd) if name.startswith(".")),
            *((self._store, name) for name in removing if name.startswith(".")),
        ]

    def remove_empty(self) -> None:
        """Remove the directory where nothing is in it."""
        try:
            os.rmdir(self.name, dir_fd=self._store)
        except OSError:
            pass  # some are, or were made meanwhile

    # -- the chroot is deleted or renamed --------------------------------------------------------

    def put_aside(self) -> None:
        """Take all snapshots out of sight, before the chroot itself is deleted."""
        if self.fd >= 0:
            sweep(self._store, self._aside(), self.path)
            fcntl.flock(self.fd, fcntl.LOCK_EX)  # or it would pass for the rest of a kill
            _rename(self._store, self.name, self._store, self._aside())

    def put_back(self) -> None:
        """Undo `put_aside`."""
        if self.fd >= 0:
            _rename(self._store, self._aside(), self._store, self.name)
            fcntl.flock(self.fd, fcntl.LOCK_UN)

    def remove_aside(self, report: Report = ignore, cancelled: Flag | None = None) -> None:
        """Remove what `put_aside`, here or before a kill, has taken out of sight.

        Raises Cancelled, LockedError where another one is at it.
        """

        def tell(count: int) -> None:
            report(Stage(self.path, f"removing its snapshots, {count} files gone"))

        if self._store < 0:
            return
        try:
            if self.fd >= 0:
                discard(self._store, self._aside(), tell, cancelled)
            else:
                sweep(self._store, self._aside(), self.path, tell, cancelled)
        except Cancelled as error:
            raise Cancelled(
                f"{self.path} is deleted, but not all of its snapshots are",
                f"chroot-tool delete -d {self.path} goes on",
            ) from error

    def give(self, directory: int, name: str) -> None:
        """Move all snapshots into a directory, as *name*; nothing where there are none."""
        if self.fd >= 0:
            _rename(self._store, self.name, directory, name)

    def take(self, directory: int, name: str) -> bool:
        """Undo `give`; False where there are others by now."""
        try:
            renameat2(directory, name, self._store, self.name, RENAME_NOREPLACE)
        except FileExistsError:
            return False
        return True

    def _aside(self) -> str:
        return f".{self.name}.{REMOVING}"

    def move_to(self, other: SnapshotDirectory) -> None:
        """Give the snapshots to *other*, for the path that this chroot is to be moved to next.

        What is to be undone after a kill is noted first. Raises ChrootError where there are any.
        """
        if self.fd < 0:
            return
        try:
            _write(self._store, f".{self.name}.{_RENAMING}", other.path)
            os.rename(self.name, other.name, src_dir_fd=self._store, dst_dir_fd=other._store)
        except OSError as error:
            self.moved()
            raise ChrootError(
                f"the snapshots of {self.path} can't be moved along: {error.strerror}",
                f"see chroot-tool snapshot list -d {other.path}",
            ) from error

    def move_back(self, other: SnapshotDirectory) -> None:
        """Undo `move_to`: the chroot has stayed where it was."""
        if self.fd >= 0:
            os.rename(other.name, self.name, src_dir_fd=other._store, dst_dir_fd=self._store)
            self.moved()

    @property
    def note(self) -> str:
        """The path of the note of `move_to`."""
        return f"{os.path.dirname(aside_of(self.path))}/.{self.name}.{_RENAMING}"

    def moved(self) -> None:
        """Forget the note of `move_to`: the chroot is where its snapshots are."""
        if self._store < 0:
            return  # never a snapshot here, so nothing was noted
        try:
            os.unlink(f".{self.name}.{_RENAMING}", dir_fd=self._store)
        except FileNotFoundError:
            pass

    def _finish_rename(self, *, held: bool) -> None:
        """Take the snapshots back where a rename of this chroot was killed before it moved."""
        if not _read(self._store, f".{self.name}.{_RENAMING}") or not os.path.lexists(self.path):
            return
        try:
            if held:
                self._take_back()
            else:
                with Lock(self.path, shared=True, patience=0.0):  # else it is under way
                    self._take_back()
        except ChrootError:
            pass  # they stay where they are

    def _take_back(self) -> None:
        note = _read(self._store, f".{self.name}.{_RENAMING}")
        if not note:
            return
        if os.path.lexists(os.path.dirname(note)) and not os.path.lexists(note):
            with SnapshotDirectory(note) as other:
                if other.fd >= 0:
                    try:
                        renameat2(
                            other._store, other.name, self._store, self.name, RENAME_NOREPLACE
                        )
                    except FileExistsError:
                        pass  # they had not gone yet
        self.moved()


def unseen(what: str, error: OSError) -> ChrootError:
    """Return why *what* can't be opened."""
    if isinstance(error, PermissionError):
        return PrivilegeError(f"{what} may not be seen by this user", "run as root")
    return ChrootError(f"{what}: {error.strerror}")


def open_room(parent: int, room: str, directory: str, *, make: bool) -> int:
    """Open the directory *room* of ours in *parent*, whose path is *directory*.

    -1 where there is none and it is not to be made. Raises OSError, ChrootError where others can
    write there.
    """
    outer = _open_private(parent, STORE, directory, make=make)
    if outer < 0:
        return -1
    try:
        return _open_private(outer, room, directory, make=make)
    finally:
        os.close(outer)


def _open_private(parent: int, name: str, directory: str, *, make: bool) -> int:
    """Open a directory that nobody but us can write in; -1 where there is none and none is made."""
    if make and _is_made(parent, name):
        try:
            return _checked(parent, name, directory, make=True)
        except BaseException:
            os.rmdir(name, dir_fd=parent)
            raise
    try:
        return _checked(parent, name, directory, make=make)
    except FileNotFoundError:
        return -1


def _is_made(parent: int, name: str) -> bool:
    """Make a directory; tell whether there was none."""
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        return False
    return True


def _checked(parent: int, name: str, directory: str, *, make: bool) -> int:
    fd = os.open(name, _DIRECTORY, dir_fd=parent)
    status = os.fstat(fd)
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        os.close(fd)
        raise ChrootError(
            f"{directory}/{STORE} can be changed by other users than root",
            "snapshots in it can't be trusted: look at what it is, and move it away",
        )
    try:
        if make:
            os.fchmod(fd, stat.S_IMODE(status.st_mode) & 0o700)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _rename(source: int, old: str, target: int, new: str) -> None:
    try:
        os.rename(old, new, src_dir_fd=source, dst_dir_fd=target)
    except OSError as error:
        raise ChrootError(f"snapshots can't be moved: {error.strerror}") from error


def _write(directory: int, name: str, text: str) -> None:
    flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(name, flags, 0o600, dir_fd=directory), "wb") as file:
        file.write(os.fsencode(text))
        file.flush()
        os.fsync(file.fileno())


def _read(directory: int, name: str) -> str:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return ""
    try:
        return os.fsdecode(os.read(fd, _LONGEST))
    finally:
        os.close(fd)
