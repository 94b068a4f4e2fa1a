"""A job that the UI was quit under: waited for, and its end told on stderr, as commands tell it."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from chroot_tool.app.tui.command_lines import kept_commands
from chroot_tool.app.tui.jobs.jobs import Jobs
from chroot_tool.core.errors import BusyError, Cancelled, ChrootError
from chroot_tool.core.process import Holder
from chroot_tool.widgets.dialogs.quit import QuitDialog
from support import PATIENCE
from support.samples import BASE, CHROOTS
from support.whole_ui import ui

HOLDER = Holder(7, "root", "sleep 9", ("cwd /tmp",))
FULL = ChrootError("no space left", "free some")
GONE = "creating /b was interrupted; what it had made is gone"


def left(*came: object) -> Jobs:
    """Return jobs that are over, and whose messages nobody has taken."""
    jobs = Jobs(lambda _: None)
    for number, what in enumerate(came):

        def work(*_: object, what: object = what) -> object:
            if isinstance(what, Exception):
                raise what
            return what

        jobs.start("pack", f"c{number}", f"/c{number}", work)
    assert jobs.wait()
    return jobs


@pytest.mark.parametrize(
    ("came", "code", "said"),
    [
        (None, 0, "pack c0: done\n"),
        ("c.tar, 3 MB \x1b[2J", 0, "pack c0: c.tar, 3 MB \\e[2J\n"),
        (FULL, 1, "chroot-tool: pack c0: no space left\nhint: free some\n"),
        (
            BusyError("in use", "use --kill", [HOLDER]), 4,
            "chroot-tool: pack c0: in use\n  7 root sleep 9: cwd /tmp\nhint: use --kill\n",
        ),
        (
            ValueError("a bug"), 1,
            "chroot-tool: pack c0: unexpected ValueError: a bug\nhint: please report this\n",
        ),
        # Nobody pressed Ctrl-C: it was stopped in the UI, as was wanted.
        (Cancelled(GONE), 0, f"chroot-tool: pack c0: {GONE}\n"),
    ],
)  # fmt: skip
def test_an_end_is_told_as_by_the_command_line(
    came: object, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert left(came).tell_ends() == code
    assert capsys.readouterr().err.endswith(said)


def test_each_is_told_and_one_that_failed_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert left(None, FULL, "c2.tar").tell_ends() == 1
    assert capsys.readouterr().err.splitlines()[-4:] == [
        "pack c0: done", "chroot-tool: pack c1: no space left", "hint: free some",
        "pack c2: c2.tar",
    ]  # fmt: skip


def test_what_the_ui_has_told_is_not_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = left(FULL)
    [job] = jobs.unseen
    jobs.end(job.view, job.error)
    capsys.readouterr()
    assert jobs.tell_ends() == 0
    assert capsys.readouterr().err == ""


def ctrl_c(monkeypatch: pytest.MonkeyPatch, *, patience: float = 0.0) -> None:
    """Have Ctrl-C come while jobs are waited for, and *patience* seconds be over with it."""
    passed = 0.0

    def sleep(_: float) -> None:
        nonlocal passed
        if not passed:
            passed = patience or 0.001
            raise KeyboardInterrupt
        time.sleep(0.001)

    faked = SimpleNamespace(sleep=sleep, monotonic=lambda: time.monotonic() + passed)
    monkeypatch.setattr("chroot_tool.app.tui.jobs.jobs.time", faked)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Cancelled(GONE), f"chroot-tool: create b: {GONE}\n"),
        (
            ChrootError("/nfs does not answer", "see to it"),
            "chroot-tool: create b: interrupted: /nfs does not answer\nhint: see to it\n",
        ),
    ],
)
def test_ctrl_c_is_130(
    error: ChrootError, said: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def work(_: object, cancelled: threading.Event) -> None:
        assert cancelled.wait(PATIENCE)
        raise error

    jobs = Jobs(lambda _: None)
    jobs.start("create", "b", "/b", work)
    ctrl_c(monkeypatch)
    assert jobs.wait()
    assert jobs.tell_ends() == 130
    assert capsys.readouterr().err.endswith(said)


def test_one_that_does_not_stop_is_told_to_be_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = threading.Event()
    jobs = Jobs(lambda _: None)
    jobs.start("create", "b", "/b", lambda *_: gate.wait(PATIENCE))
    ctrl_c(monkeypatch, patience=1000)
    try:
        jobs.give_up()  # and by a signal: twice is once
        assert not jobs.wait()
        assert jobs.tell_ends() == 130
        assert "chroot-tool: create b: interrupted, but something" in capsys.readouterr().err
    finally:
        gate.set()


@pytest.mark.slow
@pytest.mark.parametrize("sooner", [False, True])
async def test_what_ends_after_q_is_told_and_kept(
    sooner: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """*sooner*: while the UI is being taken down."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    async with ui(*CHROOTS) as t:
        gate = t.engine.hold("on")
        t.engine.fail("on", FULL)
        await t.on_row("arm")
        await t.press("o")
        await t.shows("switching on")
        await t.press("q")
        await t.dialog(QuitDialog)
        await t.press("right", "enter")
        await t.until(lambda: t.app._exit)
        t.lets_go = False
        main = t.app.main
        if sooner:
            gate.set()
            await t.until(lambda: main.session.jobs.current == ())
    assert kept_commands.load() == ()
    gate.set()
    assert main.session.jobs.wait()
    main.keep_ends()
    assert main.session.jobs.tell_ends() == 1
    assert capsys.readouterr().err.endswith("chroot-tool: on arm: no space left\nhint: free some\n")
    [kept] = kept_commands.load()
    assert (kept.lines, kept.state, kept.said) == (
        (f"chroot-tool on -d {BASE}/arm",), "failed", "no space left",
    )  # fmt: skip
