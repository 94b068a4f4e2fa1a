"""The engine on this machine: the contract of engine.py, a verb of `core.verbs` for each method."""

from __future__ import annotations

from . import chroot, verbs
from .verbs import clone, create, delete, off, on, rename, run, snapshot, status  # noqa: F401 (as `verbs.on`)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .engine import Binds, Following, Sizes
    from .looking.status import ChrootStatus


class LocalEngine:
    """An `Engine` on the chroots of this machine."""

    def __init__(self, base: str) -> None:
        self.base = base

    def locate(self, directory: str) -> str:
        """As `Engine.locate`."""
        return chroot.locate(directory, self.base)

    def list(self) -> tuple[ChrootStatus, ...]:
        """As `Engine.list`."""
        return verbs.status.statuses(self.base)

    def follow(self) -> Following:
        """As `Engine.follow`."""
        from .looking.watch import Watcher

        return Watcher(self.base)

    def sizes(self) -> Sizes:
        """As `Engine.sizes`."""
        from .trees.disk_size import SizeCache

        return SizeCache()

    def binds(self, path: str) -> Binds:
        """As `Engine.binds`."""
        from .verbs.binds import LocalBinds

        return LocalBinds(path)

    def signal(self, pid: int, started: float, number: int) -> None:
        """As `Engine.signal`."""
        from .kernel.pidfd import send

        send(pid, started, number)

    @staticmethod
    def run_ephemeral(path: str, words: tuple[str, ...], **options: Any) -> int:
        """As `Engine.run_ephemeral`."""
        from .verbs.ephemeral import run_ephemeral  # which `run` has no need of

        return run_ephemeral(path, words, **options)

    status = staticmethod(verbs.status.status)
    config = staticmethod(verbs.status.config)
    scripts = staticmethod(verbs.status.scripts)
    plan_on = staticmethod(verbs.on.plan_on)
    on = staticmethod(verbs.on.on)
    switch_bind = staticmethod(verbs.on.switch_bind)
    plan_off = staticmethod(verbs.off.plan_off)
    off = staticmethod(verbs.off.off)
    holders = staticmethod(verbs.off.holders)
    run = staticmethod(verbs.run.run)
    create_defaults = staticmethod(verbs.create.create_defaults)
    plan_create = staticmethod(verbs.create.plan_create)
    create = staticmethod(verbs.create.create)
    delete = staticmethod(verbs.delete.delete)
    clone = staticmethod(verbs.clone.clone)
    rename = staticmethod(verbs.rename.rename)
    snapshots = staticmethod(verbs.snapshot.snapshots_of)
    take_snapshot = staticmethod(verbs.snapshot.take_snapshot)
    restore_snapshot = staticmethod(verbs.snapshot.restore_snapshot)
    remove_snapshot = staticmethod(verbs.snapshot.remove_snapshot)
