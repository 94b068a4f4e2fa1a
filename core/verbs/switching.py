"""What verbs that switch a chroot on or off share: what is wanted of it, and a plan carried out."""

from __future__ import annotations

import stat

from ..chroot import CONFIG_DIRECTORY, has_system, no_system, refuse_unfinished
from ..config.read import read_config
from ..errors import BusyError, ChrootError
from ..host.mount_points import host_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ..config.bind import Bind
    from ..config.merge import Config
    from ..events import Report
    from ..kernel.rootpath import Root
    from ..plan import Plan


def configuration(
    root: Root, config_dir: str | None = None, extra: tuple[Bind, ...] = ()
) -> Config:
    """Return what is wanted of a chroot that can be worked in; see `config.read`.

    Raises ChrootError where it is incomplete or no system, ConfigError.
    """
    refuse_unfinished(root)
    if not has_system(root):
        problem = no_system(root)
        raise ChrootError(problem.message, problem.hint)
    return read_config(root, host_facts(), config_dir=config_dir, extra=extra)


def is_program(root: Root, name: str) -> bool:
    """Tell whether `chroot.d/NAME` is an executable file."""
    there = root.stat(f"{CONFIG_DIRECTORY}/{name}")
    return there is not None and stat.S_ISREG(there.st_mode) and bool(there.st_mode & 0o111)


def carry_out(root: Root, plan: Plan, report: Report, cancelled: Flag | None) -> None:
    """Do a plan; see `mounts.apply`, which a `run` that finds everything on never needs."""
    if plan:
        from ..mounts.apply import apply

        apply(root, plan, report, cancelled)


def mount_or_tell(
    root: Root,
    plan: Plan,
    report: Report,
    cancelled: Flag | None,
    points: Sequence[str] | None = None,
) -> None:
    """Do a plan; where something is in use, raise BusyError with who holds *points*, or any."""
    try:
        carry_out(root, plan, report, cancelled)
    except BusyError as error:
        from .in_use import holders_of

        raise BusyError(error.message, error.hint, holders_of(root, points)) from error
