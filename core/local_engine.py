"""The engine on this machine: the contract of engine.py, a verb of `core.verbs` for each method."""

from __future__ import annotations

from .events import ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event as Flag
    from typing import Any

    from . import verbs
    from .archives.archive import Packed
    from .archives.writing import Owner
    from .creating.options import CreateOptions
    from .creating.preferences import Habits
    from .diagnosis.finding import Finding
    from .diagnosis.subject import Subject
    from .engine_parts import Bases, Binds, Following, Sizes
    from .events import Report
    from .looking.status import ChrootStatus
    from .plan import Plan
    from .verbs import (  # noqa: F401 (as `verbs.on`)
        adopt,
        boot,
        clone,
        delete,
        export,
        files_and_ports,
        off,
        on,
        pack,
        rename,
        run,
        snapshot,
        status,
        trash,
        usage,
    )

_VERBS = {
    "status": ("status", "config", "scripts", "users", "package_runs"),
    "export": ("export",),
    "usage": ("usage",),
    "files_and_ports": ("open_files", "all_open_files", "listeners"),
    "on": ("plan_on", "on", "plan_switch_bind", "switch_bind"),
    "off": ("plan_off", "off", "holders"),
    "run": ("run",),
    "pack": ("unpack",),
    "delete": ("delete", "rests"),
    "clone": ("clone",),
    "rename": ("rename",),
    "boot": ("disable",),
    "adopt": ("plan_adopt", "adopt"),
    "trash": ("trash", "restore_trashed", "empty_trash"),
    "snapshot": ("snapshots", "take_snapshot", "restore_snapshot", "remove_snapshot"),
}
"""The functions that are methods as they stand, by their module in `core.verbs`."""
_HOMES = {name: module for module, names in _VERBS.items() for name in names}


class LocalEngine:
    """An `Engine` on the chroots of this machine."""

    def __init__(
        self,
        base: str,
        habits: Callable[[], Habits] | None = None,
        program: tuple[str, ...] = (),
        installed: Callable[[], tuple[str, ...]] | None = None,
        unasked: tuple[str, ...] = (),
        asks: Callable[[], bool] | None = None,
        who_asks: Callable[[], str] | None = None,
        owner: Callable[[], Owner | None] | None = None,
        for_caller: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """Work on the chroots under *base*; *habits* says how new ones are made, when asked.

        *program* starts chroot-tool (`command`), by default from where Python finds it;
        *installed* says what still will at the next boot, after an upgrade, too. *unasked* are its
        first words where it is to ask for no password, *asks* tells whether it would.
        *who_asks* names the user who does, by default whom this process is of. *owner* says whose
        archives are to be, where they are not to be that process's, and *for_caller* the first
        words of a chroot-tool that is to work for who asks, as this one does, in the background
        of whatever terminal there is.
        """
        self.base = base
        self._ask_habits = habits
        self._program = program
        self._installed = installed
        self._unasked = unasked
        self._asks = asks
        self._who_asks = who_asks
        self._owner = owner
        self._for_caller = for_caller

    def _habits(self) -> Habits:
        from .creating.preferences import Habits

        return self._ask_habits() if self._ask_habits else Habits()

    def base_at(self, path: str) -> str:
        """As `Engine.base_at`."""
        return self.base

    def locate(self, directory: str, *, new: bool = False) -> str:
        """As `Engine.locate`."""
        from . import chroot

        find = chroot.locate if new else chroot.locate_existing
        return find(directory, self.base)

    @staticmethod
    def complete(text: str) -> tuple[str, ...]:
        """As `Engine.complete`."""
        from .looking import path_completion

        return path_completion.on_host(text)

    def list(self) -> tuple[ChrootStatus, ...]:
        """As `Engine.list`."""
        from .verbs.status import statuses

        return statuses(self.base)

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

    def command(self, path: str, words: Sequence[str]) -> tuple[str, ...]:
        """As `Engine.command`."""
        import sys

        package = __name__.partition(".")[0]
        return (*(self._program or (sys.executable, "-P", "-m", package)), *words)

    def unasked(self, path: str, words: Sequence[str]) -> tuple[str, ...]:
        """As `Engine.unasked`."""
        return self.command(path, (*self._unasked, *words))

    def asks(self, path: str) -> bool:
        """As `Engine.asks`."""
        return self._asks is not None and self._asks()

    def who_asks(self, path: str) -> str:
        """As `Engine.who_asks`."""
        if self._who_asks is not None:
            return self._who_asks()
        import getpass

        return getpass.getuser()

    def enable(
        self,
        path: str,
        *,
        now: bool = False,
        report: Report = ignore,
        cancelled: Flag | None = None,
    ) -> bool:
        """As `Engine.enable`."""
        from .verbs.boot import enable

        program = (self._installed and self._installed()) or self.command(path, ())
        return enable(path, program, now=now, report=report, cancelled=cancelled)

    def set_tags(
        self, path: str, tags: Sequence[str], *, seen: Sequence[str] | None = None
    ) -> bool:
        """As `Engine.set_tags`."""
        from .verbs.tags import set_tags

        return set_tags(path, tags, seen=seen)

    def signal(self, path: str, pid: int, started: float, number: int) -> None:
        """As `Engine.signal`."""
        from .kernel.pidfd import send

        send(pid, started, number)

    def create_defaults(self, options: CreateOptions, at: str = "") -> CreateOptions:
        """As `Engine.create_defaults`."""
        from .creating.options import default_options

        return default_options(options, self._habits().backend)

    def plan_create(self, path: str, options: CreateOptions) -> tuple[str, ...]:
        """As `Engine.plan_create`."""
        from .verbs.create import plan_create

        if not options.source:
            options = self.create_defaults(options)
        return plan_create(path, options, self._habits().cache)

    def create(
        self,
        path: str,
        options: CreateOptions,
        *,
        report: Report = ignore,
        cancelled: Flag | None = None,
    ) -> None:
        """As `Engine.create`."""
        from .verbs.create import create

        habits = self._habits()
        if not options.source:
            options = options.replace(backend=options.backend or habits.backend)
        create(path, options, habits.cache, report=report, cancelled=cancelled)

    def bases(self, at: str = "") -> Bases:
        """As `Engine.bases`."""
        from .verbs.bases import LocalBases

        habits = self._habits()
        return LocalBases(habits.cache, habits.backend)

    def pack(self, path: str, output: str, **options: Any) -> Packed:
        """As `Engine.pack`."""
        from .verbs.pack import pack

        return pack(path, output, owner=self._owner and self._owner(), **options)

    def _subject(self, path: str) -> Subject:
        from .verbs.doctor import subject

        habits = self._habits()
        return subject(self.base, path, habits.backend, habits.cache)

    def diagnose(
        self, path: str = "", *, report: Report = ignore, cancelled: Flag | None = None
    ) -> tuple[Finding, ...]:
        """As `Engine.diagnose`."""
        from .verbs.doctor import diagnose

        return diagnose(self._subject(path), report, cancelled)

    def plan_mend(self, path: str = "") -> Plan:
        """As `Engine.plan_mend`."""
        from .verbs.doctor import plan_mend

        return plan_mend(self._subject(path))

    def mend(
        self, path: str = "", *, report: Report = ignore, cancelled: Flag | None = None
    ) -> Plan:
        """As `Engine.mend`."""
        from .verbs.doctor import mend

        return mend(self._subject(path), report, cancelled)

    def run_captured(
        self, path: str, words: tuple[str, ...], *, report: Report = ignore,
        cancelled: Flag | None = None, **options: Any,
    ) -> int:  # fmt: skip
        """As `Engine.run_captured`."""
        from .run_words import run_words
        from .verbs.run_captured import run_captured

        given = (*self._for_caller(), *run_words(path, words, **options))
        return run_captured(self.command(path, given), path, report, cancelled)

    @staticmethod
    def run_ephemeral(path: str, words: tuple[str, ...], **options: Any) -> int:
        """As `Engine.run_ephemeral`."""
        from .verbs.ephemeral import run_ephemeral  # which `run` has no need of

        return run_ephemeral(path, words, **options)

    if TYPE_CHECKING:
        status = staticmethod(verbs.status.status)
        config = staticmethod(verbs.status.config)
        scripts = staticmethod(verbs.status.scripts)
        users = staticmethod(verbs.status.users)
        package_runs = staticmethod(verbs.status.package_runs)
        export = staticmethod(verbs.export.export)
        usage = staticmethod(verbs.usage.usage)
        open_files = staticmethod(verbs.files_and_ports.open_files)
        all_open_files = staticmethod(verbs.files_and_ports.all_open_files)
        listeners = staticmethod(verbs.files_and_ports.listeners)
        plan_on = staticmethod(verbs.on.plan_on)
        on = staticmethod(verbs.on.on)
        plan_switch_bind = staticmethod(verbs.on.plan_switch_bind)
        switch_bind = staticmethod(verbs.on.switch_bind)
        plan_off = staticmethod(verbs.off.plan_off)
        off = staticmethod(verbs.off.off)
        holders = staticmethod(verbs.off.holders)
        run = staticmethod(verbs.run.run)
        unpack = staticmethod(verbs.pack.unpack)
        delete = staticmethod(verbs.delete.delete)
        rests = staticmethod(verbs.delete.rests)
        clone = staticmethod(verbs.clone.clone)
        rename = staticmethod(verbs.rename.rename)
        disable = staticmethod(verbs.boot.disable)
        plan_adopt = staticmethod(verbs.adopt.plan_adopt)
        adopt = staticmethod(verbs.adopt.adopt)
        trash = staticmethod(verbs.trash.trash)
        restore_trashed = staticmethod(verbs.trash.restore_trashed)
        empty_trash = staticmethod(verbs.trash.empty_trash)
        snapshots = staticmethod(verbs.snapshot.snapshots)
        take_snapshot = staticmethod(verbs.snapshot.take_snapshot)
        restore_snapshot = staticmethod(verbs.snapshot.restore_snapshot)
        remove_snapshot = staticmethod(verbs.snapshot.remove_snapshot)
    else:

        def __getattr__(self, name: str):
            """Return a verb. Its module is imported when it is asked for: `run` needs one."""
            if name not in _HOMES:
                raise AttributeError(name)
            home = __import__(f"{__package__}.verbs.{_HOMES[name]}", fromlist=(name,))
            return getattr(home, name)
