"""Ctrl-C and TERM as a flag that the engine looks at, so that it can take back what it did."""

from __future__ import annotations

import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruptible:
    """While this context is entered, the signals that ask to end set `cancelled`, no more.

    Those that the caller ignores stay ignored: `nohup`, and `&` in a script, mean just that.
    """

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> threading.Event:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._set)
        return self.cancelled

    def _set(self, _number: int, _frame: FrameType | None) -> None:
        self.cancelled.set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave back
