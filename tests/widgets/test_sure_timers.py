"""Timers whose thread gets no processor just as they begin: they ring late, not never."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest
from textual import _time
from textual.app import App

from chroot_tool.app.tui.screen.main_screen import MainScreen
from chroot_tool.app.tui.user.key_queue import KeyQueue
from chroot_tool.widgets.dialogs.dialog import Dialog
from chroot_tool.widgets.sure_timers import SureTimers
from chroot_tool.widgets.terminal.terminal import Terminal
from support.whole_ui import until


class Sure(SureTimers, App[None]):
    """An app with nothing in it that would look at the clock."""


def starved() -> Callable[[], float]:
    """Return a clock by which a second goes by between any two looks, twenty times."""
    seconds = itertools.chain(range(20), itertools.repeat(20))
    return lambda: time.monotonic() + next(seconds)


async def test_what_rings_once_rings_late(monkeypatch: pytest.MonkeyPatch) -> None:
    rang: list[str] = []
    app = Sure()
    async with app.run_test() as pilot:
        monkeypatch.setattr(_time, "get_time", starved())
        app.set_timer(0.01, lambda: rang.append("late"))
        await until(pilot, lambda: rang)
    assert rang == ["late"]


def test_whatever_something_waits_for_has_them() -> None:
    assert all(issubclass(each, SureTimers) for each in (KeyQueue, MainScreen, Dialog, Terminal))
