"""A verb done in a thread, where there is a file system that may not answer.

Who waits for such a one in the kernel takes no signal. So the main thread does nothing but take
them: a call that can be cancelled is, and given a while; what only looks ends at once. A thread
that is still waiting then ends with the process, which is left by os._exit.
"""

from __future__ import annotations

import os
import signal
import threading
import time

from ...core.errors import Cancelled, ChrootError
from ...core.kernel import answering
from .. import exits
from . import long_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_TICK = 0.1
_GRACE = 3.0
"""Seconds without any progress after which a call that was cancelled is given up."""


class _Work:
    """The verb, what comes of it, and the signal that asked for its end."""

    def __init__(self, do: Callable[[], int]) -> None:
        self._do = do
        self.code = exits.FAILED
        self.error: BaseException | None = None
        self.signalled = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name="verb", daemon=True)

    def _run(self) -> None:
        try:
            self.code = self._do()
        except BaseException as error:
            self.error = error
        self.ended.set()

    def take(self, number: int, _frame: FrameType | None) -> None:
        """Be the handler of a signal. It raises nothing: a lock just taken would stay taken."""
        if not self.signalled:
            self.signalled = number

    def has_ended(self) -> bool:
        """Wait until it has ended; False where it was told to, and does not."""
        self.thread.start()
        while not self.ended.wait(_TICK):
            if self.signalled:
                for flag in tuple(long_call.entered):
                    flag.set()
                return bool(long_call.entered) and self._ends()
        return True

    def _ends(self) -> bool:
        """Tell whether it takes back what it did, and ends, once it was told to."""
        answering.give_up()
        before, since = self._progress(), time.monotonic()
        while not self.ended.wait(_TICK):
            now = self._progress()
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > _GRACE:
                return False
        return True

    def _progress(self) -> list[str]:
        """Return what changes while the thread does anything at all: proc_pid_status(5)."""
        try:
            with open(f"/proc/self/task/{self.thread.native_id}/status", encoding="utf-8") as file:
                switched = [line for line in file if "ctxt_switches" in line]
            with open(f"/proc/self/task/{self.thread.native_id}/stat", encoding="utf-8") as file:
                return [*switched, *file.read().rpartition(")")[2].split()[11:13]]
        except OSError:
            return []


def beside(do: Callable[[], int]) -> int:
    """Return what *do*, a verb, returns, or raise what it raises; a signal ends it always."""
    work = _Work(do)
    before = {
        number: signal.signal(number, work.take)
        for number in long_call.SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    has_ended = work.has_ended()
    for number, handler in before.items():
        signal.signal(number, handler)
    if not has_ended:
        return _left(work)
    error = work.error
    if work.signalled and isinstance(error, ChrootError) and not isinstance(error, Cancelled):
        # Whom it waited for when it was told to end is what it names; that is not why it ended.
        raise Cancelled(f"interrupted: {error.message}", error.hint) from error
    if error is not None:
        raise error
    return work.code


def _left(work: _Work) -> int:
    """Say what becomes of a verb that is not waited for any longer."""
    if long_call.entered:
        exits.tell_given_up()
    elif work.signalled == signal.SIGINT:
        exits.say("interrupted")
    else:
        signal.signal(work.signalled, signal.SIG_DFL)
        os.kill(os.getpid(), work.signalled)
    return exits.INTERRUPTED
