"""The real app in each state that a picture shows; tests/tui/test_screens.py has the same."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from textual.notifications import SeverityLevel
from textual.pilot import Pilot
from textual.widgets import Button, OptionList, Static

from chroot_tool.app.settings.commands import Command
from chroot_tool.app.settings.file import Settings
from chroot_tool.app.tui import app
from chroot_tool.app.tui.actions import root
from chroot_tool.app.tui.threads.messages import SettingsWrong
from chroot_tool.core.creating.options import CreateOptions
from chroot_tool.core.errors import ChrootError, ConfigError, Problem
from chroot_tool.core.looking import other_bases
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.remote.connection import Connection
from chroot_tool.core.remote.machines import Machines
from chroot_tool.core.remote.remote_engine import RemoteEngine
from chroot_tool.widgets.dialogs.base_directory import BaseDirectoryDialog
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.create import CreateForm
from chroot_tool.widgets.dialogs.doctor import DoctorDialog
from chroot_tool.widgets.dialogs.open_files import OpenFilesDialog
from chroot_tool.widgets.dialogs.pack import PackDialog
from chroot_tool.widgets.dialogs.quit import QuitDialog
from chroot_tool.widgets.dialogs.usage import UsageTable
from chroot_tool.widgets.job_status import DONE, RUNNING
from chroot_tool.widgets.panes.run_panel import RunPanel
from chroot_tool.widgets.tables.chroot_columns import HEAD
from chroot_tool.widgets.tables.table import Table

from .recorded import (
    ASKS,
    CHROOTS,
    ELSEWHERE,
    HAPPENED,
    HOSTS,
    MANY_HOSTS,
    OWN,
    TAGGED,
    TRIED,
    UPGRADE,
    Clock,
    Feed,
    RecordedEngine,
    history,
)

Play = Callable[["SceneApp", Pilot[None]], Awaitable[None]]
_DEADLINE = 30.0
_TICKS = 1000.0
"""Seconds of the clock that graphs are drawn by; it stands still."""
_LONG = 3600.0


def _unasked(name: str) -> RemoteEngine:
    """Return the engine of a machine that nobody is to ask anything: all is recorded."""

    def connect() -> Connection:
        raise ChrootError(f"{name} is recorded only")

    return RemoteEngine(connect, tuple)


class SceneApp(app.ChrootApp):
    """The app on recorded values."""

    CSS_PATH = str(Path(app.__file__).with_name("ui.tcss"))  # not beside this file

    def __init__(
        self,
        theme: str,
        chroots: tuple[ChrootStatus, ...],
        signs: str = "unicode",
        commands: tuple[Command, ...] = (),
        *,
        tells: bool = False,
    ) -> None:
        self._tells = tells
        self.clock = Clock()
        self.engine = RecordedEngine(self.clock)
        feed = Feed(chroots)
        super().__init__(
            Machines(self.engine, sorted({one.host for one in chroots} - {""}), _unasked),
            Settings(theme=theme, signs=signs, commands=commands),
            follow=feed.follow, count=feed.count, clock=self.clock, ticks=lambda: _TICKS,
        )  # fmt: skip
        self.main.session.inventory.diary.take_past({f"{self.engine.base}/bookworm": HAPPENED})
        for ago, then in history(chroots):
            self.main.session.inventory.trends.take(then, _TICKS - ago)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a toast for as long as any machine takes to make a picture."""
        super().notify(message, title=title, severity=severity, timeout=_LONG, markup=markup)

    def on_load(self) -> None:
        """Have toasts only where they are to be seen; those who run a test have none."""
        self._disable_notifications = not self._tells

    def on_unmount(self) -> None:
        """End what waits."""
        self.engine.over.set()


@dataclass(frozen=True)
class Scene:
    """One picture."""

    name: str
    size: tuple[int, int]
    theme: str
    play: Play
    chroots: tuple[ChrootStatus, ...] = CHROOTS
    signs: str = "unicode"
    commands: tuple[Command, ...] = ()
    tells: bool = False
    """Whether toasts are to be seen, too."""

    def app(self) -> SceneApp:
        """Return the app, not yet running."""
        return SceneApp(self.theme, self.chroots, self.signs, self.commands, tells=self.tells)

    async def prepare(self, pilot: Pilot[None]) -> None:
        """Bring the running app to what is to be seen."""
        app = pilot.app
        assert isinstance(app, SceneApp)
        await until(pilot, lambda: app.main.is_built)
        if self.chroots:
            path = f"{app.engine.base}/bookworm"
            await until(pilot, lambda: app.main.table.move_to(path))
            await until(pilot, lambda: _shown(app) == "bookworm")
            await until(pilot, lambda: app.main.session.inventory.snapshots.get(path))
            await until(pilot, lambda: app.main.session.inventory.listening.get(path))
        await self.play(app, pilot)
        await pilot.pause()
        await pilot.wait_for_animation()


@contextmanager
def same_everywhere() -> Iterator[None]:
    """Have time zone and user of the pictures, whoever makes them."""
    user = mock.patch("os.geteuid", return_value=0)
    asks = mock.patch.object(root, "_asks", return_value="ann")
    elsewhere = mock.patch.object(other_bases, "other_bases", return_value=ELSEWHERE)
    try:
        own = {"TZ": "UTC", "NO_COLOR": "", "XDG_STATE_HOME": "/dev/null"}  # nothing is kept
        with mock.patch.dict(os.environ, own), user, asks, elsewhere:
            time.tzset()
            yield
    finally:
        time.tzset()


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Let the app run until *condition* holds. Raises TimeoutError."""
    end = time.monotonic() + _DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the scene never came to be")
        await asyncio.sleep(0.005)
        await pilot.pause(0)


def _shown(app: SceneApp) -> str:
    one = app.main.details.chroot
    return one.name if one else ""


async def _main(app: SceneApp, pilot: Pilot[None]) -> None:
    """Nothing but the first sight."""


async def _many_hosts(app: SceneApp, pilot: Pilot[None]) -> None:
    """Some of them folded, the cursor on one of those."""
    for name in ("", "build3", "build2"):
        app.main.table.fold(name, folded=True)
    app.main.table.rows.move_to(f"{HEAD}build2")


async def _groups(app: SceneApp, pilot: Pilot[None]) -> None:
    """The last group folded, and what is like a name marked as it is typed."""
    app.main.table.fold("#", folded=True)
    await pilot.press("plus", "b", "asterisk")
    await until(pilot, lambda: len(app.main.table.marked) > 1)


async def _hosts(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("H")
    await until(pilot, lambda: app.screen.query("MachineTable"))
    await pilot.press("G")


def _keys(*keys: str) -> Play:
    async def play(app: SceneApp, pilot: Pilot[None]) -> None:
        before = app.screen
        await pilot.press(*keys)
        if keys[-1] in "dnrbcpuvm":
            await until(pilot, lambda: app.screen is not before and app.screen.is_mounted)

    return play


async def _marked(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("j", "space", "j", "space", "j", "j", "j")
    await until(pilot, lambda: _shown(app) == "trixie-build")


async def _mounts(app: SceneApp, pilot: Pilot[None]) -> None:
    path = f"{app.engine.base}/trixie-build"
    await until(pilot, lambda: app.main.table.move_to(path))
    await until(pilot, lambda: _shown(app) == "trixie-build")
    await pilot.press("2")
    rows = "MountRows"
    await until(pilot, lambda: app.main.details.query(f"{rows}:focus"))
    await until(pilot, lambda: app.main.details.query_one(rows).move_to("/srv/data\0tool.conf"))  # type: ignore[attr-defined]


async def _log(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("5")
    await until(pilot, lambda: app.main.details.query("LogRows:focus"))
    rows = app.main.details.query_one("LogRows", Table)
    await until(pilot, lambda: len(rows.keys) == len(HAPPENED) + 2)
    await pilot.press("j", "j", "j")


async def _processes(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("3")
    await until(pilot, lambda: app.main.details.query("ProcessesTable:focus"))
    await pilot.press("j", "j")


async def _open_files(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("3", "g", "l")
    await until(pilot, lambda: isinstance(app.screen, OpenFilesDialog) and app.screen.is_mounted)


async def _tree(app: SceneApp, pilot: Pilot[None]) -> None:
    await _processes(app, pilot)
    await pilot.press("T")
    rows = app.main.details.query_one("ProcessesTable", Table)
    await until(pilot, lambda: rows.keys[1].startswith("4902"))


async def _plan(app: SceneApp, pilot: Pilot[None]) -> None:
    await _form(app, pilot)
    await pilot.press("enter")
    await until(pilot, lambda: not app.screen.query_one("#go", Button).disabled)


async def _form(app: SceneApp, pilot: Pilot[None]) -> None:
    form = await _empty_form(app, pilot)
    for ident in ("name", "suite"):
        form.field(ident).value = "trixie"
    await until(pilot, lambda: _note(form, "kind").startswith("quick"))
    await pilot.press("tab")


async def _empty_form(app: SceneApp, pilot: Pilot[None]) -> CreateForm:
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, CreateForm) and app.screen.is_mounted)
    assert isinstance(app.screen, CreateForm)
    return app.screen


def _note(form: CreateForm, ident: str) -> str:
    return str(form.field(ident).query_one(".field--note", Static).content)


def _form_for(kind: str, **values: str) -> Play:
    async def play(app: SceneApp, pilot: Pilot[None]) -> None:
        form = await _empty_form(app, pilot)
        for ident, value in {"kind": kind, **values}.items():
            form.field(ident).value = value
        await until(pilot, lambda: not form.field("suite").display)
        await until(pilot, lambda: _note(form, "kind"))

    return play


async def _clone(app: SceneApp, pilot: Pilot[None]) -> None:
    await _keys("c")(app, pilot)
    await pilot.press(*"bookworm-2")


async def _pack(app: SceneApp, pilot: Pilot[None]) -> None:
    await _keys("p")(app, pilot)
    assert isinstance(app.screen, PackDialog)
    app.screen.field("file").value = "/backup/bookworm-202609211234.tar.zst"


async def _throw_away(app: SceneApp, pilot: Pilot[None]) -> None:
    await _output(app, pilot, "throw-away shell", TRIED, "root@bookworm:~# rm -rf")


async def _delete(app: SceneApp, pilot: Pilot[None]) -> None:
    await _keys("d")(app, pilot)
    await pilot.press("b", "o", "o", "k")


async def _delete_several(app: SceneApp, pilot: Pilot[None]) -> None:
    await _marked(app, pilot)
    await _keys("d")(app, pilot)
    await pilot.press(*"delet")


async def _busy(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("o")
    await until(pilot, lambda: app.screen is not app.main and app.screen.is_mounted)
    # Where it took a while to come, it takes no yes before a lull in the keys.
    await until(pilot, lambda: not app.screen.query_one("#stop").disabled)


async def _jobs(app: SceneApp, pilot: Pilot[None]) -> None:
    main = app.main
    main.session.start("create", "trixie", f"{app.engine.base}/trixie",
                lambda report, cancelled: app.engine.create(
                    f"{app.engine.base}/trixie", CreateOptions(), report=report,
                    cancelled=cancelled))  # fmt: skip
    await until(pilot, lambda: any(job.fraction == 0.42 for job in main.session.jobs.views))
    path = f"{app.engine.base}/trixie-build"
    await until(pilot, lambda: main.table.move_to(path) and _shown(app) == "trixie-build")
    await pilot.press("o")
    await until(pilot, lambda: len([j for j in main.session.jobs.views if j.state != RUNNING]) == 1)
    await until(pilot, lambda: any(job.doctor for job in main.session.jobs.views))
    await pilot.press("4")
    await until(pilot, lambda: main.dock.has_focus_within)
    await pilot.press("j")
    await until(pilot, lambda: _selected(app) == 1)
    # What was printed comes a moment later.
    await until(pilot, lambda: "Extracting libc6" in main.dock.jobs_pane.output_of(1))


async def _failure(app: SceneApp, pilot: Pilot[None]) -> None:
    await _jobs(app, pilot)
    await pilot.press("k")
    await until(pilot, lambda: _selected(app) == 2)


async def _doctor(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("D")
    await until(pilot, lambda: isinstance(app.screen, DoctorDialog) and app.screen.is_mounted)
    assert isinstance(app.screen, DoctorDialog)
    dialog = app.screen
    await until(pilot, lambda: not dialog.looking)
    await pilot.press("j", "enter")
    await until(pilot, lambda: dialog.has_class("-told"))


async def _doctor_of_several(app: SceneApp, pilot: Pilot[None]) -> None:
    for name in ("bookworm", "trixie-build"):
        await until(pilot, lambda name=name: app.main.table.move_to(f"{app.engine.base}/{name}"))  # type: ignore[misc]
        await pilot.press("space")
    await until(pilot, lambda: len(app.main.table.marked) == 2)
    await _doctor(app, pilot)


async def _leaving_form(app: SceneApp, pilot: Pilot[None]) -> None:
    await _form(app, pilot)
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.is_mounted)


async def _closing_panel(app: SceneApp, pilot: Pilot[None]) -> None:
    await _panel(app, pilot)
    await pilot.press("ctrl+right_square_bracket")
    await until(pilot, lambda: app.main.dock.panels[0].has_focus)
    await pilot.press("x")
    await until(pilot, lambda: isinstance(app.screen, QuitDialog) and app.screen.is_mounted)


def _selected(app: SceneApp) -> int:
    job = app.main.dock.jobs_pane.selected
    return job.id if job else 0


async def _panel(app: SceneApp, pilot: Pilot[None]) -> None:
    await _output(app, pilot, "apt-get upgrade", UPGRADE, "67%")


async def _output(app: SceneApp, pilot: Pilot[None], command: str, text: str, comes: str) -> None:
    argv = ["sh", "-c", 'printf %b "$1"; exec sleep 1000', "sh", text]
    panel = RunPanel(argv, chroot="bookworm", command=command, clock=lambda: 1.0)
    await app.main.dock.add(panel)
    await until(pilot, lambda: comes in panel.terminal.reading.text())
    await until(pilot, lambda: panel.terminal.has_focus)
    panel.terminal.refresh()


async def _zoomed(app: SceneApp, pilot: Pilot[None]) -> None:
    await _panel(app, pilot)
    await pilot.press("ctrl+right_square_bracket")
    await pilot.press("z")


async def _found(app: SceneApp, pilot: Pilot[None]) -> None:
    await _zoomed(app, pilot)
    await pilot.press("slash", *"libc", "enter", "n")
    await until(pilot, lambda: app.main.dock.panels[0].has_focus)


async def _run(app: SceneApp, pilot: Pilot[None]) -> None:
    await _keys("r")(app, pilot)
    await pilot.press("down")


async def _palette(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("colon")
    await until(pilot, lambda: app.screen is not app.main and app.screen.is_mounted)
    await until(pilot, lambda: app.screen.query_one("CommandList").option_count > 5)  # type: ignore[attr-defined]
    await _searched(app, pilot)


async def _searched(app: SceneApp, pilot: Pilot[None]) -> None:
    await until(pilot, lambda: all(w.is_finished for w in app.workers if w.node is app.screen))


async def _commands(app: SceneApp, pilot: Pilot[None]) -> None:
    """One that worked, with its steps, above one that failed."""
    await _failure(app, pilot)
    await pilot.press("escape")
    await until(pilot, lambda: app.main.table.has_focus_within)
    await _to(app, pilot, "jammy")
    await pilot.press("o")
    await until(pilot, lambda: any(one.state == DONE for one in app.main.session.log.entries))
    await pilot.press("C")
    await until(pilot, lambda: app.main.dock.commands.has_focus_within)


async def _undo(app: SceneApp, pilot: Pilot[None]) -> None:
    await _commands(app, pilot)
    await _take_back(app, pilot)


async def _plan_of_switch(app: SceneApp, pilot: Pilot[None]) -> None:
    await _to(app, pilot, "jammy")
    await pilot.press("O")
    await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.is_mounted)


async def _several(app: SceneApp, pilot: Pilot[None]) -> None:
    """Some are marked, not all of them match the filter; what became of them in one line."""
    for name in ("jammy", "rescue", "trixie-build"):
        await _to(app, pilot, name)
        await pilot.press("space")
    await pilot.press("slash", *"debian", "enter")
    await until(pilot, lambda: app.main.table.has_focus_within)
    await pilot.press("o")
    await until(pilot, lambda: any(one.doctor for one in app.main.session.jobs.views))
    await until(pilot, lambda: app.screen.query("Toast"))


async def _list_graphs(app: SceneApp, pilot: Pilot[None]) -> None:
    app.main.table.set_columns(
        (
            "state", "name", "processes", "processes-graph", "cpu", "cpu-graph", "memory",
            "memory-graph",
        )
    )  # fmt: skip
    app.main.table.rows.sort_by("memory-graph")
    await pilot.pause()


async def _graphs(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("1", "G")


async def _to(app: SceneApp, pilot: Pilot[None], name: str) -> None:
    path = f"{app.engine.base}/{name}"
    await until(pilot, lambda: app.main.table.move_to(path) and _shown(app) == name)


async def _base(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("B")
    await until(
        pilot, lambda: isinstance(app.screen, BaseDirectoryDialog) and app.screen.is_mounted
    )


def _menu_after(play: Play) -> Play:
    async def menu(app: SceneApp, pilot: Pilot[None]) -> None:
        await play(app, pilot)
        await pilot.press("m")
        await until(pilot, lambda: app.screen.query("MenuList"))

    return menu


async def _own_in_the_palette(app: SceneApp, pilot: Pilot[None]) -> None:
    await _palette(app, pilot)
    await pilot.press(*"sys")
    found = app.screen.query_one("CommandList", OptionList)
    await until(pilot, lambda: [str(one.prompt)[:6] for one in found.options] == ["syslog"])
    await _searched(app, pilot)


async def _own_asks(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("f5")
    await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.is_mounted)


async def _own_in_the_help(app: SceneApp, pilot: Pilot[None]) -> None:
    await _processes(app, pilot)
    await pilot.press("question_mark")
    await until(pilot, lambda: app.screen.query("HelpPanel"))


async def _wrong_settings(app: SceneApp, pilot: Pilot[None]) -> None:
    problem = Problem(
        "/home/ann/.config/chroot-tool/settings.toml:4: output is 'pannel', "
        "expected one of 'panel', 'job', 'toast'",
        "did you mean 'panel'?",
    )
    app.post_message(SettingsWrong(ConfigError([problem])))
    await until(pilot, lambda: app.screen.query("Toast"))


async def _filtered(app: SceneApp, pilot: Pilot[None]) -> None:
    await _log(app, pilot)
    await pilot.press("slash", *"cc1", "enter")
    rows = app.main.details.query_one("LogRows", Table)
    await until(pilot, lambda: rows.has_focus and len(rows.keys) == 2)


async def _found_in_the_overview(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("1", "slash", *"peak", "enter", "n")
    await until(pilot, lambda: app.main.details.query("Overview:focus"))


async def _found_in_output(app: SceneApp, pilot: Pilot[None]) -> None:
    await _jobs(app, pilot)
    await pilot.press("slash", *"libc6")


async def _undo_of_several(app: SceneApp, pilot: Pilot[None]) -> None:
    for name in ("bullseye", "jammy", "rescue"):
        await _to(app, pilot, name)
        await pilot.press("space")
    await pilot.press("o")
    await until(pilot, lambda: [one.state for one in app.main.session.log.entries] == [DONE] * 3)
    await _take_back(app, pilot)


async def _undo_of_delete(app: SceneApp, pilot: Pilot[None]) -> None:
    await _to(app, pilot, "jammy")
    await _keys("d")(app, pilot)
    await pilot.press(*"jammy", "enter", "enter")
    await until(pilot, lambda: [one.state for one in app.main.session.log.entries] == [DONE])
    await _take_back(app, pilot)


async def _undo_of_binds(app: SceneApp, pilot: Pilot[None]) -> None:
    await _keys("b")(app, pilot)
    await until(pilot, lambda: app.screen.query("BindTable"))
    rows = app.screen.query_one("BindTable", Table)
    await until(pilot, lambda: rows.move_to("/var/cache/ccache"))
    editor = app.screen
    await pilot.press("d", "w")
    await until(pilot, lambda: app.screen is not editor and app.screen.query("#save"))
    await pilot.press("enter")
    await until(pilot, lambda: app.screen is not editor and app.screen.query("BindTable"))
    await pilot.press("escape")
    await until(pilot, lambda: app.screen is app.main)
    await _take_back(app, pilot)


async def _take_back(app: SceneApp, pilot: Pilot[None]) -> None:
    await pilot.press("U")
    await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.is_mounted)


async def _sorted_tree(app: SceneApp, pilot: Pilot[None]) -> None:
    """The one that does least comes first below its parent."""
    await _tree(app, pilot)
    await pilot.press("greater_than_sign", "greater_than_sign", "equals_sign")


async def _plan_of_mount(app: SceneApp, pilot: Pilot[None]) -> None:
    await _mounts(app, pilot)
    await pilot.press("O")
    await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.is_mounted)


async def _usage(app: SceneApp, pilot: Pilot[None]) -> None:
    await _keys("i")(app, pilot)
    await until(pilot, lambda: any(table.keys for table in app.screen.query(UsageTable)))


SMALL, LARGE, WIDE, BROAD = (80, 24), (120, 40), (160, 50), (220, 60)
DARK, LIGHT = "dark", "light"

SCENES = (
    Scene("main-dark-120x40", LARGE, DARK, _main),
    Scene("main-light-120x40", LARGE, LIGHT, _marked),
    Scene("main-dark-80x24", SMALL, DARK, _marked),
    Scene("main-light-80x24", SMALL, LIGHT, _main),
    Scene("main-dark-160x50", WIDE, DARK, _main),
    Scene("list-graphs-80x24", SMALL, DARK, _list_graphs),
    Scene("list-graphs-160x50", WIDE, LIGHT, _list_graphs),
    Scene("list-graphs-ascii-160x50", WIDE, "monochrome", _list_graphs, signs="ascii"),
    Scene("graphs-80x24", SMALL, DARK, _graphs, commands=OWN),
    Scene("wide-160x50", WIDE, DARK, _jobs),
    Scene("broad-220x60", BROAD, DARK, _panel),
    Scene("high-contrast-120x40", LARGE, "high-contrast", _mounts),
    Scene("high-contrast-80x24", SMALL, "high-contrast", _processes),
    Scene("high-contrast-160x50", WIDE, "high-contrast", _mounts),
    Scene("ansi-80x24", SMALL, "ansi-dark", _mounts),
    Scene("ansi-160x50", WIDE, "ansi-dark", _jobs),
    Scene("ansi-light-80x24", SMALL, "ansi-light", _mounts),
    Scene("ansi-light-160x50", WIDE, "ansi-light", _jobs),
    Scene("monochrome-80x24", SMALL, "monochrome", _marked),
    Scene("monochrome-160x50", WIDE, "monochrome", _jobs),
    Scene("monochrome-form-80x24", SMALL, "monochrome", _form),
    Scene("ascii-80x24", SMALL, "ansi-dark", _marked, signs="ascii"),
    Scene("ascii-160x50", WIDE, "monochrome", _jobs, signs="ascii"),
    Scene("ascii-form-80x24", SMALL, "monochrome", _form, signs="ascii"),
    Scene("ascii-tree-80x24", SMALL, DARK, _tree, signs="ascii"),
    Scene("first-run-80x24", SMALL, DARK, _main, ()),
    Scene("first-run-160x50", WIDE, LIGHT, _main, ()),
    Scene("base-80x24", SMALL, LIGHT, _base, ()),
    Scene("base-160x50", WIDE, DARK, _base),
    Scene("mounts-120x40", LARGE, DARK, _mounts),
    Scene("mounts-80x24", SMALL, LIGHT, _mounts),
    Scene("mount-plan-80x24", SMALL, DARK, _plan_of_mount),
    Scene("mount-plan-160x50", WIDE, LIGHT, _plan_of_mount),
    Scene("processes-120x40", LARGE, LIGHT, _processes),
    Scene("processes-80x24", SMALL, DARK, _processes),
    Scene("tree-80x24", SMALL, DARK, _tree),
    Scene("tree-160x50", WIDE, LIGHT, _tree),
    Scene("tree-sorted-80x24", SMALL, LIGHT, _sorted_tree),
    Scene("tree-sorted-160x50", WIDE, DARK, _sorted_tree),
    Scene("open-80x24", SMALL, LIGHT, _open_files),
    Scene("open-160x50", WIDE, DARK, _open_files),
    Scene("log-120x40", LARGE, DARK, _log),
    Scene("log-80x24", SMALL, LIGHT, _log),
    Scene("log-160x50", WIDE, DARK, _log),
    Scene("filtered-80x24", SMALL, DARK, _filtered),
    Scene("filtered-160x50", WIDE, LIGHT, _filtered),
    Scene("jobs-120x40", LARGE, DARK, _jobs),
    Scene("failure-80x24", SMALL, DARK, _failure),
    Scene("panel-120x40", LARGE, DARK, _panel),
    Scene("panel-80x24", SMALL, LIGHT, _zoomed),
    Scene("closing-80x24", SMALL, DARK, _closing_panel),
    Scene("found-80x24", SMALL, DARK, _found),
    Scene("found-160x50", WIDE, LIGHT, _found),
    Scene("found-overview-80x24", SMALL, LIGHT, _found_in_the_overview),
    Scene("found-overview-160x50", WIDE, DARK, _found_in_the_overview),
    Scene("found-output-80x24", SMALL, DARK, _found_in_output),
    Scene("found-output-160x50", WIDE, LIGHT, _found_in_output),
    Scene("create-120x40", LARGE, DARK, _form),
    Scene("create-80x24", SMALL, DARK, _form),
    Scene("leaving-80x24", SMALL, LIGHT, _leaving_form),
    Scene("plan-80x24", SMALL, LIGHT, _plan),
    Scene("create-base-80x24", SMALL, DARK, _form_for("base", name="trixie")),
    Scene(
        "create-archive-80x24",
        SMALL,
        LIGHT,
        _form_for("archive", name="alp", source="docker://alpine"),
    ),
    Scene("create-copy-80x24", SMALL, DARK, _form_for("copy", name="bookworm-2")),
    Scene("clone-80x24", SMALL, DARK, _clone),
    Scene("pack-80x24", SMALL, DARK, _pack),
    Scene("unpack-80x24", SMALL, DARK, _keys("u")),
    Scene("snapshots-120x40", LARGE, DARK, _keys("v")),
    Scene("snapshots-80x24", SMALL, LIGHT, _keys("v")),
    Scene("three-hosts-120x40", LARGE, DARK, _main, HOSTS),
    Scene("hosts-80x24", SMALL, DARK, _hosts, HOSTS),
    Scene("groups-80x24", SMALL, DARK, _groups, TAGGED),
    Scene("groups-160x50", WIDE, LIGHT, _groups, TAGGED),
    Scene("many-hosts-120x40", LARGE, DARK, _many_hosts, MANY_HOSTS),
    Scene("doctor-80x24", SMALL, DARK, _doctor),
    Scene("doctor-several-80x24", SMALL, DARK, _doctor_of_several),
    Scene("doctor-several-160x50", WIDE, LIGHT, _doctor_of_several),
    Scene("doctor-120x40", LARGE, LIGHT, _doctor),
    Scene("throw-away-120x40", LARGE, DARK, _throw_away),
    Scene("delete-120x40", LARGE, LIGHT, _delete),
    Scene("delete-80x24", SMALL, DARK, _delete),
    Scene("delete-several-80x24", SMALL, LIGHT, _delete_several),
    Scene("delete-several-160x50", WIDE, DARK, _delete_several),
    Scene("busy-120x40", LARGE, DARK, _busy),
    Scene("busy-80x24", SMALL, DARK, _busy),
    Scene("run-80x24", SMALL, DARK, _run),
    Scene("binds-120x40", LARGE, DARK, _keys("b")),
    Scene("binds-80x24", SMALL, LIGHT, _keys("b")),
    Scene("commands-80x24", SMALL, DARK, _commands),
    Scene("commands-160x50", WIDE, LIGHT, _commands),
    Scene("undo-80x24", SMALL, LIGHT, _undo),
    Scene("undo-160x50", WIDE, DARK, _undo),
    Scene("undo-several-80x24", SMALL, DARK, _undo_of_several),
    Scene("undo-several-160x50", WIDE, LIGHT, _undo_of_several),
    Scene("undo-delete-80x24", SMALL, LIGHT, _undo_of_delete),
    Scene("undo-delete-160x50", WIDE, DARK, _undo_of_delete),
    Scene("undo-binds-80x24", SMALL, DARK, _undo_of_binds),
    Scene("undo-binds-160x50", WIDE, LIGHT, _undo_of_binds),
    Scene("switch-plan-80x24", SMALL, DARK, _plan_of_switch),
    Scene("switch-plan-160x50", WIDE, LIGHT, _plan_of_switch),
    Scene("several-80x24", SMALL, DARK, _several, tells=True),
    Scene("several-160x50", WIDE, LIGHT, _several, tells=True),
    Scene("own-command-80x24", SMALL, DARK, _menu_after(_processes), commands=OWN),
    Scene("own-command-160x50", WIDE, LIGHT, _menu_after(_processes), commands=OWN),
    Scene("own-palette-80x24", SMALL, LIGHT, _own_in_the_palette, commands=OWN),
    Scene("own-palette-160x50", WIDE, DARK, _own_in_the_palette, commands=OWN),
    Scene("own-help-80x24", SMALL, DARK, _own_in_the_help, commands=OWN),
    Scene("own-help-160x50", WIDE, LIGHT, _own_in_the_help, commands=OWN),
    Scene("own-ask-80x24", SMALL, LIGHT, _own_asks, commands=ASKS),
    Scene("own-ask-160x50", WIDE, DARK, _own_asks, commands=ASKS),
    Scene("settings-wrong-80x24", SMALL, DARK, _wrong_settings, commands=OWN, tells=True),
    Scene("settings-wrong-160x50", WIDE, LIGHT, _wrong_settings, commands=OWN, tells=True),
    Scene("menu-80x24", SMALL, DARK, _keys("m")),
    Scene("menu-160x50", WIDE, LIGHT, _menu_after(_mounts)),
    Scene("menu-chroot-160x50", WIDE, DARK, _keys("m")),
    Scene("menu-mount-80x24", SMALL, DARK, _menu_after(_mounts)),
    Scene("menu-job-80x24", SMALL, LIGHT, _menu_after(_jobs)),
    Scene("menu-job-160x50", WIDE, DARK, _menu_after(_jobs)),
    Scene("menu-panel-80x24", SMALL, DARK, _menu_after(_zoomed)),
    Scene("menu-panel-160x50", WIDE, LIGHT, _menu_after(_zoomed)),
    Scene("menu-marked-80x24", SMALL, LIGHT, _menu_after(_marked)),
    Scene("menu-marked-160x50", WIDE, DARK, _menu_after(_marked)),
    Scene("usage-80x24", SMALL, LIGHT, _usage),
    Scene("usage-160x50", WIDE, DARK, _usage),
    Scene("columns-80x24", SMALL, DARK, _keys("vertical_line")),
    Scene("columns-160x50", WIDE, LIGHT, _keys("vertical_line")),
    Scene("palette-80x24", SMALL, DARK, _palette),
    Scene("help-120x40", LARGE, DARK, _keys("question_mark")),
    Scene("help-80x24", SMALL, LIGHT, _keys("question_mark")),
)
