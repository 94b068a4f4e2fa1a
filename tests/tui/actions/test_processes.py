"""Signals to processes inside, by keys."""

from __future__ import annotations

import psutil
import pytest

from chroot_tool.core.process import Process
from chroot_tool.widgets.dialogs.confirm import Confirm
from support import Program
from support.samples import DEB12
from support.whole_ui import ui


@pytest.mark.slow
@pytest.mark.parametrize(("key", "code"), [("t", -15), ("K", -9)])
async def test_signals_are_sent_after_asking(key: str, code: int) -> None:
    with Program(["sleep", "1000"]) as child:
        facts = psutil.Process(child.pid)
        one = Process(child.pid, "root", "sleep 1000", 0.0, 1000, facts.create_time())
        async with ui(DEB12.replace(processes=(one,))) as t:
            await t.press("3")
            await t.shows(str(child.pid))
            await t.until(lambda: t.app.main.details.query("ProcessesTable:focus"))
            await t.press(key)
            await t.dialog(Confirm)
            await t.press("escape")
            await t.main()
            assert child.poll() is None
            await t.press(key)
            await t.dialog(Confirm)
            await t.press("right", "enter")
            await t.main()
            await t.until(lambda: child.poll() is not None)
            assert child.returncode == code


@pytest.mark.slow
async def test_a_signal_for_one_that_is_gone_hits_nobody() -> None:
    with Program(["sleep", "1000"]) as child:
        one = Process(child.pid, "root", "sleep 1", 0.0, 1000, 1000.0)  # an earlier one
        async with ui(DEB12.replace(processes=(one,))) as t:
            await t.press("3")
            await t.until(lambda: t.app.main.details.query("ProcessesTable:focus"))
            await t.shows(str(child.pid))
            await t.press("K")
            await t.dialog(Confirm)
            await t.press("right", "enter")
            await t.says("is gone")
            assert child.poll() is None
        child.kill()
