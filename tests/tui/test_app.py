"""The whole UI as a person meets it: every key and flow, on a recording engine and on real chroots.

The recording engine (support/whole_ui.py) is for what takes long, or should fail; where an
operation is quick it is done for real, and looked at from outside.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from textual.binding import Binding
from textual.color import Color
from textual.command import CommandPalette
from textual.widgets import Button, Input
from textual.widgets._toast import Toast

from chroot_tool.app.tui.threads.messages import Counted
from chroot_tool.app.tui.threads.watch_threads import SizeThread
from chroot_tool.app.tui.user import ask_and_tell
from chroot_tool.core.errors import BusyError, ChrootError, LockedError, PrivilegeError, Problem
from chroot_tool.core.events import Output, Stage
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking.snapshot import Snapshot
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.mounts.steps import Unmount
from chroot_tool.core.plan import Plan
from chroot_tool.core.process import Holder, Process
from chroot_tool.core.remote.machines import Machines
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.create import CreateForm
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from chroot_tool.widgets.dialogs.quit import QuitDialog
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from chroot_tool.widgets.dialogs.stop_processes import StopProcesses
from support import Program, mounts_below, processes_below
from support.samples import BASE, CHROOTS, DEB12, NOW, OFF, SIZES, TRIXIE, hostile_chroot, mount
from support.screen import HOSTILE, screen_lines, stray_controls
from support.whole_ui import DEADLINE, Feed, RecordingEngine, Ui, real_ui, recorded, ui, until

ARM = f"{BASE}/arm"
JAMMY = f"{BASE}/jammy"
HOLDER = Holder(4711, "root", "sleep 1000", ("root /",))


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's is read or written, and the clock of what is shown is one for all."""
    for kind in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "home" / kind.lower()))
    monkeypatch.delenv("CHROOT_TOOL_BASE", raising=False)


# -- on and off -----------------------------------------------------------------------------------


async def test_o_switches_on_what_is_off_or_partial_and_off_what_is_on() -> None:
    async with ui(*CHROOTS) as t:
        for name in ("arm", "trixie-build", "deb12"):
            await t.on_row(name)
            await t.press("o")
            await t.until(lambda name=name: t.job_states.get(name) == "done")  # type: ignore[misc]
        # Nobody is ended unasked, but `stop` is run.
        assert t.engine.calls == [
            ("on", ARM),
            ("on", TRIXIE.path),
            ("off", DEB12.path, True, False),
        ]
        await t.shows("off done")  # among the last operations of the overview


async def test_what_is_on_at_boot_is_changed_and_seen() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.app.main.action_perform("environments.boot")
        await t.until(lambda: t.engine.called("enable") == [(ARM,)])
        await t.says("arm is switched on at boot from now on")
        await t.hides("at boot")
        t.feed.show(*[one.replace(enabled=one.path == ARM) for one in CHROOTS])
        await t.shows("at boot on, and started")
        await t.app.main.action_perform("environments.boot")
        await t.until(lambda: t.engine.called("disable") == [(ARM,)])


async def test_o_on_what_cannot_be_switched_says_why() -> None:
    async with ui(*CHROOTS) as t:
        for name in ("broken", "half", "new"):
            await t.on_row(name)
            await t.press("o")
            await t.says(f"{name} is ")
        assert t.engine.calls == []


async def test_o_switches_off_what_is_broken_while_it_is_on() -> None:
    """With a mistake in its configuration, say: that must not keep its mounts there."""
    there = tuple(mount.replace(state="foreign", real="proc") for mount in DEB12.mounts)
    async with ui(DEB12.replace(state="broken", mounts=there), TRIXIE) as t:
        await t.on_row("deb12")
        await t.press("o")
        await t.until(lambda: t.job_states.get("deb12") == "done")
        assert t.engine.calls == [("off", DEB12.path, True, False)]
        await t.press("space")
        await t.on_row("trixie-build")
        await t.press("space", "o")  # on, both: what can't be is said
        await t.until(lambda: t.job_states.get("trixie-build") == "done")
        await t.says("deb12 is broken")
        assert t.engine.calls[1:] == [("on", TRIXIE.path)]


@pytest.mark.slow
async def test_o_concerns_all_that_are_marked_each_with_its_own_outcome() -> None:
    async with ui(*CHROOTS) as t:
        for name in ("arm", "deb12", "jammy"):
            await t.on_row(name)
            await t.press("space")
        await t.shows("3 marked")
        await t.on_row("broken")
        t.engine.fail("on", ChrootError("mount /proc: it is on fire", "put it out"))
        await t.press("o")
        await t.until(lambda: sorted(t.job_states.values()) == ["done", "failed"])
        # One direction for all: what is on already is left alone.
        assert sorted(t.engine.called("on")) == [(ARM,), (JAMMY,)]
        assert t.engine.called("off") == []


async def test_o_switches_off_what_is_marked_only_where_all_of_it_is_on() -> None:
    other = DEB12.replace(name="other", path=f"{BASE}/other")
    async with ui(DEB12, other, TRIXIE) as t:
        for name in ("deb12", "other", "trixie-build"):
            await t.on_row(name)
            await t.press("space")
        await t.press("o")  # trixie-build is partial
        await t.until(lambda: t.job_states == {"trixie-build": "done"})
        await t.press("space", "o")
        await t.until(lambda: len(t.job_states) == 3 and not t.app.main.session.jobs.running)
        assert t.engine.called("on") == [(TRIXIE.path,)]
        assert {path for path, *_ in t.engine.called("off")} == {DEB12.path, other.path}


async def test_one_job_at_a_time_for_a_chroot() -> None:
    async with ui(*CHROOTS) as t:
        gate = t.engine.hold("on")
        await t.on_row("arm")
        await t.press("o")
        await t.shows("switching on")
        await t.press("o")
        await t.says("under way already")
        gate.set()
        await t.until(lambda: t.job_states == {"arm": "done"})
        assert t.engine.calls == [("on", ARM)]


@pytest.mark.slow
async def test_a_busy_one_is_asked_about_and_left_alone() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("off", BusyError("deb12 is in use", "stop them", [HOLDER]))
        await t.on_row("deb12")
        await t.press("o")
        await t.dialog(StopProcesses)
        await t.shows("4711", "sleep 1000")
        await t.press("enter")  # Cancel has the focus
        await t.main()
        assert len(t.engine.called("off")) == 1
        # Who was asked and said no has seen nothing fail.
        assert t.job_states == {"deb12": "cancelled"}
        await t.shows("off cancelled", "in use by 1 process: left on", "● on ")
        await t.hides("● on !")


async def test_a_hint_of_the_command_line_is_put_in_words_of_the_ui() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("on", BusyError("in use", "end them, or let --kill do it", [HOLDER]))
        await t.on_row("arm")
        await t.press("o")
        await t.until(lambda: t.job_states == {"arm": "failed"})
        await t.shows("end the processes that use it first")
        await t.hides("--kill")


@pytest.mark.slow
async def test_a_busy_one_is_switched_off_after_asking() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("off", BusyError("deb12 is in use", "stop them", [HOLDER]))
        await t.on_row("deb12")
        await t.press("o")
        await t.dialog(StopProcesses)
        await t.press("right", "enter")
        await t.main()
        await t.until(lambda: t.job_states == {"deb12": "done"})
        # `stop` was run the first time.
        assert t.engine.called("off") == [(DEB12.path, True, False), (DEB12.path, False, True)]


@pytest.mark.slow
async def test_two_busy_ones_are_asked_about_one_after_the_other() -> None:
    two = (DEB12, DEB12.replace(name="other", path=f"{BASE}/other"))
    async with ui(*two) as t:
        t.engine.fail("off", *[BusyError("in use", "", [HOLDER])] * 2)
        await t.press("space", "j", "space", "o")
        first = await t.dialog(StopProcesses)
        await t.until(lambda: len(t.engine.called("off")) == 2)
        await t.until(lambda: t.app.screen is not first or len(t.app.screen_stack) == 3)
        await t.press("escape")
        await t.until(lambda: len(t.app.screen_stack) == 2)
        await t.press("escape")
        await t.main()
        assert len(t.engine.called("off")) == 2


async def test_another_chroot_tool_at_work_is_a_failure_not_a_question() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("off", LockedError("another chroot-tool is at work on deb12", "wait", 7))
        await t.on_row("deb12")
        await t.press("o")
        await t.shows("another chroot-tool is at work")
        await t.main()


# -- failures -------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_failure_stays_until_it_was_read() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("on", ChrootError("mount /dev: no space left", "free some"))
        await t.on_row("arm")
        await t.press("o")
        await t.shows("✗ mount /dev: no space left", "→ free some", "○ off !")
        await t.on_row("jammy")
        await t.press("o")
        await t.until(lambda: t.job_states.get("jammy") == "done")
        t.feed.show(*CHROOTS[1:], CHROOTS[0].replace(description="changed"))
        await t.shows("○ off !")
        await t.press("4")
        await t.until(lambda: t.app.main.dock.has_focus_within)
        await t.until(lambda: t.app.main.dock.jobs_pane.select(1))
        await t.shows("→ free some")
        await t.press("y")
        await t.says("copied")
        assert t.app.clipboard == "on arm: mount /dev: no space left\nhint: free some"
        await t.press("x")
        await t.until(lambda: t.job_states == {"jammy": "done"})
        await t.hides("○ off !")


async def test_the_sign_of_a_failure_goes_when_what_failed_works() -> None:
    async with ui(*CHROOTS) as t:
        for mended in ("by a key", "by somebody else"):
            t.engine.fail("on", ChrootError("the source /data is not there"))
            await t.on_row("arm")
            await t.press("o")
            await t.shows("○ off !")
            if mended == "by a key":
                await t.press("o")
                await t.until(lambda: t.job_states.get("arm") == "done")
            else:
                t.feed.show(
                    *[one.replace(state="on") if one.path == ARM else one for one in CHROOTS]
                )
                await t.shows("● on arm")
            await t.hides("off !", "on !")


ERRORS = (
    ChrootError("it [/x] failed \x1b[2J", "try [bold]again"),
    PrivilegeError("may not mount", "run it with sudo"),
    BusyError("in use", "", [Holder(1, "[/x]", "\x1b[31m", ("cwd \x9b",))]),
    ValueError("a bug \x1b[2J[/x]"),
    OSError(5, "Input/output error", "/srv/\udcff"),
)


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["on", "off", "create", "delete", "switch_bind"])
async def test_an_engine_that_fails_everywhere_takes_nothing_down(verb: str) -> None:
    async with ui(*CHROOTS, sizes=SIZES) as t:
        errors = ERRORS if verb in ("on", "off") else ERRORS[-2:]
        for count, error in enumerate(errors, 1):
            t.engine.fail(verb, error)
            await start(t, verb)
            await t.until(lambda count=count: len(t.engine.called(verb)) == count)  # type: ignore[misc]
            await t.idle()
            await t.pilot.pause()
            assert stray_controls(t.app) == []
            while len(t.app.screen_stack) > 1:
                await t.press("escape")
            await t.main()
        states = [job.state for job in t.app.main.session.jobs.views]
        asked = [verb == "off" and isinstance(error, BusyError) for error in reversed(errors)]
        assert states == ["cancelled" if ask else "failed" for ask in asked]
        assert t.app.is_running


@pytest.mark.slow
async def test_a_flow_that_breaks_off_is_told_and_the_rest_goes_on() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("scripts", ValueError("a bug \x1b[2J[/x]"))
        await t.press("r")
        await t.says("unexpected ValueError: a bug")
        assert stray_controls(t.app) == []
        await t.press("r")
        await t.dialog(RunPrompt)
        await t.press("escape")
        t.engine.fail("scripts", ChrootError("not root"))
        await t.press("r")
        await t.dialog(RunPrompt)


async def start(t: Ui, verb: str) -> None:
    """Have *verb* called as a person would."""
    t.app.main.table.focus()
    await t.on_row("deb12" if verb in ("off", "switch_bind") else "arm")
    if verb in ("on", "off"):
        await t.press("o")
    elif verb == "switch_bind":
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.shows("/proc")
        await t.press("o")
    elif verb == "create":
        await create(t, "fresh")
    elif verb == "delete":
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.write("arm")
        await t.press("enter", "enter")


async def test_not_root_sees_all_and_an_action_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    async with ui(*CHROOTS) as t:
        await t.shows("12345: looking only", "deb12", "● on")
        t.engine.fail("on", PrivilegeError("mounting needs root", "run it with sudo"))
        await t.on_row("arm")
        await t.press("o")
        await t.shows("mounting needs root", "run it with sudo")


async def test_who_becomes_root_where_there_is_no_chroot_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    async with ui() as t:
        await t.shows("12345: looking only")
        monkeypatch.setattr(Machines, "can_rise", True)
        monkeypatch.setattr(Machines, "rise", lambda self: setattr(self, "has_risen", True))
        await t.app.main.action_perform("root")
        await t.shows("12345, as root")
        t.app.main.session.machines.has_risen = False  # there is none to be closed


async def test_toasts_are_short_and_do_not_lie_over_the_status_line() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        path = "/srv/chroot/with/a/very/long/path/to/what/could/not/be/mounted"
        t.engine.fail("on", ChrootError(f"mount {path}: no space left on device"))
        await t.on_row("arm")
        await t.press("o")
        await t.says("/srv/chroot/wi…not/be/mounted: no space left")
        await t.until(lambda: [one for one in t.app.screen.query(Toast) if one.region])
        status = t.app.main.status_line.region
        for toast in t.app.screen.query(Toast):
            assert toast.region.bottom <= status.y


# -- create and delete ----------------------------------------------------------------------------


async def create(t: Ui, name: str) -> None:
    await t.press("n")
    form = await t.dialog(CreateForm)
    await t.write(name)
    await t.press("enter")
    await t.until(lambda: not form.query_one("#go", Button).disabled and form.has_class("-plan"))
    await t.press("enter")
    await t.main()


@pytest.mark.slow
async def test_create_shows_how_far_it_is_and_what_is_printed() -> None:
    async with ui(*CHROOTS) as t:
        path = f"{BASE}/fresh"
        t.engine.reports["create"] = (
            Stage(path, "unpacking", 0.40), Stage(path, "unpacking", 0.42),
            Output(path, "I: Unpacking libc6..."),
        )  # fmt: skip
        gate = t.engine.hold("create")
        await create(t, "fresh")
        t.feed.show(*CHROOTS, ChrootStatus("fresh", path, "creating", changed=NOW))
        await t.shows("creating 42 %", "I: Unpacking libc6...", "1 job: creating fresh 42 %")
        said = [line.strip() for line in t.text.splitlines()]
        assert said.count("unpacking") == 1  # it got further, which is no news in words
        await t.on_row("jammy")  # the UI stays usable
        await t.press("o")
        await t.until(lambda: t.job_states.get("jammy") == "done")
        gate.set()
        await t.until(lambda: t.job_states.get("fresh") == "done")
        (call,) = t.engine.called("create")
        assert call[0] == path


@pytest.mark.slow
async def test_what_was_made_is_gone_to_once() -> None:
    async with ui(*CHROOTS) as t:
        await create(t, "fresh")
        fresh = ChrootStatus("fresh", f"{BASE}/fresh", "creating", changed=NOW)
        t.feed.show(*CHROOTS, fresh)
        await t.until(lambda: t.highlighted == "fresh")
        await t.on_row("arm")
        t.feed.show(*CHROOTS, fresh.replace(state="off"))
        await t.shows("○ off fresh")
        assert t.highlighted == "arm"


@pytest.mark.slow
async def test_no_toast_lies_over_a_dialog() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        t.app.notify("copied", timeout=600)  # and not gone by itself
        await t.shows("copied")
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.hides("copied")
        assert not t.app._notifications


@pytest.mark.slow
async def test_create_can_be_cancelled() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.hold("create")
        await create(t, "fresh")
        await t.press("4")
        await t.until(lambda: t.app.main.dock.has_focus_within)
        await t.press("c")
        await t.until(lambda: t.job_states == {"fresh": "cancelled"})
        await t.shows("stopped by you")


@pytest.mark.slow
async def test_create_refuses_a_name_that_is_taken() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("n")
        await t.dialog(CreateForm)
        await t.write("arm")
        await t.shows("arm is there already")
        await t.press("escape")
        await t.dialog(Confirm)
        await t.press("right", "enter")
        await t.main()
        assert t.engine.calls == []


@pytest.mark.slow
async def test_delete_wants_the_name() -> None:
    async with ui(*CHROOTS, sizes=SIZES) as t:
        await t.on_row("arm")
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.shows("296M", ARM)
        await t.write("ar")
        await t.press("enter", "escape")
        await t.main()
        assert t.engine.calls == []
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.write("arm")
        await t.press("enter", "enter")
        await t.main()
        await t.until(lambda: t.engine.called("delete") == [(ARM, 7.0)])


# -- processes and mounts -------------------------------------------------------------------------


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


async def test_o_on_a_mount_switches_that_one() -> None:
    first = DEB12.mounts[0].replace(real="proc proc (rw)")
    async with ui(DEB12.replace(mounts=(first, *DEB12.mounts[1:])), TRIXIE) as t:
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.shows("/proc")
        await t.press("o")
        await t.until(lambda: t.engine.called("switch_bind"))
        ((path, target, on),) = t.engine.called("switch_bind")
        assert (path, target, on) == (DEB12.path, first.target, False)
        assert t.engine.called("off") == []


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_big_o_on_a_mount_plans_that_one_as_o_does_it(size: tuple[int, int]) -> None:
    there = [one.replace(real="tmpfs (rw)") for one in DEB12.mounts]
    async with ui(DEB12.replace(mounts=tuple(there)), TRIXIE, size=size) as t:
        steps = (Unmount("/dev/pts", 8), Unmount("/dev", 7))
        t.engine.plans["/dev"] = Plan(steps)
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.shows("o (un)mount")
        await t.until(lambda: t.app.screen.focused.move_to("/dev\0system"))  # type: ignore[union-attr]
        await t.press("O")
        await t.dialog(Confirm)
        await t.shows(
            "what o would do to /dev", f"$ chroot-tool off -d {DEB12.path} --only /dev",
            *(step.describe() for step in steps),
        )  # fmt: skip
        assert t.engine.calls == [("plan_switch_bind", DEB12.path, "/dev", False)]
        await t.press("enter")
        await t.main()
        await t.until(lambda: t.engine.called("switch_bind") == [(DEB12.path, "/dev", False)])
        await t.idle()
        t.engine.fail("plan_switch_bind", ChrootError("nothing is configured there"))
        await t.press("O")
        await t.says("nothing is configured there")
        await t.shows("o (un)mount")
        assert len(t.engine.called("switch_bind")) == 1


# -- moving, filter, sort, marks ------------------------------------------------------------------


@pytest.mark.slow
async def test_moving() -> None:
    many = [ChrootStatus(f"c{i:03}", f"{BASE}/c{i:03}", "off", mounts=OFF) for i in range(100)]
    async with ui(*many, size=(80, 24)) as t:
        await t.until(lambda: t.highlighted == "c000")
        for keys, name in [
            ("j", "c001"), ("down", "c002"), ("k", "c001"), ("up", "c000"), ("k", "c000"),
            ("G", "c099"), ("g", "c000"), ("end", "c099"), ("home", "c000"),
        ]:  # fmt: skip
            await t.press(keys)
            await t.until(lambda name=name: t.highlighted == name)  # type: ignore[misc]
        await t.press("pagedown")
        await t.until(lambda: t.highlighted > "c003")
        await t.press("pageup")
        await t.until(lambda: t.highlighted == "c000")


@pytest.mark.slow
async def test_filter_as_one_types() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("slash")
        await t.write("arm")
        await t.hides("trixie-build")
        assert t.app.main.table.rows.keys == (ARM,)
        await t.press("enter")
        await t.until(lambda: t.app.main.table.rows.has_focus)
        await t.shows("1 of 7", "/arm")
        await t.press("o")
        await t.until(lambda: t.engine.calls == [("on", ARM)])
        await t.press("escape")
        await t.shows("trixie-build")
        await t.press("slash")
        await t.write("zzz")
        await t.shows("nothing matches zzz")
        await t.press("escape")
        await t.shows("trixie-build")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(60, 15), (80, 24)])
async def test_help_and_quit_stay_in_the_footer(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await t.shows("q quit", "? help", "o on/off")
        await t.press("enter")
        await t.until(lambda: t.app.main.details.has_focus_within)
        await t.shows("q quit", "? help")
        await t.pilot.resize_terminal(120, 40)
        await t.press("escape")
        t.app.main.table.focus()
        await t.shows("d delete", "q quit", "? help")


@pytest.mark.slow
async def test_the_help_names_the_keys_of_textual_in_our_words() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("question_mark")
        await t.shows("tab next pane; shift: back", "^c copy what is selected")
        assert "Focus" not in t.text
        assert "super" not in t.text


@pytest.mark.slow
async def test_the_footer_offers_what_ends_the_filter() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.press("slash")
        await t.shows("⏎ keep", "esc clear")
        await t.hides("/ filter")
        await t.write("a/b")
        await t.until(lambda: t.app.main.table.filter_text == "a/b")
        await t.press("escape")
        await t.shows("/ filter")


async def test_keys_of_actions_are_letters_while_the_filter_is_typed() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("slash")
        await t.write("qosn")
        await t.until(lambda: t.app.main.table.filter_text == "qosn")
        assert t.engine.calls == []
        await t.main()


@pytest.mark.slow
async def test_sort_by_every_column_keeps_the_cursor() -> None:
    async with ui(*CHROOTS, sizes=SIZES) as t:
        await t.on_row("deb12")
        seen = set()
        for _ in range(9):
            await t.press("greater_than_sign")
            seen.add(t.app.main.table.rows.sorting[0])
            before = t.app.main.table.rows.keys
            await t.press("equals_sign")
            assert t.app.main.table.rows.keys != before
            assert t.highlighted == "deb12"
        assert len(seen) == 9


@pytest.mark.slow
async def test_escape_takes_away_the_marks() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("space", "j", "space")
        await t.shows("2 marked")
        await t.press("escape")
        await t.hides("2 marked")


async def test_a_mark_goes_with_its_chroot() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("space")
        await t.shows("1 marked")
        t.feed.show(*[one for one in CHROOTS if one != DEB12])
        await t.hides("1 marked", "deb12")


async def test_cursor_and_scroll_stay_while_others_come_and_go() -> None:
    many = [ChrootStatus(f"c{i:03}", f"{BASE}/c{i:03}", "off", mounts=OFF) for i in range(60)]
    async with ui(*many, size=(80, 24)) as t:
        await t.on_row("c040")
        rows = t.app.main.table.rows
        at = rows.keys.index(f"{BASE}/c040") - rows.scroll_offset.y
        first = ChrootStatus("aaa", f"{BASE}/aaa", "off", mounts=OFF)
        t.feed.show(first, *many[5:])
        await t.until(lambda: len(rows.keys) == 56)
        assert rows.cursor_key == f"{BASE}/c040"
        assert rows.keys.index(f"{BASE}/c040") - rows.scroll_offset.y == at
        t.feed.show()
        await t.shows("press n")
        await t.until(lambda: t.highlighted == "")


# -- tabs, copy, help, palette, mouse -------------------------------------------------------------


async def test_tabs_carry_their_keys_as_they_are_bound_where_all_have_room() -> None:
    chroot = DEB12.replace(mounts=(*DEB12.mounts, mount("/mnt/usb", "foreign")))
    async with ui(chroot, size=(80, 24), keys=(("pane.5", ("f5",)),)) as t:
        await t.shows("1 Overview", "2 Mounts ", "3 Processes", "f5 Log")
        await t.pilot.click("Details TabLine", offset=(16, 0))
        await t.until(lambda: t.app.main.details.tab == "mounts")
        await t.pilot.resize_terminal(40, 24)
        await t.hides("2 Mounts")


async def test_foreign_mounts_are_told_in_tab_and_overview() -> None:
    foreign = mount("/mnt/usb", "foreign", reason="not in the configuration")
    chroot = DEB12.replace(mounts=(*(one for one in DEB12.mounts if one.origin != "foreign"),))
    async with ui(chroot, size=(80, 24)) as t:
        count = f"Mounts {chroot.mounted}/{chroot.wanted}"
        await t.shows(count)
        await t.hides(f"{count} +")
        t.feed.show(chroot.replace(mounts=(*chroot.mounts, foreign)))
        await t.shows(f"{count} +1", "foreign mount /mnt/usb: not in the configuration")
        t.feed.show(
            chroot.replace(
                mounts=(*chroot.mounts, *(foreign.replace(target=f"/mnt/{n}") for n in range(5)))
            )
        )
        await t.shows(f"{count} +5", "/mnt/1: not", "and 3 more")


@pytest.mark.slow
async def test_tabs_by_number_and_bracket() -> None:
    async with ui(DEB12) as t:
        details = t.app.main.details
        for key, tab in [("2", "mounts"), ("3", "processes"), ("1", "overview")]:
            await t.press(key)
            await t.until(lambda tab=tab: details.tab == tab and details.has_focus_within)  # type: ignore[misc]
        for key, tab in [
            ("right_square_bracket", "mounts"), ("right_square_bracket", "processes"),
            ("right_square_bracket", "log"), ("right_square_bracket", "overview"),
            ("left_square_bracket", "log"),
        ]:  # fmt: skip
            await t.press(key)
            await t.until(lambda tab=tab: details.tab == tab)  # type: ignore[misc]


async def test_enter_goes_to_the_details_and_tab_round() -> None:
    async with ui(DEB12) as t:
        await t.press("enter")
        await t.until(lambda: t.app.main.details.has_focus_within)
        await t.press("tab")
        await t.until(lambda: t.app.main.table.has_focus_within)


async def test_the_details_follow_the_cursor() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("2")
        await t.on_row("trixie-build")
        await t.shows("/srv/data")
        await t.on_row("deb12")
        await t.shows("/home/build/src")
        await t.hides("/srv/data")


@pytest.mark.slow
async def test_y_copies_what_is_under_the_cursor() -> None:
    async with ui(DEB12) as t:
        await t.press("y")
        await t.until(lambda: t.app.clipboard == DEB12.path)
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.shows("/proc")
        await t.press("y")
        await t.until(lambda: t.app.clipboard.startswith("mounted proc /proc proc"))
        await t.press("3")
        await t.until(lambda: t.app.main.details.query("ProcessesTable:focus"))
        await t.shows("sshd")
        await t.press("y")
        await t.until(lambda: t.app.clipboard == DEB12.processes[0].command)


@pytest.mark.slow
async def test_help_shows_the_keys_and_goes_again() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("question_mark")
        await t.until(lambda: t.app.screen.query("HelpPanel"))
        await t.shows("Chroots")
        await t.press("question_mark")
        await t.until(lambda: not t.app.screen.query("HelpPanel"))


async def test_keys_of_moving_move_nothing_behind_a_help_that_fits() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.press("question_mark")
        await t.until(lambda: t.app.screen.query("HelpPanel"))
        await t.shows("Moving")
        (shown,) = t.app.screen.query("HelpPanel")
        assert shown.max_scroll_y == 0
        before = t.app.main.table.rows.cursor_row
        await t.press("j", "down", "pagedown", "G", "end")
        await t.press("question_mark")
        await t.until(lambda: not t.app.screen.query("HelpPanel"))
        assert t.app.main.table.rows.cursor_row == before
        await t.press("j")
        await t.until(lambda: t.app.main.table.rows.cursor_row != before)


async def test_help_fits_on_a_small_screen_the_keys_of_the_pane_first() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.press("question_mark")
        await t.shows("╭─ Chroots ─", "│ Chroots ", "│ ⏎ details", "Moving")
        text = t.text
        assert text.index("⏎ details") < text.index("o O on / off") < text.index("Everywhere")
        assert "j k a row down, up" in text
        (shown,) = t.app.screen.query("HelpPanel")
        assert shown.max_scroll_y == 0, "all of it is seen"
        assert shown.size.width > 76
        lines = screen_lines(t.app)
        for one, other in (("run a command", "what was done"), ("hosts, base", "a row down")):
            places = {line.index(said) for line in lines for said in (one, other) if said in line}
            assert len(places) == 1, "what keys do stands in one column"


@pytest.mark.parametrize("pane", ["enter", "2", "escape"])
async def test_help_that_is_too_long_is_scrolled_by_keys_wherever_the_focus_is(pane: str) -> None:
    async with ui(*CHROOTS, size=(80, 18)) as t:
        await t.press(pane)
        await t.pilot.pause()
        focused, before = t.app.focused, t.highlighted
        await t.press("question_mark")
        await t.until(lambda: t.app.screen.query("HelpPanel"))
        (shown,) = t.app.screen.query("HelpPanel")
        await t.until(lambda: shown.max_scroll_y > 0)
        last = shown.max_scroll_y
        for key, at in (
            ("G", last), ("g", 0), ("end", last), ("home", 0), ("j", 1), ("down", 2),
            ("k", 1), ("up", 0),
        ):  # fmt: skip
            await t.press(key)
            await t.until(lambda at=at: shown.scroll_offset.y == at)  # type: ignore[misc]
        await t.press("pagedown")
        await t.until(lambda: shown.scroll_offset.y > 0)
        await t.press("pageup")
        await t.until(lambda: shown.scroll_offset.y == 0)
        assert (t.app.focused, t.highlighted) == (focused, before)
        await t.press("q")
        await t.until(lambda: not t.app.screen.query("HelpPanel"))
        assert t.app.is_running
        assert not t.app._exit


@pytest.mark.slow
async def test_help_follows_the_focus_and_the_keys_as_they_are_bound() -> None:
    async with ui(*CHROOTS, size=(80, 24), keys=(("environments.run", ("e",)),)) as t:
        await t.press("question_mark")
        await t.shows("e A run a command")
        await t.press("2")
        await t.shows("╭─ Mounts ─", "│ o O (un)mount it; only shown", "e A run a command")
        await t.press("1")
        await t.shows("╭─ Overview ─", "o O on / off")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50), (220, 60)])
async def test_help_leaves_the_panes_as_they_are(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        before = [(pane.region, pane.id) for pane in t.app.screen.query("#environments, #details")]
        await t.press("question_mark")
        await t.shows("Moving")
        after = [(pane.region, pane.id) for pane in t.app.screen.query("#environments, #details")]
        assert after == before


@pytest.mark.slow
async def test_escape_goes_from_any_pane_to_the_environments() -> None:
    async with ui(*CHROOTS) as t:
        rows = t.app.main.table.rows
        for key in ("1", "2", "3", "enter", "4"):
            await t.press(key)
            await t.until(lambda: t.app.focused is not None and not rows.has_focus)
            await t.press("escape")
            await t.until(lambda: rows.has_focus)
        assert t.app.main.dock.is_open
        await t.press("4", "tab")
        await t.until(lambda: t.app.main.dock.jobs_pane.output.has_focus)
        await t.press("escape")
        await t.until(lambda: rows.has_focus)


@pytest.mark.slow
async def test_escape_closes_the_help_before_it_does_anything_else() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("space", "question_mark")
        await t.shows("close help")
        await t.press("escape")
        await t.until(lambda: not t.app.screen.query("HelpPanel"))
        await t.hides("close help")
        await t.shows("1 marked")
        await t.press("escape")
        await t.hides("1 marked")
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.press("question_mark", "escape")
        await t.until(lambda: not t.app.screen.query("HelpPanel"))
        assert t.app.main.details.has_focus_within


@pytest.mark.slow
async def test_a_pane_that_gets_hidden_gives_the_focus_to_the_environments() -> None:
    async with ui(*CHROOTS, size=(120, 40)) as t:
        rows = t.app.main.table.rows
        await t.press("4", "2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.pilot.resize_terminal(60, 15)
        await t.until(lambda: rows.has_focus)
        await t.press("2")  # there is no room for it
        await t.until(lambda: rows.has_focus)
        await t.press("4")
        await t.until(lambda: t.app.main.dock.has_focus_within)
        await t.press("4", "2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        t.app.main.dock.open_jobs()  # as a job does that has failed
        await t.until(lambda: rows.has_focus)


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


@pytest.mark.slow
async def test_the_palette_has_every_action_and_every_chroot() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("ctrl+p")
        await t.dialog(CommandPalette)
        await t.press("escape")
        await t.main()
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.write("go to trix")
        await t.shows("go to trixie-build")
        await t.press("enter")
        await t.until(lambda: t.highlighted == "trixie-build")
        await t.main()
        from chroot_tool.app.tui.palette import entries

        offered = {one.name.plain for one in entries(t.app.main)}
        assert offered >= {
            one.description for one in t.app.main.BINDINGS if isinstance(one, Binding)
        }
        assert offered >= {f"go to {one.name}" for one in CHROOTS}


async def test_the_palette_shows_keys_as_they_are_bound() -> None:
    async with ui(*CHROOTS, size=(80, 24), keys=(("environments.run", ("e",)),)) as t:
        await t.press("2")  # where `o` is another thing
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.shows("on/off o", "run e")
        await t.write("delete")
        await t.shows("delete d")
        await t.hides("on/off o")


@pytest.mark.parametrize("word", ["settings", "config", "preferences"])
async def test_the_palette_opens_the_settings_in_the_editor(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[tuple[str, ...]] = []

    async def hand_over(_app: object, argv: Sequence[str], **_: object) -> int:
        handed.append(tuple(argv))
        return 0

    monkeypatch.setattr(ask_and_tell, "hand_over", hand_over)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("VISUAL", "my-editor -w")
    file = tmp_path / "chroot-tool/settings.toml"
    async with ui(*CHROOTS) as t:
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.write(word)
        await t.shows("The file of keys, theme, hosts")
        await t.press("enter")
        await t.until(lambda: handed == [("my-editor", "-w", str(file))])
        await t.main()
    assert file.read_text().lstrip().startswith("#")


@pytest.mark.slow
async def test_the_palette_runs_an_action() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.write("on/off")
        await t.shows("Switch on or off")
        await t.press("enter")
        await t.until(lambda: t.engine.calls == [("on", ARM)])


@pytest.mark.slow
async def test_the_palette_over_a_dialog_harms_nobody() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("d")
        dialog = await t.dialog(DeleteDialog)
        await t.press("ctrl+p")
        await t.pilot.pause()
        await t.press("escape")
        await t.until(lambda: t.app.screen is dialog or t.app.screen is t.app.main)
        assert t.app.is_running


@pytest.mark.slow
async def test_the_mouse_does_what_keys_do() -> None:
    async with ui(*CHROOTS) as t:
        await t.until(lambda: t.highlighted == "arm")
        await t.pilot.click("Rows", offset=(20, 3))
        await t.until(lambda: t.highlighted == "deb12")
        await t.pilot.click("Rows", offset=(0, 3))
        await t.shows("1 marked")
        await t.pilot.click("Details TabLine", offset=(14, 0))
        await t.until(lambda: t.app.main.details.tab == "mounts")
        await t.pilot.click("Rows", offset=(20, 1), times=2)
        await t.until(lambda: t.highlighted == "arm" and t.app.main.details.has_focus_within)


async def test_the_users_keys_hold() -> None:
    keys = (("environments.toggle", ("x",)), ("table.down", ("e",)))
    async with ui(*CHROOTS, keys=keys) as t:
        await t.until(lambda: t.highlighted == "arm")
        await t.press("o")
        await t.press("x")
        await t.until(lambda: t.engine.calls == [("on", ARM)])
        await t.press("e")
        await t.until(lambda: t.highlighted == "broken")


async def test_the_users_columns_and_theme_hold() -> None:
    async with ui(*CHROOTS, columns=("name", "state"), theme="light") as t:
        assert t.app.theme == "light"
        await t.until(lambda: t.highlighted)
        header = next(line for line in t.text.splitlines() if "State" in line)
        assert header.index("Name") < header.index("State")
        assert "System" not in header


async def test_every_binding_does_something() -> None:
    async with ui(*CHROOTS) as t:
        for widget in (t.app, t.app.main, *t.app.main.walk_children()):
            for _, binding in widget._bindings:
                name = binding.action.partition("(")[0].rpartition(".")
                owner = {"": widget, "app": t.app, "screen": t.app.main}[name[0]]
                assert hasattr(owner, f"action_{name[2]}"), (widget, binding)


# -- quitting -------------------------------------------------------------------------------------


async def test_q_quits_at_once_where_nothing_runs() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("q")
        await t.until(lambda: t.app._exit)


@pytest.mark.parametrize(
    ("width", "classes"), [(120, set()), (150, {"-wide"}), (209, {"-wide"}), (210, {"-broad"})]
)
async def test_the_first_paint_has_the_chroots_where_they_stay(
    width: int, classes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[tuple[tuple[str, ...], set[str]]] = []
    app = recorded(RecordingEngine(), Feed(*CHROOTS))

    def note() -> None:
        if app.main.size:
            painted.append((app.main.table.rows.keys, set(app.main.classes)))

    monkeypatch.setattr(app, "post_display_hook", note)
    async with app.run_test(size=(width, 40)) as pilot:
        await until(pilot, lambda: app.main.is_built)
        assert len(app.main.table.rows.keys) == len(CHROOTS)
        assert painted[0] == painted[-1] == (app.main.table.rows.keys, classes)


async def test_no_css_is_read_twice_before_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    app = recorded(RecordingEngine(), Feed(*CHROOTS), theme="light")
    again: list[object] = []
    monkeypatch.setattr(app.stylesheet, "reparse", lambda: again.append(None))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.main.is_built)
        assert app.theme == "light"
        assert app.main.styles.background == Color.parse(app.current_theme.background or "")
        assert again == []


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


# -- sizes, first run, what comes and goes --------------------------------------------------------


@pytest.mark.slow
async def test_every_size_from_tiny_to_huge() -> None:
    async with ui(*CHROOTS, sizes=SIZES) as t:
        t.engine.fail("on", ChrootError("no", "hint"))
        await t.press("o")
        await t.until(lambda: t.job_states == {"arm": "failed"})
        for tab in ("1", "2", "3"):
            await t.press(tab)
            for size in [(1, 1), (20, 5), (250, 70), (80, 24)]:
                await t.pilot.resize_terminal(*size)
        await t.shows("Chroots", "q quit")
        await t.pilot.resize_terminal(250, 70)
        await t.until(lambda: t.app.main.dock.region.x > t.app.main.details.region.x)
        await t.pilot.resize_terminal(160, 50)
        await t.until(lambda: t.app.main.details.region.x > t.app.main.table.region.x)


async def test_a_size_is_counted_when_it_has_been_made() -> None:
    new = ChrootStatus("new", f"{BASE}/new", "creating", changed=NOW)
    async with ui(new, sizes={new.path: 67 << 20}) as t:
        await t.shows("creating")
        assert "67M" not in t.text  # which was counted before
        t.feed.sizes[new.path] = 175 << 20
        t.feed.show(new.replace(state="off"))
        await t.shows("175M")


def test_the_counter_counts_again_what_it_is_told(tmp_path: Path) -> None:
    said: queue.SimpleQueue[Counted] = queue.SimpleQueue()
    sizes = SizeThread(LocalEngine(""), said.put)  # type: ignore[arg-type]
    sizes.want((str(tmp_path),))
    first = said.get(timeout=DEADLINE)
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    sizes.recount(str(tmp_path))  # it was counted just now
    assert said.get(timeout=DEADLINE).size > first.size
    sizes.close()


@pytest.mark.slow
async def test_first_run_says_what_to_do() -> None:
    async with ui(size=(80, 24)) as t:
        await t.shows(f"no chroot under {BASE} yet", "press n to make one")
        for key in ("o", "s", "S", "r", "d", "b", "y", "space", "enter", "2", "3", "G"):
            await t.press(key)
        await t.main()
        await t.press("n")
        await t.dialog(CreateForm)


async def test_a_base_that_may_not_be_read_says_so_and_is_seen_later() -> None:
    async with ui() as t:
        t.feed.see(Snapshot(BASE, (), Problem("may not be opened by this user", "run as root")))
        await t.shows("may not be opened by this user", "run as root")
        t.feed.show(*CHROOTS)
        await t.shows("deb12")


async def test_why_what_is_shown_may_not_be_how_it_is_stands_below() -> None:
    async with ui(*CHROOTS) as t:
        t.feed.see(Snapshot(BASE, CHROOTS, Problem("nothing is followed: no room")))
        await t.shows("nothing is followed: no room", "deb12")
        t.feed.see(Snapshot(BASE, CHROOTS, late=Problem("no inotify left")))
        await t.shows("no inotify left")
        t.feed.show()  # there none is, whatever is told late
        await t.shows("no chroot under", "no inotify left")
        t.feed.see(Snapshot(BASE, CHROOTS))
        await t.hides("no inotify left")


async def test_a_base_that_is_made_later_appears(tmp_path: Path) -> None:
    base = tmp_path / "later"
    async with real_ui(base) as t:
        await t.shows("no chroot under")
        (base / "one/chroot.d").mkdir(parents=True)
        await t.until(lambda: t.highlighted == "one")


@pytest.mark.slow
async def test_hostile_text_through_everything() -> None:
    every = {text: hostile_chroot(text) for text in HOSTILE}
    async with ui(*every.values()) as t:
        table = t.app.main.table
        await t.until(lambda: len(table.rows.keys) == len(every))
        for tab in ("1", "2", "3"):
            await t.press(tab)
            for one in every.values():
                await t.until(lambda one=one: table.move_to(one.path) and table.highlighted == one)  # type: ignore[misc]
                await t.pilot.pause(0)
                assert stray_controls(t.app) == []
        table.focus()
        t.engine.fail("on", *[ChrootError(text, text) for text in HOSTILE])
        t.engine.reports["on"] = tuple(
            event for text in HOSTILE for event in (Stage("/x", text, 0.5), Output("/x", text))
        )
        for key in table.rows.keys:
            table.rows.toggle_mark(key)
        await t.press("o")
        await t.until(
            lambda: [job.state for job in t.app.main.session.jobs.views] == ["failed"] * len(every)
        )
        for job in t.app.main.session.jobs.views:
            t.app.main.dock.jobs_pane.select(job.id)
            await t.pilot.pause(0)
            assert stray_controls(t.app) == []
        for key in ("d", "r", "b"):
            for text in HOSTILE[:4]:
                table.move_to(every[text].path)
                table.focus()
                await t.press(key)
                await t.until(lambda: t.app.screen is not t.app.main and t.app.screen.is_mounted)
                assert stray_controls(t.app) == []
                await t.press("escape")
                await t.main()
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.pilot.pause()
        assert stray_controls(t.app) == []


# -- real chroots ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.root
async def test_real_on_and_off(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.shows("○ off")
        await t.press("o")
        await t.shows("● on")
        assert str(tiny_chroot / "proc") in mounts_below(tiny_chroot)
        await t.idle()
        await t.press("o")
        await t.shows("○ off")
        assert mounts_below(tiny_chroot) == []


@pytest.mark.slow
@pytest.mark.root
async def test_real_two_at_once(tiny_chroot: Path) -> None:
    second = tiny_chroot.parent / "second"
    subprocess.run(["cp", "-a", tiny_chroot, second], check=True)
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.on_row("second")
        await t.press("space", "j", "space", "o")
        await t.until(lambda: [one.state for one in t.app.main.chroots] == ["on", "on"])
        assert len(mounts_below(second)) == len(mounts_below(tiny_chroot)) > 0
        await t.idle()
        await t.press("o")
        await t.until(lambda: [one.state for one in t.app.main.chroots] == ["off", "off"])
        assert mounts_below(tiny_chroot.parent) == []


@pytest.mark.slow
@pytest.mark.root
async def test_real_busy_one_is_ended_when_asked(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.press("o")
        await t.shows("● on")
        with Program(["chroot", tiny_chroot, "sleep", "1000"]) as child:
            await t.press("3")
            await t.shows("sleep 1000")
            t.app.main.table.focus()
            await t.idle()
            await t.press("o")
            await t.dialog(StopProcesses)
            await t.shows(str(child.pid), "sleep 1000")
            await t.press("escape")
            await t.main()
            assert child.poll() is None
            await t.idle()
            await t.press("o")
            await t.dialog(StopProcesses)
            await t.press("right", "enter")
            await t.until(lambda: child.poll() is not None)
        await t.shows("○ off")
        assert mounts_below(tiny_chroot) == []
        assert processes_below(tiny_chroot) == {}


@pytest.mark.slow
@pytest.mark.root
async def test_real_process_is_seen_and_ended(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        with Program(["chroot", tiny_chroot, "sleep", "1000"]) as child:
            await t.press("3")
            await t.shows("sleep 1000")
            await t.until(lambda: t.app.main.details.query("ProcessesTable:focus"))
            await t.press("t")
            await t.dialog(Confirm)
            await t.press("right", "enter")
            await t.until(lambda: child.poll() is not None)
            assert child.returncode == -15
        await t.shows("no process lives in it")


@pytest.mark.slow
@pytest.mark.root
async def test_real_change_from_outside_reaches_the_screen(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.press("o")
        await t.shows("● on")
        await t.press("2")
        subprocess.run(["umount", tiny_chroot / "tmp"], check=True)
        await t.shows("◐ partial", "○ missing /tmp")
        (tiny_chroot / "root/extra").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "none", tiny_chroot / "root/extra"], check=True)
        await t.shows("? foreign")
        t.app.main.table.focus()
        await t.idle()
        await t.press("o")
        await t.shows("● on")
        await t.idle()
        await t.press("o")
        await t.dialog(Confirm)
        await t.shows("/root/extra tmpfs")
        await t.press("right", "enter")
        await t.shows("○ off")
        assert mounts_below(tiny_chroot) == []


@pytest.mark.slow
@pytest.mark.root
async def test_real_single_mount(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        rows = t.app.main.details.query_one("MountRows")
        await t.until(lambda: rows.move_to("/tmp\0system"))  # type: ignore[attr-defined]
        await t.press("o")
        await t.shows("● mounted /tmp", "◐ partial")
        assert mounts_below(tiny_chroot) == [str(tiny_chroot / "tmp")]
        await t.idle()
        await t.press("o")
        await t.shows("○ missing /tmp")
        assert mounts_below(tiny_chroot) == []


@pytest.mark.slow
@pytest.mark.root
async def test_real_delete_and_what_vanishes_and_appears(
    tiny_chroot: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    second = tiny_chroot.parent / "second"
    copied = tmp_path_factory.mktemp("aside") / "second"
    subprocess.run(["cp", "-a", tiny_chroot, copied], check=True)
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        copied.rename(second)  # whole at once: half of a copy is broken, and `o` leaves it alone
        await t.on_row("second")
        await t.press("o")
        await t.shows("● on")
        await t.idle()
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.write("second")
        await t.press("enter", "enter")
        await t.until(lambda: not second.exists())
        await t.until(lambda: t.highlighted == "tiny")
        (tiny_chroot.parent / "gone").symlink_to("tiny")  # no chroot of its own
        tiny_chroot.rename(tiny_chroot.parent / "renamed")
        await t.until(lambda: t.highlighted == "renamed")
        (tiny_chroot.parent / "renamed").rename(tiny_chroot)
        await t.until(lambda: t.highlighted == "tiny")


@pytest.mark.slow
@pytest.mark.root
async def test_real_names_that_mean_harm(tiny_chroot: Path) -> None:
    names = [
        b"[@click=app.quit]x",
        b"[bold",
        b"\x1b[2Jesc",
        b"c1\x9b",
        b"new\nline",
        "寬字".encode(),
        b"\xff raw",
    ]
    for name in names:
        os.mkdir(os.fsencode(tiny_chroot.parent) + b"/" + name)
        os.mkdir(os.fsencode(tiny_chroot.parent) + b"/" + name + b"/chroot.d")
    async with real_ui(tiny_chroot.parent) as t:
        await t.until(lambda: len(t.app.main.chroots) == len(names) + 1)
        for key in ("j", "j", "2", "3", "1"):
            await t.press(key)
            await t.pilot.pause()
            assert stray_controls(t.app) == []
        await t.on_row("tiny")


async def test_the_whole_screen_needs_a_real_terminal() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("S")
        await t.says("can't be handed over")


@pytest.mark.parametrize("key", ["slash", "colon"])
async def test_nothing_moves_where_nothing_happens(key: str) -> None:
    async with ui(*CHROOTS) as t:
        assert t.app.animation_level == "none"
        await t.press(key)
        await t.until(lambda: isinstance(t.app.screen.focused, Input))
        line = t.app.screen.focused
        assert isinstance(line, Input)
        await t.until(lambda: not line.cursor_blink)
