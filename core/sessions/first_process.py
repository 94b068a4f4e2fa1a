"""The first process of a session: finishes its root, then only keeps it, and ends all at its end.

It is the first of a pid namespace: when it ends, the kernel kills all who are left, and what they
had mounted goes with them (pid_namespaces(7)). The kernel kills it, too, when the process that
started it ends, so a kill -9 leaves nothing.

Once its root is the session's, not a line of Python may be loaded any more: it would be the
chroot's.
"""

from __future__ import annotations

import os
import sys

from ..errors import ChrootError
from ..kernel import syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn

    from .overlay import Overlay
else:
    import _signal as signal  # see entering.launch

JOINABLE, SLOW = "joinable", "slow"
PACKET = 4096
"""Bytes that a pipe with O_DIRECT takes at once (pipe(2)); a word must be shorter than a third."""
_WORD = 1300
_PATIENCE = 4
"""Seconds between SLOW, which is a second after TERM, and KILL."""


def keep(overlay: Overlay, control: int, report: int) -> NoReturn:
    """Be the first process of a session with that root.

    What became of it is written to *report*: JOINABLE when its namespaces can be joined, or the
    kind, message and hint of an error, NUL between them. It ends when the other end of *control* is
    closed; SLOW is written where that takes its time.
    """
    try:
        _stand_apart()
        if _finished(overlay, report):
            sys.meta_path.clear()  # whatever is imported now would come out of the chroot
            sys.path.clear()
            _let_go(control, report)
            _tell(report, JOINABLE)
            os.read(control, 1)
            _end_all(report)
    finally:  # never back into the starter's code
        os._exit(0)


def _finished(overlay: Overlay, report: int) -> bool:
    """Finish the root and live in it, or tell why that cannot be done."""
    try:
        overlay.finish()
    except ChrootError as error:
        _tell(report, type(error).__name__, error.message, error.hint)
    except OSError as error:  # EINVAL: on a ramdisk that has never been left (pivot_root(2))
        _tell(report, "ChrootError", f"the host's mounts can't be left: {error.strerror}", "")
    else:
        return True
    return False


def _stand_apart() -> None:
    """End with the starter; have no terminal, none of its signals, streams and children's ends.

    If the starter has ended before, reading from it will tell.
    """
    syscalls.set_parent_death_signal(signal.SIGKILL)
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)  # which the first of a pid namespace never sees
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who is left to us is reaped by the kernel
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    if null > 2:
        os.close(null)


def _let_go(*kept: int) -> None:
    """Close every descriptor but *kept*: those of the host would be a way out, and in use."""
    top = max(kept)
    for fd in range(3, top):
        if fd not in kept:
            try:
                os.close(fd)
            except OSError:
                pass
    syscalls.close_range(top + 1, 0)


def _tell(report: int, *words: str) -> None:
    os.write(report, b"\0".join([os.fsencode(word)[:_WORD] for word in words]))


def _end_all(report: int) -> None:
    """Ask everybody in the session to end; return when they have. When time is up, be gone."""

    def on_alarm(*_: object) -> None:
        _tell(report, SLOW)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.alarm(_PATIENCE)

    try:
        os.kill(-1, signal.SIGTERM)
        os.kill(-1, signal.SIGCONT)  # who is stopped must wake to comply
        signal.signal(signal.SIGALRM, on_alarm)
        signal.alarm(1)
        while True:
            os.waitpid(-1, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # there is nobody
