"""A program beside the UI: its output is the job's, and it has no terminal."""

from __future__ import annotations

import os
from threading import Semaphore
from typing import TYPE_CHECKING

from ....core.errors import Cancelled, ChrootError
from ....core.remote.address import split
from ....core.run_words import run_words

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Mapping, Sequence
    from threading import Event as Flag

    from ....core.events import Event, Report
    from ....core.looking.status import ChrootStatus
    from ..session import Session


def inside(
    session: Session, one: ChrootStatus, words: tuple[str, ...], last: deque[str], report: Report,
    cancelled: Flag, *, user: str = "", cwd: str = "", env: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """Run *words* inside a chroot to their end, as `run`.

    On another machine the engine there does it: who stops that has it stopped at both ends.
    """
    if not one.host and session.machines.is_here:
        given = run_words(one.path, words, user=user, cwd=cwd, env=env)
        argv = session.engine.unasked(one.path, given)
        return run(session, argv, one.path, last, report, cancelled)
    from ....core.events import Output

    def told(event: Event) -> None:
        if isinstance(event, Output):
            last.append(event.line)
        report(event)

    try:
        code = session.engine.run_captured(
            one.path, words, user=user, cwd=cwd, env=env, report=told, cancelled=cancelled
        )
    except Cancelled:
        raise Cancelled("stopped by you") from None
    return _last_of(code, last)


_AT_A_TIME = 4
"""Programs by ssh on one machine. Debian's sshd lets ten sessions into a connection, and of new
ones that have not logged in yet ten at a time, of more only some: MaxSessions and MaxStartups of
sshd_config(5). A busy one counts those that have just ended beside those that follow them."""
_LOOK = 0.1
_room: dict[str, Semaphore] = {}


def run(
    session: Session, argv: Sequence[str], path: str, last: deque[str], report: Report,
    cancelled: Flag,
) -> str:  # fmt: skip
    """Run *argv* for the chroot at *path* to its end, and return the last line that it prints.

    The lines are reported, and put into *last*. On another machine it waits for its turn. Raises
    ChrootError where its exit code is not 0, Cancelled.
    """
    host = split(path)[0] or session.log.host  # all are that one's that the UI was begun for
    if not host:
        return _run(session, argv, path, last, report, cancelled, host)
    room = _room.setdefault(host, Semaphore(_AT_A_TIME))  # one for all threads, in one step
    while not room.acquire(timeout=_LOOK):
        if cancelled.is_set():
            raise Cancelled("stopped by you")
    try:
        return _run(session, argv, path, last, report, cancelled, host)
    finally:
        room.release()


def _run(
    session: Session, argv: Sequence[str], path: str, last: deque[str], report: Report,
    cancelled: Flag, host: str,
) -> str:  # fmt: skip
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
        said = f"its connection was closed: on {host} it may go on" if host else "stopped by you"
        raise Cancelled(said) from None
    return _last_of(done.code if done.code >= 0 else 128 - done.code, last)


def _last_of(code: int, last: deque[str]) -> str:
    said = last[-1] if last else ""
    if code:
        raise ChrootError(f"exit {code}" + (f": {said}" if said else ""))
    return said
