"""For tests of the whole UI: an engine that records, threads that post what the test wants."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from unittest import mock

import pytest
from textual.message import Message
from textual.notifications import Notification, Notifications
from textual.pilot import Pilot
from textual.screen import Screen

from chroot_tool.app.settings.file import Settings
from chroot_tool.app.tui.app import ChrootApp
from chroot_tool.app.tui.threads.messages import Counted, Seen
from chroot_tool.app.tui.threads.watch_threads import Counting, Watching, WatchThread
from chroot_tool.core.archives.archive import Packed, Unpacked
from chroot_tool.core.creating.bases.store import Base
from chroot_tool.core.creating.options import CreateOptions
from chroot_tool.core.diagnosis.finding import Finding, Found
from chroot_tool.core.engine import Engine
from chroot_tool.core.engine_parts import Outlook
from chroot_tool.core.errors import Cancelled
from chroot_tool.core.events import Event, ignore
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking.package_log import PackageRun
from chroot_tool.core.looking.snapshot import Snapshot
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.plan import Plan
from chroot_tool.core.process import Listener, OpenFile
from chroot_tool.core.remote.machines import Machines
from chroot_tool.core.remote.remote_engine import RemoteEngine
from chroot_tool.core.trees.duplicate import Cloned
from chroot_tool.core.trees.snapshots import TreeSnapshot
from chroot_tool.core.trees.trash import Trashed
from chroot_tool.core.trees.usage import Usage
from chroot_tool.core.verbs.bases import LocalBases
from chroot_tool.widgets.dialogs.machines import MachineTable
from support import PATIENCE, Looks
from support.key_presses import press_key
from support.samples import BASE, clock
from support.screen import screen_text, unbroken

Report = Callable[[Event], None]
D = TypeVar("D", bound=Screen[Any])

DEADLINE = PATIENCE

if TYPE_CHECKING:
    from chroot_tool.app.tui.threads.watch_threads import Post


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Let the app run until *condition* holds; fail where it never does."""
    end = time.monotonic() + DEADLINE
    looks = Looks()
    while not looks.at(condition):
        assert time.monotonic() < end, f"it never came. On the screen:\n{screen_text(pilot.app)}"
        await asyncio.sleep(looks.pause)
    await pilot.pause()  # what holds may not be laid out yet


def no_hosts(name: str) -> RemoteEngine:
    """Open no other machine: for an app that has none."""
    raise AssertionError(name)


class KnownBases(LocalBases):
    """Bases that are nowhere."""

    def __init__(self, kept: tuple[Base, ...]) -> None:
        self._kept = kept

    def list(self) -> tuple[Base, ...]:
        return self._kept

    def outlook(self, options: CreateOptions) -> Outlook:
        base = next((one for one in self._kept if one.key.suite == options.suite), None)
        return Outlook(base, "" if base else "there is no base yet")


class RecordingEngine(LocalEngine):
    """Does nothing but remember what it was asked for; every call can be made to fail or wait."""

    def __init__(self, base: str = BASE) -> None:
        super().__init__(base)
        self.calls: list[tuple[Any, ...]] = []
        self.errors: dict[str, list[BaseException]] = {}
        """What the next calls of a method raise, one after the other."""
        self.kept: tuple[Base, ...] = ()
        """The bases that there are."""
        self.snapshots_of: dict[str, tuple[TreeSnapshot, ...]] = {}
        """The snapshots of each chroot."""
        self.thrown: tuple[Trashed, ...] = ()
        """What is in the trash."""
        self.takes: dict[str, tuple[Usage, ...]] = {}
        """What is in each folder of any chroot."""
        self.runs: dict[str, tuple[PackageRun, ...]] = {}
        """What apt and dpkg did in each chroot."""
        self.ports: dict[str, tuple[Listener, ...]] = {}
        """Where each chroot listens."""
        self.looked: list[str] = []
        """The chroots of which that was asked."""
        self.opened: dict[int, tuple[OpenFile, ...]] = {}
        """What each process has open."""
        self.findings: dict[str, tuple[Finding, ...]] = {}
        """What the doctor finds of each chroot, and of the host ("")."""
        self.mends: dict[str, Plan] = {}
        """What of it can be mended."""
        self.plans: dict[str, Plan] = {}
        """What switching each mount would do."""
        self.gates: dict[str, threading.Event] = {}
        """A method waits until its gate is open, or it is cancelled."""
        self.reports: dict[str, tuple[Any, ...]] = {}
        """Events that a method reports before it waits."""

    def fail(self, method: str, *errors: BaseException) -> None:
        self.errors.setdefault(method, []).extend(errors)

    def hold(self, method: str) -> threading.Event:
        return self.gates.setdefault(method, threading.Event())

    def let_go(self) -> None:
        for gate in self.gates.values():
            gate.set()

    def called(self, method: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == method]

    def _record(
        self, method: str, *facts: object, report: Report = ignore,
        cancelled: threading.Event | None = None,
    ) -> None:  # fmt: skip
        self.calls.append((method, *facts))
        for event in self.reports.get(method, ()):
            report(event)
        gate = self.gates.get(method)
        while gate is not None and not gate.wait(0.01):
            if cancelled is not None and cancelled.is_set():
                raise Cancelled("stopped by you")
        if self.errors.get(method):
            raise self.errors[method].pop(0)

    def package_runs(self, path: str) -> tuple[PackageRun, ...]:
        self._record("package_runs", path)
        return self.runs.get(path, ())

    def usage(
        self, path: str, folder: str = "", *, report: Report = ignore,
        cancelled: threading.Event | None = None,
    ) -> tuple[Usage, ...]:  # fmt: skip
        self._record("usage", path, folder, report=report, cancelled=cancelled)
        return self.takes.get(folder, ())

    def listeners(self, path: str) -> tuple[Listener, ...]:
        self.looked.append(path)
        return self.ports.get(path, ())

    def open_files(self, path: str, pid: int) -> tuple[OpenFile, ...]:
        self._record("open_files", path, pid)
        return self.opened.get(pid, ())

    def users(self, path: str) -> tuple[str, ...]:
        return "root", "daemon", "dev"

    def scripts(self, path: str) -> tuple[str, ...]:
        self._record("scripts", path)
        return ("start", "stop")

    def on(self, path: str, **options: Any) -> Plan:
        self._record("on", path, report=options["report"], cancelled=options["cancelled"])
        return Plan(())

    def off(self, path: str, *, stop: bool = True, kill: bool = False, **options: Any) -> Plan:
        self._record(
            "off", path, stop, kill, report=options["report"], cancelled=options["cancelled"]
        )
        return Plan(())

    def plan_switch_bind(self, path: str, target: str, *, on: bool) -> Plan:
        self._record("plan_switch_bind", path, target, on)
        return self.plans.get(target, Plan())

    def switch_bind(self, path: str, target: str, *, on: bool, **options: Any) -> Plan:
        self._record("switch_bind", path, target, on)
        return Plan(())

    def create(
        self, path: str, options: CreateOptions, *, report: Report = ignore,
        cancelled: threading.Event | None = None,
    ) -> None:  # fmt: skip
        self._record("create", path, options, report=report, cancelled=cancelled)

    def delete(
        self, path: str, *, timeout: float = 10.0, trash: float = 0.0, report: Report = ignore,
        cancelled: threading.Event | None = None,
    ) -> str:  # fmt: skip
        self._record(
            "delete", path, *((trash,) if trash else ()), report=report, cancelled=cancelled
        )
        return f"{os.path.basename(path)}-1" if trash else ""

    def trash(
        self, at: str, *, sizes: bool = False, cancelled: threading.Event | None = None
    ) -> tuple[Trashed, ...]:
        self._record("trash", at, sizes)
        return self.thrown

    def restore_trashed(self, path: str, ident: str = "", *, report: Report = ignore) -> str:
        self._record("restore_trashed", path, ident, report=report)
        return path

    def empty_trash(
        self, at: str, idents: Sequence[str] | None = None, *, report: Report = ignore,
        cancelled: threading.Event | None = None,
    ) -> tuple[str, ...]:  # fmt: skip
        self._record("empty_trash", at, idents, report=report, cancelled=cancelled)
        return tuple(idents or ())

    def clone(self, path: str, new: str, *, exact: bool = False, **job: Any) -> Cloned:
        self._record("clone", path, new, exact, **job)
        return Cloned(new, "copy", 9, 9)

    def pack(self, path: str, output: str, **options: Any) -> Packed:
        job = {name: options.pop(name) for name in ("report", "cancelled")}
        self._record("pack", path, output, options, **job)
        return Packed(output, 210 << 20, "", 9, (), (), ())

    def unpack(self, path: str, source: str, **job: Any) -> Unpacked:
        self._record("unpack", path, source, **job)
        return Unpacked(None, 9, ())

    def bases(self, at: str = "") -> KnownBases:
        return KnownBases(self.kept)

    def snapshots(self, path: str) -> tuple[TreeSnapshot, ...]:
        return self.snapshots_of.get(path, ())

    def take_snapshot(self, path: str, name: str = "", **job: Any) -> TreeSnapshot:
        self._record("take_snapshot", path, name, **job)
        return TreeSnapshot(name or "now", clock(), "copy", 9)

    def restore_snapshot(self, path: str, name: str, *, keep: bool = True, **job: Any) -> str:
        self._record("restore_snapshot", path, name, keep, **job)
        return "before"

    def remove_snapshot(self, path: str, name: str, **job: Any) -> None:
        self._record("remove_snapshot", path, name, **job)

    def diagnose(
        self, path: str = "", *, report: Report = ignore, cancelled: threading.Event | None = None
    ) -> tuple[Finding, ...]:
        self._record("diagnose", path, cancelled=cancelled)
        for one in self.findings.get(path, ()):
            report(Found(path, one))
        return self.findings.get(path, ())

    def plan_mend(self, path: str = "") -> Plan:
        return self.mends.get(path, Plan())

    def mend(self, path: str = "", **job: Any) -> Plan:
        self._record("mend", path, **job)
        return self.mends.get(path, Plan())

    def enable(self, path: str, **options: Any) -> bool:
        self._record("enable", path, **options)
        return True

    def disable(self, path: str, **options: Any) -> bool:
        self._record("disable", path, **options)
        return True

    def set_tags(
        self, path: str, tags: Sequence[str], *, seen: Sequence[str] | None = None
    ) -> bool:
        self._record("set_tags", path, tuple(tags))
        return True

    def rename(self, path: str, new: str, *, report: Report = ignore) -> str:
        self._record("rename", path, new, report=report)
        return new


def runs(monkeypatch: pytest.MonkeyPatch, here: Callable[..., list[str]]) -> None:
    """Have the engine give *here* of a command's words for what is started with a terminal."""
    monkeypatch.setattr(LocalEngine, "command", lambda _self, _path, words: tuple(here(*words)))


class Feed:
    """In place of the threads that watch: posts what the test shows, when it shows it."""

    def __init__(self, *chroots: ChrootStatus, sizes: dict[str, int] | None = None) -> None:
        self.snapshot = Snapshot(BASE, chroots)
        self.sizes = sizes or {}
        self._post: Callable[[Message], object] | None = None

    def show(self, *chroots: ChrootStatus) -> None:
        """Have the UI see these chroots from now on."""
        self.see(self.snapshot.replace(chroots=chroots, problem=None))

    def see(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        if self._post is not None:
            self._post(Seen(snapshot))

    def follow(self, _engine: Engine, post: Post) -> Watching:
        self._post = post
        return _Watching(self)

    def count(self, _engine: Engine, post: Post) -> Counting:
        return _Counting(self.sizes, post)


class _Watching:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def start(self) -> None:
        self._feed.see(self._feed.snapshot)

    def close(self) -> None:
        self._feed._post = None


class Late(Feed):
    """Shows nothing until it is told to."""

    def follow(self, engine: Engine, post: Post) -> Watching:
        watching = super().follow(engine, post)
        watching.start = lambda: None  # type: ignore[method-assign]
        return watching


class _Counting:
    def __init__(self, sizes: dict[str, int], post: Post) -> None:
        self._sizes = sizes
        self._post = post
        self._told: set[str] = set()

    def want(self, paths: tuple[str, ...]) -> None:
        for path in paths:
            if path in self._sizes and path not in self._told:
                self._told.add(path)
                self._post(Counted(path, self._sizes[path]))

    def recount(self, path: str) -> None:
        self._told.discard(path)
        self.want((path,))

    def close(self) -> None:
        pass


def recorded(engine: Engine, feed: Feed, **settings: Any) -> ChrootApp:
    """The real app on *engine*, shown what *feed* has, at the time of support.samples."""
    follows = settings.pop("follow_settings", False)
    chosen = Settings(**{"theme": "dark", "signs": "unicode", **settings})
    app = ChrootApp(
        Machines(engine, (), no_hosts), chosen, follow=feed.follow, count=feed.count, clock=clock,
        follow_settings=follows,
    )  # fmt: skip
    return heard(app)


class _Heard(Notifications):
    """Also remembers those whose time is over: they may go before a busy machine looks."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        """Of all since they were cleared last, as a dialog does when it opens."""

    def add(self, notification: Notification) -> _Heard:
        self.messages.append(str(notification.message))
        super().add(notification)
        return self

    def clear(self) -> _Heard:
        self.messages.clear()
        super().clear()
        return self


def heard(app: ChrootApp) -> ChrootApp:
    """Have `Ui.said` know what *app*, which is not running yet, will say."""
    app._notifications = _Heard()
    return app


class Ui:
    """The running app, as a person has it: keys in, the screen out."""

    def __init__(self, app: ChrootApp, pilot: Pilot[None], engine: Engine, feed: Feed) -> None:
        self.app = app
        self.pilot = pilot
        self.feed = feed
        self._engine = engine
        self.lets_go = True
        """Whether jobs that still wait at a gate may end when the app does."""

    @property
    def engine(self) -> RecordingEngine:
        assert isinstance(self._engine, RecordingEngine)
        return self._engine

    async def press(self, *keys: str) -> None:
        """Press keys, each when all widgets have taken what the one before caused."""
        for key in keys:
            await press_key(self.pilot, key)

    async def write(self, text: str) -> None:
        named = {" ": "space", "/": "slash", ".": "full_stop", "-": "minus", "=": "equals_sign"}
        await self.press(*[named.get(character, character) for character in text])

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)

    @property
    def text(self) -> str:
        """What stands on the screen, with one blank where there are many."""
        return re.sub(" +", " ", screen_text(self.app))

    async def shows(self, *texts: str) -> None:
        """Wait until each of *texts* stands on the screen."""
        for text in texts:
            await self.until(partial(self._has, text))

    async def hides(self, *texts: str) -> None:
        """Wait until none of *texts* stands on the screen."""
        for text in texts:
            await self.until(partial(self._has_not, text))

    def _has(self, text: str) -> bool:
        # Where a text is broken into lines depends on the path of the tests' directory; between
        # two lines stand the frames of what they are in.
        return text in self.text or text in unbroken(self.text)

    def _has_not(self, text: str) -> bool:
        return not self._has(text)

    async def says(self, text: str) -> None:
        """Wait until a notification with *text* has been shown."""
        await self.until(lambda: any(text in said for said in self.said))

    @property
    def said(self) -> list[str]:
        """Every notification since a dialog has been opened, or since the start."""
        found = self.app._notifications
        assert isinstance(found, _Heard)
        return list(found.messages)

    async def dialog(self, kind: type[D]) -> D:
        """Wait until a dialog of this kind is open, and return it."""
        await self.until(lambda: isinstance(self.app.screen, kind) and self.app.screen.is_mounted)
        found: Any = self.app.screen
        assert isinstance(found, kind)
        return found

    async def main(self) -> None:
        """Wait until no dialog is open any more."""
        await self.until(lambda: self.app.screen is self.app.main)

    async def idle(self) -> None:
        """Wait until no job runs: a chroot is seen to be on before the UI knows that its job is
        over, and until then it is under way."""
        await self.until(lambda: not self.app.main.session.jobs.running)

    async def on_row(self, name: str) -> None:
        """Put the cursor on the chroot *name*, behind what was typed."""
        await self.until(lambda: not self.app._typed)
        table = self.app.main.table
        await self.until(lambda: any(one.name == name for one in self.app.main.chroots))
        path = next(one.path for one in self.app.main.chroots if one.name == name)
        await self.until(lambda: table.move_to(path))
        await self.until(lambda: self.highlighted == name)

    async def on_machine(self, name: str) -> None:
        """Put the cursor on the machine *name* in their dialog."""
        table = self.app.screen.query_one(MachineTable)
        await self.until(lambda: table.move_to(name))

    @property
    def highlighted(self) -> str:
        one = self.app.main.details.chroot
        return one.name if one else ""

    @property
    def job_states(self) -> dict[str, str]:
        """State of the last job of each chroot that has one, by name."""
        return {job.name: job.state for job in reversed(self.app.main.session.jobs.views)}


@asynccontextmanager
async def ui(
    *chroots: ChrootStatus, size: tuple[int, int] = (120, 40), sizes: dict[str, int] | None = None,
    **settings: Any,
) -> AsyncIterator[Ui]:  # fmt: skip
    """Run the app on a recording engine, shown *chroots*."""
    engine, feed = RecordingEngine(), Feed(*chroots, sizes=sizes)
    app = recorded(engine, feed, **settings)
    with _state_of_its_own():
        async with _running(app, size, engine, feed) as made:
            yield made


@asynccontextmanager
async def _running(
    app: ChrootApp, size: tuple[int, int], engine: RecordingEngine, feed: Feed
) -> AsyncIterator[Ui]:
    async with app.run_test(size=size, notifications=True) as pilot:
        made = await _ready(app, pilot, engine, feed)
        try:
            yield made
        except BaseException:
            engine.let_go()
            raise
        if made.lets_go:
            engine.let_go()


@contextmanager
def _state_of_its_own() -> Iterator[None]:
    """What is kept over the next start is in no other test, unless this one says where it is."""
    with (
        # The thread of the log may write the last of it while this is removed.
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        mock.patch.dict(os.environ, {"XDG_STATE_HOME": folder, **os.environ}),
    ):
        yield


@asynccontextmanager
async def real_ui(base: Path, *, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Ui]:
    """Run the app as it is on the chroots under *base*."""
    engine = LocalEngine(str(base))
    app = heard(
        ChrootApp(
            Machines(engine, (), no_hosts), Settings(theme="dark"),
            follow=WatchThread(engine).post_to,
        )
    )  # fmt: skip
    with _state_of_its_own():
        async with app.run_test(size=size, notifications=True) as pilot:
            yield await _ready(app, pilot, engine, Feed())


async def _ready(app: ChrootApp, pilot: Pilot[None], engine: Engine, feed: Feed) -> Ui:
    made = Ui(app, pilot, engine, feed)
    await made.until(lambda: app.main.is_built and app.main.table.rows.has_focus)
    return made
