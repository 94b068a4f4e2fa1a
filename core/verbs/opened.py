"""What verbs do with a chroot that they have opened: its configuration, its plan, its holders."""

from __future__ import annotations

import os
import stat

from ..chroot import (
    CONFIG_DIRECTORY,
    has_system,
    is_administered,
    is_incomplete,
    no_system,
    unfinished,
)
from ..config.read import read_config
from ..errors import BusyError, ChrootError
from ..host.mount_points import host_facts
from ..kernel.mount_table import MountTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ..config.bind import Bind
    from ..config.merge import Config
    from ..events import Report
    from ..kernel.rootpath import Root
    from ..mounts.steps import Limits
    from ..plan import Plan
    from ..process import Holder


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
    """Return what the administrator allows a chroot, None where there is no policy.

    Raises PolicyError where that can't be known: then nothing is to be mounted.
    """
    if not is_administered():
        return None
    from ..config.administration import rules_for
    from ..mounts.steps import Limits

    rules = rules_for(root.path)
    return Limits(rules, config.files) if rules else None


def refuse_unfinished(root: Root) -> None:
    """Raise ChrootError where a create, a clone or a delete of it was begun and not finished."""
    if is_incomplete(root):
        problem = unfinished(root)
        raise ChrootError(f"{root.path} is incomplete: {problem.message}", problem.hint)


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
        raise BusyError(error.message, error.hint, holders_of(root, points)) from error


def holders_of(root: Root, points: Sequence[str] | None = None) -> tuple[Holder, ...]:
    """Return who lives in a chroot or holds a mount below it, or one of the mounts at *points*."""
    from ..processes.holders import holders

    status = os.fstat(root.fd)
    found = holders(root.path, (status.st_dev, status.st_ino), points)
    return tuple(holder for holder in found if holder.blocks)


def lives_inside(root: Root) -> bool:
    """Tell whether a process has its root here: a pass over /proc that takes 5 µs for each."""
    from ..processes.residents import pids_by_root

    status = os.fstat(root.fd)
    return any(pids_by_root({root.path: (status.st_dev, status.st_ino)}).values())


def is_used(root: Root) -> bool:
    """Tell whether programs may be writing in a chroot: it is on, or somebody lives inside."""
    return bool(MountTable.read().below(root.path)) or lives_inside(root)


def refuse_in_use(root: Root, to_be: str) -> None:
    """Raise BusyError with who holds it where a chroot is on or somebody lives in it.

    *to_be* says what can't be done then (`renamed`). Raises ChrootError where it is a mount point.
    """
    from ..text import processes

    refuse_sessions(root)
    table = MountTable.read()
    if table.at(root.path):
        raise ChrootError(
            f"{root.path} is itself a mount point: it can't be {to_be}",
            "mount it elsewhere, or clone it to a place that is none",
        )
    mounted = table.below(root.path)
    found = holders_of(root) if mounted or lives_inside(root) else ()
    if mounted:
        raise BusyError(
            f"{root.path} can't be {to_be} while it is on",
            f"chroot-tool off -d {root.path}, first",
            found,
        )
    if found:
        raise BusyError(
            f"{root.path} is in use by {processes(len(found))}",
            f"end them: chroot-tool off --kill -d {root.path}",
            found,
        )


def refuse_sessions(root: Root) -> None:
    """Refuse to take the ground away from a session, which holds what is nowhere else.

    Raises BusyError.
    """
    from ..sessions.session_locks import marked_by

    pid = marked_by(root.fd)
    if pid:
        who = f" (process {pid})" if pid > 0 else ""
        raise BusyError(
            f"a throw-away session works on {root.path}{who}", "end it first: leave it, or kill it"
        )
