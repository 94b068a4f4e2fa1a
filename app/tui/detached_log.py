"""Keeps the terminal of a command that goes on after the UI has quit: its output goes to a log.

Started as a program of its own with the terminal as stdin. It ends when nobody has the terminal
open any more, and the log is as old as that then. It is not the command's parent, so how the
command ended nobody will know.
"""

from __future__ import annotations

import os
import signal
import sys

_MOST = 64 << 20
"""Bytes of a log: a flood that nobody watches must not fill the disk."""


def main(path: str) -> int:
    """Append what comes from stdin to *path* until its end."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with open(path, "ab", buffering=0) as log:
        while data := _read():
            if log.tell() < _MOST:
                log.write(data)
    os.utime(path)
    return 0


def _read() -> bytes:
    try:
        return os.read(0, 1 << 16)
    except OSError:  # EIO: the other end is closed
        return b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
