"""Much output in a panel and the line to the terminal: what is written, what waits behind it."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chroot_tool.app.settings.commands import JOB, MOUNT, Command
from chroot_tool.app.tui.actions import captured, processes
from chroot_tool.app.tui.screen import showing_chroots
from chroot_tool.core.plan import Plan
from chroot_tool.widgets.terminal.pace import Pace
from support import PATIENCE, Cli
from support.outer_terminal import Terminal
from support.samples import BASE, CHROOTS, DEB12
from support.whole_ui import Ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
SECONDS = 2.0
A_SECOND = 4_000
"""Bytes that a flood writes on a far line, half of 64 kbit/s."""
AT_ONCE = 4_000
"""Bytes that may come beside: what else changes on the screen. Not a figure of ours (`./dev bench
ui` has those), but far below what a flood is without a bound."""
TRIES = 15
OUTPUTS = pytest.mark.parametrize(
    "pause", ["", "sleep 0.005; "], ids=["a flood", "some lines a second"]
)


@pytest.fixture
def terminal(tiny_chroot: Path, cli: Cli) -> Iterator[Terminal]:
    """The UI as behind ssh, on tiny and one that is below it in the list."""
    (tiny_chroot.parent / "zzz/chroot.d").mkdir(parents=True)
    argv = [os.fsdecode(word) for word in cli.argv("--base", tiny_chroot.parent)]
    env = cli.environment({
        "SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22", "TERM": "xterm-256color",
        "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8",
    })  # fmt: skip
    env.pop("NO_COLOR", None)
    made = Terminal(argv, env)
    yield made
    made.close()


def count(terminal: Terminal, seconds: float) -> tuple[int, float]:
    """Take what is written within so long; return the bytes, and how long it was."""
    began = time.monotonic()
    taken = 0
    while (left := began + seconds - time.monotonic()) > 0:
        if select.select([terminal.fd], [], [], left)[0]:
            taken += len(os.read(terminal.fd, 1 << 16))
    return taken, time.monotonic() - began


def is_paced(taken: int, seconds: float) -> bool:
    return 0 < taken <= A_SECOND * seconds + AT_ONCE


def behind(terminal: Terminal) -> int:
    """Go down and up in the list; return the most bytes that came before the answer."""
    lengths = []
    for key in ("j", "k"):  # either way the row of zzz is painted anew
        count(terminal, 0.5)
        terminal.seen = ""
        terminal.type(key)
        lengths.append(len(terminal.read_to(b"zzz ")))
    return max(lengths)


@pytest.mark.slow
@pytest.mark.root
@SIZES
@OUTPUTS
def test_output_leaves_room_on_a_far_line(
    terminal: Terminal, size: tuple[int, int], pause: str
) -> None:
    columns, rows = size
    terminal.resize(rows, columns)
    terminal.wait_for("zzz")
    terminal.wait_for("help")
    terminal.type("s")
    terminal.wait_for("running")
    terminal.wait_for("#")
    # No two of its lines are alike: what stands there already is not written.
    line = "$((i += 1)) line $((i * 7919)) $((i * i)) $((i * i * i))"
    terminal.type(f"while :; do echo {line}; {pause}done\r")
    terminal.wait_for(r"\d line \d{4}")
    # How soon it is known for a flood, and when the screen is painted whole, is the machine's: what
    # is held is that it comes to rest there. A flood without a bound never does.
    assert any(is_paced(*count(terminal, SECONDS)) for _ in range(TRIES))

    for key in ("\x1d", "\x1b"):  # out of the panel, and to the environments
        terminal.type(key)
        count(terminal, 1.0)
    assert any(behind(terminal) <= AT_ONCE for _ in range(TRIES))


TURNED = {"2": 6_000, "1": 6_000, "m": 10_000, ":": 16_000, "?": 10_000, "\x1b": 16_000}
"""Bytes that a key may write: what is other on a screen of 160 by 50, and some more. As Textual
paints, each writes 14 to 98 kB there."""


def answer_to(terminal: Terminal, key: str) -> int:
    """Press a key, return how many bytes came before it is at rest again."""
    while count(terminal, 1.0)[0]:  # what changes by itself, as a size that has been counted
        pass
    terminal.type(key)
    assert select.select([terminal.fd], [], [], PATIENCE)[0], f"no answer to {key!r}"
    taken = 0
    while more := count(terminal, 1.0)[0]:
        taken += more
    return taken


@pytest.mark.slow
@pytest.mark.root
@SIZES
def test_a_key_writes_what_is_other_on_the_screen(
    terminal: Terminal, size: tuple[int, int]
) -> None:
    columns, rows = size
    terminal.resize(rows, columns)
    terminal.wait_for("zzz")
    terminal.wait_for("help")
    count(terminal, 1.0)
    for key in ("2", "1", "m", "\x1b", ":", "\x1b", "?", "?"):
        taken = answer_to(terminal, key)
        assert taken <= TURNED[key], (key, taken)


OFF = CHROOTS[0]
NAMES = ("first", "second", "third")
QUICK, FULL = Pace(1e9, 1e9, of_all=True), Pace(0.001, 1, of_all=True)


async def show_all(t: Ui) -> None:
    """Let one look follow the other at once."""
    for name in NAMES:
        t.feed.show(OFF.replace(name=name))
    await t.until(lambda: [one.name for one in t.app.main.chroots] == ["third"])


WAITS = {
    "for the one before": (QUICK, "_GLANCE"),
    "for the answer to a key": (QUICK, "_ANSWER"),
    "for the line": (FULL, ""),
}


@pytest.mark.parametrize(("pace", "setting"), WAITS.values(), ids=WAITS)
@pytest.mark.slow
async def test_a_look_is_shown_when_a_slow_line_has_room_and_then_the_last_one(
    monkeypatch: pytest.MonkeyPatch, pace: Pace, setting: str
) -> None:
    for name in ("_GLANCE", "_ANSWER"):
        monkeypatch.setattr(showing_chroots, name, 3600.0 if name == setting else 0.0)
    async with ui(OFF, line="far") as t:
        line = t.app.main.session.line.pace
        line.become(pace)
        line.wrote(1)
        await t.press("j")
        await show_all(t)
        assert not any(name in t.text for name in NAMES)
        line.become(QUICK)
        monkeypatch.setattr(showing_chroots, "_GLANCE", 0.0)
        monkeypatch.setattr(showing_chroots, "_ANSWER", 0.0)
        t.app.main._sight._show_in_time()
        await t.shows("third")


async def test_on_a_slow_line_a_look_waits_no_longer_than_it_has_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(showing_chroots, "_GLANCE", 0.1)
    async with ui(OFF, line="far") as t:
        await show_all(t)
        await t.shows("third")


async def test_elsewhere_each_look_is_shown_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing_chroots, "_GLANCE", 3600.0)
    monkeypatch.setattr(showing_chroots, "_ANSWER", 3600.0)
    async with ui(OFF, line="near") as t:
        await t.press("j")
        t.app.main.session.line.pace.wrote(1_000_000)
        await show_all(t)
        await t.shows("third")


async def test_on_a_slow_line_the_details_come_behind_the_cursor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = OFF.replace(name="other", path=f"{OFF.path}-2")
    async with ui(OFF, other, line="far") as t:
        await t.until(lambda: t.highlighted == OFF.name)
        await t.press("j")
        await t.until(lambda: t.highlighted == "other")
        monkeypatch.setattr(showing_chroots, "_FOLLOWS", 3600.0)
        await t.press("k")
        assert t.app.main.table.highlighted == OFF
        assert t.highlighted == "other"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tab", "key"), [("2", "o"), ("2", "O"), ("2", "f5"), ("3", "K"), ("3", "l")]
)
async def test_what_is_done_to_a_row_is_done_to_the_chroot_that_it_is_of(
    monkeypatch: pytest.MonkeyPatch, tab: str, key: str
) -> None:
    """Also where the cursor is ahead of the details already."""
    one, other = (DEB12.replace(name=name, path=f"{BASE}/{name}") for name in ("one", "other"))
    command = Command("which", ("/bin/echo", "{path}"), "f5", rows=MOUNT, output=JOB)
    async with ui(one, other, line="far", commands=(command,)) as t:
        done: list[str] = []
        for name in ("send_signal", "show_open"):
            monkeypatch.setattr(processes, name, lambda _, of, *__: done.append(of.path))
        monkeypatch.setattr(captured, "run", lambda _, argv, *__: done.append(argv[-1]))

        def switch(path: str, *_: object, **__: object) -> Plan:
            done.append(path)
            return Plan()

        for name in ("switch_bind", "plan_switch_bind"):
            monkeypatch.setattr(t.engine, name, switch)
        await t.until(lambda: t.highlighted == "one")
        await t.press(tab)
        await t.until(lambda: t.app.main.details.has_focus_within)
        await t.press("escape")
        # Nor do they come because there is news of what they show.
        monkeypatch.setattr(t.app.main._display, "details", lambda: None)
        await t.press("j", tab, key)
        await t.until(lambda: done)
        assert done == [one.path]
        assert t.app.main.table.highlighted == other
