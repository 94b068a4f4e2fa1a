"""`bind`, and the editor for binds: the entries of one chroot, changed without loss."""

from __future__ import annotations

from ..chroot import CONFIG_DIRECTORY, open_chroot
from ..config import edits
from ..config.bind import normalise_target
from ..config.merge import parse
from ..events import ignore
from ..host.mount_points import host_facts
from ..kernel.mount_table import MountTable
from ..lock import Lock
from ..looking import completion
from ..looking.status import ON, PARTIAL
from . import on
from .status import status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ..config.bind import Bind
    from ..config.edits import Change, Files, Saved
    from ..events import Report
    from ..plan import Plan


class LocalBinds:
    """The bind entries of the chroot at *path*: an `engine.Binds` on this machine."""

    def __init__(self, path: str) -> None:
        self.path = path

    def files(self) -> Files:
        """As `Binds.files`."""
        with open_chroot(self.path) as root:
            return edits.read(root)

    def difference(self, changes: Sequence[Change]) -> tuple[str, ...]:
        """As `Binds.difference`."""
        with open_chroot(self.path) as root:
            before = edits.read(root)
            return edits.difference(before, edits.changed(before, changes, root.path))

    def merged(self, changes: Sequence[Change]) -> tuple[Bind, ...]:
        """As `Binds.merged`."""
        with open_chroot(self.path) as root:
            after = edits.changed(edits.read(root), changes, root.path)
            where = root.path + CONFIG_DIRECTORY
            return parse(
                after.tool_conf, after.chroot_toml, where=where, conf_sh=False, host=host_facts()
            ).binds

    def change(self, change: Change) -> tuple[str, ...]:
        """As `Binds.change`."""
        with open_chroot(self.path) as root, Lock(root.path):
            before = edits.read(root)
            saved = edits.save(root, before, edits.changed(before, (change,), root.path))
            return tuple(root.path + name for name in saved.names)

    def save(self, changes: Sequence[Change], seen: Files) -> Saved:
        """As `Binds.save`."""
        with open_chroot(self.path) as root, Lock(root.path):
            return edits.save(root, seen, edits.changed(seen, changes, root.path))

    def undo(self, saved: Saved) -> Saved:
        """As `Binds.undo`."""
        with open_chroot(self.path) as root, Lock(root.path):
            return edits.save(root, saved.after, saved.before)

    def plan_sync(self, before: Sequence[Bind]) -> Plan:
        """As `Binds.plan_sync`."""
        return on.plan_sync(self.path, before)

    def sync(
        self, before: Sequence[Bind], *, report: Report = ignore, cancelled: Flag | None = None
    ) -> Plan:
        """As `Binds.sync`."""
        return on.sync(self.path, before, report=report, cancelled=cancelled)

    def complete_source(self, text: str) -> tuple[str, ...]:
        """As `Binds.complete_source`."""
        return completion.on_host(text)

    def complete_target(self, text: str) -> tuple[str, ...]:
        """As `Binds.complete_target`."""
        with open_chroot(self.path) as root:
            return completion.inside(root, text)

    def what_is_at(self, target: str) -> str:
        """As `Binds.what_is_at`."""
        with open_chroot(self.path) as root:
            return completion.inspect(root, target, MountTable.read())

    def mount_state(self, target: str) -> str:
        """As `Binds.mount_state`."""
        target = normalise_target(target)
        with open_chroot(self.path) as root:
            try:
                # One that is in the configuration has the target's name, any other the place's.
                places = (target, root.resolve(target))
            except OSError:
                return ""  # links that lead nowhere: nothing is mounted there
        found = status(self.path)
        states = [mount.state for mount in found.mounts if mount.target in places]
        return states[0] if states and found.state in (ON, PARTIAL) else ""
