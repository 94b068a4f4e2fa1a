"""`run`, and with other words `shell`, `start`, `stop` …: switched on, then a command inside."""

from __future__ import annotations

import os

from ..chroot import CONFIG_DIRECTORY, is_incomplete, open_chroot
from ..events import ignore
from ..lock import Lock
from .on import plan_for
from .switching import configuration, is_program, mount_or_tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kernel.rootpath import Root


def run(
    path: str,
    words: tuple[str, ...],
    *,
    user: str = "",
    cwd: str = "",
    env: Mapping[str, str] | None = None,
    config_dir: str | None = None,
) -> int:
    """As `Engine.run`."""
    with open_chroot(path) as root:
        if is_incomplete(root):
            Lock(root.path).close()  # raises LockedError where it is being made just now
        config = configuration(root, config_dir)
        if plan_for(root, config):  # else a second `run` would wait for a first
            with Lock(root.path):
                mount_or_tell(root, plan_for(root, config), ignore, None)
        argv = host_command(root, words)
        if argv:
            from ..programs import passthrough

            code = passthrough(argv, env=host_environment(root))
            if code:
                return code
        from ..entering.command import command
        from ..entering.enter import run

        wanted = command(root, config.run, words, user=user, cwd=cwd, env=env or {})
        return run(root, wanted)


def host_command(root: Root, words: tuple[str, ...]) -> list[str]:
    """Return how to run `chroot.d/host-cmd` for *words*; empty where there is no executable one."""
    if not words or not is_program(root, "host-cmd"):
        return []
    from ..entering.command import split

    return [root.path + root.resolve(f"{CONFIG_DIRECTORY}/host-cmd"), *split(words)]


def host_environment(root: Root) -> dict[str, str]:
    """Return the environment of `chroot.d/host-cmd`: the caller's, and which chroot it is for."""
    return {**os.environ, "CHROOT_TOOL_DIR": root.path}
