"""The command log: what keys did, as command lines that do the same; done again, taken back."""

from __future__ import annotations

import ast
import asyncio
import os
import shlex
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from textual.widgets import Input

import chroot_tool.app.tui.actions as actions
from chroot_tool.app import paths
from chroot_tool.app.cli.parser import build
from chroot_tool.app.cli.verbs.create import asked
from chroot_tool.app.tui.command_lines import command_words, kept_commands
from chroot_tool.app.tui.command_lines.command_log import CommandLog, Deed, Undo
from chroot_tool.app.tui.command_lines.command_words import quoted
from chroot_tool.app.tui.user import ask_and_tell
from chroot_tool.core.config.bind import CHROOT_TOML, Bind
from chroot_tool.core.config.edits import Added, Ignored, Removed, Replaced
from chroot_tool.core.creating.options import CreateOptions
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.mounts.steps import MakeTarget, Unmount
from chroot_tool.core.plan import Plan
from chroot_tool.core.text import safe
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from chroot_tool.widgets.done_command import DoneCommand
from support import PATIENCE, Cli, mounts_below, wait_until
from support.samples import BASE, CHROOTS, DEB12, mount
from support.whole_ui import Ui, real_ui, runs, ui

ARM = f"{BASE}/arm"
Change = Added | Ignored | Removed | Replaced


def lines(t: Ui) -> list[str]:
    """What was done, the first first."""
    return [line for one in reversed(t.app.main.session.log.entries) for line in one.lines]


async def switched_on(t: Ui, name: str = "arm") -> None:
    await t.on_row(name)
    await t.press("o")
    await t.until(lambda: t.job_states.get(name) == "done")
    await t.until(lambda: t.app.main.session.log.entries[0].ended)


# -- what is kept ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_what_a_key_did_is_a_line_to_copy_and_to_repeat(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await switched_on(t)
        await t.press("C")
        await t.shows(f"chroot-tool on -d {ARM}", "✓ done")
        await t.press("y")
        await t.until(lambda: t.app.clipboard == f"chroot-tool on -d {ARM}")
        await t.press("full_stop")
        await t.until(lambda: t.engine.calls == [("on", ARM), ("on", ARM)])
        await t.until(lambda: lines(t) == [f"chroot-tool on -d {ARM}"] * 2)
        await t.press("C")
        await t.until(lambda: t.app.main.table.has_focus_within)


@pytest.mark.slow
async def test_a_failure_is_told_with_its_line() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("on", ChrootError("mount /proc: it is on fire", "put it out"))
        await t.on_row("arm")
        await t.press("o")
        await t.until(lambda: t.job_states.get("arm") == "failed")
        await t.press("C")
        await t.shows("✗ failed", "✗ mount /proc: it is on fire")
        await t.press("U")
        await t.says("it was not done")


@pytest.mark.slow
async def test_where_nothing_was_done_there_is_nothing_to_repeat() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("full_stop")
        await t.says("nothing was done yet")
        await t.press("U")
        await t.says("nothing was done that can be taken back")
        await t.press("C")
        await t.shows("no key has done anything yet")


@pytest.mark.slow
async def test_what_destroys_is_asked_for_before_it_is_repeated() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.write("arm")
        await t.press("enter", "enter")
        await t.until(lambda: t.job_states.get("arm") == "done")
        await t.press("full_stop")
        await t.dialog(Confirm)
        await t.shows(f"chroot-tool delete -d {ARM} --yes --trash 7")
        await t.press("enter")  # Cancel has the focus
        await t.main()
        assert t.engine.called("delete") == [(ARM, 7.0)]


@pytest.mark.slow
async def test_a_command_in_a_panel_is_a_line_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs(monkeypatch, lambda *_: ["/bin/sh", "-c", "exit 3"])
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("r")
        await t.dialog(RunPrompt)
        t.app.screen.query_one("#line Input", Input).value = "sh -c 'echo a b'"
        await t.press("enter")
        log = t.app.main.session.log
        await t.until(lambda: log.entries and log.entries[0].ended)
        assert lines(t) == [f"chroot-tool run -d {ARM} -- sh -c 'echo a b'"]
        assert (log.entries[0].state, log.entries[0].said) == ("failed", "exit 3")


@pytest.mark.slow
async def test_a_shell_on_the_whole_screen_is_repeated_in_the_same_chroot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hand_over(*_: object, **__: object) -> int:
        return 0

    monkeypatch.setattr(ask_and_tell, "hand_over", hand_over)
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("S")
        await t.until(lambda: len(lines(t)) == 1)
        await t.on_row("deb12")
        await t.press("full_stop")
        await t.until(lambda: len(lines(t)) == 2)
        assert lines(t) == [f"chroot-tool shell -d {ARM}"] * 2


async def test_the_log_is_bounded_and_says_the_host_that_all_is_on() -> None:
    log = CommandLog(host="build1")
    for number in range(600):
        words = (("chroot-tool", "on", "-d", f"/srv/{number}"), ("kill", "1"))
        log.begin(Deed(words, "x", lambda: None))
    assert len(log.entries) == 500
    assert log.entries[0].lines == ("chroot-tool -H build1 on -d /srv/599", "kill 1")


# -- the way back ----------------------------------------------------------------------------------


@pytest.mark.slow
async def test_on_is_taken_back_after_showing_what_that_does() -> None:
    async with ui(*CHROOTS) as t:
        step = Unmount(f"{ARM}/proc", 7)
        t.engine.plan_off = lambda path, **_: Plan((step,))
        await switched_on(t)
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows(f"$ chroot-tool on -d {ARM}", "is taken back by:", step.describe())
        await t.press("enter")
        await t.until(lambda: t.engine.called("off") == [(ARM, True, False)])
        await t.until(lambda: lines(t)[-1] == f"chroot-tool off -d {ARM}")
        await t.idle()
        assert t.app.main.session.log.entries[1].fixed == "it was taken back"


@pytest.mark.slow
async def test_what_was_done_before_is_taken_back_next() -> None:
    """Of on, and of enable at boot: the way back was taken back."""
    async with ui(*CHROOTS) as t:
        t.engine.plan_off = lambda path, **_: Plan((Unmount(f"{path}/proc", 7),))
        t.engine.plan_on = lambda path, **_: Plan((MakeTarget("/x"),))
        await t.on_row("arm")
        await t.app.main.action_perform("environments.boot")
        await t.until(lambda: t.job_states.get("arm") == "done")
        await t.idle()
        await switched_on(t, "jammy")
        await switched_on(t)
        for method, path in (("off", ARM), ("off", f"{BASE}/jammy"), ("disable", ARM)):
            await t.press("U")
            await t.dialog(Confirm)
            await t.press("enter")
            await t.until(lambda m=method, p=path: p in [c[0] for c in t.engine.called(m)])  # type: ignore[misc]
            await t.idle()
        await t.press("U")
        await t.says("nothing was done that can be taken back")


@pytest.mark.slow
async def test_what_could_not_be_taken_back_is_offered_again() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.plan_off = lambda path, **_: Plan((MakeTarget("/x"),))
        await switched_on(t)
        log = t.app.main.session.log
        on = log.last(undoable=True)

        async def take_back() -> None:
            await t.press("U")
            await t.dialog(Confirm)
            await t.press("enter")
            await t.main()

        gate = t.engine.hold("take_snapshot")
        t.app.main.session.start(
            "snapshot", "arm", ARM, lambda report, cancelled: t.engine.take_snapshot(
                ARM, report=report, cancelled=cancelled
            )
        )  # fmt: skip
        await take_back()
        await t.says("arm: something is under way already")
        assert log.last(undoable=True) == on
        gate.set()
        await t.idle()
        t.engine.fail("off", ChrootError("no"))
        gate = t.engine.hold("off")
        await take_back()
        await t.until(lambda: t.engine.called("off"))
        assert log.entry(on).fixed == "it is being taken back"
        gate.set()
        await t.idle()
        assert log.last(undoable=True) == on
        await take_back()
        await t.until(lambda: log.entry(on).fixed == "it was taken back")
        assert len(t.engine.called("off")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_what_has_no_way_back_is_named_before_an_older_one_is_offered(
    size: tuple[int, int],
) -> None:
    async with ui(*CHROOTS, size=size) as t:
        t.engine.plan_off = lambda path, **_: Plan((MakeTarget("/x"),))
        await switched_on(t)
        log = t.app.main.session.log
        words = ("chroot-tool", "clone", "-d", ARM, "arm2")
        log.end(log.begin(Deed((words,), "arm", lambda: None)), "failed")
        await t.press("U")
        await t.dialog(Confirm)
        await t.hides("has no way back")
        await t.press("escape")
        await t.main()
        log.end(log.begin(Deed((words,), "arm", lambda: None)), "done")
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows("clone arm has no way back; before it:", f"$ chroot-tool on -d {ARM}")
        await t.press("escape")
        await t.main()
        way = Undo(tuple, lambda: None)
        words = ("chroot-tool", "rename", "-d", ARM, "arm2")
        log.begin(Deed((words,), "arm", lambda: None, way))  # what it did is seen already
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows("rename arm is not over; before it:", f"$ chroot-tool on -d {ARM}")
        await t.press("escape")
        await t.main()
        packing = ("chroot-tool", "pack", "-d", ARM)
        log.begin(Deed((packing,), "arm", lambda: None))  # it will have no way back, but runs first
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows("pack arm is not over; before it:")


@pytest.mark.slow
async def test_a_way_back_that_is_not_wanted_changes_nothing() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.plan_off = lambda path, **_: Plan((MakeTarget("/x"),))
        await switched_on(t)
        await t.press("U")
        await t.dialog(Confirm)
        await t.press("escape")
        await t.main()
        assert t.engine.called("off") == []
        assert t.app.main.session.log.last(undoable=True)


@pytest.mark.slow
async def test_where_it_is_as_before_there_is_nothing_to_take_back() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.plan_off = lambda path, **_: Plan(())
        await switched_on(t)
        await t.press("U")
        await t.says("it is as it was before already")
        await t.press("U")
        await t.says("nothing was done that can be taken back")


@pytest.mark.slow
async def test_on_of_what_was_partly_mounted_is_taken_back_by_unmounting_the_rest() -> None:
    mounts = (
        mount("/proc", real="proc proc (rw)"), mount("/sys", "missing"), mount("/tmp", "missing"),
    )  # fmt: skip
    part = DEB12.replace(name="part", path=f"{BASE}/part", state="partial", mounts=mounts)
    async with ui(part) as t:
        await switched_on(t, "part")
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows("is taken back by:", "unmount /tmp", "unmount /sys")
        await t.hides("unmount /proc")
        await t.press("enter")
        await t.idle()
        await t.until(lambda: len(t.engine.called("switch_bind")) == 2)
        assert t.engine.called("switch_bind") == [
            (part.path, "/tmp", False), (part.path, "/sys", False)
        ]  # fmt: skip
        await t.until(lambda: lines(t)[-1] == f"chroot-tool off -d {part.path} --only /sys")


@pytest.mark.slow
async def test_o_in_capital_shows_the_plan_and_does_it() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.plan_on = lambda path, **_: Plan((MakeTarget(f"{path}/proc"),))
        await t.on_row("arm")
        await t.press("O")
        await t.dialog(Confirm)
        await t.shows(f"$ chroot-tool on -d {ARM} -n", f"make directory {ARM}/proc")
        assert t.engine.calls == []
        await t.press("enter")
        await t.until(lambda: t.engine.calls == [("on", ARM)])


# -- the lines are true ----------------------------------------------------------------------------


def test_every_job_has_its_line() -> None:
    """Whoever begins a job says which command does the same."""
    calls = [
        (path.name, node.lineno, {one.arg for one in node.keywords})
        for path in Path(actions.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "session.start"
    ]
    assert len(calls) > 10
    assert [call[:2] for call in calls if not call[2] & {"words", "line"}] == []


@given(
    some.lists(some.binary(min_size=1, max_size=12).filter(lambda b: b"\0" not in b), max_size=4)
)
def test_a_line_is_what_a_shell_makes_those_words_of(words: list[bytes]) -> None:
    line = quoted([os.fsdecode(word) for word in words])
    assert safe(line) == line
    script = f"for w in {line}; do printf '%s\\0' \"$w\"; done"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    assert done.stdout == b"".join(word + b"\0" for word in words)


def test_plain_words_are_quoted_as_everybody_does() -> None:
    words = ("chroot-tool", "run", "-d", "/srv/my chroot", "--", "sh", "-c", "echo 'ä' $HOME")
    assert quoted(words) == shlex.join(words)


@pytest.mark.parametrize(
    "options",
    [
        CreateOptions("trixie", "amd64", "http://mirror.example/debian", "minbase"),
        CreateOptions(
            "sid", include=("vim", "git"), locales=("de_DE.UTF-8", "C.UTF-8"), timezone="UTC",
            backend="mmdebstrap", proxy="none", cache=False, refresh=False, offline=True,
        ),
        CreateOptions(source="docker://alpine"),
    ],
)  # fmt: skip
def test_the_line_of_create_asks_for_the_same(options: CreateOptions) -> None:
    words = command_words.create("/srv/x", options)
    arguments = build("create").parse_args(words)
    assert arguments.dir == "/srv/x"
    assert asked(arguments) == options


CHANGES: tuple[tuple[Change, ...], ...] = (
    (Added(Bind("/src", "/home/me/src", options=("ro",), origin=CHROOT_TOML)),),
    (Added(Bind("/cache", "none", "tmpfs", ("size=64M",), origin=CHROOT_TOML)),),
    (Added(Bind("/o", "/o", propagation="slave", recursive=True, optional=True)),),
    (Removed("/data"),),
    (Ignored("/tmp"), Ignored("/data")),
    (Replaced(Bind("/data", "/srv/data"), Bind("/data", "/srv/other", options=("ro",))),),
)


@pytest.mark.parametrize("changes", CHANGES)
def test_the_lines_of_a_bind_edit_make_the_same_of_the_files(
    changes: tuple[Change, ...], tmp_path: Path, cli: Cli
) -> None:
    merged = []
    for name in ("by-keys", "by-lines"):
        path = tmp_path / name
        (path / "bin").mkdir(parents=True)
        (path / "bin/sh").touch()
        (path / "chroot.d").mkdir()
        (path / "chroot.d/tool.conf").write_text("[bind]\nsrc:/srv/data tgt:/data\n")
        binds = LocalEngine(str(tmp_path)).binds(str(path))
        if name == "by-keys":
            files = binds.files()
            fitting = tuple(_as_it_stands(change, binds.merged(())) for change in changes)
            binds.save(fitting, files)
        else:
            for words in command_words.binds(str(path), changes):
                cli.ok(*words)
        merged.append([one.replace(origin="", line=0) for one in binds.merged(())])
    assert merged[0] == merged[1]


def _as_it_stands(change: Change, there: tuple[Bind, ...]) -> Change:
    """Name the old entry as the files have it, with its line."""
    if not isinstance(change, Replaced):
        return change
    return change.replace(old=next(one for one in there if one.target == change.old.target))


def test_a_target_is_taken_back_in(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").touch()
    (tmp_path / "chroot.d").mkdir()
    binds = LocalEngine(str(tmp_path.parent)).binds(str(tmp_path))
    before = binds.merged(())
    for change in (Ignored("/tmp"), Ignored("/tmp", ignored=False)):
        for words in command_words.binds(str(tmp_path), (change,)):
            cli.ok(*words)
    assert binds.merged(()) == before


@pytest.mark.slow
@pytest.mark.root
async def test_real_lines_do_what_the_keys_did(tiny_chroot: Path, cli: Cli, tmp_path: Path) -> None:
    """Each line of the log is given to a shell, in order, and each time the same is mounted."""
    seen: list[list[str]] = []
    async with real_ui(tiny_chroot.parent) as t:
        log = t.app.main.session.log

        async def done(count: int) -> None:
            await t.until(lambda: len(log.entries) == count and log.entries[0].ended)
            assert log.entries[0].state == "done"
            seen.append(mounts_below(tiny_chroot))

        await t.on_row("tiny")
        await t.press("o")
        await done(1)
        await t.until(lambda: t.app.main.table.highlighted.state == "on")  # type: ignore[union-attr]
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        rows = t.app.main.details.query_one("MountRows")
        tmp = next(key for key in rows.keys if key.startswith("/tmp\0"))  # type: ignore[attr-defined]
        await t.until(lambda: rows.move_to(tmp))  # type: ignore[attr-defined]
        await t.press("o")
        await done(2)
        await t.until(lambda: t.app.main.table.highlighted.state == "partial")  # type: ignore[union-attr]
        await t.press("escape")
        await t.idle()
        await t.press("U")  # the mount, back
        await t.dialog(Confirm)
        await t.press("enter")
        await done(3)
        await t.until(lambda: t.app.main.table.highlighted.state == "on")  # type: ignore[union-attr]
        await t.press("o")
        await done(4)
        ran = lines(t)
    assert [line.replace(str(tiny_chroot), "DIR") for line in ran] == [
        "chroot-tool on -d DIR", "chroot-tool off -d DIR --only /tmp",
        "chroot-tool on -d DIR --only /tmp", "chroot-tool off -d DIR",
    ]  # fmt: skip
    assert mounts_below(tiny_chroot) == []

    (tmp_path / "path").mkdir()
    program = tmp_path / "path/chroot-tool"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, cli.argv()))} "$@"\n')
    program.chmod(0o755)
    env = cli.environment()
    env["PATH"] = f"{program.parent}:{env['PATH']}"
    for line, after in zip(ran, seen, strict=True):
        subprocess.run(["sh", "-c", line], env=env, check=True)
        assert mounts_below(tiny_chroot) == after


# -- over the next start ---------------------------------------------------------------------------


@pytest.mark.slow
async def test_what_keys_did_is_still_there_at_the_next_start() -> None:
    async with ui(*CHROOTS) as t:
        await switched_on(t)
    async with ui(*CHROOTS) as t:
        await t.until(lambda: t.app.main.session.log.entries)
        await t.press("C")
        await t.shows(f"chroot-tool on -d {ARM}", "✓ done")
        await t.press("y")
        await t.until(lambda: t.app.clipboard == f"chroot-tool on -d {ARM}")
        await t.press("full_stop")
        await t.says("it is of an earlier session")
        await t.press("U")
        await t.says("it is of an earlier session")
        await t.press("escape")
        await switched_on(t, "jammy")
        assert [line.split("/")[-1] for line in lines(t)] == ["arm", "jammy"]
        assert t.engine.calls == [("on", f"{BASE}/jammy")]
    async with ui(*CHROOTS) as t:
        await t.until(lambda: len(t.app.main.session.log.entries) == 2)
        assert [line.split("/")[-1] for line in lines(t)] == ["arm", "jammy"]


KEPT = (
    '{"commands": [{"lines": [%s], "name": "a", "state": "%s", "said": "", "started": 1,'
    ' "ended": 2}]}'
)


@pytest.mark.parametrize(
    "said",
    [
        "", "{", '{"commands": 3}', '{"commands": [3, {}, {"lines": 1}]}',
        KEPT % ("", "done"), KEPT % ('"x"', "running"), KEPT % ('"x"', "other"),
    ],
)  # fmt: skip
async def test_what_is_kept_and_makes_no_sense_is_passed_over(said: str) -> None:
    Path(paths.commands_file()).parent.mkdir(parents=True, exist_ok=True)
    Path(paths.commands_file()).write_text(said)
    assert kept_commands.load() == ()


def done(log: CommandLog, *words: str) -> None:
    """Have a log know of something that is done."""
    log.end(log.begin(Deed((("chroot-tool", *words),), words[0], lambda: None)), "done")


def keeper(log: CommandLog) -> kept_commands.KeptCommands:
    return kept_commands.KeptCommands(lambda: log.entries, log.remember)


def kept() -> list[str]:
    """The lines that are kept, the first first."""
    return [line for one in kept_commands.load() for line in one.lines]


async def test_two_uis_at_once_keep_what_both_did() -> None:
    first, second = CommandLog(), CommandLog()
    keeps = [keeper(log) for log in (first, second)]
    for each in keeps:
        await each.remember()
    for log, each, verb in zip((first, second, first), (*keeps, keeps[0]), "abc", strict=True):
        done(log, verb)
        each.keep()
        await asyncio.to_thread(wait_until, lambda verb=verb: f"chroot-tool {verb}" in kept())  # type: ignore[misc]
    assert kept() == ["chroot-tool a", "chroot-tool b", "chroot-tool c"]


async def test_what_is_done_before_the_past_was_read_is_kept_once_and_beside_it() -> None:
    before = CommandLog()
    done(before, "old")
    keeper(before).keep_last()
    log = CommandLog()
    each = keeper(log)
    done(log, "early")
    each.keep()
    assert kept() == ["chroot-tool old"]
    await each.remember()
    assert [one.name for one in log.entries] == ["early", "old"]
    each.keep()
    both = ["chroot-tool old", "chroot-tool early"]
    await asyncio.to_thread(wait_until, lambda: kept() == both)


async def test_at_the_end_what_came_last_is_written_last(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, gate, real = threading.Event(), threading.Event(), kept_commands._save

    def held(entries: Sequence[DoneCommand]) -> None:
        begun.set()
        gate.wait(PATIENCE)
        real(entries)

    monkeypatch.setattr(kept_commands, "_save", held)
    log = CommandLog()
    each = keeper(log)
    await each.remember()
    done(log, "on")
    each.keep()
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    done(log, "off")
    ending = asyncio.create_task(asyncio.to_thread(each.keep_last))
    gate.set()
    await ending
    assert kept() == ["chroot-tool on", "chroot-tool off"]


async def test_of_variables_the_names_are_kept_and_not_the_values() -> None:
    log = CommandLog()
    each = keeper(log)
    await each.remember()
    done(log, "run", "-d", ARM, "-e", "TOKEN=hunter2", "-e", "HOME", "--", "env", "-e", "A=b")
    assert log.entries[0].lines[0].count("TOKEN=hunter2") == 1  # to copy and to repeat now
    each.keep_last()
    assert "hunter2" not in Path(paths.commands_file()).read_text()
    assert kept() == [f"chroot-tool run -d {ARM} -e 'TOKEN=…' -e HOME -- env -e A=b"]
