"""The doctor by keys, in the whole UI, and its word on a job that failed."""

from __future__ import annotations

from typing import Any

import pytest

from chroot_tool.app.tui.user.root_privilege import RootPrivilege
from chroot_tool.core.diagnosis.finding import PROBLEM, WARNING, Finding
from chroot_tool.core.diagnosis.leftovers import EDIT, TakeAway
from chroot_tool.core.errors import BusyError, ChrootError, PrivilegeError
from chroot_tool.core.plan import Plan
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.doctor import DoctorDialog
from chroot_tool.widgets.dialogs.menu import Menu
from chroot_tool.widgets.job_status import DONE
from support.samples import BASE, CHROOTS
from support.whole_ui import ui

ARM = f"{BASE}/arm"
DRIFT = Finding("drift", WARNING, "/tmp is not mounted", "on mounts it", "chroot-tool on", True)
SOURCE = Finding("mountable", PROBLEM, "/data does not exist", "on will fail", "make it")
FULL = Finding("space", PROBLEM, "nothing is free on /srv", "writing fails", "free some")
MIRROR = Finding("mirror", PROBLEM, "it refuses", "create would fail", "another one")
LEFT = TakeAway(f"{ARM}/chroot.d/.tool.conf.1.0123abcd", EDIT)


@pytest.mark.slow
async def test_both_the_chroot_and_the_host_are_looked_at() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.findings = {ARM: (DRIFT,), "": (MIRROR,)}
        await t.on_row("arm")
        await t.press("D")
        await t.dialog(DoctorDialog)
        await t.shows("doctor: arm and this host", "1 problem, 1 warning", "it refuses")
        assert sorted(t.engine.called("diagnose")) == [("",), (ARM,)]
        await t.press("escape")
        await t.main()


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids=["80x24", "160x50"])
async def test_all_that_are_marked_are_looked_at_and_mended_with_one_summary(
    size: tuple[int, int],
) -> None:
    jammy, drift = f"{BASE}/jammy", DRIFT.replace(found="/run is not mounted")
    async with ui(*CHROOTS, size=size) as t:
        t.engine.findings = {ARM: (DRIFT, FULL), jammy: (drift, FULL), "": (MIRROR,)}
        t.engine.mends = {ARM: Plan((LEFT,)), jammy: Plan((LEFT, LEFT))}
        for name in ("arm", "jammy"):
            await t.on_row(name)
            await t.press("space")
        await t.press("D")
        dialog = await t.dialog(DoctorDialog)
        await t.shows("doctor: 2 chroots and this host", "2 problems, 2 warnings")
        assert sorted(t.engine.called("diagnose")) == [("",), (ARM,), (jammy,)]
        await t.shows("mirror host it refuses", "space all 2 nothing is free on /srv")
        await t.shows("drift arm /tmp is not", "drift jammy /run is not")
        await t.until(lambda: dialog.table.move_to("0"))
        await t.press("m")
        await t.dialog(Confirm)
        await t.shows("mend this?")
        assert t.text.count(f"remove {ARM}/chroot.d") == 3
        await t.press("enter")
        await t.says("mend: 2 done")
        assert sorted(t.engine.called("mend")) == [(ARM,), (jammy,)]
        assert [text for text in t.said if "mend" in text] == ["mend: 2 done"]


@pytest.mark.slow
async def test_in_menu_and_palette_it_is_of_the_marked_ones() -> None:
    async with ui(*CHROOTS) as t:
        for name in ("arm", "jammy"):
            await t.on_row(name)
            await t.press("space")
        await t.press("m")
        menu = await t.dialog(Menu)
        assert menu.groups[0].title.startswith("2 marked")
        assert "environments.doctor" in [entry.id for entry in menu.groups[0].entries]
        await t.press("D")
        await t.dialog(DoctorDialog)
        await t.shows("doctor: 2 chroots")


@pytest.mark.slow
async def test_of_several_hosts_each_is_named() -> None:
    there = CHROOTS[0].replace(name="far", host="build1", path="build1:/srv/chroot/far")
    async with ui(*CHROOTS, there) as t:
        t.engine.findings = {"": (MIRROR,), "build1:": (FULL,)}
        for name in ("arm", "far"):
            await t.on_row(name)
            await t.press("space")
        await t.press("D")
        await t.dialog(DoctorDialog)
        await t.shows("space build1: nothing is free", "mirror host it refuses")


@pytest.mark.slow
async def test_without_a_chroot_the_host_is() -> None:
    async with ui() as t:
        t.engine.findings = {"": (MIRROR,)}
        await t.press("D")
        await t.shows("doctor: this host", "it refuses")
        assert t.engine.called("diagnose") == [("",)]


@pytest.mark.slow
async def test_leaving_it_stops_what_still_looks() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.hold("diagnose")
        await t.on_row("arm")
        await t.press("D")
        dialog = await t.dialog(DoctorDialog)
        await t.shows("looking")
        assert dialog.looking
        await t.press("escape")
        await t.main()


@pytest.mark.slow
async def test_what_can_not_be_looked_at_is_said() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.hold("diagnose").set()
        t.engine.fail("diagnose", *[ChrootError("it is no chroot any more")] * 2)
        await t.on_row("arm")
        await t.press("D")
        await t.shows("it is no chroot any more")


@pytest.mark.slow
async def test_mending_shows_the_steps_and_does_them_as_a_job() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.findings = {ARM: (DRIFT,)}
        t.engine.mends = {ARM: Plan((LEFT,))}
        await t.on_row("arm")
        await t.press("D")
        await t.shows("1 warning")
        await t.press("m")
        await t.dialog(Confirm)
        await t.shows("mend this?", f"remove {LEFT.target}")
        assert t.engine.called("mend") == []
        await t.press("enter")
        await t.says("mended: 1 step")
        assert t.engine.called("mend") == [(ARM,)]


@pytest.mark.slow
async def test_what_turns_out_to_be_well_is_said() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.findings = {ARM: (DRIFT,)}
        await t.on_row("arm")
        await t.press("D")
        await t.shows("1 warning")
        await t.press("m")
        await t.says("nothing that can be mended safely")


@pytest.mark.slow
async def test_the_doctor_has_a_word_on_a_job_that_failed() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.findings = {ARM: (DRIFT, FULL, SOURCE)}
        t.engine.fail("on", ChrootError("/data does not exist", "make it"))
        await t.on_row("arm")
        await t.press("o")
        # Not again what the job has said, but what it means.
        await t.shows("✗ /data does not exist", "D the doctor: mountable: on will fail")
        await t.press("4")
        await t.until(lambda: t.app.main.dock.has_focus_within)
        await t.press("D")
        dialog = await t.dialog(DoctorDialog)
        await t.until(lambda: dialog.table.cursor_row and dialog.table.cursor_row.finding == SOURCE)
        await t.shows("→ make it")


@pytest.mark.slow
async def test_its_word_is_of_the_try_that_was_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """While root's privilege is asked for nothing has failed yet."""
    asked: list[list[tuple[Any, ...]]] = []
    answers = [True, False]
    async with ui(*CHROOTS) as t:

        async def ask(*_: object) -> bool:
            await t.pilot.pause()
            asked.append(t.engine.called("diagnose"))
            return answers.pop(0)

        monkeypatch.setattr(RootPrivilege, "is_possible", True)
        monkeypatch.setattr(RootPrivilege, "ask", ask)
        t.engine.findings = {ARM: (SOURCE,)}
        t.engine.fail("on", PrivilegeError("mounting needs root"))
        await t.on_row("arm")
        await t.press("o")
        await t.until(lambda: t.job_states.get("arm") == DONE)
        t.engine.fail("on", PrivilegeError("mounting needs root"))
        await t.press("o")
        await t.shows("✗ mounting needs root", "D the doctor: mountable")
        assert asked == [[], []]
        done = next(one for one in t.app.main.session.jobs.views if one.state == DONE)
        assert done.doctor is None


@pytest.mark.slow
async def test_from_the_list_it_is_opened_at_that_finding_too() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.findings = {ARM: (FULL, SOURCE)}
        t.engine.fail("on", ChrootError("/data does not exist"))
        await t.on_row("arm")
        await t.press("o")
        await t.shows("the doctor: mountable")
        await t.press("D")
        dialog = await t.dialog(DoctorDialog)
        await t.until(lambda: dialog.table.cursor_row and dialog.table.cursor_row.finding == SOURCE)


async def test_of_a_create_that_failed_the_host_is_asked() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.findings = {"": (MIRROR,)}
        t.engine.fail("create", ChrootError("debootstrap failed: exit code 1"))
        main = t.app.main
        main.session.start(
            "create", "new", f"{BASE}/another",
            lambda report, cancelled: t.engine._record("create", report=report),
        )  # fmt: skip
        await t.shows("the doctor: mirror: it refuses")


async def test_who_is_busy_needs_no_doctor() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.findings = {ARM: (FULL,)}
        t.engine.fail("on", BusyError("in use"), ChrootError("it failed"))
        await t.on_row("arm")
        await t.press("o")
        await t.until(lambda: t.job_states.get("arm") == "failed")
        assert t.engine.called("diagnose") == []
