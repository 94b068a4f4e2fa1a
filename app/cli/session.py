"""What the command line tells and asks about a throw-away session: only with -x is this loaded."""

from __future__ import annotations

import os
import sys

from ...core.engine import Engine
from ...core.errors import ChrootError
from .. import exits
from ..narrate import Narrator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def run(engine: Engine, path: str, words: tuple[str, ...], *, keep: str, **options: object) -> int:
    """Run *words* in a session, as `Engine.run_ephemeral` says; return the exit code."""
    narrator = Narrator(json=False)
    try:
        return engine.run_ephemeral(
            path,
            words,
            keep=_place(engine, keep),
            report=narrator,
            again=_asked_again(engine, narrator),
            **options,
        )
    finally:
        narrator.end()


def _place(engine: Engine, name: str) -> str:
    """Return the path of the chroot that is to be made: a plain name is one under the base."""
    return os.path.join(engine.base, name) if name and "/" not in name else name


def _asked_again(engine: Engine, narrator: Narrator) -> Callable[[ChrootError], str] | None:
    """Return what asks for another name where there is somebody to be asked."""
    # stdin may be /dev/null by now: the command is done with it.
    if not (os.isatty(0) and os.isatty(1) and sys.stderr.isatty()):
        return None

    def ask(error: ChrootError) -> str:
        narrator.end()
        exits.complain(error)
        exits.tell("The session is still there. Keep it as (empty: throw it away): ")
        return _place(engine, sys.stdin.readline().strip())

    return ask
