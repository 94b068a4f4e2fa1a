"""Who is not root."""

from __future__ import annotations

import os

import pytest

from chroot_tool.core.errors import PrivilegeError
from chroot_tool.core.remote.machines import Machines
from support.samples import CHROOTS
from support.whole_ui import ui


@pytest.mark.slow
async def test_not_root_sees_all_and_an_action_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    async with ui(*CHROOTS) as t:
        await t.shows("12345: looking only", "deb12", "● on")
        t.engine.fail("on", PrivilegeError("mounting needs root", "run it with sudo"))
        await t.on_row("arm")
        await t.press("o")
        await t.shows("mounting needs root", "run it with sudo")


async def test_who_becomes_root_where_there_is_no_chroot_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    async with ui() as t:
        await t.shows("12345: looking only")
        monkeypatch.setattr(Machines, "can_rise", True)
        monkeypatch.setattr(Machines, "rise", lambda self: setattr(self, "has_risen", True))
        await t.app.main.action_perform("root")
        await t.shows("12345, as root")
        t.app.main.session.machines.has_risen = False  # there is none to be closed


@pytest.mark.slow
async def test_a_job_is_over_where_asking_for_privilege_breaks_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rise(_: Machines) -> None:
        raise LookupError("sudo is gone")

    async with ui(*CHROOTS) as t:
        monkeypatch.setattr(Machines, "can_rise", True)
        monkeypatch.setattr(Machines, "rise", rise)
        t.engine.fail("on", PrivilegeError("mounting needs root", "run it with sudo"))
        await t.on_row("arm")
        await t.press("o")
        await t.says("unexpected LookupError: sudo is gone")
        assert t.job_states == {"arm": "failed"}


@pytest.mark.slow
async def test_want_of_root_on_another_machine_asks_for_none_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    error = PrivilegeError("one: mounting needs root", "chroot-tool sudoers, there")
    error.host = "one"
    async with ui(*CHROOTS) as t:
        await t.shows("12345: looking only", "deb12", "● on")
        monkeypatch.setattr(Machines, "can_rise", True)
        monkeypatch.setattr(Machines, "rise", lambda self: setattr(self, "has_risen", True))
        t.engine.fail("on", error)
        await t.on_row("arm")
        await t.press("o")
        await t.shows("✗ failed", "one: mounting needs root", "chroot-tool sudoers, there")
        assert "12345: looking only" in t.text
