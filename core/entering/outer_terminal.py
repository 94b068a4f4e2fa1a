"""The terminal that the user sits at, and the signals that come: the outer side of `terminal`.

Nothing here knows of the chroot's own terminal.
"""

from __future__ import annotations

import fcntl
import os
import select
import termios

from .monitor import HANDLED

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any
else:
    import _signal as signal  # see enter


class Signals:
    """Signals as bytes on a descriptor, so that poll cannot miss one."""

    def __init__(self) -> None:
        self.fd, self._end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._fd_before = signal.set_wakeup_fd(self._end, warn_on_full_buffer=False)
        self.continued = False
        self._before = {number: signal.signal(number, self._take) for number in HANDLED}
        # Ended children of a process that ignores SIGCHLD cannot be waited for.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def _take(self, number: int, _frame: object) -> None:
        if number == signal.SIGCONT:
            self.continued = True

    def read(self) -> bytes:
        """Return the numbers of the signals that came, none twice in a row for nothing."""
        try:
            return os.read(self.fd, 4096)
        except BlockingIOError:
            return b""

    def stop_by(self, number: int) -> bool:
        """Stop this process group by signal *number*; return, once continued, whether it stopped.

        An orphaned process group is not stopped by the kernel: nobody could continue it.
        """
        self.continued = False
        before = signal.signal(number, signal.SIG_DFL)
        os.killpg(0, number)
        signal.signal(number, before)
        return self.continued

    def restore(self) -> None:
        """Put everything back as it was."""
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        os.close(self.fd)
        os.close(self._end)


class Outer:
    """The terminal on stdin and stdout: raw while the command has it, and as it was otherwise."""

    def __init__(self) -> None:
        self._raw = False
        self._modes: list[Any] = []
        self.fd = _reopen(1)

    def in_foreground(self) -> bool:
        """Whether this process may use it. One that is not our controlling terminal always."""
        try:
            return os.tcgetpgrp(0) == os.getpgrp()
        except OSError:
            return True

    def shape(self, slave: int) -> None:
        """Give the new terminal the modes of this one.

        Not from the background: then they are those of the shell that is at its prompt.
        """
        if self.in_foreground():
            try:
                termios.tcsetattr(slave, termios.TCSANOW, termios.tcgetattr(0))
            except termios.error:
                pass  # it hung up: reading tells

    def claim(self) -> None:
        """Make it raw. Also after a shell that put its own modes back while we were stopped."""
        import tty

        try:
            modes = termios.tcgetattr(0)
            if not self._raw or modes[3] & termios.ICANON:
                self._modes = modes
                tty.setraw(0, termios.TCSADRAIN)
            self._raw = True
        except termios.error:
            pass  # it hung up: reading tells

    def release(self) -> None:
        """Give it back as it was, unless it is somebody else's meanwhile."""
        if self._raw and self.in_foreground():
            try:
                termios.tcsetattr(0, termios.TCSADRAIN, self._modes)
            except termios.error:
                pass
        self._raw = False

    def goes_within(self, patience: int) -> bool:
        """Wait *patience* milliseconds, or until it is gone; tell whether it is."""
        gone = select.poll()
        for fd in (0, self.fd):
            gone.register(fd, 0)  # POLLHUP and POLLERR are told unasked: poll(2)
        return bool(gone.poll(patience))

    def size(self) -> bytes:
        """Return struct winsize."""
        return fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8))

    def close(self) -> None:
        """Close what was opened here."""
        os.close(self.fd)


def _reopen(fd: int) -> int:
    """Return a descriptor of the same terminal that does not block.

    O_NONBLOCK on *fd* itself would hold for everybody who has it, the shell behind us too, and
    stay when we are killed.
    """
    flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(f"/proc/self/fd/{fd}", flags)
    except OSError:  # a terminal of another mount namespace
        return os.dup(fd)
