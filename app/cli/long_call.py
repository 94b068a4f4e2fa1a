"""A call of the engine that takes long: it is told of, and the signals that ask to end stop it.

They become a flag that the engine looks at, so that it can take back what it did.
"""

from __future__ import annotations

import signal
import threading

from ..progress_lines import Narrator
from ..signals import from_a_handler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

entered: dict[threading.Event, threading.Thread] = {}
"""The flags of those calls that are under way, with the thread of each: whoever takes signals for
them sets these."""


class LongCall:
    """While this context is entered, the signals that ask to end set `cancelled`, no more.

    Those that the caller ignores stay ignored: `nohup`, and `&` in a script, mean just that.
    It gives what such a call wants: `with LongCall(json=False) as (report, cancelled): …`. What was
    done is told in it, after `report.end()`: a signal that comes too late changes nothing of that.
    """

    def __init__(self, *, json: bool, output: bool = False) -> None:
        """Tell of it as a Narrator does; with *output* also the lines that programs print."""
        self._narrator = Narrator(json=json, output=output)
        self._cancelled = threading.Event()
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> tuple[Narrator, threading.Event]:
        entered[self._cancelled] = threading.current_thread()
        if threading.current_thread() is threading.main_thread():  # else `beside` takes them
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._set)
        return self._narrator, self._cancelled

    def _set(self, _number: int, _frame: FrameType | None) -> None:
        from_a_handler(self._cancelled.set)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._narrator.end()
        del entered[self._cancelled]
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave back
