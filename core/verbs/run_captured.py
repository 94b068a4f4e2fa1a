"""`run` for one who has no terminal there: by a chroot-tool of its own, whose lines are told."""

from __future__ import annotations

import os

from .. import programs
from ..events import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from threading import Event as Flag

    from ..events import Report


def run_words(
    path: str,
    words: tuple[str, ...],
    *more: str,
    user: str = "",
    cwd: str = "",
    env: Mapping[str, str] | None = None,
    config_dir: str | None = None,
) -> tuple[str, ...]:
    """Return the words of the command line for what `Engine.run` is asked, with options *more*.

    Without *words* it is a shell.
    """
    given = ["-d", path, *more]
    for option, value in (("-u", user), ("-w", cwd), ("-c", config_dir)):
        if value:
            given += [option, value]
    for key, value in (env or {}).items():
        given += ["-e", f"{key}={value}"]
    return ("run", *given, "--", *words) if words else ("shell", *given)


def run_captured(argv: tuple[str, ...], path: str, report: Report, cancelled: Flag | None) -> int:
    """Run *argv*, a chroot-tool, as `Engine.run_captured` says."""
    code = programs.run(
        argv,
        env=dict(os.environ),
        on_line=lambda line: report(Output(path, line)),
        cancelled=cancelled,
    ).code
    return code if code >= 0 else 128 - code
