"""Who makes the base of a name: one at a time, over all processes of this machine."""

from __future__ import annotations

import os

from ...errors import Cancelled
from ...lock import holder
from .store import LOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event as CancelEvent

    from .store import Store

    Waiting = Callable[[int], None]

_TICK = 0.1


class BaseLock:
    """Holds the lock of a name. A context manager.

    Where somebody else has it, *waiting* is called once with their process (0: unknown) and it is
    waited for, however long that takes: a bootstrap of half a minute is what is to be shared.
    Raises Cancelled.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        waiting: Waiting = lambda _pid: None,
        cancelled: CancelEvent | None = None,
    ) -> None:
        self._store = store
        self._name = name + LOCK
        self._fd = -1
        told = False
        while not self._taken(waiting if not told else None):
            told = True
            _sleep(cancelled)

    def _taken(self, waiting: Waiting | None) -> bool:
        """Try once; tell *waiting* of whoever is in the way. Raises OSError."""
        import fcntl

        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(self._name, flags, 0o600, dir_fd=self._store.fd)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who had it may have taken the file away since it was opened here.
            there = os.stat(self._name, dir_fd=self._store.fd, follow_symlinks=False)
            if os.path.samestat(there, os.fstat(fd)):
                self._fd = fd
        except BlockingIOError:
            if waiting:
                waiting(holder(fd))
        except FileNotFoundError:
            pass
        finally:
            if self._fd < 0:
                os.close(fd)
        return self._fd >= 0

    def __enter__(self) -> BaseLock:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._store.unlink(self._name)
        except OSError:
            pass  # an empty file, and nobody's lock any more
        os.close(self._fd)


def try_lock(store: Store, name: str) -> BaseLock | None:
    """Return the lock of *name*, None where somebody has it now."""
    from threading import Event

    at_once = Event()
    at_once.set()
    try:
        return BaseLock(store, name, cancelled=at_once)
    except Cancelled:
        return None


def _sleep(cancelled: CancelEvent | None) -> None:
    from time import sleep

    if cancelled is None:
        sleep(_TICK)
    elif cancelled.wait(_TICK):
        raise Cancelled("waiting for another create was stopped")
