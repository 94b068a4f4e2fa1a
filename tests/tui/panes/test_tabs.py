"""The tabs of the details, and what they follow."""

from __future__ import annotations

import pytest

from support.samples import CHROOTS, DEB12, mount
from support.whole_ui import ui


@pytest.mark.slow
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
        await t.shows(f"{count} +1", "foreign mount /mnt/usb: not in the")
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


@pytest.mark.slow
async def test_enter_goes_to_the_details_and_tab_round() -> None:
    async with ui(DEB12) as t:
        await t.press("enter")
        await t.until(lambda: t.app.main.details.has_focus_within)
        await t.press("tab")
        await t.until(lambda: t.app.main.table.has_focus_within)


@pytest.mark.slow
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
