"""A command in several chroots at once: asked for once, run beside the UI, told once."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from chroot_tool.app import paths, run_history
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from chroot_tool.widgets.dialogs.switch import Switch
from support import mounts_below, processes_below
from support.copies import copy
from support.samples import BASE, CHROOTS
from support.whole_ui import Ui, real_ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
OFF = tuple(CHROOTS[0].replace(name=f"deb{n}", path=f"{BASE}/deb{n}") for n in (10, 11, 12))


@pytest.fixture
def on_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run here instead of in a chroot, with its name as `$NAME`."""

    def here(_engine: LocalEngine, path: str, words: tuple[str, ...]) -> tuple[str, ...]:
        return ("env", f"NAME={Path(path).name}", *words[words.index("--") + 1 :])

    monkeypatch.setattr(LocalEngine, "command", here)


async def mark_all(t: Ui) -> None:
    await t.press("plus")
    await t.write("deb1")
    await t.press("enter")
    await t.until(lambda: t.app.main.table.rows.has_focus)


async def run(t: Ui, line: str, *switches: str) -> None:
    await t.press("r")
    prompt = await t.dialog(RunPrompt)
    prompt.field("line").value = line
    for switch in switches:
        prompt.query_one(f"#{switch}", Switch).value = True
    await t.press("enter")
    await t.main()


def lines(t: Ui) -> list[str]:
    return [line for entry in reversed(t.app.main.session.log.entries) for line in entry.lines]


@pytest.mark.slow
@SIZES
@pytest.mark.usefixtures("on_this_host")
async def test_it_is_run_in_each_and_told_once(size: tuple[int, int]) -> None:
    async with ui(*OFF, size=size) as t:
        await mark_all(t)
        await t.press("r")
        await t.dialog(RunPrompt)
        await t.shows("run in 3 chroots")
        await t.press("escape")
        await t.main()
        script = 'echo "out of $NAME"; [ $NAME != deb11 ] || { echo no >&2; exit 2; }'
        await run(t, f"sh -c '{script}'")
        await t.says("run: 2 done, 1 failed (deb11: exit 2: no)")
        assert len(t.said) == 1
        assert t.job_states == {"deb10": "done", "deb11": "failed", "deb12": "done"}
        assert not t.app.main.dock.panels
        said = [line for line in lines(t) if line.startswith("chroot-tool run -d ")]
        assert [line.split()[3] for line in said] == [one.path for one in OFF]
        pane = t.app.main.dock.jobs_pane
        for job in t.app.main.session.jobs.views:
            pane.select(job.id)
            await t.shows(f"out of {job.name}")
        states = {(one.state, one.said) for one in t.app.main.session.log.entries}
        assert ("failed", "exit 2: no") in states


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_nothing_is_to_be_read_and_it_can_be_cancelled() -> None:
    async with ui(*OFF) as t:
        await mark_all(t)
        await run(t, "sh -c 'cat; echo nothing; [ $NAME != deb12 ] || exec sleep 1000'")
        await t.until(
            lambda: t.job_states == {"deb10": "done", "deb11": "done", "deb12": "running"}
        )
        await t.press("4")
        await t.until(lambda: t.app.main.dock.jobs_pane.has_focus_within)
        job = next(one for one in t.app.main.session.jobs.views if one.name == "deb12")
        t.app.main.dock.jobs_pane.select(job.id)
        await t.press("c")
        await t.says("run: 2 done, 1 not done (deb12: stopped by you)")


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_what_is_broken_or_busy_is_named_with_the_rest() -> None:
    broken = OFF[2].replace(state="broken")
    async with ui(*OFF[:2], broken) as t:
        t.engine.hold("on")
        await t.on_row("deb11")
        await t.press("o")
        await t.until(lambda: t.engine.called("on"))
        await mark_all(t)
        await run(t, "true")
        await t.says("run: 1 done, 2 not done (deb11 has something under way already: on; deb12 is")


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_a_single_mark_has_a_panel_not_what_the_cursor_is_on() -> None:
    async with ui(*OFF) as t:
        await t.on_row("deb12")
        await t.press("space")
        await t.on_row("deb10")
        await run(t, "sh -c 'echo out of $NAME'")
        await t.shows("out of deb12", "exit 0")
        assert [panel.chroot for panel in t.app.main.dock.panels] == ["deb12"]


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_a_snapshot_comes_first_and_without_it_nothing_is_run(tmp_path: Path) -> None:
    async with ui(*OFF) as t:
        t.engine.fail("take_snapshot", ChrootError("no space left"))
        await mark_all(t)
        await run(t, f"sh -c 'echo >> {tmp_path}/ran'", "snapshot")
        await t.says("run: 2 done, 1 failed (")
        assert "no space left" in t.said[0]
        assert (tmp_path / "ran").read_text() == "\n\n"
        assert len(t.engine.called("take_snapshot")) == 3
        assert lines(t)[:2] == [
            f"chroot-tool snapshot -d {OFF[0].path}",
            f"chroot-tool run -d {OFF[0].path} -- sh -c 'echo >> {tmp_path}/ran'",
        ]


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_the_history_is_read_and_written_beside_the_ui(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a home that does not answer it stood still for a second each."""
    threads: list[threading.Thread] = []
    commands, remember = run_history.commands, run_history.remember

    def reading(*paths: str) -> tuple[str, ...]:
        threads.append(threading.current_thread())
        return commands(*paths)

    def writing(line: str, *paths: str) -> None:
        threads.append(threading.current_thread())
        remember(line, *paths)

    monkeypatch.setattr(run_history, "commands", reading)
    monkeypatch.setattr(run_history, "remember", writing)
    async with ui(*OFF) as t:
        await mark_all(t)
        await run(t, "true")
        await t.until(lambda: len(threads) == 2)
        assert threading.current_thread() not in threads
        await t.idle()


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host")
async def test_it_goes_into_the_history_of_each_and_into_throw_away_sessions() -> None:
    async with ui(*OFF) as t:
        await mark_all(t)
        await run(t, "true", "ephemeral")
        await t.says("run: 3 done")
        assert lines(t)[0] == f"chroot-tool run -x -d {OFF[0].path} -- true"
        assert run_history.commands(OFF[2].path) == ("true",)
        run_history.remember("other", OFF[2].path)
        assert run_history.commands(*(one.path for one in OFF)) == ("true", "other")


@pytest.mark.slow
@pytest.mark.usefixtures("on_this_host", "own_home")
async def test_what_can_be_kept_nowhere_is_said_and_run_all_the_same(tmp_path: Path) -> None:
    """As where these are links to /dev/null, so that nothing is kept."""
    os.mkfifo(tmp_path / "pipe")
    for place in (paths.history_file(), paths.commands_file()):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(tmp_path / "pipe", place)
    async with ui(*OFF) as t:
        await mark_all(t)
        await run(t, "true")
        await t.says("run: 3 done")
        assert "history: pipe is no regular file" in t.said


@pytest.mark.slow
async def test_the_scripts_that_all_have_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui(*OFF) as t:
        has = {OFF[0].path: ("start", "test", "stop"), OFF[1].path: ("stop", "start")}
        monkeypatch.setattr(t.engine, "scripts", lambda path: has.get(path, ("stop", "more")))
        await mark_all(t)
        await t.press("r")
        await t.dialog(RunPrompt)
        await t.shows("script stop")
        await t.hides("start", "test", "more")


@pytest.mark.slow
@pytest.mark.root
async def test_in_real_chroots(tiny_chroot: Path) -> None:
    other = tiny_chroot.with_name("other")
    copy(tiny_chroot, other)
    engine = LocalEngine(str(tiny_chroot.parent))
    try:
        async with real_ui(tiny_chroot.parent) as t:
            for name in ("tiny", "other"):
                await t.on_row(name)
                await t.press("space")
            (other / "only-here").touch()
            await run(t, "sh -c '[ -e /only-here ] || exit 2; cat; echo found'")
            await t.says("run: 1 done, 1 failed (tiny: exit 2)")
            await t.shows("found")
            await t.idle()
            await run(t, "sh -c 'echo up; exec sleep 1000'")
            await t.until(lambda: processes_below(tiny_chroot) and processes_below(other))
            for job in t.app.main.session.jobs.running:
                t.app.main.session.jobs.cancel(job.id)
            await t.says("run: none done, 2 not done (")
            await t.until(lambda: not processes_below(tiny_chroot) and not processes_below(other))
    finally:
        if mounts_below(other):
            engine.off(str(other), stop=False, kill=True)
