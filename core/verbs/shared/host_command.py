"""`chroot.d/host-cmd`, run on the host as root: only where root alone can have written it."""

from __future__ import annotations

import os

from ...config.host_cmd import where_to_run
from ...entering.words_to_program import split
from ...kernel.ownership import walk
from ...kernel.rootpath import Root
from ...value import Value


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
    inside = where_to_run(root)
    env = {**os.environ, "CHROOT_TOOL_DIR": root.path, **more}
    by_path = _is_at_its_path(root)
    program = f"{root.path if by_path else f'/proc/self/fd/{root.fd}'}{inside}"
    return HostCommand((program, *split(words)), env, () if by_path else (root.fd,))


def _is_at_its_path(root: Root) -> bool:
    """Tell whether the chroot's path leads to it, and nobody but root can change that."""
    with Root("/") as top, walk(top, root.path) as way:
        same = os.path.samestat(os.fstat(way.fd), os.fstat(root.fd))
        return same and not way.foreign and not way.rest
