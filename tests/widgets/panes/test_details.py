"""The details of a chroot as a person meets them, and with what a hostile one holds."""

from __future__ import annotations

import pytest

from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.trees.snapshots import TreeSnapshot
from chroot_tool.widgets.copying import CopyRequested
from chroot_tool.widgets.panes.details import Details
from chroot_tool.widgets.tables.mounts_table import MountsTable
from chroot_tool.widgets.tables.processes_table import ProcessesTable
from support.samples import (
    BASE,
    CHROOTS,
    DAY,
    DEB12,
    JOBS,
    MOUNTS,
    NOW,
    PROCESSES,
    TRIXIE,
    clock,
    hostile_chroot,
    hostile_job,
    mount,
)
from support.screen import HOSTILE, screen_lines, screen_text, stray_controls
from support.widget_host import WidgetHost


def details() -> tuple[WidgetHost, Details]:
    widget = Details(clock=clock)
    return WidgetHost(widget), widget


async def test_the_overview_has_the_facts_and_what_is_wrong_and_what_was_done() -> None:
    host, pane = details()
    async with host.run_test(size=(80, 30)) as pilot:
        pane.show(TRIXIE, JOBS, 1_100_000_000)
        await pilot.pause()
        text = screen_text(host)
        for said in (
            "◐ partial", "/srv/chroot/trixie-build", "Debian GNU/Linux 13 (trixie)", "amd64",
            "1.0G", "5d ago", "✗ /tmp is not mounted", "→ `on` mounts it",
            "on failed, 1s: cannot mount /tmp: no space left on device",
            "→ free some memory, or mount less",
        ):  # fmt: skip
            assert said in text
        assert "jammy" not in text, "another one's job"
        pane.show(None)
        await pilot.pause()
        assert "no chroot is chosen" in screen_text(host)


@pytest.mark.parametrize("width", [18, 22, 24, 28, 32, 60])
async def test_no_word_of_the_overview_is_broken(width: int) -> None:
    host, pane = details()
    async with host.run_test(size=(width, 60)) as pilot:
        pane.show(TRIXIE, JOBS, None)
        await pilot.pause()
        words = screen_text(host).split()
        said = [TRIXIE.os, TRIXIE.architecture, *(one.message for one in TRIXIE.problems)]
        assert [word for word in " ".join(said).split() if word not in words] == []


@pytest.mark.slow
async def test_the_overview_wraps_and_scrolls() -> None:
    host, pane = details()
    async with host.run_test(size=(40, 8)) as pilot:
        pane.show(TRIXIE.replace(description="word " * 60), JOBS, None)
        pane.focus()
        await pilot.pause()
        await pilot.press("G")
        await pilot.pause()
        assert "mount less" in screen_text(host)
        pane.show(DEB12)
        await pilot.pause()
        assert "● on" in screen_text(host), "another chroot begins at its top"


async def test_panes_are_made_when_they_are_looked_at() -> None:
    host, pane = details()
    async with host.run_test() as pilot:
        pane.show(DEB12)
        await pilot.pause()
        assert not host.query(MountsTable)
        assert not host.query(ProcessesTable)
        pane.show_tab("mounts")
        await pilot.pause()
        assert host.query(MountsTable)
        assert "/home/ann/projects/kernel" in screen_text(host)
        with pytest.raises(KeyError):
            pane.show_tab("nosuch")


async def test_a_pane_that_was_hidden_is_up_to_date_when_it_is_seen_again() -> None:
    host, pane = details()
    async with host.run_test(size=(100, 20)) as pilot:
        pane.show(DEB12)
        for tab in ("mounts", "processes", "overview"):
            pane.show_tab(tab)
            await pilot.pause()
        pane.show(TRIXIE)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        pane.show_tab("mounts")
        await pilot.pause()
        assert "◐ drifted" in screen_text(host)
        pane.show_tab("processes")
        await pilot.pause()
        assert "no process lives in it" in screen_text(host)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (TRIXIE.replace(unseen=True), "those of other users can't be seen: run as root"),
        (TRIXIE.replace(in_use=True), "throw-away sessions are open"),
    ],
    ids=["other users", "throw-away sessions"],
)
async def test_who_is_not_listed_is_told(one: ChrootStatus, said: str) -> None:
    host, pane = details()
    async with host.run_test() as pilot:
        pane.show(one)
        pane.show_tab("processes")
        await pilot.pause()
        assert said in screen_text(host)
        pane.show(TRIXIE)
        await pilot.pause()
        assert said not in screen_text(host)


@pytest.mark.slow
async def test_tabs_by_key_and_mouse() -> None:
    host, pane = details()
    async with host.run_test() as pilot:
        pane.show(DEB12)
        pane.focus()
        await pilot.pause()
        await pilot.press("right_square_bracket")
        assert pane.tab == "mounts"
        await pilot.pause()
        assert host.query_one(MountsTable).rows.has_focus, "the focus goes along"
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert pane.tab == "log", "round the corner"
        line = screen_lines(host)[0]
        assert "Mounts 7/7" in line
        assert "Processes 3" in line
        await pilot.click(pane, offset=(line.index("Mounts") + 2, 0))
        assert pane.tab == "mounts"
        await pilot.click(pane, offset=(line.index("Overview"), 0))
        assert pane.tab == "overview"


async def test_stepping_through_tabs_from_elsewhere_leaves_the_focus_there() -> None:
    host, pane = details()
    async with host.run_test() as pilot:
        pane.show(DEB12)
        host.set_focus(None)
        pane.step_tab(1)
        await pilot.pause()
        assert host.focused is None


async def test_mounts_say_what_is_wrong_with_them() -> None:
    host, pane = details()
    async with host.run_test(size=(160, 20)) as pilot:
        pane.show(TRIXIE)
        pane.show_tab("mounts")
        await pilot.pause()
        text = screen_text(host)
        assert "○ missing" in text
        assert "- ignored" in text
        assert "? foreign" in text
        # What is wrong stands first.
        assert "/srv/data: writable, wanted read-only; really there: ext4 /data" in text
        await pilot.press("G")
        assert "writable" not in "\n".join(screen_lines(host)[-2:])


async def test_what_is_really_there_is_a_column_where_there_is_room_and_reason() -> None:
    host, pane = details()
    async with host.run_test(size=(200, 20)) as pilot:
        pane.show(TRIXIE)
        pane.show_tab("mounts")
        await pilot.pause()
        assert "Really there" in screen_text(host)
        pane.show(DEB12)
        await pilot.pause()
        assert "Really there" not in screen_text(host), "everything is as it should be"


async def test_where_a_mount_comes_from_is_whole_however_long_paths_are() -> None:
    long = mount(f"/srv/{'x' * 30}", source=f"/data/{'y' * 30}", origin="tool.conf")
    host, pane = details()
    async with host.run_test(size=(80, 20)) as pilot:
        pane.show(TRIXIE.replace(mounts=(long,)))
        pane.show_tab("mounts")
        await pilot.pause()
        assert "tool.conf" in screen_text(host)


async def test_mounts_are_switched_and_copied_by_key() -> None:
    host, pane = details()
    async with host.run_test() as pilot:
        pane.show(DEB12)
        pane.show_tab("mounts")
        await pilot.pause()
        await pilot.press("j", "o", "y")
        toggle, copy = host.said
        assert isinstance(toggle, MountsTable.ToggleRequested)
        assert (toggle.mount, toggle.path) == (MOUNTS[1], DEB12.path)
        assert toggle.table is host.query_one(MountsTable)
        assert isinstance(copy, CopyRequested)
        assert copy.lines == ("mounted /sys /sys bind ro,nosuid,nodev,noexec,private",)


async def test_a_target_that_is_there_twice_has_two_rows() -> None:
    host, pane = details()
    twice = (mount("/mnt"), *[mount("/mnt", "foreign", origin="foreign", real="x")] * 2)
    async with host.run_test() as pilot:
        pane.show(DEB12.replace(mounts=twice))
        pane.show_tab("mounts")
        await pilot.pause()
        assert sum("/mnt " in line for line in screen_lines(host)[2:-2]) == 3


async def test_processes_are_sorted_signalled_and_copied() -> None:
    host, pane = details()
    async with host.run_test(size=(100, 12)) as pilot:
        pane.show(DEB12)
        pane.show_tab("processes")
        await pilot.pause()
        assert screen_lines(host)[2].split()[:2] == ["4711", "root"]
        await pilot.press("greater_than_sign", "greater_than_sign", "t", "K", "y")
        assert "▼CPU %" in screen_lines(host)[1]
        term, kill, copy = host.said
        assert isinstance(term, ProcessesTable.SignalRequested)
        assert isinstance(kill, ProcessesTable.SignalRequested)
        assert isinstance(copy, CopyRequested)
        assert (term.process, term.name) == (PROCESSES[0], "TERM"), "the cursor stayed on its row"
        assert (kill.process, kill.name) == (PROCESSES[0], "KILL")
        assert copy.lines == ("/usr/sbin/sshd -D",)


async def test_keys_on_nothing_do_nothing() -> None:
    host, pane = details()
    async with host.run_test() as pilot:
        pane.show(ChrootStatus("x", "/x", "off"))
        for tab in ("mounts", "processes"):
            pane.show_tab(tab)
            await pilot.pause()
            await pilot.press("o", "t", "K", "y", "j", "G")
        assert host.said == []


# -- overview --------------------------------------------------------------------------------------


async def test_what_is_wrong_stands_right_below_the_state() -> None:
    host, widget = details()
    async with host.run_test(size=(80, 5)) as pilot:  # as high as it is beside an open dock
        widget.show(next(one for one in CHROOTS if one.state == "broken"))
        await pilot.pause()
        text = screen_text(host)
        assert "holds no usable root file system" in text
        assert "→ make one: chroot-tool create" in text


# -- hostile text ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["textual-dark", "ansi-dark"])
async def test_hostile_text_in_the_details(theme: str) -> None:
    host, pane = details()
    async with host.run_test(size=(120, 24)) as pilot:
        host.theme = theme
        for text in HOSTILE:
            job = hostile_job(text).replace(path=f"{BASE}/{text}")
            pane.show(hostile_chroot(text), (job,), 1)
            for tab in ("overview", "mounts", "processes"):
                pane.show_tab(tab)
                await pilot.pause()
                assert stray_controls(host) == []
                await pilot.click(pane, offset=(30, 3))
            assert host.is_running


async def test_snapshots_and_what_is_shared_are_told_where_there_are_any() -> None:
    host, pane = details()
    kept = tuple(TreeSnapshot(name, NOW - age, "copy", 9) for name, age in (("a", DAY), ("b", 5)))
    async with host.run_test(size=(60, 30)) as pilot:
        pane.show(DEB12, (), 210 << 20)
        await pilot.pause()
        assert "shared" not in screen_text(host)
        assert "snapshots" not in screen_text(host)
        pane.show(DEB12, (), 210 << 20, kept, 180 << 20)
        await pilot.pause()
        assert "210M, 180M of it shared with others" in screen_text(host)
        assert "2, last b, just now" in screen_text(host)
