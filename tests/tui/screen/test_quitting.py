"""Leaving: at once where nothing runs, else after asking."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from chroot_tool.widgets.dialogs.quit import QuitDialog
from support.samples import CHROOTS
from support.whole_ui import Feed, RecordingEngine, recorded, ui, until


@pytest.mark.slow
async def test_ctrl_q_does_nothing_and_is_offered_nowhere() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("ctrl+q")
        assert not t.app._exit
        await t.press("question_mark")
        await t.until(lambda: t.app.screen.query("HelpPanel"))
        await t.shows("Chroots")
        assert "ctrl+q" not in t.app.screen.active_bindings
        assert "^q" not in t.text
        await t.press("ctrl+c")
        await t.says("to quit")
        assert not any("ctrl+q" in said for said in t.said)


async def test_q_quits_at_once_where_nothing_runs() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("q")
        await t.until(lambda: t.app._exit)


@pytest.mark.slow
@pytest.mark.parametrize("before", [(), ("question_mark", "escape"), ("colon", "escape")])
async def test_q_typed_ahead_quits_before_there_is_anything_else(
    before: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow start, or pasted with the command: neither details nor dock are there yet."""

    async def nothing() -> None:
        pass

    app = recorded(RecordingEngine(), Feed(*CHROOTS))
    monkeypatch.setattr(app.main, "_build", nothing)
    async with app.run_test() as pilot:
        await pilot.press(*before, "q")
        await until(pilot, lambda: app._exit)
    assert not app.main.is_built
    assert app.return_code == 0


async def test_a_signal_that_comes_while_a_job_is_stopped_holds_nobody_up() -> None:
    """The terminal goes and the session with it: two come at once."""
    before = signal.getsignal(signal.SIGCONT)
    async with ui(*CHROOTS) as t:
        t.engine.hold("on")
        await t.press("o")
        await t.shows("switching on")
        [job] = t.app.main.session.jobs._jobs.values()
        lock: Any = job.cancelled
        with lock._cond:  # as by whom the handler has interrupted
            t.app.end_by(signal.SIGHUP, None)
            assert not job.cancelled.is_set()
        await t.until(job.cancelled.is_set)
        await t.until(lambda: t.app._exit)
        t.lets_go = False
    t.app.main.session.jobs.wait()
    signal.signal(signal.SIGCONT, before)


@pytest.mark.slow
async def test_q_asks_while_a_job_runs_and_stays() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.hold("on")
        await t.press("o")
        await t.shows("switching on")
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.shows("on arm")
        await t.press("enter")
        await t.main()
        assert not t.app._exit


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "state"), [(["right"], "done"), (["right", "right"], "cancelled")]
)
async def test_q_leaves_and_the_job_goes_on_or_is_stopped(keys: list[str], state: str) -> None:
    async with ui(*CHROOTS) as t:
        gate = t.engine.hold("on")
        await t.press("o")
        await t.shows("switching on")
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.press(*keys, "enter")
        await t.until(lambda: t.app._exit)
        t.lets_go = False
        main = t.app.main
    if state == "done":
        assert [job.state for job in main.session.jobs.current] == ["running"]
        gate.set()
    main.session.jobs.wait()
    assert main.session.jobs.current == ()
    assert [job.view.state for job in main.session.jobs._jobs.values()] == [state]
    assert not any(thread.name == "on arm" for thread in threading.enumerate())


@pytest.mark.slow
async def test_q_does_not_ask_where_the_user_does_not_want_it() -> None:
    async with ui(*CHROOTS, confirm_quit=False) as t:
        t.engine.hold("on")
        await t.press("o")
        await t.shows("switching on")
        await t.press("q")
        await t.until(lambda: t.app._exit)
