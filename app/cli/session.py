"""What the command line tells and asks about a throw-away session: only with -x is this loaded."""

from __future__ import annotations

import os
import sys

from .. import exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...core.engine import Engine
    from ...core.errors import ChrootError
    from ...core.events import Event
    from ..narrate import Narrator


class Voice:
    """Tells what happens to a session, and asks for another name where it cannot be kept."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._narrator: Narrator | None = None

    def tell(self, event: Event) -> None:
        """Be the `report` of a session, which mostly has nothing to report."""
        if self._narrator is None:
            from ..narrate import Narrator  # half of all that a session costs

            self._narrator = Narrator(json=False)
        self._narrator(event)

    def ask(self, error: ChrootError) -> str:
        """Say what went wrong, and return the path to try next; "" where nobody answers."""
        self.end()
        if not all(os.isatty(fd) for fd in (0, 1, 2)):
            return ""
        exits.complain(error)
        exits.tell("The session is still there. Keep it as (empty: throw it away): ")
        return self.place(sys.stdin.readline().strip())

    def place(self, name: str) -> str:
        """Return the path of the chroot that is to be made: a plain name is one under the base."""
        return os.path.join(self._engine.base, name) if name and "/" not in name else name

    def end(self) -> None:
        """Take a progress line away."""
        if self._narrator is not None:
            self._narrator.end()


def run(
    engine: Engine,
    path: str,
    words: tuple[str, ...],
    *,
    user: str,
    cwd: str,
    env: dict[str, str],
    config_dir: str | None,
    size: str,
    keep: str,
) -> int:
    """Run *words* in a session as `Engine.run_ephemeral` says; *keep* may be a plain name."""
    voice = Voice(engine)
    try:
        return engine.run_ephemeral(
            path, words, user=user, cwd=cwd, env=env, config_dir=config_dir,
            size=size, keep=voice.place(keep), report=voice.tell, again=voice.ask,
        )  # fmt: skip
    finally:
        voice.end()
