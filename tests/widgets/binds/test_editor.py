"""The editor for binds: every key, over the engine's own edits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from textual.widgets import Button

from chroot_tool.core.config import edits
from chroot_tool.core.config.bind import Bind, make
from chroot_tool.core.config.edits import Added, Files, Ignored, Removed, Replaced
from chroot_tool.core.config.merge import parse
from chroot_tool.core.config.presets import Preset
from chroot_tool.core.errors import ChrootError, UsageError
from chroot_tool.core.host.mount_points import HostFacts
from chroot_tool.core.looking.status import MountStatus
from chroot_tool.widgets.bars.key_footer import KeyFooter
from chroot_tool.widgets.binds.draft import News
from chroot_tool.widgets.binds.editor import BindEditor, Edited
from chroot_tool.widgets.binds.entry_form import BindForm
from chroot_tool.widgets.binds.preset_picker import PresetPicker
from chroot_tool.widgets.binds.save_dialog import SaveBinds
from chroot_tool.widgets.binds.table import BindTable
from chroot_tool.widgets.dialogs.confirm import Confirm
from support.dialog_host import OPEN, SMALL, DialogHost, field, press, settle, switch, type_text
from support.screen import HOSTILE, screen_lines, screen_text, stray_controls, unbroken

FILES = Files(
    tool_conf=b"[bind]\ntgt:/data src:/home/me/data\n",
    chroot_toml=(
        b"# mine\n[[bind]]\nsource = '/home/me/src'\ntarget = '/src'\noptions = ['ro']\n\n"
        b"[[bind]]\ntarget = '/sys'\nignore = true\n"
    ),
)
HOST = HostFacts(journal=False, resolv="/run/resolv.conf")
PRESET = Preset(
    "two", "why", (make("/one", "/1", optional=True), make("/src", "/2")), (("DISPLAY", ":0"),)
)


def after(changes: Sequence[Any], files: Files = FILES) -> tuple[Bind, ...]:
    """What the engine's preview_binds does, without a chroot."""
    new = edits.changed(files, changes)
    return parse(new.tool_conf, new.chroot_toml, where="/c", conf_sh=False, host=HOST).binds


def preview(changes: Sequence[Any]) -> tuple[str, ...]:
    return edits.difference(FILES, edits.changed(FILES, changes))


def editor(**given: Any) -> BindEditor:
    facts: dict[str, Any] = {
        "binds": after(()),
        "mounts": (MountStatus("/data", "", "bind", (), "tool.conf", "drifted", "is not so"),),
        "after": after,
        "preview": preview,
        "complete_host": lambda _: (),
        "complete_inside": lambda _: (),
        "inspect_target": lambda _: "an empty directory",
        "presets": (PRESET,),
    }
    return BindEditor("deb12", **(facts | given))


# -- the editor ----------------------------------------------------------------------------------


def rows(app: DialogHost) -> dict[str, str]:
    """Target to state as the table has them, from top to bottom."""
    table = app.dialog.query_one(BindTable)
    state = table.columns[0].cell
    return {row.bind.target: state(row, 0)[0] for row in table._model.rows.values()}


async def go_to(app: DialogHost, pilot: Any, target: str) -> None:
    assert app.dialog.query_one(BindTable).move_to(target)
    await pilot.pause()


async def test_editor_shows_all_entries_in_the_order_of_mounting() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert list(rows(app)) == [bind.target for bind in after(())]
        assert rows(app)["/data"] == "◐ drifted"
        assert rows(app)["/sys"] == "- ignored"
        text = screen_text(app)
        for part in ("binds of deb12", "/home/me/src", "tool.conf", "chroot.toml", "system"):
            assert part in text
        for key in ("a add", "⏎ edit", "d remove", "i ignore", "p presets", "u undo", "E file",
                    "w save", "esc close"):  # fmt: skip
            assert key in text


async def test_editor_tells_about_the_marked_entry() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/data")
        text = screen_text(app)
        assert "/home/me/data at /data" in text
        assert "tool.conf, line 2" in text
        assert "is not so" in text


@pytest.mark.slow
async def test_add() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot, "a")
        await type_text(pilot, "/new")
        await settle(pilot, "enter")
        assert rows(app)["/new"] == "+ new"
        assert "1 unsaved" in screen_text(app)
        assert app.dialog.query_one(BindTable).cursor_key == "/new"
        await settle(pilot, "w", "enter")
        assert app.answer == Edited("save", (Added(Bind("/new", "/new", origin="chroot.toml")),))


@pytest.mark.slow
async def test_edit() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/src")
        await settle(pilot, "enter")
        assert isinstance(app.screen, BindForm)
        switch(app, "ro").value = False
        await settle(pilot, "enter")
        assert rows(app)["/src"] == "~ changed"
        await settle(pilot, "w", "enter")
        (change,) = app.answer.changes
        assert isinstance(change, Replaced)
        assert change.old.options == ("ro",)
        assert change.bind.options == ()
        assert b"# mine" in (edits.changed(FILES, [change]).chroot_toml or b"")


@pytest.mark.slow
async def test_edit_that_changes_nothing_is_no_change() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/src")
        await settle(pilot, "enter", "enter", "w")
        assert "nothing is to be saved" in screen_text(app)
        assert "unsaved" not in screen_text(app)


@pytest.mark.slow
async def test_edit_of_a_system_point_adds_an_entry() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/tmp")
        await settle(pilot, "enter")
        field(app, "options").value = "size=64M"
        await settle(pilot, "enter")
        assert rows(app)["/tmp"] == "~ changed"
        await settle(pilot, "w", "enter")
        (change,) = app.answer.changes
        assert isinstance(change, Added)
        assert change.bind.options == ("nosuid", "nodev", "size=64M")


@pytest.mark.slow
async def test_edit_by_double_click() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.click(BindTable, offset=(12, 1), times=2)
        await settle(pilot)
        assert isinstance(app.screen, BindForm)
        assert field(app, "target").value == "/data"


@pytest.mark.slow
async def test_remove_and_undo() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/data")
        await settle(pilot, "d")
        assert rows(app)["/data"] == "- removed"
        await settle(pilot, "d")
        assert "it is removed already" in screen_text(app)
        await settle(pilot, "u")
        assert rows(app)["/data"] == "◐ drifted"
        assert app.dialog.query_one(BindTable).cursor_key == "/data"
        await settle(pilot, "u")
        assert "nothing to take back" in screen_text(app)
        await settle(pilot, "d", "w", "enter")
        assert app.answer == Edited("save", (Removed("/data"),))


async def test_removing_one_that_replaced_a_system_point_brings_that_back() -> None:
    files = Files(chroot_toml=b"[[bind]]\ntarget = '/tmp'\nsource = '/big'\n")
    app = DialogHost(editor(binds=after((), files), after=lambda changes: after(changes, files)))
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/tmp")
        await settle(pilot, "d")
        assert rows(app)["/tmp"] == "~ changed"
        assert "tmpfs" in screen_text(app).split("at /tmp")[1]


async def test_system_points_cannot_be_removed() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/proc")
        await settle(pilot, "d")
        assert "a system point cannot be removed · i leaves it out" in screen_text(app)
        assert rows(app)["/proc"] == ""


async def test_ignore_and_restore() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/proc")
        await settle(pilot, "i")
        assert "/proc is left out" in screen_text(app)
        assert rows(app)["/proc"] == "~ ignored"
        await go_to(app, pilot, "/sys")
        await settle(pilot, "i")
        assert "/sys is wanted again" in screen_text(app)
        await settle(pilot, "w", "enter")
        assert app.answer.changes == (Ignored("/proc", True), Ignored("/sys", False))


async def test_an_ignored_point_is_shown_as_what_it_hides() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/dev/shm")
        await settle(pilot, "i")
        assert rows(app)["/dev/shm"] == "~ ignored"
        (line,) = [line for line in screen_lines(app) if "~ ignored" in line]
        assert "tmpfs" in line
        await settle(pilot, "i")
        assert rows(app)["/dev/shm"] == ""


@pytest.mark.slow
async def test_what_is_taken_back_by_hand_is_not_unsaved() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot, "a")
        await type_text(pilot, "/new")
        await settle(pilot, "enter")
        assert "1 unsaved" in screen_text(app)
        await settle(pilot, "d")
        assert "unsaved" not in screen_text(app)
        await settle(pilot, "w")
        assert "nothing is to be saved" in screen_text(app)
        await settle(pilot, "escape")
        assert app.answer is None


async def test_two_keys_at_once_are_two_changes() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/proc")
        app.dialog.action_ignore()  # type: ignore[attr-defined]
        app.dialog.query_one(BindTable).move_to("/run")
        app.dialog.action_ignore()  # type: ignore[attr-defined]
        await settle(pilot)
        assert app.dialog.changes == (Ignored("/proc"), Ignored("/run"))  # type: ignore[attr-defined]


@pytest.mark.slow
async def test_preset_adds_what_is_not_there_yet_as_one_step() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot, "p")
        assert isinstance(app.screen, PresetPicker)
        for part in ("why", "/1 at /one", "optional", "DISPLAY=:0"):
            assert part in screen_text(app)
        await settle(pilot, "enter")
        assert rows(app)["/one"] == "+ new"
        assert rows(app)["/src"] == ""
        assert "programs need DISPLAY=:0" in screen_text(app)
        await settle(pilot, "p", "enter")
        assert "all of it is there already" in screen_text(app)
        await settle(pilot, "u")
        assert "/one" not in rows(app)


@pytest.mark.parametrize(
    ("on", "keys", "wish"),
    [
        (True, ("enter",), "save"),
        (True, ("right", "enter"), "apply"),
        (True, ("escape",), OPEN),
        (True, ("left", "enter"), OPEN),
        (False, ("enter",), "save"),
    ],
)
async def test_save_shows_the_difference_first(on: bool, keys: tuple[str, ...], wish: str) -> None:
    app = DialogHost(editor(on=on))
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/data")
        await settle(pilot, "d", "w")
        text = screen_text(app)
        assert "chroot.d/tool.conf" in text
        assert "-tgt:/data src:/home/me/data" in text
        assert ("Save and apply now" in text) is on
        await settle(pilot, *keys)
        assert (app.answer if app.answer == OPEN else app.answer.wish) == wish


@pytest.mark.slow
async def test_escape_leaves_at_once_without_changes_and_asks_with_them() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/data")
        await settle(pilot, "d", "escape")
        assert "1 change would be lost" in screen_text(app)
        await settle(pilot, "enter")
        assert app.answer == OPEN
        await settle(pilot, "u", "escape")
        assert app.answer is None


@pytest.mark.slow
async def test_changes_can_be_thrown_away() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/data")
        await settle(pilot, "d", "escape", "right", "enter")
        assert app.answer is None


@pytest.mark.parametrize(
    ("target", "file"), [("/data", "tool.conf"), ("/src", "chroot.toml"), ("/proc", "chroot.toml")]
)
async def test_the_file_of_the_entry_is_opened_with_the_changes_kept(
    target: str, file: str
) -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/run")
        await settle(pilot, "i")
        await go_to(app, pilot, target)
        await settle(pilot, "E")
        assert app.answer == Edited("editor", (Ignored("/run"),), file)


async def test_changes_given_are_made_again_and_what_does_not_fit_is_said() -> None:
    changes = (Removed("/gone"), Ignored("/run"), Added(make("/data")))
    app = DialogHost(editor(changes=changes))
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        assert "left out: /gone, /data" in screen_text(app)
        assert app.dialog.changes == (Ignored("/run"),)  # type: ignore[attr-defined]


async def test_a_save_can_be_taken_back_where_there_was_one() -> None:
    app = DialogHost(editor(undoable=True, note="saved chroot.d/chroot.toml"))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "saved chroot.d/chroot.toml" in screen_text(app)
        await settle(pilot, "u")
        assert app.answer == Edited("undo")


async def test_a_preview_that_fails_is_said_and_nothing_is_saved() -> None:
    def fail(changes: Sequence[Any]) -> tuple[str, ...]:
        raise UsageError("the file is wrong", "mend it")

    app = DialogHost(editor(preview=fail))
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/data")
        await settle(pilot, "d", "w")
        assert "✗ the file is wrong · mend it" in screen_text(app)
        assert app.answer == OPEN


async def test_what_breaks_off_by_a_bug_is_told_and_the_editor_goes_on() -> None:
    def fail(changes: Sequence[Any]) -> tuple[str, ...]:
        raise ValueError(f"a bug {HOSTILE}")

    app = DialogHost(editor(preview=fail))
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/data")
        await settle(pilot, "d", "w")
        (told,) = app._notifications
        assert told.message.startswith("unexpected ValueError: a bug")
        assert stray_controls(app) == []
        await settle(pilot, "escape")
        assert app.is_running
        assert app.answer == OPEN  # it asks whether what is not saved may be lost


@pytest.mark.slow
async def test_a_change_that_the_files_refuse_is_not_kept() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        # Bytes that are not UTF-8 stand only in tool.conf, optional only in chroot.toml.
        await settle(pilot, "a")
        field(app, "target").value = "/\udcff"
        switch(app, "optional").value = True
        await settle(pilot, "enter")
        assert "leave one of the two" in screen_text(app)
        assert app.dialog.changes == ()  # type: ignore[attr-defined]
        # What was filled in is there again.
        assert isinstance(app.screen, BindForm)
        assert field(app, "target").value == "/\udcff"
        switch(app, "optional").value = False
        await settle(pilot, "enter")
        assert app.screen is app.dialog
        assert len(app.dialog.changes) == 1  # type: ignore[attr-defined]


async def test_keys_are_told_as_they_are_bound() -> None:
    app = DialogHost(editor())
    app.set_keymap({"binds.ignore": "f5", "binds.save": "f6", "binds.undo": "f7"})
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/proc")
        await settle(pilot, "d")
        assert "cannot be removed · f5 leaves it out" in screen_text(app)
        await settle(pilot, "f5")
        assert "f6 saves, f7 takes it back" in screen_text(app)
        await go_to(app, pilot, "/src")
        await settle(pilot, "d", "d")
        assert "removed already · f7 takes that back" in screen_text(app)


@pytest.mark.slow
async def test_an_edit_that_could_not_be_made_is_asked_for_again() -> None:
    looks = [ChrootError("the connection was lost")]

    def look() -> None:
        if looks:
            raise looks.pop()

    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        app.dialog.query_one(BindTable).move_to("/src")
        await settle(pilot, "enter")
        field(app, "source").value = "/elsewhere"
        app.dialog._look = look  # type: ignore[attr-defined]
        await settle(pilot, "enter")
        assert isinstance(app.screen, BindForm)
        assert field(app, "source").value == "/elsewhere"
        await settle(pilot, "enter")
        assert app.dialog.changes[0].bind.source == "/elsewhere"  # type: ignore[attr-defined]


async def test_mounts_are_shown_as_they_change() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        app.dialog.update_mounts(  # type: ignore[attr-defined]
            (MountStatus("/data", "", "bind", (), "tool.conf", "mounted"),), on=True
        )
        await pilot.pause()
        assert rows(app)["/data"] == "● mounted"


async def test_mounts_that_change_before_the_first_picture_are_shown() -> None:
    app = DialogHost(editor())
    app.dialog.update_mounts(  # type: ignore[attr-defined]
        (MountStatus("/data", "", "bind", (), "tool.conf", "mounted"),), on=True
    )
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert rows(app)["/data"] == "● mounted"


async def test_mounts_that_change_while_the_app_ends_are_not_shown() -> None:
    """The table has gone by then, while the screen below still hears of looks."""
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        open_one = app.dialog
    open_one.update_mounts((), on=True)  # type: ignore[attr-defined]


async def test_copy() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/src")
        await press(pilot, "y")
        assert app.clipboard == "/home/me/src /src bind ro private"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (60, 15), (200, 60)])
async def test_editor_and_form_fit_the_screen(size: tuple[int, int]) -> None:
    app = DialogHost(editor())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        frame = app.screen.query_one(".dialog--frame")
        assert frame.region == app.screen.region
        assert app.screen.query_one("#said").region.bottom < frame.region.bottom - 1
        await settle(pilot, "a")
        for one in app.screen.query(Button):
            assert app.screen.region.contains_region(one.region)


async def test_save_stays_in_the_footer_of_a_narrow_screen() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=(60, 15)) as pilot:
        await settle(pilot)
        for key in ("a add", "w save", "esc close"):
            assert key in screen_text(app)


@pytest.mark.slow
async def test_footer_works_by_mouse() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        footer = app.screen.query_one(KeyFooter)
        words = [key.word for key in footer.in_sight]
        before = footer.in_sight[: words.index("add")]
        await pilot.click(footer, offset=(sum(key.cells - 1 + footer.gap for key in before), 0))
        await settle(pilot)
        assert isinstance(app.screen, BindForm)


# -- somebody else at the same files -------------------------------------------------------------

OUTSIDE = Files(
    FILES.tool_conf, (FILES.chroot_toml or b"") + b"\n[[bind]]\ntarget = '/theirs'\n"
)  # fmt: skip


def news(files: Files, accepted: list[Files]) -> News | None:
    """What Editing._look returns."""
    if accepted and accepted[-1] == files:
        return None
    return News(after((), files), lambda: accepted.append(files))


@pytest.mark.slow
async def test_what_somebody_else_changes_is_taken_over() -> None:
    accepted: list[Files] = []
    now = [FILES]
    app = DialogHost(
        editor(
            after=lambda changes: after(changes, now[0]),
            preview=lambda changes: edits.difference(now[0], edits.changed(now[0], changes)),
            look=lambda: None if now[0] == FILES else news(now[0], accepted),
        )
    )
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/run")
        await settle(pilot, "i")
        now[0] = OUTSIDE
        await settle(pilot, "w")
        text = screen_text(app)
        assert "/run" in text
        assert "+target = '/theirs'" not in text, "the difference is what is ours"
        await settle(pilot, "escape")
        assert "taken over" in screen_text(app)
        assert "1 unsaved" in screen_text(app)
        assert rows(app)["/theirs"] == ""
        assert app.dialog.query_one(BindTable).cursor_key == "/run"
        await settle(pilot, "w", "enter")
        assert app.answer == Edited("save", (Ignored("/run"),))
        assert accepted == [OUTSIDE]


def watched(now: list[Files], accepted: list[Files]) -> DialogHost:
    """The editor over files that somebody else can change: *now* holds them as they are."""
    return DialogHost(
        editor(
            after=lambda changes: after(changes, now[0]),
            look=lambda: None if now[0] == FILES else news(now[0], accepted),
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("drop", [True, False])
async def test_what_clashes_with_that_is_asked_about(drop: bool) -> None:
    accepted: list[Files] = []
    now = [FILES]
    app = watched(now, accepted)
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/src")
        await settle(pilot, "d")
        await go_to(app, pilot, "/run")
        await settle(pilot, "i")
        now[0] = Files(FILES.tool_conf, b"")
        await settle(pilot, "w")
        assert isinstance(app.screen, Confirm)
        assert "/src: " in screen_text(app)
        await settle(pilot, *(("right", "enter") if drop else ("enter",)))
        changes = app.dialog.changes  # type: ignore[attr-defined]
        if drop:
            assert changes == (Ignored("/run"),)
            assert accepted == [now[0]]
        else:
            assert changes == (Removed("/src"), Ignored("/run"))
            assert accepted == []
            assert app.screen is app.dialog


async def test_what_clashes_with_that_asks_nothing_before_a_key() -> None:
    accepted: list[Files] = []
    now = [FILES]
    app = watched(now, accepted)
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/src")
        await settle(pilot, "d")
        now[0] = Files(FILES.tool_conf, b"")
        app.dialog.look_again()  # type: ignore[attr-defined]
        await settle(pilot)
        assert app.screen is app.dialog
        assert "changed by someone else" in screen_text(app)
        assert app.dialog.changes == (Removed("/src"),)  # type: ignore[attr-defined]
        assert accepted == []


@pytest.mark.slow
async def test_under_a_difference_that_is_shown_nothing_is_taken_over() -> None:
    accepted: list[Files] = []
    now = [FILES]
    app = watched(now, accepted)
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/run")
        await settle(pilot, "i", "w")
        assert isinstance(app.screen, SaveBinds)
        now[0] = OUTSIDE
        app.dialog.look_again()  # type: ignore[attr-defined]
        await settle(pilot)
        assert accepted == []
        await settle(pilot, "escape")
        assert accepted == [OUTSIDE]


# -- what will not work ----------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_source_that_is_not_there_is_warned_of_and_can_be_saved() -> None:
    app = DialogHost(editor(inspect_source=lambda path: "is not there" if path == "/gone" else ""))
    async with app.run_test(size=SMALL) as pilot:
        for target, source in (("/a", "/gone"), ("/b", "/there"), ("/c", "/gone")):
            await settle(pilot, "a")
            field(app, "target").value = target
            field(app, "source").value = source
            while ("! is not there" in screen_text(app)) != (source == "/gone"):
                await settle(pilot)
            await settle(pilot, "enter")
            assert rows(app)[target] == "+ new"
        await go_to(app, pilot, "/c")
        await settle(pilot, "d")
        await settle(pilot, "w")
        while not isinstance(app.screen, SaveBinds):
            await settle(pilot)
        text = unbroken(screen_text(app))
        assert "! /gone, wanted at /a, is not there" in text
        assert "at /b" not in text
        assert "at /c" not in text
        await settle(pilot, "enter")
        assert app.answer.wish == "save"


@pytest.mark.slow
async def test_a_source_that_cannot_be_looked_at_is_warned_of_and_can_be_saved() -> None:
    def lost(_source: str) -> str:
        raise ChrootError("far is lost")

    bind = make("/a", "/src")
    app = DialogHost(editor(inspect_source=lost, changes=(Added(bind),)))
    async with app.run_test(size=SMALL) as pilot:
        while "/a" not in rows(app):
            await settle(pilot)
        await settle(pilot, "w")
        while not isinstance(app.screen, SaveBinds):
            await settle(pilot)
        said = "! /src, wanted at /a, cannot be looked at: far is lost"
        assert said in unbroken(screen_text(app))
        await settle(pilot, "enter")
        assert app.answer.wish == "save"


# -- hostile text ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_entries_are_shown_and_do_nothing(text: str) -> None:
    bind = Bind(f"/{text}", f"/{text}", "bind", (text,), origin=text)
    mount = MountStatus(f"/{text}", text, text, (), text, "drifted", text, text)
    preset = Preset(text, text, (bind,), ((text, text),))
    app = DialogHost(
        editor(
            binds=(bind,), mounts=(mount,), presets=(preset,), preview=lambda _: (text, f"+{text}"),
            after=lambda _: (bind,), note=text, inspect_target=lambda _: text,
        )
    )  # fmt: skip
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        for keys in ((), ("y",), ("enter",), ("escape",), ("p",), ("enter",), ("i",), ("w",)):
            await settle(pilot, *keys)
            assert stray_controls(app) == []
        assert app.answer == OPEN


@pytest.mark.slow
async def test_a_target_that_was_changed_and_back_has_the_cursor() -> None:
    app = DialogHost(editor())
    async with app.run_test(size=SMALL) as pilot:
        await go_to(app, pilot, "/src")
        await settle(pilot, "enter")
        field(app, "target").value = "/source"
        await settle(pilot, "enter")
        table = app.dialog.query_one(BindTable)
        assert table.cursor_key == "/source"
        await settle(pilot, "u")
        assert table.cursor_key == "/src"
