"""`run` for one who has no terminal there: by a chroot-tool of its own, whose lines are told."""

from __future__ import annotations

import os

from .. import programs
from ..events import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..events import Report


def run_captured(argv: tuple[str, ...], path: str, report: Report, cancelled: Flag | None) -> int:
    """Run *argv*, a chroot-tool, as `Engine.run_captured` says."""
    code = programs.run(
        argv,
        env=dict(os.environ),
        on_line=lambda line: report(Output(path, line)),
        cancelled=cancelled,
    ).code
    return code if code >= 0 else 128 - code
