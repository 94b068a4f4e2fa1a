"""The log of a chroot: in its tab, kept over the next start, bounded, and whatever stands in it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from chroot_tool.app import log_file
from chroot_tool.app.paths import log_file as place
from chroot_tool.core.looking.happenings import Happening
from chroot_tool.core.looking.package_log import PackageRun
from chroot_tool.widgets.tables.log_table import LogRows, LogTable
from support.samples import CHROOTS, DEB12, NOW, OFF
from support.screen import HOSTILE, stray_controls
from support.whole_ui import Ui, ui

PATH = DEB12.path
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])


@pytest.fixture(autouse=True)
def a_log_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_what_is_kept_is_read_again() -> None:
    assert log_file.load() == {}
    first, second = (
        Happening(NOW, "on"),
        Happening(NOW + 1, "partial", "/tmp\x1b[31m \udcff missing"),
    )
    log_file.add([("/b/x", first)])
    log_file.add([("/b/x", second), ("/b/\udcff", first)])
    assert log_file.load() == {"/b/x": [first, second], "/b/\udcff": [first]}
    assert os.stat(place()).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "line",
    [b"", b"\0\xff{", b"[]", b"{}", b'{"path": 3, "time": 1, "kind": "on"}', b"[" * 5000,
     b'{"path": "/b", "time": NaN, "kind": "on"}', b'{"path": "/b", "time": 1}'],
)  # fmt: skip
def test_lines_that_are_none_of_ours_are_passed_over(line: bytes) -> None:
    good = Happening(NOW, "on")
    log_file.add([("/b/x", good)])
    Path(place()).write_bytes(line + b"\n" + Path(place()).read_bytes() + line)
    assert log_file.load() == {"/b/x": [good]}


def test_it_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "_MOST", 20_000)
    for number in range(1000):
        log_file.add([("/b/x", Happening(NOW + number, "on", "x" * 50))])
        assert os.path.getsize(place()) <= 20_000
    kept = log_file.load()["/b/x"]
    assert kept[-1].time == NOW + 999
    assert [one.time for one in kept] == [NOW + 1000 - len(kept) + n for n in range(len(kept))]


def test_what_is_no_file_is_left_alone() -> None:
    os.makedirs(place())
    assert log_file.load() == {}
    with pytest.raises(OSError, match="directory"):
        log_file.add([("/b/x", Happening(NOW, "on"))])


async def is_off(run: Ui) -> None:
    """Wait until the details show it: others are off in the list all the time."""
    await run.until(lambda: not run.app.main.details.chroot.is_on)  # type: ignore[union-attr]
    await run.pilot.pause()


@pytest.mark.slow
@SIZES
async def test_it_shows_what_happens_and_what_happened_before(size: tuple[int, int]) -> None:
    log_file.add([(PATH, Happening(NOW - 99, "partial", "/tmp missing"))])
    async with ui(*CHROOTS, size=size) as run:
        run.engine.runs[PATH] = (PackageRun(NOW - 50, 1, 0, 0, ("gcc",)),)
        await run.on_row("deb12")
        await run.press("5")
        await run.shows("◐ partial /tmp missing", "* packages installed 1: gcc")
        run.feed.show(DEB12.replace(state="off", processes=(), mounts=OFF))
        await is_off(run)
        await run.press("g", "y")
        assert run.app.clipboard.endswith(" off")
        await run.press("escape")
        await run.until(lambda: run.app.main.table.rows.has_focus)
    async with ui(*CHROOTS, size=size) as run:
        await run.on_row("deb12")
        await run.press("5")
        await run.shows("○ off", "◐ partial /tmp missing", "- ended 4711 root: /usr/sbin/sshd -D")


@pytest.mark.slow
async def test_nothing_is_asked_while_the_log_is_not_seen() -> None:
    async with ui(*CHROOTS) as run:
        await run.on_row("deb12")
        assert run.engine.called("package_runs") == []
        await run.press("5")
        await run.until(lambda: run.engine.called("package_runs"))
        await run.press("1")
        await run.on_row("arm")
        assert run.engine.called("package_runs") == [(PATH,)] * len(
            run.engine.called("package_runs")
        )
        await run.press("5")
        await run.shows("nothing has happened to it")


@pytest.mark.slow
async def test_a_disk_that_can_not_be_written_hinders_nothing() -> None:
    os.makedirs(place())
    async with ui(*CHROOTS) as run:
        await run.on_row("deb12")
        await run.press("5")
        run.feed.show(DEB12.replace(state="off", processes=(), mounts=OFF))
        await is_off(run)


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
async def test_a_hostile_log_does_no_harm(text: str) -> None:
    log_file.add([(PATH, Happening(NOW, "started", text)), (PATH, Happening(NOW, "on", text))])
    async with ui(*CHROOTS, size=(80, 24)) as run:
        run.engine.runs[PATH] = (PackageRun(NOW, 1, 1, 1, (text,)),)
        await run.on_row("deb12")
        await run.press("5")
        await run.shows("packages installed 1")
        assert stray_controls(run.app) == []


def test_lines_beyond_all_bounds_are_not_kept() -> None:
    log_file.add([(PATH, Happening(NOW, "on", "x" * 10_000)), (PATH, Happening(NOW, "off"))])
    assert log_file.load() == {PATH: [Happening(NOW, "off")]}
    assert json.loads(Path(place()).read_text())["kind"] == "off"


@pytest.mark.slow
async def test_the_wheel_reads_it_on_while_it_is_shown_anew() -> None:
    """With the cursor on the latest each look, a second apart, went back to the top."""
    for number in range(60):
        log_file.add([(PATH, Happening(NOW - 99 - number, "off", f"the {number}th"))])
    async with ui(*CHROOTS, size=(120, 30)) as run:
        await run.on_row("deb12")
        await run.press("5")
        await run.shows("the 3th")
        rows = run.app.main.details.query_one(LogRows)
        await run.until(lambda: rows.cursor_key == rows.keys[0])
        rows.scroll_to(y=9, animate=False, immediate=True)
        table = run.app.main.details.query_one(LogTable)
        table.show(tuple(rows._model.rows.values()))
        await run.pilot.pause()
        assert rows.scroll_offset.y == 9
