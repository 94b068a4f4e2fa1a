"""What goes to stderr when something fails, and the exit code for it. Nobody else decides either.

Plain integers, not an enum: importing enum costs `run` 2 ms.
"""

from __future__ import annotations

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


def code_of(error: ChrootError) -> int:
    """Return the exit code for an error, as interface.md has it."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def complain(error: ChrootError) -> None:
    """Print an error: one line, who holds what where that is known, and the hint."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            say(problem.message, problem.hint)
        return
    held = [
        f"  {holder.pid} {holder.user} {holder.command}: {', '.join(holder.holds)}"
        for holder in getattr(error, "holders", ())
    ]
    say(error.message, error.hint, held)


def say(message: str, hint: str = "", between: list[str] | None = None) -> None:
    """Print `chroot-tool: message`, more lines, and `hint: …` on stderr, all made safe."""
    lines = [f"chroot-tool: {safe(message)}", *(safe(line) for line in between or ())]
    if hint:
        lines.append(f"hint: {safe(hint)}")
    try:
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        sys.stderr.flush()
    except (OSError, AttributeError):
        pass  # nobody listens; the exit code still says it
