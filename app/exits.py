"""What goes to stderr when something fails, and the exit code for it. Nobody else decides either.

Plain integers, not an enum: importing enum costs `run` 2 ms.
"""

from __future__ import annotations

import os
import sys

from ..core.errors import (
    BusyError,
    Cancelled,
    ChrootError,
    ConfigError,
    PrivilegeError,
    UsageError,
)
from ..core.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

DONE = 0
FAILED = 1
USAGE = 2
CONFIG = 3
BUSY = 4
PRIVILEGE = 5
TOOL_FAILED = 125
"""Of `run` and its kin: the tool itself failed before the command ran."""
INTERRUPTED = 130

_CODES = (
    (Cancelled, INTERRUPTED),
    (UsageError, USAGE),
    (ConfigError, CONFIG),
    (BusyError, BUSY),
    (PrivilegeError, PRIVILEGE),
)


def answer(do: Callable[[], int]) -> int:
    """Return what *do* returns; where it fails, say why and return the exit code for that."""
    try:
        code = _explained(do)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        deafen(1)  # whoever read our stdout has seen enough
        return DONE
    except OSError as error:
        deafen(1)
        say(("" if error.filename else "stdout: ") + reason(error))
        return FAILED


def _explained(do: Callable[[], int]) -> int:
    try:
        return do()
    except ChrootError as error:
        complain(error)
        return code_of(error)
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED


def code_of(error: ChrootError) -> int:
    """Return the exit code for an error, as `--help` lists them."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def complain(error: ChrootError, of: str = "") -> None:
    """Print an error: one line, who holds what where that is known, and the hint.

    *of* stands before what went wrong: what failed, where that may be one of several.
    """
    if isinstance(error, ConfigError):
        for problem, later in zip(error.problems, (*error.problems[1:], None), strict=True):
            same = later and later.hint == problem.hint
            say(of + problem.message, "" if same else problem.hint)
        return
    held = [
        f"  {holder.pid} {holder.user} {holder.command}: {', '.join(holder.holds)}"
        for holder in getattr(error, "holders", ())
    ]
    say(of + error.message, error.hint, held)


def tell_given_up(of: str = "") -> None:
    """Say of what was told to end, and did not, that it is not waited for any longer."""
    say(
        f"{of}interrupted, but something it waits for is not answering: ended as by a kill -9",
        "the next chroot-tool on this chroot mends what was begun",
    )


def say(message: str, hint: str = "", between: list[str] | None = None) -> None:
    """Print `chroot-tool: message`, more lines, and `hint: …` on stderr, all made safe."""
    lines = [f"chroot-tool: {safe(message)}", *(safe(line) for line in between or ())]
    if hint:
        lines.append(f"hint: {safe(hint)}")
    tell("".join(f"{line}\n" for line in lines))


def reason(error: OSError) -> str:
    """Return what to say of an error of the system that nobody has explained before."""
    where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def can_draw() -> bool:
    """Tell whether stderr is a terminal that a line can be drawn over again on."""
    return sys.stderr.isatty() and not is_dumb()


def is_dumb() -> bool:
    """Tell whether TERM says that nothing can be drawn, as the doctor sees it."""
    return os.environ.get("TERM", "") in ("", "dumb", "unknown")


def tell(text: str) -> None:
    """Write *text* to stderr. Where nobody listens, what is done goes on all the same."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        deafen(2)


def deafen(fd: int) -> None:
    """Send what is still written to stdout or stderr nowhere: Python would complain at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, fd)
    os.close(null)
