"""A look at the chroots that a process of its own takes, while this one imports Textual.

Both would have to wait for each other as threads of one: Python runs one of them at a time.
"""

from __future__ import annotations

import os
import pickle
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ....core.engine import Engine
    from ....core.looking.snapshot import Snapshot


class LookAside:
    """The first look, begun where it is made."""

    def __init__(self, engine: Engine) -> None:
        """Begin, while there are no other threads: what they hold would stay held over there.

        *engine* looks at this machine alone.
        """
        self._reading, writing = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            try:
                with open(writing, "wb") as file:
                    pickle.dump(engine.follow().snapshot(), file, pickle.HIGHEST_PROTOCOL)
            finally:  # never back into the other's code
                os._exit(0)
        os.close(writing)

    def found(self) -> Snapshot | None:
        """Wait for what it has found and return it; None where it came to nothing."""
        with open(self._reading, "rb") as file:
            said = file.read()
        # It ends now, but for where it has asked somebody who does not answer.
        threading.Thread(target=os.waitpid, args=(self._pid, 0), daemon=True).start()
        try:
            found: Snapshot = pickle.loads(said)
        except (EOFError, pickle.UnpicklingError):  # it was ended before it had said all
            return None
        return found
