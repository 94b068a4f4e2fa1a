"""Copies, archives, snapshots and throw-away sessions by keys, in the whole UI."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from chroot_tool.app import run_history
from chroot_tool.app.tui.actions import copies, delete
from chroot_tool.core.creating.options import CreateOptions
from chroot_tool.core.errors import BusyError, ChrootError, PrivilegeError
from chroot_tool.core.events import Stage
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.trees.snapshots import TreeSnapshot
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.create import CreateForm
from chroot_tool.widgets.dialogs.pack import PackDialog
from chroot_tool.widgets.dialogs.place import PlaceDialog
from chroot_tool.widgets.dialogs.run_prompt import RunPrompt
from chroot_tool.widgets.dialogs.snapshots import SnapshotsDialog
from chroot_tool.widgets.dialogs.switch import Switch
from chroot_tool.widgets.dialogs.unpack import UnpackDialog
from support.samples import BASE, CHROOTS, DAY, KEPT_BASE, NOW
from support.whole_ui import Ui, real_ui, runs, ui

ARM = f"{BASE}/arm"
FRESH = ChrootStatus("fresh", f"{BASE}/fresh", "off", changed=NOW)


async def name_it(t: Ui, key: str, name: str) -> None:
    """Press *key*, and answer the dialog with *name*."""
    await t.press(key)
    dialog = await t.dialog(PlaceDialog)
    dialog.field("name").value = name
    await t.press("enter")
    await t.main()


# -- clone and rename -----------------------------------------------------------------------------


@pytest.mark.slow
async def test_clone_shows_how_far_it_is_and_goes_to_the_copy() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.reports["clone"] = (Stage(FRESH.path, "copying", 0.42),)
        gate = t.engine.hold("clone")
        await t.on_row("arm")
        await name_it(t, "c", "fresh")
        await t.shows("cloning 42 %", "clone arm → fresh")
        gate.set()
        await t.until(lambda: t.job_states == {"arm → fresh": "done"})
        assert t.engine.called("clone") == [(ARM, FRESH.path, False)]
        t.feed.show(*CHROOTS, FRESH)
        await t.until(lambda: t.highlighted == "fresh")


@pytest.mark.slow
async def test_clone_can_be_exact_and_can_be_cancelled() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.hold("clone")
        await t.on_row("arm")
        await t.press("c")
        (await t.dialog(PlaceDialog)).field("name").value = "fresh"
        await t.press("tab", "space", "up", "enter")
        await t.main()
        await t.until(lambda: t.engine.called("clone") == [(ARM, FRESH.path, True)])
        await t.press("4")
        await t.until(lambda: t.app.main.dock.has_focus_within)
        await t.press("c")
        await t.until(lambda: t.job_states == {"arm → fresh": "cancelled"})


@pytest.mark.slow
async def test_clone_of_one_that_is_on_says_what_that_means() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("c")
        await t.dialog(PlaceDialog)
        await t.shows("It is on: what is written meanwhile may be half there.")


@pytest.mark.slow
async def test_rename_takes_mark_history_and_cursor_along() -> None:
    async with ui(*CHROOTS) as t:
        run_history.remember("apt update", ARM)
        await t.on_row("arm")
        await t.press("space")
        await t.on_row("arm")
        await name_it(t, "R", "fresh")
        await t.until(lambda: t.job_states == {"arm → fresh": "done"})
        assert t.engine.called("rename") == [(ARM, FRESH.path)]
        assert run_history.commands(FRESH.path) == ("apt update",)
        t.feed.show(*[one for one in CHROOTS if one.name != "arm"], FRESH)
        await t.until(lambda: t.highlighted == "fresh")
        assert t.app.main.table.marked == (FRESH.path,)


@pytest.mark.slow
async def test_the_history_goes_along_beside_the_ui(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a home that does not answer the UI stood still meanwhile."""
    threads: list[threading.Thread] = []

    def noted(*_: str) -> None:
        threads.append(threading.current_thread())

    monkeypatch.setattr(run_history, "move", noted)
    monkeypatch.setattr(run_history, "forget", noted)
    async with ui(*CHROOTS) as t:
        copies._rename(t.app.main.session, "arm", ARM, FRESH.path)
        await t.until(lambda: len(threads) == 1)
        await t.idle()
        delete._delete(t.app.main.session, 0.0, CHROOTS[0])
        await t.until(lambda: len(threads) == 2)
        assert threading.current_thread() not in threads
        await t.idle()


@pytest.mark.slow
async def test_a_name_that_is_left_as_it_is_renames_nothing() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await name_it(t, "R", "arm")
        assert t.engine.calls == []


@pytest.mark.slow
async def test_rename_of_one_that_is_on_is_refused_before_a_name_is_typed() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("deb12")
        await t.press("R")
        await t.says("deb12 is on: switch it off first")
        assert t.engine.calls == []


@pytest.mark.slow
async def test_a_rename_that_fails_is_told_and_leaves_the_history() -> None:
    async with ui(*CHROOTS) as t:
        run_history.remember("apt update", ARM)
        t.engine.fail("rename", BusyError("arm is in use", "", ()))
        await t.on_row("arm")
        await name_it(t, "R", "fresh")
        await t.says("rename arm → fresh: arm is in use")
        assert run_history.commands(ARM) == ("apt update",)
        t.feed.show(*CHROOTS, FRESH)  # somebody else's
        await t.shows("○ off fresh")
        assert t.highlighted == "arm"


@pytest.mark.slow
async def test_a_clone_that_fails_is_told() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("clone", ChrootError("cannot clone: no space left on device"))
        await t.on_row("arm")
        await name_it(t, "c", "fresh")
        await t.says("clone arm → fresh: cannot clone: no space left on device")


@pytest.mark.slow
@pytest.mark.root
async def test_real_clone_and_rename(tiny_chroot: Path) -> None:
    base, name = tiny_chroot.parent, tiny_chroot.name
    async with real_ui(base) as t:
        await t.on_row(name)
        await name_it(t, "c", "other")
        await t.until(lambda: t.highlighted == "other")
        await t.until(lambda: t.job_states == {f"{name} → other": "done"})
        await t.shows("○ off other")  # what is still seen to be made is not renamed
        await name_it(t, "R", "another")
        await t.until(lambda: t.highlighted == "another")
        assert not (base / "other").exists()
        assert (base / "another/bin/sh").exists()


# -- one form for all that a chroot is made of ----------------------------------------------------


async def form_for(t: Ui, kind: str) -> CreateForm:
    await t.press("n")
    form = await t.dialog(CreateForm)
    form.field("kind").value = kind
    form.field("name").value = "fresh"
    await t.pilot.pause()
    return form


async def agree(t: Ui, form: CreateForm) -> None:
    form.field("name").focus_entry()
    await t.press("enter")
    await t.until(lambda: form.has_class("-plan") and not form.query_one("#go").disabled)
    await t.press("enter")
    await t.main()


@pytest.mark.slow
async def test_the_form_says_whether_it_will_be_quick_and_why_not() -> None:
    async with ui(*CHROOTS, size=(80, 24)) as t:
        t.engine.kept = (KEPT_BASE,)
        form = await form_for(t, "debian")
        form.field("suite").value = "bookworm"
        await t.shows("quick: from a base made 3d ago")
        form.field("suite").value = "sid"
        await t.shows("not quick: there is no base yet")


@pytest.mark.slow
async def test_a_chroot_from_a_base() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.kept = (KEPT_BASE,)
        form = await form_for(t, "base")
        await t.shows(
            "bookworm amd64 minbase +1 · made 3d ago · 61M", "quick: from a base made 3d ago"
        )
        form.query_one("#as-it-is", Switch).value = True
        await agree(t, form)
        await t.until(lambda: t.engine.called("create"))
        ((path, options),) = t.engine.called("create")
        assert path == FRESH.path
        assert options == CreateOptions(
            "bookworm", "amd64", KEPT_BASE.key.mirror, "minbase", ("tzdata",),
            backend="debootstrap", refresh=False,
        )  # fmt: skip


@pytest.mark.slow
async def test_a_chroot_from_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "rootfs.tar.xz"
    archive.touch()
    async with ui(*CHROOTS) as t:
        form = await form_for(t, "archive")
        await t.press("enter")
        await t.shows("an archive, or what else?")
        form.field("source").value = "rootfs"
        await t.shows("is a relative path")
        form.field("source").value = str(archive)
        await agree(t, form)
        await t.until(
            lambda: t.engine.called("create") == [(FRESH.path, CreateOptions(source=str(archive)))]
        )


@pytest.mark.slow
async def test_a_copy_by_the_form() -> None:
    async with ui(*CHROOTS) as t:
        form = await form_for(t, "copy")
        form.field("chroot").value = ARM
        form.query_one("#exact", Switch).value = True
        await agree(t, form)
        await t.until(lambda: t.engine.called("clone") == [(ARM, FRESH.path, True)])
        assert t.engine.called("create") == []


@pytest.mark.slow
async def test_where_there_is_no_base_and_no_chroot_none_is_offered() -> None:
    async with ui() as t:
        await t.press("n")
        form = await t.dialog(CreateForm)
        assert [kind for _, kind in form._sources.kinds] == ["debian", "archive"]


# -- pack and unpack ------------------------------------------------------------------------------


@pytest.mark.slow
async def test_pack_says_where_and_how_big_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with ui(*CHROOTS) as t:
        t.engine.reports["pack"] = (Stage(ARM, "packing", 0.42),)
        gate = t.engine.hold("pack")
        await t.on_row("arm")
        await t.press("p")
        dialog = await t.dialog(PackDialog)
        path = dialog.value("file")
        assert path.startswith(f"{tmp_path}/arm-")
        assert path.endswith(".tar.zst")
        await t.press("enter")
        await t.main()
        await t.shows("packing 42 %")
        gate.set()
        await t.says("packed: 210M in /")
        options = {"exclude": (), "oci": False, "checksum": False}
        assert t.engine.called("pack") == [(ARM, path, options)]
        (job,) = t.app.main.session.jobs.views
        assert job.stage == f"210M in {path}"


@pytest.mark.slow
async def test_pack_goes_to_the_base_where_the_current_directory_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    async with ui(*CHROOTS) as t:
        gone.rmdir()
        await t.on_row("arm")
        await t.press("p")
        dialog = await t.dialog(PackDialog)
        assert dialog.value("file").startswith(f"{BASE}/arm-")


@pytest.mark.slow
async def test_pack_asks_before_it_replaces_a_file(tmp_path: Path) -> None:
    there = tmp_path / "there.tar.gz"
    there.write_bytes(b"")
    async with ui(*CHROOTS) as t:
        for answer in (["escape"], ["tab", "enter"]):
            await t.on_row("arm")
            await t.press("p")
            (await t.dialog(PackDialog)).field("file").value = str(there)
            await t.press("enter")
            await t.dialog(Confirm)
            await t.shows("replace this file?")
            assert t.engine.called("pack") == []
            await t.press(*answer)
            await t.main()
        await t.until(lambda: len(t.engine.called("pack")) == 1)


@pytest.mark.slow
async def test_unpack_goes_to_what_it_makes() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("u")
        (await t.dialog(UnpackDialog)).field("archive").value = "/b/fresh-202601312359.tar.xz"
        await t.press("enter")
        await t.main()
        await t.until(
            lambda: t.engine.called("unpack") == [(FRESH.path, "/b/fresh-202601312359.tar.xz")]
        )
        t.feed.show(*CHROOTS, FRESH)
        await t.until(lambda: t.highlighted == "fresh")


@pytest.mark.slow
@pytest.mark.root
async def test_real_pack_delete_unpack(tiny_chroot: Path, tmp_path: Path) -> None:
    base, name = tiny_chroot.parent, tiny_chroot.name
    archive = tmp_path / "there.tar.gz"
    async with real_ui(base) as t:
        await t.on_row(name)
        await t.press("p")
        (await t.dialog(PackDialog)).field("file").value = str(archive)
        await t.press("enter")
        await t.main()
        await t.until(lambda: t.job_states.get(name) == "done" and archive.stat().st_size > 99)
        await t.press("u")
        (await t.dialog(UnpackDialog)).field("archive").value = str(archive)
        await t.press("enter")
        await t.until(lambda: t.highlighted == "there")
        await t.until(lambda: (base / "there/bin/sh").exists())
        await t.until(lambda: t.job_states.get("there") == "done")


# -- snapshots ------------------------------------------------------------------------------------

KEPT = (TreeSnapshot("as-made", NOW - 2 * DAY, "copy", 9),)


async def wish(t: Ui, *keys: str) -> None:
    await t.press("v")
    await t.dialog(SnapshotsDialog)
    await t.press(*keys)


@pytest.mark.slow
async def test_a_snapshot_is_taken_and_seen_in_the_details() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await wish(t, "o", "n", "e", "enter")
        await t.main()
        t.engine.snapshots_of[ARM] = KEPT
        await t.until(lambda: t.engine.called("take_snapshot") == [(ARM, "one")])
        await t.shows("snapshots 1, last as-made, 2d ago")
        await t.on_row("jammy")
        await t.hides("as-made, 2d ago")


@pytest.mark.slow
async def test_a_snapshot_is_put_back_after_saying_what_would_happen() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.snapshots_of[ARM] = KEPT
        await t.on_row("arm")
        await wish(t, "enter")
        await t.dialog(Confirm)
        await t.shows("go back to as-made?", "arm becomes what it was 2d ago", "before-restore-")
        await t.press("escape")
        await t.main()
        assert t.engine.called("restore_snapshot") == []
        await wish(t, "enter")
        await t.dialog(Confirm)
        await t.press("tab", "enter")
        await t.until(lambda: t.engine.called("restore_snapshot") == [(ARM, "as-made", True)])


@pytest.mark.slow
async def test_each_time_that_one_was_put_back_is_taken_back_to_what_was_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def restore(path: str, name: str, **_: object) -> str:
        asked.append(name)
        return f"before-{len(asked)}"

    async with ui(*CHROOTS) as t:
        monkeypatch.setattr(t.engine, "restore_snapshot", restore)
        t.engine.snapshots_of[ARM] = KEPT
        await t.on_row("arm")
        await wish(t, "enter")
        for key in ("", "full_stop", "U", "U"):
            done = len(asked)
            if key:
                await t.press(key)
            await t.dialog(Confirm)
            await t.press(*(() if key == "U" else ("tab",)), "enter")
            await t.main()
            await t.until(lambda done=done: len(asked) > done)  # type: ignore[misc]
            await t.idle()
    assert asked == ["as-made", "as-made", "before-2", "before-1"]


@pytest.mark.slow
async def test_a_snapshot_is_not_put_back_under_one_that_is_on() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.snapshots_of[f"{BASE}/deb12"] = KEPT
        await t.on_row("deb12")
        await wish(t, "enter")
        await t.says("deb12 is on: switch it off first")


@pytest.mark.slow
async def test_a_snapshot_is_removed_after_asking() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.snapshots_of[ARM] = KEPT
        await t.on_row("arm")
        await wish(t, "d")
        await t.dialog(Confirm)
        await t.press("tab", "enter")
        await t.until(lambda: t.engine.called("remove_snapshot") == [(ARM, "as-made")])


async def test_snapshots_that_cannot_be_read_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ui(*CHROOTS) as t:

        def refuse(_path: str) -> None:
            raise PrivilegeError("reading snapshots needs root", "run as root")

        monkeypatch.setattr(t.engine, "snapshots", refuse)
        await t.press("v")
        await t.says("reading snapshots needs root")


async def run_after_a_snapshot(t: Ui) -> threading.Event:
    """Have a command run in arm after a snapshot, which is begun and goes on until that is set."""
    gate = t.engine.hold("take_snapshot")
    await t.on_row("arm")
    await t.press("r")
    prompt = await t.dialog(RunPrompt)
    prompt.field("line").value = "apt upgrade"
    prompt.query_one("#snapshot", Switch).value = True
    await t.press("enter")
    await t.main()
    await t.until(lambda: t.engine.called("take_snapshot") == [(ARM, "")])
    return gate


@pytest.mark.slow
async def test_run_takes_a_snapshot_first_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs(monkeypatch, lambda *_: ["sh", "-c", "echo came"])
    async with ui(*CHROOTS) as t:
        gate = await run_after_a_snapshot(t)
        assert not t.app.main.dock.panels
        gate.set()
        await t.shows("arm apt upgrade", "came")


@pytest.mark.slow
async def test_what_runs_after_its_snapshot_takes_no_keys_that_are_for_something_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The snapshot takes minutes; a terminal of root's had what was typed then."""
    runs(monkeypatch, lambda *_: ["sh", "-c", "echo came; exec sleep 1000"])
    async with ui(*CHROOTS) as t:
        gate = await run_after_a_snapshot(t)
        t.app.main.table.focus()
        await t.press("j")
        gate.set()
        await t.shows("arm apt upgrade", "came")
        assert t.app.main.table.rows.has_focus


@pytest.mark.slow
async def test_what_needs_a_password_after_its_snapshot_leaves_the_terminal_to_who_types(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with ui(*CHROOTS) as t:
        monkeypatch.setattr(t.engine, "asks", lambda _path: True)
        gate = await run_after_a_snapshot(t)
        await t.press("j")
        gate.set()
        await t.says("arm: the snapshot is there; r runs the command")
        assert not any("terminal" in each for each in t.said)


@pytest.mark.slow
async def test_without_the_snapshot_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, lambda *_: ["sh", "-c", "echo came"])
    async with ui(*CHROOTS) as t:
        t.engine.fail("take_snapshot", ChrootError("no space left on device"))
        await t.on_row("arm")
        await t.press("r")
        prompt = await t.dialog(RunPrompt)
        prompt.field("line").value = "apt upgrade"
        prompt.query_one("#snapshot", Switch).value = True
        await t.press("enter")
        await t.says("snapshot arm: no space left on device")
        assert not t.app.main.dock.panels


async def test_snapshots_are_looked_for_where_the_cursor_comes_and_not_at_each_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A look costs what reading the mount table does: with a thousand chroots on, much."""
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        looks: list[str] = []
        monkeypatch.setattr(t.app.main.session.inventory, "look_for_snapshots", looks.append)
        others = [one for one in CHROOTS if one.path != ARM]
        (arm,) = (one for one in CHROOTS if one.path == ARM)
        t.feed.show(*others, arm.replace(description="cross"))
        await t.shows("cross")
        assert looks == []
        await t.on_row("jammy")
        await t.until(lambda: looks == [f"{BASE}/jammy"])


@pytest.mark.slow
@pytest.mark.root
async def test_real_snapshot_and_back(tiny_chroot: Path) -> None:
    async with real_ui(tiny_chroot.parent) as t:
        await t.on_row(tiny_chroot.name)
        await wish(t, "o", "n", "e", "enter")
        await t.shows("snapshots 1, last one")
        await t.idle()
        (tiny_chroot / "later").touch()
        await wish(t, "enter")
        await t.dialog(Confirm)
        await t.press("tab", "enter")
        await t.shows("snapshots 2, last before-restore-")
        await t.idle()  # that one is taken first
        assert not (tiny_chroot / "later").exists()


# -- throw-away sessions --------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_throw_away_shell_says_so_in_its_title(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def here(*words: str) -> list[str]:
        asked.append(words)
        return ["sh"]

    runs(monkeypatch, here)
    async with ui(*CHROOTS, size=(80, 24)) as t:
        await t.on_row("arm")
        await t.press("x")
        await t.shows("▶ arm throw-away shell")
        assert asked == [("shell", "-x", "-d", ARM)]
