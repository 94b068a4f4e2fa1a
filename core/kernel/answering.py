"""Looks at file systems that somebody else answers for, so that one who does not holds up nobody.

A server of FUSE, NFS and the like that went away keeps whoever asks it waiting in the kernel, where
no signal but KILL gets at him, and often not even that. So what may ask one is handed to a thread
here, and waited for within a bound; who does not answer then is not asked again before that thread
has come back, which is told to `listen`ers. There is one such thread for a file system at most: it
ends with the answer, or with the process (which must leave by os._exit). The first question is put
by a program of its own, so that the thread waits for that, and not in the kernel.

What may ask one is known beforehand, from the mount table and from the links on the way, which are
read one by one: no path is gone past the first mount of such a kind. Where there is none, as on
most hosts, nothing of all this is done.
"""

from __future__ import annotations

import _thread
import os
import time

from ..errors import ChrootError
from .mount_table import BINFMT, KINDS, MountTable, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from threading import Event as Flag
    from typing import Protocol, TypeVar

    from .mount_table import MountEntry

    T = TypeVar("T")

    class Guard(Protocol):
        """Minds a path."""

        def __call__(self, path: str, *, at: bool, cancelled: Flag | None = None) -> None:
            """Raise NotAnswering where it leads to who does not answer, or when *cancelled*."""
else:
    import _signal as signal  # without enum, which costs `run` 2 ms


PATIENCE = 3.0
"""Seconds that an answer is waited for, where the user has set no other (`set_patience`)."""
SILENT = "is not answering"
HINT = "see to who serves it, or `umount -f` it; off and delete need no answer"
LOOK = 1.0
"""Seconds for a mere look, which is made again when the answer comes after all."""
_FRESH = 0.2
"""Seconds for which one first question is enough: many things are looked at in one go, and each
question is a program, of which the kernel tells those that follow processes."""
_ETIMEDOUT = 110
_LINKS = 40
_TICK = 0.05
_KINDS = tuple(kind.encode() for kind in KINDS)
_AUTOFS, _BINFMT = b" - autofs ", BINFMT.encode()

_patience: Callable[[], float] = lambda: PATIENCE  # noqa: E731
_lock = _thread.allocate_lock()
_waiting: dict[str, _Look] = {}
_listeners: list[Callable[[], None]] = []
_asked: set[_Look] = set()
"""Those that are waited for now."""
_answered: dict[str, float] = {}
"""When a file system answered a first question last (monotonic), by device."""


class NotAnswering(OSError):  # noqa: N818 (as TimeoutError has it)
    """Whoever answers for a file system does not. `filename` is the path that led there."""

    def __init__(self, path: str) -> None:
        super().__init__(_ETIMEDOUT, SILENT, path)


def set_patience(seconds: Callable[[], float]) -> None:
    """Have *seconds* say how long `on` and `run` wait. Asked only when there is one to wait for."""
    global _patience
    _patience = seconds


def patience() -> float:
    """Return how many seconds what changes something waits for an answer."""
    return _patience()


def listen(tell: Callable[[], None]) -> Callable[[], None]:
    """Call *tell*, in another thread, whenever one answers who did not; return what ends that."""
    _listeners.append(tell)

    def end() -> None:
        if tell in _listeners:
            _listeners.remove(tell)

    return end


def waiting() -> tuple[str, ...]:
    """Return what is not answering now: one thread waits for each."""
    with _lock:
        return tuple(_waiting)


def give_up() -> None:
    """Have nobody in this process wait any longer: it is to end."""
    for one in tuple(_asked):
        try:
            one.done.release()
        except RuntimeError:
            pass  # it has ended just now


# -- asking --------------------------------------------------------------------------------------


class _Look:
    """One question, in a thread of its own."""

    def __init__(self, key: str, call: Callable[[], object], late: Callable[..., object] | None):
        self._key, self._call, self._late = key, call, late
        self.done = _thread.allocate_lock()
        self.done.acquire()
        self.has_ended = False
        self._is_left = False
        self.result: object = None
        self.error: BaseException | None = None

    def run(self) -> None:
        # A signal to the process goes to any thread that takes it: here it would be lost to who
        # waits for it, as for the end of a child (signal(7), sigwaitinfo(2)).
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.result = self._call()
        except BaseException as error:
            self.error = error
        with _lock:
            self.has_ended = True
            # Before `late`, which may hold locks: those that wait hold none (`entering.enter`).
            if _waiting.get(self._key) is self:
                del _waiting[self._key]
        if not self._is_left:
            try:
                self.done.release()
            except RuntimeError:
                pass  # `give_up` was quicker
            return
        if self._late and self.error is None:
            try:
                self._late(self.result)
            except Exception:  # whom would it be told?
                pass
        for tell in tuple(_listeners):
            tell()

    def wait(self, seconds: float, cancelled: Flag | None) -> None:
        _asked.add(self)
        try:
            if cancelled is None and _thread.get_native_id() != os.getpid():
                self.done.acquire(timeout=seconds)
                return
            until = time.monotonic() + seconds
            # The main thread sees a signal that comes just before it waits at the next tick only.
            while not self.done.acquire(timeout=_TICK):
                if (cancelled and cancelled.is_set()) or time.monotonic() > until:
                    return
        finally:
            _asked.discard(self)

    def leave(self) -> bool:
        """Wait for it no longer; tell whether it has not ended."""
        with _lock:
            if not self.has_ended:
                self._is_left = True  # of two that were asked beside each other, too
                _waiting[self._key] = self
            return not self.has_ended


def ask(
    key: str,
    path: str,
    call: Callable[[], T],
    *,
    seconds: float,
    left: Callable[[], object] = bool,
    late: Callable[[T], object] | None = None,
    cancelled: Flag | None = None,
) -> T:
    """Return what *call* does, which may ask the file system *key*, for the sake of *path*.

    Raises what it raises; NotAnswering where it takes longer than *seconds* or *cancelled* is set,
    and at once where one who asked before still waits. *left* is called where *call* goes on all
    the same. *late* is given the result then, when it comes after all: to be let go, or taken back.
    """
    with _lock:
        if key in _waiting:
            raise NotAnswering(path)
    look = _Look(key, call, late)
    _thread.start_new_thread(look.run, ())
    try:
        look.wait(seconds, cancelled)
    except BaseException:
        if look.leave():  # Ctrl-C
            left()
        raise
    if look.leave():
        left()
        raise NotAnswering(path)
    if look.error is not None:
        raise look.error
    return look.result  # type: ignore[return-value]  # what `call` gave


# -- who would be asked --------------------------------------------------------------------------


def may_wait() -> bool:
    """Tell whether there is any file system here that somebody else answers for. 30 µs."""
    data = read_text()
    # What is behind a separator begins with the type (proc_pid_mountinfo(5)); blanks are escaped.
    found = [rest for rest in data.split(b" - ")[1:] if rest.startswith(_KINDS)]
    if all(rest.startswith(_AUTOFS[3:]) for rest in found):
        lines = data.split(b"\n") if found else ()
        return any(_AUTOFS in line and _BINFMT not in line for line in lines)
    return True


def table() -> MountTable | None:
    """Return the mount table; None where nobody need be waited for: `may_wait`."""
    return MountTable.read() if may_wait() else None


def place(table: MountTable, path: str) -> tuple[MountEntry, str] | None:
    """Return the first mount that the absolute *path* leads onto and somebody else answers for.

    Beside it the rest of the path, from there, as it stands; None where there is no such mount.
    Nobody is asked: links before it are read one by one.
    """
    if not table.answered_for:
        return None
    pending = path.split("/")[::-1]
    done = ""
    links = 0
    while pending:
        name = pending.pop()
        if name in ("", "."):
            continue
        if name == "..":
            done = done.rpartition("/")[0]
            continue
        here = f"{done}/{name}"
        there = table.at(here)
        if there and there[-1].is_answered_for:
            return there[-1], "/".join(pending[::-1])
        link = "" if there else _link(here)
        if not link:
            done = here
            continue
        links += 1
        if links > _LINKS:
            return None
        done = "" if link.startswith("/") else done
        pending += link.split("/")[::-1]
    return None


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""  # no link; where nothing is, whoever looks will say so


def see(
    table: MountTable,
    path: str,
    call: Callable[[], T],
    *,
    seconds: float | None = None,
    late: Callable[[T], object] | None = None,
    cancelled: Flag | None = None,
) -> T:
    """Return what *call* does, which looks at the absolute *path*: within a bound where it asks.

    The bound is `patience()` where *seconds* are not given. Raises what *call* does, NotAnswering,
    also where *cancelled* is set.
    """
    found = place(table, path)
    if found is None:
        return call()
    entry = found[0]

    def after_all() -> T:
        if time.monotonic() - _answered.get(entry.device, -_FRESH) >= _FRESH:
            await_answer(entry.target)
            _answered[entry.device] = time.monotonic()
        return call()

    bound = patience() if seconds is None else seconds
    return ask(entry.device, path, after_all, seconds=bound, late=late, cancelled=cancelled)


def await_answer(point: str) -> None:
    """Ask the file system mounted at *point* what is never answered from memory, as a name may be.

    A program asks: who waits for what the server has taken and does not answer cannot even be
    killed (request_wait_answer in the kernel's fs/fuse/dev.c), and a process whose thread waits so
    never ends for its parent.
    """
    from .. import programs  # which few have need of

    try:
        programs.run((*programs.ENDS_WITH_US, "stat", "--file-system", "--", point))
    except ChrootError:  # such a program is not here
        os.statvfs(point)


def look(path: str, call: Callable[[], T], *, seconds: float | None = None) -> T:
    """Do as `see` with the mount table as it is now; *path* may be relative."""
    now = table()
    return call() if now is None else see(now, os.path.abspath(path), call, seconds=seconds)


def guard(table: MountTable, root_path: str, *, seconds: float | None = None) -> Guard | None:
    """Return what minds the look-ups in a root (`Root.guard`), None where none can be held up.

    It is called with a physical path on the host, and raises NotAnswering where that lies below a
    mount in the root whose file system is not answering; with *at* also where it is that mount.
    """
    entries = [entry for entry in table.below(root_path) if entry.is_answered_for]
    if not entries:
        return None
    answered: set[str] = set()

    def mind(path: str, *, at: bool, cancelled: Flag | None = None) -> None:
        for entry in entries:
            is_there = path.startswith(entry.target + "/") or (at and path == entry.target)
            if is_there and entry.device not in answered:
                see(table, entry.target, lambda: None, seconds=seconds, cancelled=cancelled)
                answered.add(entry.device)

    return mind
