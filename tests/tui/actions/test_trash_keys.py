"""Deleting into the trash, and having it back with U."""

from __future__ import annotations

import pytest
from textual.widgets import Button

from chroot_tool.core.errors import PrivilegeError
from chroot_tool.core.looking.status import INCOMPLETE
from chroot_tool.core.trees.trash import Trashed
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from chroot_tool.widgets.dialogs.switch import Switch
from chroot_tool.widgets.dialogs.trash import TrashDialog
from support.samples import BASE, CHROOTS, clock
from support.whole_ui import Ui, ui

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
ARM = f"{BASE}/arm"
THROWN = Trashed("arm-1", "arm", ARM, clock(), clock() + 7 * 86400)


async def delete_arm(t: Ui, *, keep: bool = True) -> None:
    """Delete arm by keys, to the trash or for good."""
    await t.on_row("arm")
    await t.press("d")
    dialog = await t.dialog(DeleteDialog)
    if not keep:
        await t.press("shift+tab", "space")
        await t.until(lambda: not dialog.query_one(Switch).value)
        await t.press("tab")
    await t.write("arm")
    await t.press("enter", "enter")
    await t.main()
    await t.until(lambda: t.job_states.get("arm") == "done")


@pytest.mark.slow
@SIZES
async def test_it_goes_into_the_trash_and_u_has_it_back(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        await t.on_row("arm")
        await t.press("d")
        await t.shows("[x] keep it in the trash for 7 days, where it takes its disk")
        await t.press("escape")
        await t.main()
        await delete_arm(t)
        assert t.engine.called("delete") == [(ARM, 7.0)]
        await t.says("arm is in the trash for 7 days, where it takes its disk: U has it back")
        t.engine.thrown = (THROWN,)
        await t.press("U")
        await t.dialog(Confirm)
        await t.shows(f"$ chroot-tool delete -d {ARM} --yes --trash 7", "put", "out of the trash")
        await t.press("enter")
        await t.until(lambda: t.engine.called("restore_trashed") == [(ARM, "arm-1")])
        assert t.engine.called("trash") == [(BASE, False)]
        await t.main()
        await t.press("C")
        await t.shows("trash restore arm-1")


@pytest.mark.slow
async def test_what_was_deleted_once_more_is_had_back_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone: list[str] = []

    def delete(_path: str, **_: object) -> str:
        gone.append(f"arm-{len(gone) + 1}")
        return gone[-1]

    async with ui(*CHROOTS) as t:
        monkeypatch.setattr(t.engine, "delete", delete)
        t.engine.thrown = tuple(THROWN.replace(id=f"arm-{number}") for number in (1, 2))
        await delete_arm(t)
        await t.press("full_stop")
        await t.dialog(Confirm)
        await t.press("tab", "enter")
        await t.main()
        await t.until(lambda: len(gone) == 2)
        await t.idle()
        for ident in ("arm-2", "arm-1"):
            await t.press("U")
            await t.dialog(Confirm)
            await t.press("enter")
            await t.main()
            await t.until(
                lambda ident=ident: t.engine.called("restore_trashed")[-1:] == [(ARM, ident)]  # type: ignore[misc]
            )
            await t.idle()


@pytest.mark.slow
async def test_what_has_gone_is_not_had_back() -> None:
    async with ui(*CHROOTS) as t:
        await delete_arm(t)
        await t.press("U")
        await t.says("arm-1 is in the trash no more")
        assert t.engine.called("restore_trashed") == []


@pytest.mark.slow
async def test_without_it_nothing_can_be_taken_back() -> None:
    async with ui(*CHROOTS) as t:
        await delete_arm(t, keep=False)
        assert t.engine.called("delete") == [(ARM,)]
        await t.press("U")
        await t.says("nothing was done that can be taken back")


@pytest.mark.slow
async def test_by_the_settings_it_is_for_longer_or_not_offered() -> None:
    async with ui(*CHROOTS, trash=1.0) as t:
        await t.on_row("arm")
        await t.press("d")
        await t.shows("keep it in the trash for a day")
    async with ui(*CHROOTS, trash=0.0) as t:
        await t.on_row("arm")
        await t.press("d")
        await t.shows("gone for good")
        await t.hides("trash")


@pytest.mark.slow
async def test_what_is_unfinished_is_deleted_for_good() -> None:
    half = next(one for one in CHROOTS if one.state == INCOMPLETE)
    async with ui(*CHROOTS) as t:
        await t.on_row(half.name)
        await t.press("d")
        await t.shows("gone for good")
        await t.hides("in the trash")


OLD = Trashed("deb-1", "deb", f"{BASE}/deb", clock() - 9 * 86400, clock() - 2 * 86400)


async def open_trash(t: Ui) -> TrashDialog:
    await t.press("colon")
    await t.until(lambda: t.app.screen is not t.app.main)
    await t.write("trash")
    await t.shows("have it back, or remove it for good")
    await t.press("enter")
    return await t.dialog(TrashDialog)


@pytest.mark.slow
@SIZES
async def test_what_is_in_it_is_listed_and_had_back(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        t.engine.thrown = (THROWN.replace(size=3 << 20), OLD.replace(size=5 << 20))
        await open_trash(t)
        await t.shows(f"trash of {BASE}", "arm", "deb", "3.0M", "7d", "over", "8.0M in all")
        assert t.engine.called("trash") == [(BASE, False), (BASE, True)]
        await t.press("down", "enter")
        await t.dialog(Confirm)
        await t.shows("have deb back?", f"{BASE}/deb")
        await t.press("enter")
        await t.main()
        await t.until(lambda: t.engine.called("restore_trashed") == [(f"{BASE}/deb", "deb-1")])
        await t.press("C")
        await t.shows("trash restore deb-1 --base")


@pytest.mark.slow
@SIZES
async def test_what_is_but_snapshots_says_so(size: tuple[int, int]) -> None:
    async with ui(*CHROOTS, size=size) as t:
        t.engine.thrown = (THROWN.replace(only_snapshots=True),)
        await open_trash(t)
        await t.shows("snapshots of arm")
        await t.press("d")
        await t.shows("remove snapshots of arm for good?", "snapshots of arm, deleted")
        await t.press("escape")
        await t.main()
        await open_trash(t)
        await t.press("enter")
        await t.shows("have snapshots of arm back?", f"They go back to {ARM}")
        await t.hides("comes back to")
        await t.press("enter")
        await t.until(lambda: t.engine.called("restore_trashed") == [(ARM, "arm-1")])
        await t.idle()


@pytest.mark.slow
async def test_u_has_no_chroot_back_of_which_but_snapshots_are_left() -> None:
    async with ui(*CHROOTS) as t:
        await delete_arm(t)
        t.engine.thrown = (THROWN.replace(only_snapshots=True),)
        await t.press("U")
        await t.says("arm-1 is in the trash no more")
        assert t.engine.called("restore_trashed") == []


@pytest.mark.slow
async def test_one_goes_for_good_after_asking() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.thrown = (THROWN, OLD)
        await open_trash(t)
        await t.press("d")
        await t.dialog(Confirm)
        await t.shows("remove arm for good?", "cannot be brought back")
        await t.press("enter")  # where the focus is nothing happens
        await t.main()
        assert t.engine.called("empty_trash") == []
        await open_trash(t)
        await t.press("d")
        await t.dialog(Confirm)
        await t.press("right", "enter")
        await t.until(lambda: t.engine.called("empty_trash") == [(BASE, ("arm-1",))])
        await t.idle()


@pytest.mark.slow
async def test_all_of_it_goes_only_as_far_as_it_was_listed() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.thrown = (THROWN, OLD)
        dialog = await open_trash(t)
        dialog.query_one("#empty", Button).press()
        await t.dialog(Confirm)
        await t.shows("remove all 2 for good?", "arm, deleted", "deb, deleted")
        await t.press("right", "enter")
        await t.until(lambda: t.engine.called("empty_trash") == [(BASE, ("arm-1", "deb-1"))])
        await t.idle()


@pytest.mark.slow
async def test_of_an_empty_one_that_is_said() -> None:
    async with ui(*CHROOTS) as t:
        await open_trash(t)
        await t.shows("Nothing is in it.")
        await t.press("enter")
        await t.main()


@pytest.mark.slow
async def test_where_it_cannot_be_looked_at_that_is_said() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("trash", PrivilegeError("the trash is root's", "run as root"))
        await t.press("colon")
        await t.until(lambda: t.app.screen is not t.app.main)
        await t.write("trash")
        await t.shows("have it back, or remove it for good")
        await t.press("enter")
        await t.says("the trash is root's (run as root)")


@pytest.mark.slow
async def test_one_deleted_beyond_all_calendars_is_listed_and_removed() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.thrown = (THROWN.replace(deleted=1e20),)
        await open_trash(t)
        await t.shows("arm", "?")
        await t.press("d")
        await t.dialog(Confirm)
        await t.shows("arm, deleted ?")
