"""What verbs that switch a chroot on or off share: what is wanted of it, and a plan carried out."""

from __future__ import annotations

import os
import stat

from ...chroot import (
    CONFIG_DIRECTORY,
    MADE,
    has_system,
    is_administered,
    no_system,
    refuse_unfinished,
)
from ...config.bind import CHROOT_TOML, TOOL_CONF
from ...config.read import read_config
from ...errors import BusyError, ChrootError
from ...host.mount_points import RESOLV_CONF, host_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ...config.bind import Bind
    from ...config.merge import Config
    from ...events import Report
    from ...kernel.mount_table import MountTable
    from ...kernel.rootpath import Root
    from ...mounts.limits import Limits
    from ...plan import Plan


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


def limits_of(root: Root, config: Config) -> Limits | None:
    """Return what the administrator allows a chroot; see `mounts.limits`, which few hosts need."""
    if not is_administered():
        return None
    from ...mounts.limits import limits_of as ask

    return ask(root.path, config)


def is_program(root: Root, name: str) -> bool:
    """Tell whether `chroot.d/NAME` is an executable file."""
    there = root.stat(f"{CONFIG_DIRECTORY}/{name}")
    return there is not None and stat.S_ISREG(there.st_mode) and bool(there.st_mode & 0o111)


def carry_out(
    root: Root, plan: Plan, table: MountTable, report: Report, cancelled: Flag | None
) -> None:
    """Do a plan made of *table*; see `mounts.apply`, which a `run` rarely needs."""
    if plan:
        from ...mounts.apply import apply

        _tidy(root)
        apply(root, plan, table, report, cancelled)


def _tidy(root: Root) -> None:
    """Remove what kills have left in a chroot: of making it, editing it, and switching it on."""
    names = _sweep(root, CONFIG_DIRECTORY, TOOL_CONF, CHROOT_TOML)
    if CHROOT_TOML in names or is_administered():  # elsewhere nothing says that it be copied
        directory, _, name = RESOLV_CONF.rpartition("/")
        _sweep(root, directory, name)
    if root.stat(MADE, follow=False) is not None:
        from ...creating.unfinished import remove_marker

        remove_marker(root)


def _sweep(root: Root, directory: str, *names: str) -> list[str]:
    """Remove what writing *names* in a directory of the chroot has left; return what is in it.

    Where something is mounted it is not the chroot's, and may not answer: there nothing is asked.
    """
    from ...kernel.replace_file import sweep
    from ...kernel.syscalls import RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV, openat2

    stay = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS
    try:
        fd = openat2(root.fd, directory[1:], os.O_RDONLY | os.O_DIRECTORY, stay)
        try:
            return sweep(fd, *names)
        finally:
            os.close(fd)
    except OSError:
        return []  # what is left stands in nobody's way


def mount_or_tell(
    root: Root,
    plan: Plan,
    table: MountTable,
    report: Report,
    cancelled: Flag | None,
    points: Sequence[str] | None = None,
) -> None:
    """Do a plan made of *table*.

    Where something is in use, raise BusyError with who holds *points*, or any mount.
    """
    try:
        carry_out(root, plan, table, report, cancelled)
    except BusyError as error:
        from .in_use import holders_of

        raise BusyError(error.message, error.hint, holders_of(root, points)) from error
