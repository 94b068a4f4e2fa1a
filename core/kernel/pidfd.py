"""Signals that cannot hit the wrong process.

A pid is used again sooner or later. A pidfd stays with the process it was opened for; once it is
open, the start of the process is compared with the one that was seen.
"""

from __future__ import annotations

import os

from ..errors import ChrootError, PrivilegeError

_CLOCK = 2.0
"""Seconds by which a start may differ: the kernel's boot time is in whole seconds and wavers."""


def send(pid: int, started: float, *numbers: int) -> None:
    """Send signals *numbers* to the process *pid* that was *started* then (`Process.started`).

    Raises ChrootError where it is gone, PrivilegeError where it may not be signalled.
    """
    import signal

    fd = open_process(pid, started)
    try:
        for number in numbers:
            signal.pidfd_send_signal(fd, number)
    except PermissionError as error:
        raise PrivilegeError(f"may not signal process {pid}", "run as root") from error
    except ProcessLookupError as error:
        raise _gone(pid) from error
    finally:
        os.close(fd)


def open_process(pid: int, started: float) -> int:
    """Return a pidfd of the process *pid* that was *started* then; the caller closes it.

    Raises ChrootError where it is gone, also where another process has its pid now.
    """
    import psutil

    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError as error:
        raise _gone(pid) from error
    try:
        same = abs(psutil.Process(pid).create_time() - started) < _CLOCK
    except psutil.Error:
        same = False
    if not same:
        os.close(fd)
        raise _gone(pid)
    return fd


def _gone(pid: int) -> ChrootError:
    return ChrootError(f"process {pid} is gone", "look at the list again")
