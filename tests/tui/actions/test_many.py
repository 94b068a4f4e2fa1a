"""Several chroots at once: marked by a pattern, and what is done to them told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from chroot_tool.app.tui.actions import archives, root
from chroot_tool.core.errors import ChrootError
from chroot_tool.core.mounts.steps import MakeTarget
from chroot_tool.core.plan import Plan
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from chroot_tool.widgets.dialogs.delete_several import DeleteSeveral
from chroot_tool.widgets.dialogs.menu import Menu
from support.samples import BASE, CHROOTS, DEB12, TRIXIE, mount
from support.whole_ui import Ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
OFF = tuple(CHROOTS[0].replace(name=f"deb{n}", path=f"{BASE}/deb{n}") for n in (10, 11, 12, 13))


def marked(t: Ui) -> list[str]:
    return [path.removeprefix(f"{BASE}/") for path in t.app.main.table.marked]


async def mark(t: Ui, text: str) -> None:
    await t.press("plus")
    await t.shows("mark: part of a name")
    await t.write(text)
    await t.press("enter")
    await t.until(lambda: t.app.main.table.rows.has_focus)


# -- marking ---------------------------------------------------------------------------------------


@pytest.mark.slow
@SIZES
async def test_what_is_like_the_pattern_is_marked_as_one_types(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await t.press("plus")
        await t.shows("mark: part of a name, or deb*")
        await t.write("r")
        await t.shows("3 of 7 match")
        assert marked(t) == ["arm", "broken", "trixie-build"]
        await t.write("i")
        await t.shows("1 of 7 match")
        assert marked(t) == ["trixie-build"]
        await t.press("enter")
        await t.shows("Chroots 7", "1 marked")
        await t.until(lambda: t.app.main.table.rows.has_focus)


@pytest.mark.slow
@SIZES
async def test_marks_that_are_not_seen_are_told_where_they_are_acted_on(
    size: tuple[int, int],
) -> None:
    async with ui(*OFF, CHROOTS[0], size=size) as t:
        await mark(t, "arm")
        await t.press("slash")
        await t.write("deb1")
        await t.press("enter")
        await t.shows("1 marked, hidden")
        await mark(t, "deb12")
        await t.shows("2 marked, 1 hidden")
        for key, title in [
            ("d", "delete 2 chroots, 1 hidden"), ("v", "snapshots of 2 chroots, 1 hidden"),
            ("p", "pack 2 chroots, 1 hidden"), ("O", "what o would do, 1 hidden"),
            ("L", "2 chroots, 1 hidden"), ("m", "2 marked, 1 hidden: deb12, arm"),
        ]:  # fmt: skip
            await t.press(key)
            await t.until(lambda: t.app.screen is not t.app.main)
            await t.shows(title)
            await t.press("escape")
            await t.main()
        await t.press("escape")
        await t.shows("2 marked")
        await t.hides("hidden")


@pytest.mark.slow
async def test_marks_from_before_stay_and_escape_has_them_alone() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("space", "plus")
        await t.write("jam")
        await t.until(lambda: marked(t) == ["deb12", "jammy"])
        await t.press("escape")
        await t.until(lambda: marked(t) == ["deb12"])
        await mark(t, "jam")
        assert marked(t) == ["deb12", "jammy"]
        await t.press("plus")
        await t.shows("mark: part of a name")  # it is empty each time
        assert marked(t) == ["deb12", "jammy"]


@pytest.mark.slow
async def test_only_what_is_listed_is_marked() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("slash")
        await t.write("debian")
        await t.press("enter")
        await t.shows("of 7")
        shown = len(t.app.main.table.rows.keys)
        await t.press("plus")
        await t.press("asterisk")
        await t.shows(f"{shown} of {shown} match")
        await t.press("enter")
        assert len(marked(t)) == shown < len(CHROOTS)


@pytest.mark.slow
async def test_it_is_there_from_other_panes_and_in_the_palette() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("2")
        await t.until(lambda: t.app.main.details.has_focus_within)
        await mark(t, "deb12")
        assert marked(t) == ["deb12"]
        await t.press("colon")
        await t.until(lambda: t.app.screen is not t.app.main)
        await t.write("mark by")
        await t.shows("Mark all that have a name like that")


# -- one summary -----------------------------------------------------------------------------------


@pytest.mark.slow
@SIZES
async def test_what_is_done_to_several_is_told_once(size: tuple[int, int]) -> None:
    async with ui(*OFF, size=size) as t:
        await mark(t, "deb1")
        await t.press("o")
        await t.says("on: 4 done")
        assert len(t.engine.called("on")) == 4
        assert [text for text in t.said if "on" in text] == ["on: 4 done"]


@pytest.mark.slow
async def test_failures_are_named_in_it_and_none_has_a_toast_of_its_own() -> None:
    async with ui(*OFF) as t:
        t.engine.fail("on", ChrootError("no space left"), ChrootError("gone"))
        await mark(t, "deb1")
        await t.press("o")
        await t.says("on: 2 done, 2 failed (")
        assert len(t.said) == 1
        assert "no space left" in t.said[0]
        assert "gone" in t.said[0]
        assert t.app.main.dock.is_open


@pytest.mark.slow
async def test_what_is_broken_or_busy_is_named_with_the_rest() -> None:
    async with ui(*CHROOTS) as t:
        gate = t.engine.hold("on")
        await t.on_row("arm")
        await t.press("o")
        await t.until(lambda: t.engine.called("on"))
        await mark(t, "arm broken jammy trixie")
        await t.press("o")
        gate.set()
        await t.says(
            "on: 2 done, 2 not done (arm: something is under way already; broken is broken"
        )


@pytest.mark.slow
async def test_one_is_told_of_as_ever() -> None:
    async with ui(*OFF) as t:
        await t.press("o")
        await t.until(lambda: "done" in t.job_states.values())
        t.engine.fail("on", ChrootError("no space left"))
        await t.press("space", "o")
        await t.says("on deb10: no space left")
        assert not any("failed" in text for text in t.said)


# -- back, and once more ---------------------------------------------------------------------------


def states(t: Ui) -> list[tuple[str, str]]:
    """What was done in which chroot and may not be taken back because of what, the first first."""
    entries = reversed(t.app.main.session.log.entries)
    return [(one.name, one.fixed) for one in entries]


@pytest.mark.slow
@SIZES
async def test_all_that_a_key_did_is_taken_back_as_one(size: tuple[int, int]) -> None:
    async with ui(*OFF, size=size) as t:
        t.engine.plan_off = lambda path, **_: Plan((MakeTarget(f"away/{Path(path).name}"),))
        await t.on_row("deb13")
        await t.press("o")
        await t.until(lambda: t.job_states == {"deb13": "done"})
        await mark(t, "deb10 deb11 deb12")
        await t.press("o")
        await t.says("on: 3 done")
        await t.press("U")
        dialog = await t.dialog(Confirm)
        await t.shows("take all 3 back?", f"$ chroot-tool on -d {BASE}/deb10", "away/deb10")
        said = "\n".join(dialog._said)
        assert [f"away/deb{n}" in said for n in (10, 11, 12, 13)] == [True, True, True, False]
        await t.press("enter")
        await t.says("take back: 3 done")
        off = {call[0] for call in t.engine.called("off")}  # in the order of three threads
        assert off == {one.path for one in OFF[:3]}
        back = "it was taken back"
        assert states(t)[:4] == [("deb13", ""), *((f"deb{n}", back) for n in (10, 11, 12))]


@pytest.mark.slow
async def test_what_failed_or_is_as_before_is_left_out_of_it() -> None:
    async with ui(*OFF) as t:
        t.engine.plan_off = lambda path, **_: Plan(
            () if path.endswith("deb11") else (MakeTarget(f"away/{Path(path).name}"),)
        )
        t.engine.fail("on", ChrootError("no space left"))
        await mark(t, "deb1")
        await t.press("o")
        await t.says("on: 3 done, 1 failed")
        failed = next(name for name, state in t.job_states.items() if state == "failed")
        await t.press("U")
        dialog = await t.dialog(Confirm)
        said = "\n".join(dialog._said)
        assert f"/{failed}" not in said
        left = [one for one in OFF if one.name not in (failed, "deb11")]
        assert all(f"away/{one.name}" in said for one in left)
        await t.press("enter")
        await t.says(f"take back: {len(left)} done")
        assert {call[0] for call in t.engine.called("off")} == {one.path for one in left}


@pytest.mark.slow
async def test_in_the_list_of_commands_one_of_them_is_taken_back_alone() -> None:
    async with ui(*OFF) as t:
        t.engine.plan_off = lambda path, **_: Plan((MakeTarget(f"away/{Path(path).name}"),))
        await mark(t, "deb1")
        await t.press("o")
        await t.says("on: 4 done")
        await t.press("C")
        await t.until(lambda: t.app.main.dock.commands.has_focus_within)
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows("take this back?", "away/deb13")
        await t.press("enter")
        await t.until(lambda: t.engine.called("off"))
        await t.idle()
        assert [call[0] for call in t.engine.called("off")] == [OFF[3].path]


@pytest.mark.slow
async def test_a_path_of_thousands_hides_nothing_else_of_what_is_taken_back() -> None:
    async with ui(*OFF, size=(80, 24)) as t:
        steps = (MakeTarget(f"first/{'a' * 3000}/end"), MakeTarget("second"))
        t.engine.plan_off = lambda path, **_: Plan(steps)
        await t.on_row("deb11")
        await t.press("o")
        await t.until(lambda: t.engine.called("on"))
        await t.idle()
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows("$ chroot-tool on", "first/aaa", "aaa/end", "second", "Take back")


@pytest.mark.slow
async def test_a_full_stop_does_it_once_more_to_all() -> None:
    async with ui(*OFF) as t:
        await mark(t, "deb1")
        await t.press("o")
        await t.says("on: 4 done")
        await t.press("full_stop")
        await t.says("repeat: 4 done")
        assert len(t.engine.called("on")) == 8


@pytest.mark.slow
async def test_off_once_more_belongs_together_and_is_taken_back_as_one() -> None:
    three = [DEB12.replace(name=name, path=f"{BASE}/{name}") for name in ("one", "two", "three")]
    async with ui(*three) as t:
        t.engine.plan_on = lambda path, **_: Plan((MakeTarget(f"{path}/proc"),))
        await t.press("space", "j", "space", "j", "space")
        await t.until(lambda: len(t.app.main.table.marked) == 3)
        await t.press("o")
        await t.says("off: 3 done")
        await t.press("full_stop")
        await t.says("repeat: 3 done")
        await t.press("U")
        await t.dialog(Confirm)
        await t.press("enter")
        await t.says("take back: 3 done")
        assert len(t.engine.called("on")) == 3


@pytest.mark.slow
async def test_deleting_several_once_more_is_asked_for_with_all_of_them() -> None:
    async with ui(*OFF) as t:
        await mark(t, "deb10 deb11")
        await t.press("d")
        await t.dialog(DeleteSeveral)
        await t.write("delete 2")
        await t.press("enter", "enter")
        await t.says("delete: 2 done")
        await t.press("full_stop")
        await t.dialog(Confirm)
        await t.shows(f"delete -d {BASE}/deb10", f"delete -d {BASE}/deb11")
        await t.press("escape")
        await t.main()
        assert len(t.engine.called("delete")) == 2


# -- what else is done to several ------------------------------------------------------------------


@pytest.mark.slow
async def test_at_boot_and_adopt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root, "_asks", lambda: "ann")
    async with ui(*OFF) as t:
        await mark(t, "deb1")
        await t.app.main.action_perform("environments.boot")
        await t.says("enable: 4 done")


@pytest.mark.slow
async def test_at_boot_says_before_what_it_will_do_and_to_all_that_are_marked() -> None:
    already = OFF[0].replace(enabled=True)
    async with ui(already, *OFF[1:]) as t:
        await mark(t, f"{OFF[0].name} {OFF[1].name}")
        await t.press("colon")
        await t.until(lambda: t.app.screen is not t.app.main)
        await t.write("at boot")
        await t.shows("enable at boot", "or not: 2 marked")
        await t.press("enter")
        await t.says(f"enable: 1 done, 1 not done ({OFF[0].name} is enabled already)")
        assert t.engine.called("enable") == [(OFF[1].path,)]
        t.feed.show(already, OFF[1].replace(enabled=True), *OFF[2:])
        await t.press("m")
        await t.shows("disable at boot")


@pytest.mark.slow
@SIZES
async def test_several_are_deleted_after_their_number_was_typed(size: tuple[int, int]) -> None:
    async with ui(*OFF, DEB12.replace(name="on", path=f"{BASE}/on"), size=size) as t:
        await mark(t, "deb11 deb12 on")
        await t.press("d")
        await t.dialog(DeleteSeveral)
        await t.shows("delete 3 chroots", f"{BASE}/deb11", f"{BASE}/on", "on, 3 processes")
        await t.write("delete 2")
        await t.press("enter")
        await t.shows('that is not "delete 3"')
        assert t.engine.called("delete") == []
        await t.press("backspace")
        await t.write("3")
        await t.press("enter", "enter")
        await t.says("delete: 3 done")
        paths = {path for path, _days in t.engine.called("delete")}
        assert paths == {f"{BASE}/deb11", f"{BASE}/deb12", f"{BASE}/on"}


@pytest.mark.slow
async def test_a_single_mark_is_deleted_by_its_name_not_what_the_cursor_is_on() -> None:
    async with ui(*OFF) as t:
        await mark(t, "deb12")
        await t.on_row("deb10")
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.shows("delete deb12", "Type deb12 to delete it")


@pytest.mark.slow
async def test_snapshots_and_archives_of_several() -> None:
    async with ui(*OFF) as t:
        await mark(t, "deb1")
        await t.press("v")
        await t.dialog(Confirm)
        await t.shows("snapshots of 4 chroots", f"{BASE}/deb10")
        await t.press("enter")
        await t.says("snapshot: 4 done")
        await t.press("p")
        await t.dialog(Confirm)
        await t.shows("pack 4 chroots", "deb10-")
        await t.press("enter")
        await t.says("pack: 4 done")
        assert len({call[1] for call in t.engine.called("pack")}) == 4
        assert not any("packed:" in text for text in t.said)


@pytest.mark.slow
async def test_the_menu_of_marked_ones_has_what_is_done_to_all() -> None:
    async with ui(*OFF) as t:
        await mark(t, "deb1")
        await t.press("m")
        dialog = await t.dialog(Menu)
        ids = {entry.id for entry in dialog.groups[0].entries}
        assert ids >= {
            "environments.toggle", "environments.boot", "environments.snapshots",
            "environments.pack", "environments.delete", "environments.adopt",
        }  # fmt: skip
        assert all(not entry.id.endswith(".delete") for entry in dialog.groups[1].entries)


@pytest.mark.slow
async def test_archives_that_would_be_replaced_are_named_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(archives, "default_name", lambda path, **_: f"{Path(path).name}.tar")
    (tmp_path / "arm.tar").touch()
    async with ui(*CHROOTS) as t:
        for name in ("arm", "jammy"):
            await t.on_row(name)
            await t.press("space")
        await t.press("p")
        await t.shows("Each into an archive:", "jammy.tar", "are there already", "arm.tar")
        await t.press("escape")
        await t.main()
        assert not t.engine.called("pack")


@pytest.mark.slow
async def test_what_somebody_else_has_mounted_is_named_before_it_goes() -> None:
    held = mount("/mnt", "foreign", source="none", fs="tmpfs", origin="foreign")
    one = DEB12.replace(mounts=(*DEB12.mounts, held))
    async with ui(one, TRIXIE) as t:
        await t.on_row("deb12")
        await t.press("o")
        await t.dialog(Confirm)
        await t.shows("switch off?", "deb12 /mnt tmpfs none")
        assert not t.engine.called("off")
        await t.press("enter")  # Cancel has the focus
        await t.main()
        assert not t.engine.called("off")
        await t.press("o")
        await t.dialog(Confirm)
        await t.press("right", "enter")
        await t.until(lambda: t.engine.called("off") == [(one.path, True, False)])
        await t.until(lambda: t.job_states.get("deb12") == "done")
        await t.press("full_stop")
        await t.dialog(Confirm)
        await t.shows("switch off?", "deb12 /mnt tmpfs none")
        await t.press("enter")  # Cancel has the focus
        await t.main()
        assert t.engine.called("off") == [(one.path, True, False)]
