"""A command in a terminal of its own (pty), read and written without ever blocking the loop.

Back-pressure: only so much is read as the owner can take, the rest waits in the kernel, which then
makes the child wait. There is no thread and no queue that a flood could fill.
"""

from __future__ import annotations

import asyncio
import fcntl
import math
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from select import select
from time import monotonic
from typing import BinaryIO

_READ = 4096
"""What a read of a pty gives at most."""
_WAIT = 0.0005
"""Seconds that the loop stands still for more of a flood."""
_BATCH = 16 << 10
"""Bytes of plain text that are handed over at once, at most."""
_BATCH_OF_SEQUENCES = 1024
"""The same with escape sequences, each of which can cost as much as a screenful of text."""
_SMALLEST_BATCH = 64
_SLICE = 0.004
_SLICE_OF_SEQUENCES = 0.0025
"""Seconds that output is taken before the loop gets its turn.

Less where it has escape sequences: then painting it, too, takes the time of others.
"""
_PAUSE = 0.0005
"""Seconds in between, for threads that wait for this one."""
_SLICE_FOR_OTHERS = 0.002
_PAUSE_FOR_OTHERS = 0.006
"""The same while the user waits for something else: a key's way to the screen fits into a pause."""
_TURNS = 20
"""Turns of the loop after that: a key goes through several queues, one in each turn."""
_LAST_OUTPUT = 0.5
"""Seconds for what is left in the terminal when the child has ended; others may still write."""
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

    busy = 0
    """How many children there are with output at hand: they share the time slice."""

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
        self._on_output = on_output
        self._on_quiet = on_quiet
        self._on_exit = on_exit
        self._others_first = others_first
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._master = -1
        self._pidfd = -1
        self._pending = b""
        self._batch = _BATCH
        self._plain = True
        self._unsent = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._turn: asyncio.Handle | None = None
        self._stopping: asyncio.TimerHandle | None = None
        self._released = False
        self.is_flooding = False
        """Whether there is more output than can be taken."""
        self._listening = False
        self._code: int | None = None
        self._deadline = math.inf

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
        except OSError:
            os.close(self._master)
            self._master = -1
            raise
        finally:
            os.close(slave)
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(self._pidfd, self._ended)

    def listen(self) -> None:
        """Begin to take output; until then it waits in the kernel, and so does the child."""
        self._listening = True
        if self._code is not None:
            self._readable()
        elif self._master >= 0:
            assert self._loop is not None
            self._loop.add_reader(self._master, self._readable)

    @property
    def running(self) -> bool:
        """Whether the command still runs, or its last output is still to be read."""
        return self._master >= 0

    def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal its size; the kernel tells the programs in it."""
        if self._master >= 0:
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    # --- output of the child --- #

    def _readable(self) -> None:
        """Hand output over until there is none or the time slice is used up."""
        begun = monotonic()
        others_first = self._others_first()
        while True:
            self._read()
            if not self._pending:
                self._set_busy(False)
                return
            self._take_some()
            if self._master < 0:
                return
            left = _SLICE if self._plain else _SLICE_OF_SEQUENCES
            if others_first:
                left = min(left, _SLICE_FOR_OTHERS)
            if monotonic() - begun >= left / max(1, PtyChild.busy):
                self._pause(_PAUSE_FOR_OTHERS if others_first else _PAUSE)
                return

    def _take_some(self) -> None:
        """Hand over one batch."""
        begun = monotonic()
        size = self._batch
        sequence = self._pending.find(b"\x1b", 0, size)
        self._plain = sequence < 0
        if not self._plain:
            size = min(size, max(sequence, _BATCH_OF_SEQUENCES))
        batch, self._pending = self._pending[:size], self._pending[size:]
        self._on_output(batch)
        taken = monotonic() - begun
        if taken > _SLICE / 2 and self._batch > _SMALLEST_BATCH:
            self._batch //= 2
        elif taken < _SLICE / 4 and self._batch < _BATCH:
            self._batch *= 2

    def _read(self) -> None:
        """Read what the next batch needs, or all that there is; after the end, close.

        No more than that: what is still in the kernel is dropped by ctrl+c, what was read has to
        be shown before the prompt is.
        """
        enough = self._batch if self._plain else min(self._batch, _BATCH_OF_SEQUENCES)
        chunks = [self._pending]
        size = len(self._pending)
        while size < enough:
            try:
                chunk = os.read(self._master, _READ)
            except BlockingIOError:
                if not size and self._code is not None:
                    self._finish()
                # More is on its way in a flood, and text costs less in bulk.
                if size and self.is_flooding and select([self._master], [], [], _WAIT)[0]:
                    continue
                break
            except OSError:  # EIO: no process has the other end open any more
                if not size:
                    self._hung_up()
                break
            chunks.append(chunk)
            size += len(chunk)
            if self._log is not None:
                self._log.write(chunk)
        self._pending = b"".join(chunks)
        if len(chunks) > 1 and self._code is not None and monotonic() > self._deadline:
            self._finish()

    def _pause(self, seconds: float) -> None:
        """Let the loop do other things; the child waits meanwhile."""
        assert self._loop is not None
        self._set_busy(True)
        self._loop.remove_reader(self._master)
        self._timer = self._loop.call_later(seconds, self._wait, _TURNS)

    def _wait(self, turns: int) -> None:
        assert self._loop is not None
        self._timer = None
        if turns:
            self._turn = self._loop.call_soon(self._wait, turns - 1)
        else:
            self._turn = None
            self._resume()

    def _resume(self) -> None:
        assert self._loop is not None
        self._loop.add_reader(self._master, self._readable)
        self._readable()

    def _set_busy(self, busy: bool) -> None:
        if busy != self.is_flooding:
            self.is_flooding = busy
            PtyChild.busy += 1 if busy else -1
            if not busy:
                self._on_quiet()

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
            sent = os.write(self._master, self._unsent[:_BATCH])
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
        self._deadline = monotonic() + _LAST_OUTPUT
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        if self._stopping is not None:
            self._stopping.cancel()
        if self._master < 0:
            self._tell()
        elif self._timer is None and self._turn is None and self._listening:
            self._readable()

    def _hung_up(self) -> None:
        """No one has the terminal open any more; the command may go on without it."""
        if self._code is not None:
            self._finish()
        elif self._loop is not None:
            self._loop.remove_reader(self._master)

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
        for handle in (self._timer, self._turn):
            if handle is not None:
                handle.cancel()
        self._timer = self._turn = None
        self._set_busy(False)
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        os.close(self._master)
        self._master = -1
        self._unsent.clear()
