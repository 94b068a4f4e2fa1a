"""Looking: the status of one chroot or of many, its configuration, the words it answers."""

from __future__ import annotations

import os

from ..chroot import CONFIG_DIRECTORY, Chroot, find, open_chroot
from ..kernel.mount_table import MountTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.merge import Config
    from ..looking.package_log import PackageRun
    from ..looking.status import ChrootStatus


def statuses(base: str) -> tuple[ChrootStatus, ...]:
    """As `Engine.list`."""
    table = MountTable.read()
    return _look(find(base, table), table)


def status(path: str) -> ChrootStatus:
    """As `Engine.status`."""
    with open_chroot(path) as root:
        physical = root.path
    return _look((Chroot(os.path.basename(physical), physical),), MountTable.read())[0]


def _look(chroots: Sequence[Chroot], table: MountTable) -> tuple[ChrootStatus, ...]:
    from ..looking.status_reader import read_statuses
    from ..processes.residents import Sampler

    return read_statuses(chroots, table, Sampler())


def config(path: str, *, config_dir: str | None = None) -> Config:
    """As `Engine.config`."""
    from ..config.read import read_config
    from ..host.mount_points import host_facts

    with open_chroot(path) as root:
        return read_config(root, host_facts(), config_dir=config_dir)


def scripts(path: str) -> tuple[str, ...]:
    """As `Engine.scripts`."""
    from .shared.switching import is_program

    with open_chroot(path) as root:
        try:
            fd = root.open(CONFIG_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return ()
        try:
            names = sorted(os.listdir(fd))
        finally:
            os.close(fd)
        hidden = ("chroot-cmd", "host-cmd")
        return tuple(n for n in names if n not in hidden and is_program(root, n))


def users(path: str) -> tuple[str, ...]:
    """As `Engine.users`."""
    from ..entering.users import names

    with open_chroot(path) as root:
        return names(root)


def package_runs(path: str) -> tuple[PackageRun, ...]:
    """As `Engine.package_runs`."""
    from ..looking.package_log import package_runs as read

    with open_chroot(path) as root:
        return read(root)
