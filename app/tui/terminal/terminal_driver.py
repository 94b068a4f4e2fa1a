"""Textual's driver for a terminal that may go away: a window is closed, a connection is lost."""

from __future__ import annotations

import asyncio
import io
import os
import select
import signal
import sys
import threading
import time
from codecs import getincrementaldecoder
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

from textual import constants
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from ...exits import deafen
from .screen_diff import ScreenDiff

_STDERR = 2
_GATHER = 0.02
"""Seconds in which several paints become one on a slow line: what comes up is painted twice."""
_AT_ONCE = 1 << 12
"""Bytes that are read at once."""
_LAST_WORDS = 0.1
"""Seconds in which the terminal hears that nobody wants to know of its mouse any more."""


@runtime_checkable
class Counting(Protocol):
    """An app that knows what the line to the terminal can take."""

    def wrote(self, count: int) -> object:
        """Take note of so many bytes."""

    def spares(self) -> bool:
        """Tell whether what stands on the screen is to be left out."""


class TerminalDriver(LinuxDriver):
    """Writes to stderr, as Textual does, and nowhere once nobody is there to see it.

    Then the UI ends, also where it is not that terminal's session leader, which the kernel tells:
    it would read nothing, again and again.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = _Outlet(
            open(_STDERR, "wb", closefd=False),  # noqa: SIM115 (it lives as long as this does)
            encoding=sys.__stderr__.encoding if sys.__stderr__ else "utf-8",
            errors="backslashreplace",
        )
        self.exit_event = self._enough = _Flag()
        self._counting = app if isinstance(app, Counting) else None
        self._diff: ScreenDiff | None = None
        self._changes_come: asyncio.TimerHandle | None = None
        threading.Thread(target=self._await_the_end, daemon=True).start()

    def _get_terminal_size(self) -> tuple[int, int]:
        """Return what the kernel says.

        COLUMNS and LINES, which Textual asks first, are of whoever has exported them, readline for
        one, and stay what they were when the window changes.
        """
        with suppress(OSError):
            columns, rows = os.get_terminal_size(_STDERR)
            if columns and rows:
                return columns, rows
        return super()._get_terminal_size()

    def write(self, data: str) -> None:
        """Write; on a slow line what is other than before, and once for several paints."""
        if self._counting is None or not self._counting.spares():
            self._write_changes()
            self._diff = None
            self._write(data)
            return
        self._diff = self._diff or ScreenDiff()
        self._write(self._diff.take(data, self._app.size))
        if self._changes_come is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # the app has ended, or is not there yet
            self._write_changes()
        else:
            self._changes_come = loop.call_later(_GATHER, self._write_changes)

    def _write_changes(self) -> None:
        if self._changes_come:
            self._changes_come.cancel()
            self._changes_come = None
        if self._diff:
            self._write(self._diff.changes())

    def _write(self, data: str) -> None:
        if data:
            super().write(data)
            if self._counting is not None:
                self._counting.wrote(len(data.encode(errors="replace")))

    def forget(self) -> None:
        """Have all be written at the next paint: the screen is not what it was painted as."""
        self._write_changes()
        self._diff = None

    def run_input_thread(self) -> None:
        """Read what is typed until the app wants no more.

        Textual's own looks ten times a second whether it does; that was a third of what the
        processor has to do where nothing happens.
        """
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        # An ESC is a key of its own where nothing follows in time; nothing else waits for the time.
        delay, patience = constants.ESCAPE_DELAY * 1000 + 1, None
        poll = select.poll()  # select refuses the descriptors of one who has many
        poll.register(self.fileno, select.POLLIN)
        poll.register(self._enough, select.POLLIN)
        while not self._enough.is_set():
            ready = [fd for fd, _ in poll.poll(patience)]
            patience = delay if self.fileno in ready else None
            if self.fileno in ready and (text := decode(os.read(self.fileno, _AT_ONCE))):
                for event in parser.feed(text):
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)
        time.sleep(_LAST_WORDS)  # what it says until then is thrown away, and no shell's to read
        with suppress(EOFError, ParseError):
            for _ in parser.feed(""):
                pass

    def _await_the_end(self) -> None:
        """Tell the UI when nobody is there any more, as the kernel does where it has a session."""
        terminal = select.poll()
        terminal.register(self.fileno, 0)  # POLLHUP is told unasked: poll(2)
        terminal.poll()
        os.kill(os.getpid(), signal.SIGHUP)


class _Flag(threading.Event):
    """An event that poll(2) tells of, too."""

    def __init__(self) -> None:
        super().__init__()
        self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._fd

    def set(self) -> None:
        super().set()
        os.eventfd_write(self._fd, 1)

    def clear(self) -> None:
        super().clear()
        with suppress(BlockingIOError):
            os.eventfd_read(self._fd)


class _Outlet(io.TextIOWrapper):
    """Raises no OSError: Textual's thread that writes would die of it, and the app wait for it."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            deafen(_STDERR)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            deafen(_STDERR)
