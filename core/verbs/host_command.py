"""`chroot.d/host-cmd`, run on the host as root: only where root alone can have written it."""

from __future__ import annotations

import os

from ..chroot import CONFIG_DIRECTORY
from ..config.administration import rules_for
from ..entering.command import split
from ..errors import PolicyError, Problem
from ..kernel.ownership import walk
from ..kernel.rootpath import Root
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config.policy import Rules

HOST_CMD = "host-cmd"


class HostCommand(Value):
    """How it is run."""

    argv: tuple[str, ...]
    env: dict[str, str]
    """The caller's environment, and which chroot it is for."""
    keep: tuple[int, ...]
    """Descriptors that it must inherit, to be found by them."""


def host_command(root: Root, words: tuple[str, ...], **more: str) -> HostCommand:
    """Return how to run `chroot.d/host-cmd` for *words*, with *more* variables.

    Where others can write above the chroot, its path could lead to another one by the time it is
    run: then it is found by the descriptor of this one. Raises PolicyError where it is not to be
    run, UsageError.
    """
    _refuse(rules_for(root.path), f"{root.path}{CONFIG_DIRECTORY}/{HOST_CMD}")
    inside = _roots_own(root)
    env = {**os.environ, "CHROOT_TOOL_DIR": root.path, **more}
    by_path = _is_at_its_path(root)
    program = f"{root.path if by_path else f'/proc/self/fd/{root.fd}'}{inside}"
    return HostCommand((program, *split(words)), env, () if by_path else (root.fd,))


def _refuse(rules: Rules | None, path: str) -> None:
    if rules is None or rules.allow_host_cmd:
        return
    if rules.allow_host_cmd is None:
        about = rules.about_sources
        if about is None:
            return
        said, line = f"{about.value}, and no allow_host_cmd = true", about.line
    else:
        said, line = "allow_host_cmd = false", rules.host_cmd_line
    raise PolicyError(
        [Problem(f"{path} is not to be run: {rules.file}:{line}: {said}", "move it away")]
    )


def _roots_own(root: Root) -> str:
    """Return where it is inside, no link on the way. Raises PolicyError where others can write."""
    with walk(root, f"{CONFIG_DIRECTORY}/{HOST_CMD}") as way:
        if way.foreign:
            what = f"{root.path}{CONFIG_DIRECTORY}/{HOST_CMD} is not run on the host: "
            raise PolicyError(
                [Problem(f"{what}{way.foreign.path} {way.foreign.why}", way.foreign.mend)]
            )
        return "/".join([way.path, *way.rest])


def _is_at_its_path(root: Root) -> bool:
    """Tell whether the chroot's path leads to it, and nobody but root can change that."""
    with Root("/") as top, walk(top, root.path) as way:
        same = os.path.samestat(os.fstat(way.fd), os.fstat(root.fd))
        return same and not way.foreign and not way.rest
