"""A command in a terminal of its own (pty), read and written without ever blocking the loop.

How much of its output is read, and when, is for `flow_control` to say.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from .flow_control import FlowControl

_MOST_AT_ONCE = 16 << 10
"""Bytes of input that are written at once."""
_MOST_REPLIES = 64 << 10
"""Bytes of answers that wait for a child that asks and does not read."""
_STOPPING = ((signal.SIGTERM, 1.0), (signal.SIGHUP, 3.0), (signal.SIGKILL, 0.0))
"""Signals of `stop`, and the seconds until the next. Interactive shells ignore TERM, not HUP."""


class PtyChild:
    """One run of a command: create it, `start`, `listen`.

    It calls back from the running loop: `on_output` with bytes, `on_quiet` when a flood of them is
    over, `on_exit` with the code, or minus the signal, after the last output. It asks
    `others_first` whether a flood is to leave most of the time to the rest of the app.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        on_output: Callable[[bytes], None],
        on_quiet: Callable[[], None],
        on_exit: Callable[[int], None],
        others_first: Callable[[], bool],
        log: BinaryIO | None = None,
    ) -> None:
        self.argv = tuple(argv)
        self.pid = 0
        self._on_exit = on_exit
        self._output = FlowControl(
            on_output=on_output, on_quiet=on_quiet, on_end=self._finish,
            others_first=others_first, log=log,
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._master = -1
        self._pidfd = -1
        self._unsent = bytearray()
        self._stopping: asyncio.TimerHandle | None = None
        self._released = False
        self._code: int | None = None

    def start(
        self,
        columns: int,
        rows: int,
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        """Start the command in a terminal of this size.

        *env* is the whole environment, None for this process's. Raises OSError where the command
        cannot be started.
        """
        self._loop = asyncio.get_running_loop()
        self._master, slave = os.openpty()
        try:
            self.resize(columns, rows)
            os.set_blocking(self._master, False)
            # setsid(1) makes the terminal the controlling one, which Popen cannot do without
            # running Python code between fork and exec. It execs: the pid is the command's own.
            self._process = subprocess.Popen(
                ["setsid", "--ctty", "--", *self.argv],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=None if env is None else dict(env),
                cwd=cwd,
            )
            self._pidfd = os.pidfd_open(self._process.pid)
        except OSError:
            if self._process is not None:  # no descriptor is left to see it end by
                self._process.kill()
                self._process.wait()
                self._process = None
            os.close(self._master)
            self._master = -1
            raise
        finally:
            os.close(slave)
        self.pid = self._process.pid
        self._loop.add_reader(self._pidfd, self._ended)
        self._output.open(self._loop, self._master)

    def listen(self) -> None:
        """Begin to take output; until then it waits in the kernel, and so does the child."""
        self._output.listen()

    @property
    def is_flooding(self) -> bool:
        """Whether there is more output than can be taken."""
        return self._output.is_flooding

    @property
    def running(self) -> bool:
        """Whether the command still runs, or its last output is still to be read."""
        return self._master >= 0

    def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal its size; the kernel tells the programs in it."""
        if self._master >= 0:
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    # --- input to the child --- #

    def write(self, data: bytes, *, reply: bool = False) -> None:
        """Send input; what does not fit now is sent when it does.

        A *reply* of the terminal is dropped where too many wait already, typed keys never are.
        """
        if self._master < 0 or not data or (reply and len(self._unsent) > _MOST_REPLIES):
            return
        self._unsent += data
        if len(self._unsent) == len(data):
            self._send()

    def _send(self) -> None:
        assert self._loop is not None
        try:
            sent = os.write(self._master, self._unsent[:_MOST_AT_ONCE])
        except BlockingIOError:
            sent = 0
        except OSError:
            self._unsent.clear()
            sent = 0
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._master, self._send)
        else:
            self._loop.remove_writer(self._master)

    # --- the end --- #

    def signal(self, number: int) -> None:
        """Send a signal to the command and what it has started in its process group."""
        if self._process is None or self._code is not None:
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:  # setsid(1) has not come so far
            self._process.send_signal(number)
        except PermissionError:  # it became another user; closing the terminal still ends it
            pass

    def stop(self) -> None:
        """Ask the command to end, ever more firmly, in the end with KILL."""
        if self._stopping is None and not self._released:
            self._stop_with(0)

    def _stop_with(self, step: int) -> None:
        number, seconds = _STOPPING[step]
        self.signal(number)
        self.signal(signal.SIGCONT)
        if self._loop is not None and self._code is None and step + 1 < len(_STOPPING):
            self._stopping = self._loop.call_later(seconds, self._stop_with, step + 1)

    def release(self) -> int:
        """Give the terminal's own end away: the command goes on, this object has no part in it.

        The caller reads from the descriptor, or has it read, and closes it; -1 where the command
        has ended.
        """
        if self._code is not None or self._master < 0:
            return -1
        self._released = True  # from now on no signal of ours reaches it
        released = os.dup(self._master)
        os.set_blocking(released, True)
        self._let_go()
        return released

    def close(self) -> None:
        """Let go of the terminal at once: whatever still runs in it gets HUP from the kernel."""
        if self._code is None and not self._released:
            self.signal(signal.SIGHUP)
            self.signal(signal.SIGCONT)
        self._let_go()

    def _ended(self) -> None:
        """The command has ended; read what is left of its output, then tell."""
        assert self._loop is not None
        assert self._process is not None
        code = self._process.poll()
        if code is None:
            return
        self._code = code
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        if self._stopping is not None:
            self._stopping.cancel()
        if self._master < 0:
            self._tell()
        else:
            self._output.end()

    def _finish(self) -> None:
        self._let_go()
        assert self._loop is not None
        self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        if self._code is not None:
            self._on_exit(self._code)

    def _let_go(self) -> None:
        if self._master < 0:
            return
        assert self._loop is not None
        self._output.close()
        self._loop.remove_writer(self._master)
        os.close(self._master)
        self._master = -1
        self._unsent.clear()
