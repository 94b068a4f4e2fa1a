"""What fails is told, stays until it was read, and takes nothing else down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from chroot_tool.core.errors import BusyError, ChrootError, PrivilegeError
from chroot_tool.core.process import Holder
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from support import Program, next_line
from support.create_form import create_by_form
from support.samples import BASE, CHROOTS, SIZES
from support.screen import stray_controls
from support.whole_ui import Ui, ui

ARM = f"{BASE}/arm"


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


@pytest.mark.slow
async def test_a_job_that_can_not_be_begun_has_failed_and_can_be_begun_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = threading.Thread.start

    def start(self: threading.Thread) -> None:
        if self.name == "on arm":
            raise RuntimeError("can't start new thread")
        real(self)

    async with ui(*CHROOTS) as t:
        monkeypatch.setattr(threading.Thread, "start", start)
        await t.on_row("arm")
        await t.press("o")
        await t.says("on arm: cannot begin: can't start new thread")
        assert t.job_states == {"arm": "failed"}
        monkeypatch.setattr(threading.Thread, "start", real)
        await t.press("o")
        await t.until(lambda: t.engine.called("on") == [(ARM,)])


@pytest.mark.slow
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
        await create_by_form(t, "fresh")
    elif verb == "delete":
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.write("arm")
        await t.press("enter", "enter")


JOB = """
import sys, threading
sys.path[:0] = eval(sys.argv[1])
from collections import deque
from types import SimpleNamespace
from chroot_tool.app.tui.actions import captured

cancelled = threading.Event()

def told(event):
    print(event.line, flush=True)
    cancelled.set()

here = SimpleNamespace(host="")
session = SimpleNamespace(machines=SimpleNamespace(has_risen=False), log=here)
become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
try:
    captured.run(
        session, [*become, "sh", "-c", "echo $$; exec sleep 1000"], "/x", deque(), told, cancelled
    )
except Exception as error:
    print(error, flush=True)
"""


@pytest.mark.slow
@pytest.mark.root
def test_of_a_command_that_only_root_can_end_it_is_said_that_it_goes_on() -> None:
    # Root without CAP_KILL is to nobody what an ordinary user is to sudo.
    without = ("setpriv", "--bounding-set=-kill", "--inh-caps=-kill", "--")
    argv = [*without, sys.executable, "-c", JOB, repr(sys.path)]
    with Program(argv, stdout=subprocess.PIPE) as caller:
        pid = int(next_line(caller))
        try:
            assert next_line(caller).startswith(b"setpriv goes on")
        finally:
            os.kill(pid, signal.SIGKILL)
