"""One chroot-tool at a time per chroot: flock(2) on its directory.

The lock is on the directory itself, so there is no file to go stale, and it ends with the process
that holds it, however that ends.
"""

from __future__ import annotations

import os

from .errors import LockedError, PrivilegeError
from .kernel.mount_table import device_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_PATIENCE = 1.0
"""Seconds: an `on` takes milliseconds, so two at once need not fail."""


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
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                if _is_at(self._fd, path):
                    return
                os.close(self._fd)
                raise _exchanged(path)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(0.01)
                    continue
            pid = holder(self._fd)
            os.close(self._fd)
            who = f" (process {pid})" if pid else ""
            raise LockedError(
                f"another chroot-tool is at work on {path}{who}", "wait for it, or end it", pid
            )

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


def _exchanged(path: str) -> LockedError:
    return LockedError(f"{path} was moved or exchanged just now", "try it again")


def _is_at(fd: int, path: str) -> bool:
    """Tell whether *path* is still the directory *fd* is open on."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except OSError:
        return False


def holder(fd: int) -> int:
    """Return the pid that has a flock on the file behind *fd*, 0 if none is to be seen.

    The form of /proc/locks: proc_locks(5).
    """
    status = os.fstat(fd)
    major, minor = map(int, device_name(status.st_dev).split(":"))
    wanted = f"{major:02x}:{minor:02x}:{status.st_ino}"
    try:
        with open("/proc/locks", encoding="ascii") as file:
            lines = [line.split() for line in file]
    except OSError:
        return 0
    for words in lines:
        if len(words) > 5 and words[1] == "FLOCK" and words[5] == wanted:
            return max(int(words[4]), 0)
    return 0


def is_locked(path: str) -> bool:
    """Tell whether somebody holds the lock of *path*, without ever taking it from anyone."""
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return holder(fd) != 0
    finally:
        os.close(fd)
