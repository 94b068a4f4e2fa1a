"""Keeps the terminal of a command that goes on after the UI has quit: its output goes to a log.

Started as a program of its own, by its file and with the standard library alone, with the terminal
as stdin; it writes a byte to stdout once it keeps it. It ends when nobody has the terminal
open any more, and the log is as old as that then. It is not the command's parent, so how the
command ended nobody will know. By TERM it is told to end the command.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress

_MOST = 64 << 20
"""Bytes of a log: a flood that nobody watches must not fill the disk."""
_STOPPING = ((signal.SIGTERM, 1), (signal.SIGHUP, 3), (signal.SIGKILL, 1))
"""Signals that end the command, as in a panel (`widgets.terminal.pty_child`): the seconds until
the next one."""
_TIOCGSID = 0x5429
"""ioctl_tty(2): which session a terminal is the controlling one of. Python does not have it."""


def main(path: str) -> int:
    """Append what comes from stdin to *path* until its end."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    steps = iter(_STOPPING)
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, lambda _number, _frame: _stop(steps))
    with open(path, "ab", buffering=0) as log:
        with suppress(OSError):  # who has started this did not wait so long
            os.write(1, b"\n")
        os.close(1)
        while data := _read():
            if log.tell() < _MOST:
                with suppress(OSError):  # where the disk is full, what matters goes on
                    log.write(data)
    if path != os.devnull:
        with suppress(FileNotFoundError):  # nobody wants to see it
            os.utime(path)
    return 0


def _stop(steps: Iterator[tuple[signal.Signals, int]]) -> None:
    """Send the next of the signals to the command, and see to the one after it."""
    step = next(steps, None)
    if step is None:
        sys.exit(1)  # who can't be reached by signals gets HUP when the terminal is closed
    try:
        session = fcntl.ioctl(0, _TIOCGSID, bytes(struct.calcsize("i")))
        (leader,) = struct.unpack("i", session)
        for number in (step[0], signal.SIGCONT):
            os.killpg(leader, number)
    except OSError:
        pass  # it has ended, or became another user's
    signal.alarm(step[1])


def _read() -> bytes:
    try:
        return os.read(0, 1 << 16)
    except OSError:  # EIO: the other end is closed
        return b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
