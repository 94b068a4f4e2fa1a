"""`on`, and all else that mounts: one bind by itself, and following an edited configuration."""

from __future__ import annotations

from ..chroot import open_chroot
from ..errors import ChrootError
from ..events import ignore
from ..lock import Lock
from ..mounts.observe import Observer
from ..mounts.plan import plan_on as plan_all
from ..mounts.plan import plan_sync as plan_changes
from ..mounts.plan import unmount_at
from .shared.switching import configuration, limits_of, mount_or_tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ..config.bind import Bind
    from ..config.merge import Config
    from ..events import Report
    from ..kernel.mount_table import MountTable
    from ..kernel.rootpath import Root
    from ..mounts.limits import Limits
    from ..plan import Plan


def plan_on(path: str, *, config_dir: str | None = None, extra: tuple[Bind, ...] = ()) -> Plan:
    """As `Engine.plan_on`."""
    with open_chroot(path) as root:
        config = configuration(root, config_dir, extra)
        return plan_for(root, config, limits_of(root, config))[0]


def on(
    path: str,
    *,
    config_dir: str | None = None,
    extra: tuple[Bind, ...] = (),
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> Plan:
    """As `Engine.on`."""
    with open_chroot(path) as root, Lock(root.path):
        config = configuration(root, config_dir, extra)
        plan, table = plan_for(root, config, limits_of(root, config))
        mount_or_tell(root, plan, table, report, cancelled)
        return plan


def plan_for(root: Root, config: Config, limits: Limits | None) -> tuple[Plan, MountTable]:
    """Plan to bring the mounts of *root* to what *config* says; beside it what it was made of.

    Raises PolicyError where that goes beyond *limits*.
    """
    observer = Observer()
    wanted = observer.wanted(root, config.binds, limits)
    return plan_all(wanted, observer.table, root.path, observer.host_pts), observer.table


def plan_switch_bind(path: str, target: str, *, on: bool) -> Plan:
    """As `Engine.plan_switch_bind`."""
    with open_chroot(path) as root:
        return _plan_one(root, configuration(root), target, on=on)[0]


def switch_bind(
    path: str,
    target: str,
    *,
    on: bool,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> Plan:
    """As `Engine.switch_bind`."""
    with open_chroot(path) as root, Lock(root.path):
        plan, table = _plan_one(root, configuration(root), target, on=on)
        mount_or_tell(root, plan, table, report, cancelled, _points(root, plan))
        return plan


def _plan_one(root: Root, config: Config, target: str, *, on: bool) -> tuple[Plan, MountTable]:
    """Plan to mount or unmount one target; a foreign mount can only be unmounted."""
    observer = Observer()
    wanted = observer.wanted(root, config.binds, limits_of(root, config) if on else None)
    one = next((w for w in wanted if target in (w.bind.target, w.target)), None)
    if not on:
        plan = unmount_at(observer.table, root.path, one.target if one else target)
        return plan, observer.table
    if one is None or not one.active:
        raise ChrootError(f"nothing is configured to be mounted at {target}", "edit its binds")
    return plan_all((one,), observer.table, root.path, observer.host_pts), observer.table


def plan_sync(path: str, before: Sequence[Bind]) -> Plan:
    """As `Binds.plan_sync`."""
    with open_chroot(path) as root:
        return _plan_sync(root, before)[0]


def sync(
    path: str,
    before: Sequence[Bind],
    *,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> Plan:
    """As `Binds.sync`."""
    with open_chroot(path) as root, Lock(root.path):
        plan, table = _plan_sync(root, before)
        mount_or_tell(root, plan, table, report, cancelled, _points(root, plan))
        return plan


def _plan_sync(root: Root, before: Sequence[Bind]) -> tuple[Plan, MountTable]:
    observer = Observer()
    config = configuration(root)
    plan = plan_changes(
        observer.wanted(root, config.binds, limits_of(root, config)),
        observer.wanted(root, before),
        observer.table,
        root.path,
        observer.host_pts,
    )
    return plan, observer.table


def _points(root: Root, plan: Plan) -> list[str]:
    return [root.path + step.target for step in plan.steps]
