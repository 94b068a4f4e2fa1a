"""One chroot-tool at a time per chroot: flock(2) on its directory.

The lock is on the directory itself, so there is no file to go stale, and it ends with the process
that holds it, however that ends. But everybody can lock a directory that everybody can read. So
root holds another besides, on a file in a directory of root's alone, and where nobody holds the
first who could write the chroot (`kernel.lock_holders`), the second will do: no two of root's are
at work at once, and nobody without a say keeps root from it.
"""

from __future__ import annotations

import os

from .errors import LockedError, PrivilegeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_PATIENCE = 1.0
"""Seconds: an `on` takes milliseconds, so two at once need not fail."""
_UNNAMED = 50
"""So often it is tried once more where nobody is seen who has it: of another namespace, say."""
ROOTS = "/run/chroot-tool"
"""Where root's locks are; only root can make it."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Lock:
    """Holds the lock of a directory. A context manager.

    Any number may hold it *shared*, who only read what must not be taken away meanwhile. Raises
    LockedError where another process has it and does not let go within *patience*, or has put
    another directory in this one's place before it did.
    """

    def __init__(self, path: str, *, shared: bool = False, patience: float = _PATIENCE) -> None:
        import fcntl
        import time

        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError:
            raise PrivilegeError(f"{path} may not be opened by this user", "run as root") from None
        except FileNotFoundError:
            raise _exchanged(path) from None
        self._roots: _RootsLock | None = None
        deadline = time.monotonic() + patience
        unnamed = 0
        how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
        try:
            while not self._taken(how):
                if time.monotonic() >= deadline:
                    pid = self._holder()
                    if pid or unnamed == _UNNAMED:
                        raise _locked(path, pid)
                    unnamed += 1  # whoever had it has let go of it just now, mostly
                time.sleep(0.01)
            if not _is_at(self._fd, path):
                raise _exchanged(path)
        except BaseException:
            self.close()
            raise

    def _taken(self, how: int) -> bool:
        """Try once."""
        import fcntl

        try:
            self._roots = _RootsLock.take(self._fd, how)
        except BlockingIOError:
            return False
        for _ in range(2):  # who had it may be gone since, and another have come
            try:
                fcntl.flock(self._fd, how)
                return True
            except BlockingIOError:
                from .kernel.lock_holders import counting_holder

                if not self._roots or counting_holder(self._fd):
                    break
        else:
            return True
        if self._roots:
            self._roots.close()
            self._roots = None
        return False

    def _holder(self) -> int:
        from .kernel.lock_holders import counting_holder

        return max(counting_holder(self._fd), 0) or _RootsLock.holder(self._fd)

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the lock, also where a child process still has the descriptor."""
        import fcntl

        fcntl.flock(self._fd, fcntl.LOCK_UN)
        os.close(self._fd)
        if self._roots:
            self._roots.close()


class _RootsLock:
    """The lock of a directory that only root can have: a file that is there while it is held."""

    def __init__(self, parent: int, name: str, fd: int) -> None:
        self._parent = parent
        self._name = name
        self._fd = fd

    @classmethod
    def take(cls, directory: int, how: int) -> _RootsLock | None:
        """Take that of the directory behind a descriptor; None where there can be none.

        Raises BlockingIOError where somebody has it.
        """
        import fcntl

        parent = _roots_directory(make=True)
        if parent < 0:
            return None
        name = _name(directory)
        try:
            while True:
                fd = os.open(name, _FILE, 0o600, dir_fd=parent)
                try:
                    fcntl.flock(fd, how)
                    there = os.stat(name, dir_fd=parent, follow_symlinks=False)
                    if os.path.samestat(there, os.fstat(fd)):
                        _sweep(parent, name)
                        return cls(parent, name, fd)
                except FileNotFoundError:
                    pass  # who had it has taken it away
                except BaseException:
                    os.close(fd)
                    raise
                os.close(fd)
        except BlockingIOError:
            os.close(parent)
            raise
        except OSError:
            os.close(parent)
            return None

    @staticmethod
    def holder(directory: int) -> int:
        """Return the pid that has that of the directory behind a descriptor, 0: nobody."""
        parent = _roots_directory(make=False)
        if parent < 0:
            return 0
        try:
            fd = os.open(_name(directory), os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)
        except OSError:
            return 0
        finally:
            os.close(parent)
        from .kernel.lock_holders import has_open

        try:
            pid = holder(fd)
        finally:
            os.close(fd)
        # Who has not opened the directory itself only sweeps what a kill has left.
        return pid if pid and has_open(pid, directory) else 0

    def close(self) -> None:
        """Let go of it; the file goes with the last who has it."""
        import fcntl

        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(self._name, dir_fd=self._parent)
        except OSError:
            pass  # others share it
        os.close(self._fd)
        os.close(self._parent)


def _sweep(parent: int, own: str) -> None:
    """Remove what kills have left: the files that nobody has locked."""
    import fcntl

    for name in os.listdir(parent):
        if name == own:
            continue
        try:
            fd = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        except OSError:
            continue  # gone
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.stat(name, dir_fd=parent), os.fstat(fd)):
                os.unlink(name, dir_fd=parent)
        except OSError:
            pass  # somebody is at work
        finally:
            os.close(fd)


def _name(directory: int) -> str:
    status = os.fstat(directory)
    return f"{status.st_dev:x}-{status.st_ino:x}"


def _roots_directory(*, make: bool) -> int:
    """Return a descriptor of the directory of root's locks, -1 where that can't be had."""
    if os.geteuid():
        return -1
    try:
        try:
            fd = os.open(ROOTS, _DIRECTORY)
        except FileNotFoundError:
            if not make:
                return -1
            os.mkdir(ROOTS, 0o700)
            fd = os.open(ROOTS, _DIRECTORY)
        status = os.fstat(fd)
        if not status.st_uid and not status.st_mode & 0o077:
            return fd
        os.close(fd)
    except OSError:
        pass  # /run is read-only, or no other than we are root here
    return -1


def _locked(path: str, pid: int) -> LockedError:
    from .kernel.lock_holders import described

    what = f"another chroot-tool is at work on {path}{described(pid)}"
    return LockedError(what, "wait for it, or end it", pid)


def _exchanged(path: str) -> LockedError:
    return LockedError(f"{path} was moved or exchanged just now", "try it again")


def _is_at(fd: int, path: str) -> bool:
    """Tell whether *path* is still the directory *fd* is open on."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except OSError:
        return False


def holder(fd: int) -> int:
    """Return the pid that has a flock on the file behind *fd*, 0 if none is to be seen."""
    from .kernel.lock_holders import holders

    return next(iter(holders(fd)), 0)


def is_locked(path: str) -> bool:
    """Tell whether somebody holds the lock of *path*, without ever taking it from anyone."""
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return False
    from .kernel.lock_holders import counting_holder, holders

    try:
        has_it = holders(fd) and counting_holder(fd)
        return bool(has_it or _RootsLock.holder(fd))
    finally:
        os.close(fd)
