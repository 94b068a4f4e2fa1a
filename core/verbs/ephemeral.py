"""`run -x`, `shell -x`, `update -x`: the same in a throw-away session, which may be kept."""

from __future__ import annotations

import os

from ..chroot import is_incomplete, open_chroot
from ..config.bind import SYSTEM
from ..errors import ChrootError, Problem
from ..events import Stage, Warned, ignore
from ..lock import Lock
from ..sessions.session import Session
from ..text import size as size_text
from .run import default_user, run_host_command
from .shared.switching import configuration, limits_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..config.bind import Bind
    from ..engine import Keeping
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
    keep: str = "",
    report: Report = ignore,
    keeping: Callable[[], Keeping] | None = None,
    again: Callable[[ChrootError], str] | None = None,
    caller: tuple[str, int] | None = None,
) -> int:
    """As `Engine.run_ephemeral`."""
    with open_chroot(path) as below:
        if keep:
            from .clone import check_place

            check_place(keep, below.path)
        if is_incomplete(below):
            Lock(below.path).close()  # raises LockedError where it is being made just now
        config = configuration(below, config_dir)
        limits = limits_of(below, config)
        if limits:
            from .shared.refusing import refuse_wanted

            refuse_wanted(below, config.binds, limits)
        code = run_host_command(below, words, CHROOT_TOOL_EPHEMERAL="1")
        if code:
            return code
        session = Session(below, config.binds, size, limits, is_kept=bool(keep))
    with session:
        from ..entering.enter import run
        from ..entering.words_to_program import command

        root = session.root
        member = session.member()
        _mind_binds(root, config.binds, report)
        prompt = {"debian_chroot": f"{os.path.basename(root.path)} -x"}  # bash.bashrc has it
        more = {**prompt, **dict(config.run.env), **(env or {})}
        user = user or config.run.user or default_user(root, caller, report)
        wanted = command(root, config.run, words, user=user, cwd=cwd, env=more)
        code = run(root, wanted, member)
        _mind_full(root, report)
        session.end(lambda: report(Stage(root.path, "ending what was left running")))
        if keep:
            _keep(session.view, root.path, keep, keeping, again)
    return code


def _keep(
    view: int,
    below: str,
    new: str,
    keeping: Callable[[], Keeping] | None,
    again: Callable[[ChrootError], str] | None,
) -> None:
    """Make a chroot of the session, or of what *again* answers where that fails."""
    from contextlib import nullcontext

    from ..kernel.rootpath import Root
    from .clone import copy_to

    with Root(f"/proc/self/fd/{view}") as root:
        root.path = below
        while True:
            try:
                with keeping() if keeping else nullcontext((ignore, None)) as (report, cancelled):
                    copy_to(new, root, is_view=True, report=report, cancelled=cancelled)
                    return
            except ChrootError as error:
                new = again(error) if again else ""
                if not new:
                    raise


def _mind_binds(root: Root, binds: Iterable[Bind], report: Report) -> None:
    """Say what is not thrown away to somebody at a terminal, who may well try what rm -rf does."""
    if not (os.isatty(0) and os.isatty(1)):
        return
    ours = [
        bind.target
        for bind in binds
        if bind.fs == "bind" and bind.origin != SYSTEM and not (bind.ignored or bind.read_only)
        if root.stat(bind.target)
    ]
    if ours:
        problem = Problem(
            f"what is changed in {', '.join(ours)} is changed on the host, for good",
            "it is bound from there; chroot.toml makes a bind read-only",
        )
        report(Warned(root.path, problem))


def _mind_full(root: Root, report: Report) -> None:
    """Say so where there was no room left: what failed for it has hardly said where to get more."""
    there = os.fstatvfs(root.fd)
    if there.f_bavail and there.f_favail:
        return
    had = size_text(there.f_blocks * there.f_frsize)
    problem = Problem(
        f"the session was full: it had {had} of memory to write to", "--size SIZE gives it more"
    )
    report(Warned(root.path, problem))
