"""The bind editor in the real UI, over files that somebody else changes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from chroot_tool.app.tui.actions import bind_editing
from chroot_tool.app.tui.actions.bind_editing import BindEditing
from chroot_tool.app.tui.user import key_queue
from chroot_tool.app.tui.user.ask_and_tell import User
from chroot_tool.core import chroot
from chroot_tool.core.config import edits
from chroot_tool.core.config.edits import Files
from chroot_tool.core.errors import ChrootError, ConfigError, Problem
from chroot_tool.core.local_engine import LocalEngine
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.plan import Plan
from chroot_tool.core.verbs.binds import LocalBinds
from chroot_tool.widgets.binds.editor import BindEditor
from chroot_tool.widgets.binds.entry_form import BindForm
from chroot_tool.widgets.binds.save_dialog import SaveBinds
from chroot_tool.widgets.binds.table import BindTable
from chroot_tool.widgets.dialogs.confirm import Confirm
from support import Cli, mounts_below
from support.dialog_host import (
    SMALL,
    settle,
)
from support.screen import screen_text
from support.whole_ui import real_ui, until

if TYPE_CHECKING:
    from chroot_tool.core.config.bind import Bind
    from chroot_tool.core.config.edits import Change


@pytest.mark.slow
@pytest.mark.root
async def test_what_somebody_else_changes_is_shown_when_it_happens(tiny_chroot: Path) -> None:
    conf = tiny_chroot / "chroot.d/tool.conf"
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.press("b")
        await t.dialog(BindEditor)
        await t.shows("/run")
        for target in ("/theirs", "/theirs-too"):
            with conf.open("a") as file:
                file.write(f"\n[bind]\ntgt:{target} fs:tmpfs\n")
            await t.shows(f"{target} ", "taken over")


@pytest.mark.slow
async def test_a_save_works_after_somebody_else_has_saved(tmp_path: Path) -> None:
    root = tmp_path / "c"
    (root / "chroot.d").mkdir(parents=True)
    toml = root / "chroot.d" / "chroot.toml"
    toml.write_text("[[bind]]\ntarget = '/src'\n")
    one = ChrootStatus("c", str(root), "off")

    class Host(App[None]):
        def on_mount(self) -> None:
            engine = LocalEngine(str(tmp_path))
            self.run_worker(BindEditing(User(self.screen), engine, one).run())

    app = Host()
    async with app.run_test(size=SMALL) as pilot:
        while not app.screen.query(BindTable):
            await settle(pilot)
        app.screen.query_one(BindTable).move_to("/run")
        await settle(pilot, "i")
        toml.write_text("[[bind]]\ntarget = '/src'\n\n[[bind]]\ntarget = '/theirs'\n")
        await settle(pilot, "w")
        while not isinstance(app.screen, SaveBinds):
            await settle(pilot)
        first = app.screen
        await settle(pilot, "enter")
        while app.screen is first or not app.screen.query(BindTable):
            await settle(pilot)
        assert "saved" in screen_text(app)
        assert app.screen.query_one(BindTable).cursor_key == "/run"
    assert {"/src", "/theirs", "/run"} <= {
        bind.target for bind in edits.entries(Files(chroot_toml=toml.read_bytes()))
    }


class Visit(App[None]):
    """An app with a visit to the editor of one chroot."""

    def __init__(self, base: Path, one: ChrootStatus) -> None:
        super().__init__()
        self.base = base
        self.one = one

    def on_mount(self) -> None:
        self.editing = BindEditing(User(self.screen), LocalEngine(str(self.base)), self.one)
        self.run_worker(self.editing.run())

    async def at(self, pilot: Pilot[None], kind: type[Screen[Any]]) -> None:
        """Wait until a dialog of this kind is open."""
        await until(pilot, lambda: isinstance(self.screen, kind) and self.screen.is_mounted)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "title"),
    [
        (ChrootError("the connection was lost", "look again"), "the binds can't be read"),
        (ConfigError([Problem("chroot.toml: line 1: expected TOML")]), "has errors"),
    ],
)
async def test_changes_outlive_files_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: ChrootError, title: str
) -> None:
    """Escape threw them away unasked; a lost connection was said to be an error of the file."""
    (tmp_path / "c/chroot.d").mkdir(parents=True)
    fails: list[ChrootError] = []
    files = LocalBinds.files

    def failing(self: LocalBinds) -> Files:
        if fails:
            raise fails[0]
        return files(self)

    async def hand_over(*_: object) -> None:
        fails.append(error)

    monkeypatch.setattr(LocalBinds, "files", failing)
    monkeypatch.setattr(BindEditing, "_open", hand_over)
    app = Visit(tmp_path, ChrootStatus("c", str(tmp_path / "c"), "off"))
    async with app.run_test(size=SMALL) as pilot:
        await app.at(pilot, BindEditor)
        app.screen.query_one(BindTable).move_to("/run")
        await settle(pilot, "i")
        await until(pilot, lambda: "1 unsaved" in screen_text(app))
        await settle(pilot, "E")
        await app.at(pilot, Confirm)
        await until(pilot, lambda: title in screen_text(app))
        await settle(pilot, "escape")
        await until(pilot, lambda: "1 change would be lost" in screen_text(app))
        fails.clear()
        await settle(pilot, "escape")
        await app.at(pilot, BindEditor)
        await until(pilot, lambda: "1 unsaved" in screen_text(app))


@pytest.mark.slow
async def test_apply_is_offered_as_the_chroot_is_now_not_as_it_was_before(tmp_path: Path) -> None:
    (tmp_path / "c/chroot.d").mkdir(parents=True)
    one = ChrootStatus("c", str(tmp_path / "c"), "off")
    app = Visit(tmp_path, one)
    async with app.run_test(size=SMALL) as pilot:
        await app.at(pilot, BindEditor)
        await settle(pilot, "i")
        for state, offered in (("on", True), ("off", False)):
            app.editing.look_at((one.replace(state=state),))
            await settle(pilot, "w")
            await app.at(pilot, SaveBinds)
            assert bool(app.screen.query("#apply")) == offered
            await settle(pilot, "escape")
            await app.at(pilot, BindEditor)


@pytest.mark.slow
async def test_what_somebody_else_added_and_was_removed_here_is_unmounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = tmp_path / "c/chroot.d/chroot.toml"
    toml.parent.mkdir(parents=True)
    asked: list[Sequence[Bind]] = []

    def plan_sync(_self: LocalBinds, before: Sequence[Bind]) -> Plan:
        asked.append(before)
        return Plan()

    monkeypatch.setattr(LocalBinds, "plan_sync", plan_sync)
    app = Visit(tmp_path, ChrootStatus("c", str(tmp_path / "c"), "on"))
    async with app.run_test(size=SMALL) as pilot:
        await app.at(pilot, BindEditor)
        toml.write_text("[[bind]]\ntarget = '/theirs'\n")
        app.editing.look_at((app.one.replace(description="looked at again"),))
        table = app.screen.query_one(BindTable)
        await until(pilot, lambda: table.move_to("/theirs"))
        await settle(pilot, "d", "w")
        await app.at(pilot, SaveBinds)
        await pilot.click("#apply")
        await until(pilot, lambda: asked)
    assert "/theirs" in {bind.target for bind in asked[0]}
    assert "/theirs" not in toml.read_text()


@pytest.mark.slow
@pytest.mark.root
async def test_what_the_administrator_does_not_allow_is_said_as_one_types(
    tiny_chroot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "policy.toml").write_text('deny_sources = ["/root"]\n')
    monkeypatch.setattr(chroot, "ADMINISTRATOR", str(etc))
    (tiny_chroot / "chroot.d/tool.conf").write_text("[bind]\nsrc:/root tgt:/x\n")
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.shows("deny_sources has /root")  # the overview, of what stands there already
        await t.press("b")
        await t.dialog(BindEditor)
        await t.shows("/run")
        await t.press("a")
        await t.dialog(BindForm)
        await t.write("/root")
        await t.shows("deny_sources has", "remove the entry")
        await t.press("enter")
        await t.dialog(BindForm)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_a_save_is_taken_back_after_showing_how_and_made_once_more(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    """Of what is off nothing is to be mounted afterwards."""
    toml = tmp_path / "c/chroot.d/chroot.toml"
    toml.parent.mkdir(parents=True)
    before = b"# ours\n[[bind]]\ntarget = '/src'\nfs = 'tmpfs'\n"
    toml.write_bytes(before)
    (tmp_path / "c/bin").mkdir()
    (tmp_path / "c/bin/sh").touch(mode=0o755)
    async with real_ui(tmp_path, size=size) as t:
        await t.on_row("c")
        await t.shows("○ off")
        await t.press("b")
        editor = await t.dialog(BindEditor)
        await t.shows("/src")
        await t.until(lambda: editor.query_one(BindTable).move_to("/src"))
        await t.press("d", "w")
        await t.dialog(SaveBinds)
        await t.press("enter")
        await t.until(lambda: b"/src" not in toml.read_bytes())
        after = toml.read_bytes()
        await t.shows("saved")
        await t.press("escape")
        await t.main()
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows(
            "$ chroot-tool bind remove -d", "/c --target /src", "is taken back by:",
            "/chroot.d/chroot.toml becomes what it was before:", "+target = '/src'",
        )  # fmt: skip
        await t.press("escape")
        await t.main()
        assert toml.read_bytes() == after
        for _ in range(2):
            await t.press("U")
            await t.dialog(Confirm)
            await t.press("enter")
            await t.says("c: taken back")
            await t.main()
            assert toml.read_bytes() == before
            await t.press("full_stop")
            await t.until(lambda: toml.read_bytes() == after)
            await t.until(lambda: t.app.main.session.log.last(undoable=True))


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("answer", ["enter", "escape"])
async def test_the_mounts_of_what_is_on_follow_a_save_that_is_taken_back_after_asking(
    tiny_chroot: Path, cli: Cli, answer: str
) -> None:
    conf, old = tiny_chroot / "chroot.d/tool.conf", str(tiny_chroot / "old")
    conf.write_text("[bind]\ntgt:/old fs:tmpfs\ntgt:/same fs:tmpfs\n")
    cli.ok("on", "-d", tiny_chroot)
    before = conf.read_bytes()
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row("tiny")
        await t.shows("● on")
        await t.press("b")
        editor = await t.dialog(BindEditor)
        await t.until(lambda: editor.query_one(BindTable).move_to("/old"))
        await t.press("d", "w")
        await t.dialog(SaveBinds)
        await t.pilot.click("#apply")
        await t.dialog(Confirm)
        await t.press("enter")
        await t.until(lambda: old not in mounts_below(tiny_chroot))
        await t.idle()
        await t.press("U")
        asked = await t.dialog(Confirm)
        await t.shows("tool.conf becomes what it was before:", "+tgt:/old fs:tmpfs")
        await t.press("enter")
        await t.until(lambda: t.app.screen is not asked)
        await t.dialog(Confirm)
        await t.shows("apply now", "mount tmpfs on /old")
        assert conf.read_bytes() == before
        assert old not in mounts_below(tiny_chroot)
        await t.press(answer)
        await t.main()
        await t.idle()
        assert (old in mounts_below(tiny_chroot)) == (answer == "enter")


@pytest.mark.slow
async def test_enter_typed_behind_w_is_for_what_asks_whether_to_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c/chroot.d").mkdir(parents=True)
    (tmp_path / "c/chroot.d/chroot.toml").write_text("[[bind]]\ntarget = '/src'\n")
    monkeypatch.setattr(key_queue, "_LOOKS", 1_000_000)
    shown, difference = threading.Event(), LocalBinds.difference

    def slowly(self: LocalBinds, changes: Sequence[Change]) -> tuple[str, ...]:
        assert shown.wait(60)
        return difference(self, changes)

    monkeypatch.setattr(LocalBinds, "difference", slowly)
    async with real_ui(tmp_path) as t:
        try:
            await t.on_row("c")
            await t.press("b")
            editor = await t.dialog(BindEditor)
            await t.shows("/src")
            await t.press("i")
            await t.shows("1 unsaved")
            await t.press("w", "enter")
            await t.until(lambda: t.app._looks > 5)
            assert t.app.screen is editor
        finally:
            shown.set()
        await t.until(lambda: "ignore" in (tmp_path / "c/chroot.d/chroot.toml").read_text())


def test_where_the_current_directory_is_gone_it_is_no_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def titles() -> list[str]:
        return [one.title for one in bind_editing._presets(lambda _: False)]

    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    before = titles()
    gone.rmdir()
    assert set(before) - set(titles()) == {"current directory"}
