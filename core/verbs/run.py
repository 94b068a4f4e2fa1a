"""`run`, and with other words `shell`, `start`, `stop` …: switched on, then a command inside."""

from __future__ import annotations

from ..chroot import is_incomplete, open_chroot
from ..events import ignore
from ..lock import Lock
from .on import plan_for
from .shared.switching import configuration, is_program, limits_of, mount_or_tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..events import Report
    from ..kernel.rootpath import Root


def run(
    path: str,
    words: tuple[str, ...],
    *,
    user: str = "",
    cwd: str = "",
    env: Mapping[str, str] | None = None,
    config_dir: str | None = None,
    caller: tuple[str, int] | None = None,
    report: Report = ignore,
) -> int:
    """As `Engine.run`."""
    with open_chroot(path) as root:
        if is_incomplete(root):
            Lock(root.path).close()  # raises LockedError where it is being made just now
        config = configuration(root, config_dir)
        limits = limits_of(root, config)
        if plan_for(root, config, limits)[0]:  # else a second `run` would wait for a first
            with Lock(root.path):
                plan, table = plan_for(root, config, limits)
                mount_or_tell(root, plan, table, ignore, None)
        code = run_host_command(root, words)
        if code:
            return code
        from ..entering.enter import run
        from ..entering.words_to_program import command

        user = user or config.run.user or default_user(root, caller, report)
        wanted = command(root, config.run, words, user=user, cwd=cwd, env=env or {})
        return run(root, wanted)


def default_user(root: Root, caller: tuple[str, int] | None, report: Report) -> str:
    """Return who *caller* is inside, "" for root; see `Engine.run`."""
    if caller is None:
        return ""
    from ..entering.caller import user_of

    return user_of(root, caller, report)


def run_host_command(root: Root, words: tuple[str, ...], **more: str) -> int:
    """Run `chroot.d/host-cmd` for *words*, where there is an executable one; return its exit code.

    *more* are variables for it. Raises PolicyError where it is not to be run, ChrootError.
    """
    if not words or not is_program(root, "host-cmd"):
        return 0
    from ..programs import passthrough
    from .shared.host_command import host_command

    command = host_command(root, words, **more)
    return passthrough(command.argv, env=command.env, keep=command.keep)
