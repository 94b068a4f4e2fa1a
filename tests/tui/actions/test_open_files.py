"""What a process has open, and where a chroot listens."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from chroot_tool.app.tui.threads.messages import Listening
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.process import Listener, OpenFile
from chroot_tool.widgets.dialogs.open_files import OpenFilesDialog
from support.samples import CHROOTS, DEB12, PROCESSES
from support.screen import HOSTILE, stray_controls
from support.whole_ui import Ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
SSHD = PROCESSES[0]
FILES = (
    OpenFile(SSHD.pid, "cwd", "file", "/"),
    OpenFile(SSHD.pid, "exe", "file", "/usr/sbin/sshd"),
    OpenFile(SSHD.pid, "3", "tcp", "0.0.0.0:22 listening"),
    OpenFile(SSHD.pid, "12", "file", "/var/log/auth.log"),
)
PORTS = (
    Listener("tcp", "0.0.0.0:22", SSHD.pid, SSHD.command),
    Listener("udp", "[::]:123", 9, "ntpd -g"),
)


async def opened(t: Ui) -> OpenFilesDialog:
    await t.on_row("deb12")
    await t.press("3", "g", "l")
    return await t.dialog(OpenFilesDialog)


@pytest.mark.slow
@SIZES
async def test_what_a_process_has_open(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        t.engine.opened = {SSHD.pid: FILES}
        dialog = await opened(t)
        await t.shows(f"what process {SSHD.pid} has open: 4", SSHD.command, "0.0.0.0:22 listening")
        assert t.engine.called("open_files") == [(DEB12.path, SSHD.pid)]
        await t.press("slash")
        await t.write("log")
        await t.shows("/var/log/auth.log")
        await t.hides("listening")
        await t.press("enter", "y")
        await t.until(lambda: t.app.clipboard == "12  file  /var/log/auth.log")
        await t.press("slash", "escape")
        await t.shows("listening")
        await t.until(lambda: dialog.table.has_focus)
        await t.press("escape")
        await t.main()


@pytest.mark.slow
async def test_it_is_in_the_menu_of_a_process() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("3", "g", "m")
        await t.shows("l open files")
        await t.press("l")
        await t.dialog(OpenFilesDialog)
        await t.shows("nothing is open")


@pytest.mark.slow
async def test_who_has_ended_is_told_of() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("open_files", ChrootError("process 4711 has ended"))
        await t.on_row("deb12")
        await t.press("3", "g", "l")
        await t.says("process 4711 has ended")


@pytest.mark.slow
async def test_while_it_is_read_the_rest_goes_on() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.opened = {SSHD.pid: FILES}
        gate: threading.Event = t.engine.hold("open_files")
        await t.on_row("deb12")
        await t.press("3", "g", "l")
        await t.until(lambda: t.engine.called("open_files"))
        assert t.app.screen is t.app.main
        gate.set()
        await t.dialog(OpenFilesDialog)


@pytest.mark.slow
async def test_names_of_files_are_shown_safely() -> None:
    async with ui(*CHROOTS) as t:
        bad = (OpenFile(SSHD.pid, str(n), "file", f"/{text}") for n, text in enumerate(HOSTILE))
        t.engine.opened = {SSHD.pid: tuple(bad)}
        await opened(t)
        await t.shows(f"has open: {len(HOSTILE)}")
        assert not stray_controls(t.app)
        await t.press("y")
        await t.until(lambda: t.app.clipboard.startswith("0"))
        assert "\x1b" not in t.app.clipboard


# -- where it listens ------------------------------------------------------------------------------


@pytest.mark.slow
@SIZES
async def test_the_overview_says_where_it_listens(size: tuple[int, int]) -> None:
    async with ui(DEB12, size=size) as t:
        t.engine.ports = {DEB12.path: PORTS}
        t.feed.show(DEB12.replace(processes=PROCESSES[:2]))
        await t.press("1")
        await t.shows("listens at", "tcp 0.0.0.0:22 sshd 4711", "udp [::]:123 ntpd 9")
        t.feed.show(DEB12.replace(processes=(), state="off"))
        await t.hides("listens at")


@pytest.mark.slow
async def test_who_goes_when_all_had_settled_listens_no_more() -> None:
    async with ui(DEB12) as t:
        t.engine.ports = {DEB12.path: PORTS}
        sight = t.app.main._sight
        await t.shows("listens at")
        await t.until(lambda: t.engine.looked and not sight._to_settle)
        t.feed.show(DEB12.replace(processes=(), state="off"))
        await t.hides("listens at")


@pytest.mark.slow
async def test_an_answer_that_comes_when_all_have_gone_is_none() -> None:
    async with ui(DEB12) as t:
        await t.until(lambda: t.engine.looked)
        t.feed.show(DEB12.replace(processes=(), state="off"))
        await t.until(lambda: not t.app.main.chroots[0].processes)
        t.app.main.post_message(Listening(DEB12.path, PORTS))
        await t.pilot.pause()
        await t.hides("listens at")
        t.feed.show(DEB12.replace(processes=PROCESSES[:2]))
        t.engine.ports = {DEB12.path: PORTS}
        await t.shows("listens at")


@pytest.mark.slow
async def test_it_is_asked_of_what_is_shown_and_only_where_somebody_lives_in_it() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.until(lambda: DEB12.path in t.engine.looked)
        await t.on_row("jammy")
        await t.press("2")
        await t.until(lambda: t.app.main.details.tab == "mounts")
        assert set(t.engine.looked) == {DEB12.path}


@pytest.mark.slow
async def test_it_is_not_asked_again_where_nobody_came_or_went(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ui(DEB12) as t:
        sight, inventory = t.app.main._sight, t.app.main.session.inventory
        await t.until(lambda: t.engine.looked and not sight._to_settle)
        asked: list[str] = []
        monkeypatch.setattr(inventory, "look_for_listeners", asked.append)
        for cpu in (1.0, 2.0, 3.0):
            busy = tuple(one.replace(cpu_percent=cpu) for one in PROCESSES)
            t.feed.show(DEB12.replace(processes=busy))
            await t.until(lambda b=busy: t.app.main.chroots[0].processes == b)  # type: ignore[misc]
        assert asked == []
        t.feed.show(DEB12.replace(processes=PROCESSES[:1]))
        await t.until(lambda: asked)


@pytest.mark.slow
async def test_while_others_come_and_go_it_is_asked_when_that_has_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Timer:
        def __init__(self, seconds: float, then: Callable[[], None]) -> None:
            self.seconds, self.then, self.resets = seconds, then, 0

        def reset(self) -> None:
            self.resets += 1

    async with ui(DEB12) as t:
        sight, inventory = t.app.main._sight, t.app.main.session.inventory
        await t.until(lambda: t.engine.looked and not sight._to_settle)
        asked: list[str] = []
        timers: list[Timer] = []
        monkeypatch.setattr(inventory, "look_for_listeners", asked.append)

        def wait(seconds: float, then: Callable[[], None], **_: object) -> Timer:
            timers.append(Timer(seconds, then))
            return timers[-1]

        monkeypatch.setattr(sight._screen, "set_timer", wait)
        for count in (1, 2, 3):
            living = PROCESSES[:count]
            t.feed.show(DEB12.replace(processes=living))
            await t.until(lambda n=living: t.app.main.chroots[0].processes == n)  # type: ignore[misc]
        settling = [one for one in timers if one.seconds in (0.5, 4.0)]
        assert [(one.seconds, one.resets) for one in settling] == [(0.5, 2), (4.0, 0)]
        assert asked == []
        for one in settling:
            one.then()
        assert asked == [DEB12.path] * 2
        # Who came while the longest ran has as long; after that nobody has come any more.
        assert timers[-1].seconds == 4.0
        assert timers[-1] not in settling
        before = len(timers)
        timers[-1].then()
        assert asked == [DEB12.path] * 3
        assert len(timers) == before


@pytest.mark.slow
async def test_escape_shows_all_again_where_nothing_was_found() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.opened = {SSHD.pid: FILES}
        dialog = await opened(t)
        await t.press("slash")
        await t.write("zz")
        await t.press("enter")
        await t.shows("nothing matches zz", "Esc shows all again")
        await t.until(lambda: dialog.table.has_focus)
        await t.press("escape")
        await t.shows("listening")
        assert t.app.screen is dialog
        await t.press("escape")
        await t.main()
