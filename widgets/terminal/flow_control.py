"""How a flood of output is held back: only so much is taken as the app can show beside all else.

What is not taken waits in the kernel, which then makes the child wait. There is no thread and no
queue that a flood could fill.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
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
_LAST_OUTPUT = 1 << 18
"""Bytes that are taken when the child has ended: more than a pty holds (TTYB_DEFAULT_MEM_LIMIT of
drivers/tty/tty_buffer.c is 64 KiB, and N_TTY_BUF_SIZE 4), since others may write on for ever."""


class FlowControl:
    """Takes the output of one child: `open`, `listen`, `close`.

    It calls back from the running loop: `on_output` with bytes, `on_quiet` when a flood of them is
    over, `on_end` when there is nothing left of a child that has ended. It asks `others_first`
    whether a flood is to leave most of the time to the rest of the app. What is taken goes into
    *log* too.
    """

    busy = 0
    """How many children there are with output at hand: they share the time slice."""

    def __init__(
        self,
        *,
        on_output: Callable[[bytes], None],
        on_quiet: Callable[[], None],
        on_end: Callable[[], None],
        others_first: Callable[[], bool],
        log: BinaryIO | None = None,
    ) -> None:
        self._on_output = on_output
        self._on_quiet = on_quiet
        self._on_end = on_end
        self._others_first = others_first
        self._log = log
        self._loop: asyncio.AbstractEventLoop | None = None
        self._master = -1
        self._pending = b""
        self._batch = _BATCH
        self._plain = True
        self._timer: asyncio.TimerHandle | None = None
        self._turn: asyncio.Handle | None = None
        self._listening = False
        self._ended = False
        self._left = _LAST_OUTPUT
        self.is_flooding = False
        """Whether there is more output than can be taken."""

    def open(self, loop: asyncio.AbstractEventLoop, master: int) -> None:
        """Take what comes out of the terminal's own end *master*, once it is to be listened to."""
        self._loop = loop
        self._master = master

    def listen(self) -> None:
        """Begin to take output; until then it waits in the kernel, and so does the child."""
        self._listening = True
        if self._ended:
            self._readable()
        elif self._master >= 0:
            assert self._loop is not None
            self._loop.add_reader(self._master, self._readable)

    def end(self) -> None:
        """The command has ended: take what is left, then tell by `on_end`."""
        self._ended = True
        if self._timer is None and self._turn is None and self._listening:
            self._readable()

    def close(self) -> None:
        """Take no more. The descriptor is left open."""
        if self._master < 0:
            return
        assert self._loop is not None
        for handle in (self._timer, self._turn):
            if handle is not None:
                handle.cancel()
        self._timer = self._turn = None
        self._set_busy(False)
        self._loop.remove_reader(self._master)
        self._master = -1

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
            if monotonic() - begun >= left / max(1, FlowControl.busy):
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
                if not size and self._ended:
                    self._on_end()
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
            if self._ended:
                self._left -= len(chunk)
        self._pending = b"".join(chunks)
        if len(chunks) > 1 and self._ended and self._left < 0:
            self._on_end()

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
            FlowControl.busy += 1 if busy else -1
            if not busy:
                self._on_quiet()

    def _hung_up(self) -> None:
        """No one has the terminal open any more; the command may go on without it."""
        if self._ended:
            self._on_end()
        elif self._loop is not None:
            self._loop.remove_reader(self._master)
