"""What the handler of a signal may do, which is little."""

from __future__ import annotations

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def from_a_handler(do: Callable[[], object]) -> None:
    """Do it for the handler of a signal, in a thread beside it.

    A handler interrupts whoever holds a lock, another handler too; a `threading.Event` has one.
    """
    try:
        _thread.start_new_thread(do, ())
    except RuntimeError:  # there is no room for a thread
        do()
