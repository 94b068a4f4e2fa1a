"""A program beside the UI: its output is the job's, and it has no terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ....core.errors import Cancelled, ChrootError
from ....core.remote.address import split

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Sequence
    from threading import Event as Flag

    from ....core.events import Report
    from ..session import Session


def run(
    session: Session, argv: Sequence[str], path: str, last: deque[str], report: Report,
    cancelled: Flag,
) -> str:  # fmt: skip
    """Run *argv* for the chroot at *path* to its end, and return the last line that it prints.

    The lines are reported, and put into *last*. Raises ChrootError where its exit code is not 0,
    Cancelled.
    """
    from ....core.events import Output
    from ....core.programs import GoesOnError
    from ....core.programs import run as start

    def told(text: str) -> None:
        last.append(text)
        report(Output(path, text))

    try:
        done = start(
            argv, env=os.environ, on_line=told, cancelled=cancelled,
            # By its terminal sudo knows who has given their password.
            no_terminal=not session.machines.has_risen,
        )  # fmt: skip
    except GoesOnError:
        raise
    except Cancelled:
        host = split(path)[0]
        said = f"its connection was closed: on {host} it may go on" if host else "stopped by you"
        raise Cancelled(said) from None
    said = last[-1] if last else ""
    if done.code:
        code = done.code if done.code > 0 else 128 - done.code
        raise ChrootError(f"exit {code}" + (f": {said}" if said else ""))
    return said
