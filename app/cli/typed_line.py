"""What somebody types at a terminal who was asked."""

from __future__ import annotations

import os
import select
import signal


def typed_line() -> str:
    """Return a line of the terminal on stdin, without what is blank around it; "" at its end.

    It is read as the name of a file: a key of another encoding makes it another, and no error.
    A signal that comes just before the wait ends it, too: read(2) would begin to wait after the
    interpreter had only noted it, and Ctrl-C right after the question did nothing
    (signal.set_wakeup_fd). For the main thread.
    """
    typed = b""
    came, end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    before = signal.set_wakeup_fd(end, warn_on_full_buffer=False)
    try:
        while not typed.endswith(b"\n"):
            ready, _, _ = select.select([0, came], [], [])
            if came in ready:  # its handler has not raised
                os.read(came, 4096)
            if 0 in ready:
                piece = os.read(0, 4096)
                if not piece:
                    break
                typed += piece
    finally:
        signal.set_wakeup_fd(before)
        os.close(came)
        os.close(end)
    return os.fsdecode(typed).strip()
