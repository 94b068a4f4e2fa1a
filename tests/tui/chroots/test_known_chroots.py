"""What is known of a base that may not be read, is late or is made later."""

from __future__ import annotations

from pathlib import Path

import pytest

from chroot_tool.core.errors import Problem
from chroot_tool.core.looking.snapshot import Snapshot
from support.samples import BASE, CHROOTS
from support.whole_ui import real_ui, ui


@pytest.mark.slow
async def test_a_base_that_may_not_be_read_says_so_and_is_seen_later() -> None:
    async with ui() as t:
        t.feed.see(Snapshot(BASE, (), Problem("may not be opened by this user", "run as root")))
        await t.shows("may not be opened by this user", "run as root")
        t.feed.show(*CHROOTS)
        await t.shows("deb12")


@pytest.mark.slow
async def test_why_what_is_shown_may_not_be_how_it_is_stands_below() -> None:
    async with ui(*CHROOTS) as t:
        t.feed.see(Snapshot(BASE, CHROOTS, Problem("nothing is followed: no room")))
        await t.shows("nothing is followed: no room", "deb12")
        t.feed.see(Snapshot(BASE, CHROOTS, late=Problem("no inotify left")))
        await t.shows("no inotify left")
        t.feed.show()  # there none is, whatever is told late
        await t.shows("no chroot under", "no inotify left")
        t.feed.see(Snapshot(BASE, CHROOTS))
        await t.hides("no inotify left")


async def test_a_base_that_is_made_later_appears(tmp_path: Path) -> None:
    base = tmp_path / "later"
    async with real_ui(base) as t:
        await t.shows("no chroot under")
        (base / "one/chroot.d").mkdir(parents=True)
        await t.until(lambda: t.highlighted == "one")
