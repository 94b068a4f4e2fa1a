"""`bind`, and the editor for binds: the entries of one chroot, changed without loss."""

from __future__ import annotations

from ..chroot import CONFIG_DIRECTORY, open_chroot
from ..config import edits
from ..config.administration import rules_for
from ..config.bind import normalise_target
from ..config.home import home_of
from ..config.merge import parse
from ..errors import PolicyError
from ..events import ignore
from ..host.mount_points import host_facts
from ..kernel.mount_table import MountTable
from ..lock import Lock
from ..looking import path_completion
from ..looking.status import ON, PARTIAL
from ..mounts.limits import Limits
from . import on
from .shared.refusing import refuse_beyond
from .status import status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event as Flag

    from ..config.bind import Bind
    from ..config.edits import Change, Files, Saved
    from ..config.home import Home
    from ..errors import Problem
    from ..events import Report
    from ..kernel.rootpath import Root
    from ..plan import Plan


class LocalBinds:
    """The bind entries of the chroot at *path*: a `Binds` (engine_parts.py) on this machine."""

    def __init__(self, path: str) -> None:
        self.path = path

    def files(self) -> Files:
        """As `Binds.files`."""
        with open_chroot(self.path) as root, home_of(root) as home:
            return edits.read(home)

    def difference(self, changes: Sequence[Change]) -> tuple[str, ...]:
        """As `Binds.difference`."""
        with open_chroot(self.path) as root, home_of(root) as home:
            before = edits.read(home)
            return edits.difference(before, _changed(root, home, before, changes))

    def merged(self, changes: Sequence[Change]) -> tuple[Bind, ...]:
        """As `Binds.merged`."""
        with open_chroot(self.path) as root, home_of(root) as home:
            after = _changed(root, home, edits.read(home), changes)
            return parse(
                after.tool_conf, after.chroot_toml, where=root.path + CONFIG_DIRECTORY,
                conf_sh=False, host=host_facts(), names=home.paths if home.outside else None,
            ).binds  # fmt: skip

    def refusal(self, bind: Bind) -> Problem | None:
        """As `Binds.refusal`."""
        try:
            with open_chroot(self.path) as root, home_of(root) as home:
                _refuse(root, home, (bind,))
        except PolicyError as error:
            return error.problems[0]
        return None

    def change(self, change: Change) -> tuple[str, ...]:
        """As `Binds.change`."""
        with open_chroot(self.path) as root, Lock(root.path), home_of(root) as home:
            before = edits.read(home)
            saved = edits.save(home, before, _changed(root, home, before, (change,)))
            return tuple(home.prefix + name for name in saved.names)

    def save(self, changes: Sequence[Change], seen: Files) -> Saved:
        """As `Binds.save`."""
        with open_chroot(self.path) as root, Lock(root.path), home_of(root) as home:
            return edits.save(home, seen, _changed(root, home, seen, changes))

    def undo(self, saved: Saved) -> Saved:
        """As `Binds.undo`."""
        with open_chroot(self.path) as root, Lock(root.path), home_of(root) as home:
            return edits.save(home, saved.after, saved.before)

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
        return path_completion.on_host(text)

    def complete_target(self, text: str) -> tuple[str, ...]:
        """As `Binds.complete_target`."""
        with open_chroot(self.path) as root:
            return path_completion.inside(root, text)

    def what_is_missing(self, source: str) -> str:
        """As `Binds.what_is_missing`."""
        return path_completion.missing(source)

    def what_is_at(self, target: str) -> str:
        """As `Binds.what_is_at`."""
        with open_chroot(self.path) as root:
            return path_completion.inspect(root, target, MountTable.read())

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


def _changed(root: Root, home: Home, before: Files, changes: Sequence[Change]) -> Files:
    """Return the files after *changes*. Raises PolicyError for what they must not ask for.

    What they ask for already can be taken out, whatever is allowed.
    """
    after = edits.changed(before, changes, home.prefix)
    listed = set(_entries(before, home))
    _refuse(root, home, [bind for bind in _entries(after, home) if bind not in listed])
    return after


def _entries(files: Files, home: Home) -> list[Bind]:
    """Return the entries wherever they stand: an edit moves those below it."""
    return [bind.replace(line=0) for bind in edits.entries(files, home.prefix)]


def _refuse(root: Root, home: Home, binds: Sequence[Bind]) -> None:
    """Raise PolicyError where one of *binds* is not allowed in this chroot."""
    wanted = [bind.replace(line=0) for bind in binds if not bind.ignored]
    rules = rules_for(root.path) if wanted else None
    if rules:
        refuse_beyond(Limits(rules, home.paths), wanted)
