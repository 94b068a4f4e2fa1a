"""`run -x`, `shell -x`, `update -x`: the same in a throw-away session."""

from __future__ import annotations

import os

from ..chroot import is_incomplete, open_chroot
from ..errors import Problem
from ..events import Stage, Warned, ignore
from ..lock import Lock
from ..text import size as size_text
from ..sessions.session import Session
from .opened import configuration
from .run import host_command, host_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..events import Report
    from ..kernel.rootpath import Root


def run_ephemeral(
    path: str,
    words: tuple[str, ...],
    *,
    user: str = "",
    cwd: str = "",
    env: Mapping[str, str] | None = None,
    config_dir: str | None = None,
    size: str = "",
    report: Report = ignore,
) -> int:
    """As `Engine.run_ephemeral`."""
    with open_chroot(path) as below:
        if is_incomplete(below):
            Lock(below.path).close()  # raises LockedError where it is being made just now
        config = configuration(below, config_dir)
        argv = host_command(below, words)
        if argv:
            from ..programs import passthrough

            code = passthrough(argv, env={**host_environment(below), "CHROOT_TOOL_EPHEMERAL": "1"})
            if code:
                return code
        physical = below.path
        session = Session(below, config.binds, size)
    with session:
        from ..entering.command import command  # while the session is being made
        from ..entering.enter import run

        with session.wait() as root:
            wanted = command(root, config.run, words, user=user, cwd=cwd, env=env or {})
            code = run(root, wanted, session.member)
            _mind_full(root, report)
        session.end(lambda: report(Stage(physical, "ending what was left running")))
    return code


def _mind_full(root: Root, report: Report) -> None:
    """Say so where there was no room left: what failed for it has hardly said where to get more."""
    there = os.fstatvfs(root.fd)
    if there.f_bavail and there.f_favail:
        return
    size = size_text(there.f_blocks * there.f_frsize)
    problem = Problem(
        f"the session was full: it had {size} of memory to write to", "--size SIZE gives it more"
    )
    report(Warned(root.path, problem))
