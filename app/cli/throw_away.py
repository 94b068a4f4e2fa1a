"""What the command line tells and asks about a throw-away session: only with -x is this loaded."""

from __future__ import annotations

import gc
import os

from ...core.errors import ChrootError
from ...core.events import Stage, Warned
from ...core.text import safe
from .. import exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...core.engine import Engine
    from ...core.events import Event
    from .long_call import LongCall


class Voice:
    """Tells what happens to a session, and asks for another name where it cannot be kept."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tried = ""
        self._is_keeping = False

    @staticmethod
    def tell(event: Event) -> None:
        """Be the `report` of a session, which has little to report: a Narrator is slow to load."""
        if isinstance(event, Warned):
            exits.say(f"warning: {event.problem.message}", event.problem.hint)
        elif isinstance(event, Stage):
            exits.say(event.stage)

    def keeping(self) -> LongCall:
        """Return what tells how far a session is kept, and takes the signals that stop that."""
        from .long_call import LongCall

        self._is_keeping = True
        return LongCall(json=False)

    def ask(self, error: ChrootError) -> str:
        """Say what went wrong, and return the path to try next; "" where nobody answers."""
        if not all(os.isatty(fd) for fd in (0, 1, 2)):
            return ""
        from .typed_line import typed_line

        while True:
            exits.complain(error)
            exits.tell("The session is still there. Keep it as (empty: throw it away): ")
            try:
                return self.place(typed_line())
            except ChrootError as wrong:
                error = wrong

    def place(self, name: str) -> str:
        """Return the path of the chroot that is to be made; "" for none."""
        self._tried = self._engine.locate(name, new=True) if name else ""
        return self._tried

    def end(self) -> None:
        """Say what the session has become, if anything: where that fails, it is an error."""
        if self._is_keeping:
            exits.tell(
                f"{safe(self._tried)}: kept, as the session left it\n"
                f"hint: chroot-tool shell -d {safe(self._tried)}\n"
            )


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
    caller: tuple[str, int] | None,
) -> int:
    """Run *words* in a session as `Engine.run_ephemeral` says; *keep* may be a plain name."""
    gc.disable()  # nothing here is garbage, and to walk memory that is shared with a fork copies it
    voice = Voice(engine)
    code = engine.run_ephemeral(
        path, words, user=user, cwd=cwd, env=env, config_dir=config_dir, size=size,
        keep=voice.place(keep), report=voice.tell, keeping=voice.keeping, again=voice.ask,
        caller=caller,
    )  # fmt: skip
    voice.end()
    return code
