"""The command of a terminal, which can be run again: one child in a pty after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from .pty_child import PtyChild

_TERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Command:
    """Runs *argv*: `launch`, then `listen`, as often as is wanted.

    It calls back as `PtyChild` does, and only for the child that was launched last. Before there is
    one everything else does nothing.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None,
        cwd: str | None,
        log: BinaryIO | None,
        on_output: Callable[[bytes], None],
        on_quiet: Callable[[], None],
        on_exit: Callable[[int], None],
        others_first: Callable[[], bool],
    ) -> None:
        """*env* is the whole environment but for TERM and COLORTERM, None for the app's own."""
        self.argv = tuple(argv)
        self.child: PtyChild | None = None
        """The one that was launched last."""
        self._env = env
        self._cwd = cwd
        self._log = log
        self._on_output = on_output
        self._on_quiet = on_quiet
        self._on_exit = on_exit
        self._others_first = others_first

    def launch(self, columns: int, rows: int) -> str:
        """Start it in a terminal of this size. Return why it cannot be started, else nothing."""
        child = PtyChild(
            self.argv,
            on_output=self._on_output,
            on_quiet=self._on_quiet,
            on_exit=lambda code: self._ended(child, code),
            others_first=self._others_first,
            log=self._log,
        )
        self.child = child
        own = os.environ if self._env is None else self._env
        try:
            child.start(columns, rows, env={**own, **_TERM}, cwd=self._cwd)
        except OSError as error:
            return str(error)
        return ""

    def _ended(self, child: PtyChild, code: int) -> None:
        if child is self.child:  # else it was let go of
            self._on_exit(code)

    @property
    def is_flooding(self) -> bool:
        """Whether more output comes than can be taken."""
        return self.child is not None and self.child.is_flooding

    def listen(self, columns: int, rows: int) -> None:
        """Begin to take output, for a screen of this size."""
        if self.child is not None:
            self.child.resize(columns, rows)
            self.child.listen()

    def write(self, data: bytes, *, reply: bool = False) -> None:
        """Send input, or a *reply* of the terminal; see PtyChild.write."""
        if self.child is not None:
            self.child.write(data, reply=reply)

    def resize(self, columns: int, rows: int) -> None:
        """Tell it another size of its terminal."""
        if self.child is not None:
            self.child.resize(columns, rows)

    def stop(self) -> None:
        """Ask it to end: TERM, then HUP, then KILL."""
        if self.child is not None:
            self.child.stop()

    def release(self) -> int:
        """Give its terminal away, it goes on; see PtyChild.release."""
        return -1 if self.child is None else self.child.release()

    def close(self) -> None:
        """Let go of it: it gets HUP, as from any terminal that is closed."""
        if self.child is not None:
            self.child.close()
