"""On and off by `o`: one, several, those that are in use, and a mount alone."""

from __future__ import annotations

import pytest

from chroot_tool.core.errors import BusyError, ChrootError, LockedError
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.mounts.steps import Unmount
from chroot_tool.core.plan import Plan
from chroot_tool.core.process import Holder
from chroot_tool.widgets import lull
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.stop_processes import StopProcesses
from chroot_tool.widgets.lull import Lull
from chroot_tool.widgets.tables.mounts_table import MountsTable
from support.samples import BASE, CHROOTS, DEB12, TRIXIE, mount
from support.whole_ui import ui

ARM = f"{BASE}/arm"
JAMMY = f"{BASE}/jammy"
HOLDER = Holder(4711, "root", "sleep 1000", ("root /",))


@pytest.mark.slow
async def test_o_switches_on_what_is_off_or_partial_and_off_what_is_on() -> None:
    async with ui(*CHROOTS) as t:
        for name in ("arm", "trixie-build", "deb12"):
            await t.on_row(name)
            await t.press("o")
            await t.until(lambda name=name: t.job_states.get(name) == "done")  # type: ignore[misc]
        # Nobody is ended unasked, but `stop` is run.
        assert t.engine.calls == [
            ("on", ARM),
            ("on", TRIXIE.path),
            ("off", DEB12.path, True, False),
        ]
        await t.shows("off done")  # among the last operations of the overview


@pytest.mark.slow
async def test_o_on_what_cannot_be_switched_says_why() -> None:
    async with ui(*CHROOTS) as t:
        for name in ("broken", "half", "new"):
            await t.on_row(name)
            await t.press("o")
            await t.says(f"{name} is ")
        assert t.engine.calls == []


@pytest.mark.slow
async def test_what_was_broken_and_is_on_meanwhile_is_left_on() -> None:
    """By `o` pressed once more before the first one was told, it may be."""
    looked: list[str] = []
    async with ui(*CHROOTS) as t:
        broken = next(one for one in CHROOTS if one.name == "broken")

        def status(path: str) -> ChrootStatus:
            looked.append(path)
            return broken.replace(state="on", problems=())

        t.engine.status = status
        await t.on_row("broken")
        await t.press("o")
        await t.until(lambda: looked and not t.app.workers)
        assert t.engine.calls == []


@pytest.mark.slow
async def test_o_looks_anew_at_what_was_broken_before_it_refuses() -> None:
    """Somebody has put the missing shell there: nobody tells of that."""
    async with ui(*CHROOTS) as t:
        broken = next(one for one in CHROOTS if one.name == "broken")
        t.engine.plan_on = lambda path, **_: Plan((Unmount(f"{path}/stale", 7),))
        await t.on_row("broken")
        await t.press("O")  # it is broken still
        await t.says("broken is broken: ")
        t.engine.status = lambda path: broken.replace(state="off", problems=())
        await t.press("O")
        await t.dialog(Confirm)
        await t.shows(f"$ chroot-tool on -d {broken.path} -n")
        await t.press("escape")
        await t.main()
        await t.press("o")
        await t.until(lambda: t.job_states == {"broken": "done"})
        assert t.engine.calls == [("on", broken.path)]


@pytest.mark.slow
async def test_o_switches_off_what_is_broken_while_it_is_on() -> None:
    """With a mistake in its configuration, say: that must not keep its mounts there."""
    there = tuple(mount.replace(state="foreign", real="proc") for mount in DEB12.mounts)
    async with ui(DEB12.replace(state="broken", mounts=there), TRIXIE) as t:
        await t.on_row("deb12")
        await t.press("o")
        await t.until(lambda: t.job_states.get("deb12") == "done")
        assert t.engine.calls == [("off", DEB12.path, True, False)]
        step = Unmount(f"{DEB12.path}/proc", 7)
        t.engine.plan_off = lambda path, **_: Plan((step,))
        await t.press("O")
        await t.dialog(Confirm)
        await t.shows(f"$ chroot-tool off -d {DEB12.path} -n", step.describe())
        await t.press("enter")
        await t.main()
        await t.until(lambda: len(t.engine.calls) == 2)
        await t.idle()
        assert t.engine.calls.pop() == ("off", DEB12.path, True, False)
        await t.press("space")
        await t.on_row("trixie-build")
        await t.press("space", "o")  # on, both: what can't be is said
        await t.until(lambda: t.job_states.get("trixie-build") == "done")
        await t.says("deb12 is broken")
        assert t.engine.calls[1:] == [("on", TRIXIE.path)]


@pytest.mark.slow
async def test_o_concerns_all_that_are_marked_each_with_its_own_outcome() -> None:
    async with ui(*CHROOTS) as t:
        for name in ("arm", "deb12", "jammy"):
            await t.on_row(name)
            await t.press("space")
        await t.shows("3 marked")
        await t.on_row("broken")
        t.engine.fail("on", ChrootError("mount /proc: it is on fire", "put it out"))
        await t.press("o")
        await t.until(lambda: sorted(t.job_states.values()) == ["done", "failed"])
        # One direction for all: what is on already is left alone.
        assert sorted(t.engine.called("on")) == [(ARM,), (JAMMY,)]
        assert t.engine.called("off") == []


@pytest.mark.slow
async def test_o_switches_off_what_is_marked_only_where_all_of_it_is_on() -> None:
    other = DEB12.replace(name="other", path=f"{BASE}/other")
    async with ui(DEB12, other, TRIXIE) as t:
        for name in ("deb12", "other", "trixie-build"):
            await t.on_row(name)
            await t.press("space")
        await t.press("o")  # trixie-build is partial
        await t.until(lambda: t.job_states == {"trixie-build": "done"})
        await t.press("space", "o")
        await t.until(lambda: len(t.job_states) == 3 and not t.app.main.session.jobs.running)
        assert t.engine.called("on") == [(TRIXIE.path,)]
        assert {path for path, *_ in t.engine.called("off")} == {DEB12.path, other.path}


@pytest.mark.slow
async def test_one_job_at_a_time_for_a_chroot() -> None:
    async with ui(*CHROOTS) as t:
        gate = t.engine.hold("on")
        await t.on_row("arm")
        await t.press("o")
        await t.shows("switching on")
        await t.press("o")
        await t.says("under way already")
        gate.set()
        await t.until(lambda: t.job_states == {"arm": "done"})
        assert t.engine.calls == [("on", ARM)]


@pytest.mark.slow
async def test_a_busy_one_is_asked_about_and_left_alone() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("off", BusyError("deb12 is in use", "stop them", [HOLDER]))
        await t.on_row("deb12")
        await t.press("o")
        await t.dialog(StopProcesses)
        await t.shows("4711", "sleep 1000")
        await t.press("enter")  # Cancel has the focus
        await t.main()
        assert len(t.engine.called("off")) == 1
        # Who was asked and said no has seen nothing fail.
        assert t.job_states == {"deb12": "cancelled"}
        await t.shows("off cancelled", "in use by 1 process: left on", "● on ")
        await t.hides("● on !")


@pytest.mark.slow
async def test_a_hint_of_the_command_line_is_put_in_words_of_the_ui() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("on", BusyError("in use", "end them, or let --kill do it", [HOLDER]))
        await t.on_row("arm")
        await t.press("o")
        await t.until(lambda: t.job_states == {"arm": "failed"})
        await t.shows("end the processes that use it first")
        await t.hides("--kill")


@pytest.mark.slow
async def test_a_busy_one_is_switched_off_after_asking() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("off", BusyError("deb12 is in use", "stop them", [HOLDER]))
        await t.on_row("deb12")
        await t.press("o")
        dialog = await t.dialog(StopProcesses)
        await t.until(lambda: not dialog.query_one("#stop").disabled)
        await t.press("right", "enter")
        await t.main()
        await t.until(lambda: t.job_states == {"deb12": "done"})
        # `stop` was run the first time.
        assert t.engine.called("off") == [(DEB12.path, True, False), (DEB12.path, False, True)]


@pytest.mark.slow
async def test_what_is_typed_when_it_is_asked_ends_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The question comes when the job ends: `ls` and Enter, meant for a shell, said yes."""
    monkeypatch.setattr(lull, "_TICK", 1000.0)
    async with ui(DEB12) as t:
        t.engine.fail("off", BusyError("deb12 is in use", "stop them", [HOLDER]))
        await t.press("o")
        await t.dialog(StopProcesses)
        await t.press("l", "s", "enter")
        await t.press("escape")
        await t.main()
        await t.idle()
        assert t.engine.called("off") == [(DEB12.path, True, False)]


@pytest.mark.slow
async def test_each_key_begins_the_lull_anew_after_which_one_can_be_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[Lull] = []
    monkeypatch.setattr(Lull, "begin_anew", lambda one: begun.append(one))
    async with ui(DEB12) as t:
        t.engine.fail("off", BusyError("deb12 is in use", "stop them", [HOLDER]))
        await t.press("o")
        await t.dialog(StopProcesses)
        await t.press("l", "s")
        await t.until(lambda: len(begun) == 3)  # at first, too


@pytest.mark.slow
async def test_two_busy_ones_are_asked_about_one_after_the_other() -> None:
    two = (DEB12, DEB12.replace(name="other", path=f"{BASE}/other"))
    async with ui(*two) as t:
        t.engine.fail("off", *[BusyError("in use", "", [HOLDER])] * 2)
        await t.press("space", "j", "space", "o")
        first = await t.dialog(StopProcesses)
        await t.until(lambda: len(t.engine.called("off")) == 2)
        await t.until(lambda: t.app.screen is not first or len(t.app.screen_stack) == 3)
        await t.press("escape")
        await t.until(lambda: len(t.app.screen_stack) == 2)
        await t.press("escape")
        await t.main()
        assert len(t.engine.called("off")) == 2


@pytest.mark.slow
async def test_off_once_more_asks_about_what_somebody_else_has_mounted_since() -> None:
    theirs = mount("/mnt", "foreign", source="/dev/sdb1", fs="ext4", origin="foreign", real="ext4")
    async with ui(DEB12) as t:
        await t.press("o")
        await t.until(lambda: t.job_states == {"deb12": "done"})
        again = DEB12.replace(mounts=(*DEB12.mounts, theirs))
        t.feed.show(again)
        await t.until(lambda: t.app.main.session.highlighted == again)
        await t.press("full_stop")
        await t.dialog(Confirm)
        await t.shows("/mnt", "ext4 /dev/sdb1")
        assert len(t.engine.called("off")) == 1
        await t.press("right", "enter")
        await t.until(lambda: len(t.engine.called("off")) == 2)


@pytest.mark.slow
async def test_another_chroot_tool_at_work_is_a_failure_not_a_question() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.fail("off", LockedError("another chroot-tool is at work on deb12", "wait", 7))
        await t.on_row("deb12")
        await t.press("o")
        await t.shows("another chroot-tool is at work")
        await t.main()


@pytest.mark.slow
async def test_o_on_a_mount_switches_that_one() -> None:
    first = DEB12.mounts[0].replace(real="proc proc (rw)")
    async with ui(DEB12.replace(mounts=(first, *DEB12.mounts[1:])), TRIXIE) as t:
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.shows("/proc")
        await t.press("o")
        await t.until(lambda: t.engine.called("switch_bind"))
        ((path, target, on),) = t.engine.called("switch_bind")
        assert (path, target, on) == (DEB12.path, first.target, False)
        assert t.engine.called("off") == []


@pytest.mark.slow
async def test_what_is_asked_of_a_chroot_is_not_done_to_the_one_that_is_shown_by_then() -> None:
    """On a slow line the next one may be shown while a request is on its way."""
    async with ui(DEB12, TRIXIE) as t:
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        table = t.app.main.details.query_one(MountsTable)
        for path in (TRIXIE.path, DEB12.path):
            table.post_message(MountsTable.PlanRequested(table, DEB12.mounts[0], path))
            table.post_message(MountsTable.ToggleRequested(table, DEB12.mounts[0], path))
        for name in ("plan_switch_bind", "switch_bind"):
            await t.until(lambda name=name: t.engine.called(name))  # type: ignore[misc]
        await t.idle()
        assert len(t.engine.called("plan_switch_bind")) == len(t.engine.called("switch_bind")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_big_o_on_a_mount_plans_that_one_as_o_does_it(size: tuple[int, int]) -> None:
    there = [one.replace(real="tmpfs (rw)") for one in DEB12.mounts]
    async with ui(DEB12.replace(mounts=tuple(there)), TRIXIE, size=size) as t:
        steps = (Unmount("/dev/pts", 8), Unmount("/dev", 7))
        t.engine.plans["/dev"] = Plan(steps)
        await t.press("2")
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.shows("o (un)mount")
        await t.until(lambda: t.app.screen.focused.move_to("/dev\0system"))  # type: ignore[union-attr]
        await t.press("O")
        await t.dialog(Confirm)
        await t.shows(
            "what o would do to /dev", f"$ chroot-tool off -d {DEB12.path} --only /dev",
            *(step.describe() for step in steps),
        )  # fmt: skip
        assert t.engine.calls == [("plan_switch_bind", DEB12.path, "/dev", False)]
        await t.press("enter")
        await t.main()
        await t.until(lambda: t.engine.called("switch_bind") == [(DEB12.path, "/dev", False)])
        await t.idle()
        t.engine.fail("plan_switch_bind", ChrootError("nothing is configured there"))
        await t.press("O")
        await t.says("nothing is configured there")
        await t.shows("o (un)mount")
        assert len(t.engine.called("switch_bind")) == 1
