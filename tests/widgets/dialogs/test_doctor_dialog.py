"""The doctor's dialog as a person meets it, while findings come in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.message import Message

from chroot_tool.core.diagnosis.finding import NOTE, OK, PROBLEM, WARNING, Finding
from chroot_tool.widgets.dialogs.doctor import DoctorDialog
from support.dialog_host import OPEN, SMALL, DialogHost, press
from support.screen import HOSTILE, screen_lines, screen_text, stray_controls

FINE = Finding("kernel", OK, "every call is there")
DRIFT = Finding("drift", WARNING, "/tmp is not mounted", "on mounts it", "chroot-tool on", True)
MIRROR = Finding("mirror", PROBLEM, "it refuses", "create would fail", "another --mirror")
TOOLS = Finding("programs", NOTE, "umoci is not there", "images can't be unpacked")


def dialog(*, name: str = "deb", at: str = "") -> DoctorDialog:
    """One in which nothing has been found yet."""
    return DoctorDialog(name, lambda _post: None, at=at)


def came(shown: DoctorDialog, *findings: Finding, about: str = "deb") -> None:
    for one in findings:
        shown.post_message(DoctorDialog.Came(about, one))


async def test_the_worst_stands_first_and_under_the_cursor() -> None:
    shown = dialog()
    host = DialogHost(shown)
    async with host.run_test(size=SMALL) as pilot:
        assert "looking" in screen_text(host)
        came(shown, FINE, TOOLS, DRIFT)
        await pilot.pause()
        came(shown, MIRROR, about="")
        shown.post_message(DoctorDialog.Ended())
        await pilot.pause()
        text = screen_text(host)
        assert "1 problem, 1 warning, 1 note, 1 ok" in text
        assert "looking" not in text
        found = [row.finding for row in shown.table._model.rows.values()]
        assert found == [MIRROR, DRIFT, TOOLS, FINE]
        assert shown.table.cursor_row is not None
        assert shown.table.cursor_row.finding == MIRROR
        assert "host" in text


async def test_who_has_moved_the_cursor_keeps_it() -> None:
    shown = dialog()
    host = DialogHost(shown)
    async with host.run_test(size=SMALL) as pilot:
        came(shown, FINE, TOOLS)
        await pilot.pause()
        await press(pilot, "j")
        came(shown, DRIFT, MIRROR)
        await pilot.pause()
        assert shown.table.cursor_row is not None
        assert shown.table.cursor_row.finding == FINE


async def test_the_key_that_mends_is_told_as_it_is_bound() -> None:
    shown = dialog()
    host = DialogHost(shown)
    host.set_keymap({"doctor.mend": "f5"})
    async with host.run_test(size=SMALL) as pilot:
        came(shown, DRIFT)
        await pilot.pause()
        await press(pilot, "enter")
        assert "→ f5 mends it, or chroot-tool on" in screen_text(host)


async def test_enter_shows_what_it_means_and_hides_it() -> None:
    shown = dialog()
    host = DialogHost(shown)
    async with host.run_test(size=SMALL) as pilot:
        came(shown, DRIFT)
        await pilot.pause()
        assert "on mounts it" not in screen_text(host)
        await press(pilot, "enter")
        assert "on mounts it" in screen_text(host)
        assert "→ m mends it, or chroot-tool on" in screen_text(host)
        await press(pilot, "enter")
        assert "on mounts it" not in screen_text(host)
        assert host.answer == OPEN


async def test_it_can_be_opened_at_what_one_check_has_found() -> None:
    shown = dialog(at="drift")
    host = DialogHost(shown)
    async with host.run_test(size=SMALL) as pilot:
        came(shown, FINE, MIRROR)
        await pilot.pause()
        came(shown, DRIFT)
        await pilot.pause()
        assert "on mounts it" in screen_text(host)
        assert shown.table.cursor_row is not None
        assert shown.table.cursor_row.finding == DRIFT


async def test_what_holds_for_both_is_said_once() -> None:
    shown = dialog()
    host = DialogHost(shown)
    async with host.run_test(size=SMALL) as pilot:
        came(shown, FINE)
        came(shown, FINE, about="")
        await pilot.pause()
        assert "1 ok" in screen_text(host)


async def test_what_holds_for_several_is_one_row_that_names_them() -> None:
    shown = DoctorDialog("3 chroots", lambda _post: None, several=frozenset(("deb", "sid", "arm")))
    host = DialogHost(shown)
    async with host.run_test(size=SMALL) as pilot:
        for about in ("deb", "sid"):
            came(shown, DRIFT, about=about)
        for about in ("deb", "sid", "arm", ""):
            came(shown, FINE, about=about)
        came(shown, MIRROR, about="")
        await pilot.pause()
        lines = [" ".join(line.split()) for line in screen_lines(host)]
        assert any("drift deb, sid /tmp is not mounted" in line for line in lines)
        assert any("kernel all 3 every call is there" in line for line in lines)
        assert any("mirror host it refuses" in line for line in lines)
        assert "1 problem, 1 warning, 1 ok" in screen_text(host)
        await press(pilot, "j", "enter")
        assert "deb, sid: /tmp is not mounted" in screen_text(host)
        await press(pilot, "y")
        assert "deb, sid" in host.clipboard


@pytest.mark.parametrize(("finding", "answer"), [(DRIFT, True), (MIRROR, OPEN)])
async def test_m_mends_where_something_can_be(finding: Finding, answer: object) -> None:
    shown = dialog()
    host = DialogHost(shown)
    async with host.run_test(size=SMALL) as pilot:
        came(shown, finding)
        await pilot.pause()
        await press(pilot, "m")
        assert host.answer == answer
        if answer == OPEN:
            await press(pilot, "escape")
            assert host.answer is False


async def test_it_begins_when_it_is_there_and_threads_may_post() -> None:
    posts: list[Callable[[Message], object]] = []
    host = DialogHost(DoctorDialog("", posts.append))
    async with host.run_test(size=SMALL):
        assert len(posts) == 1
        assert "doctor: this host" in screen_text(host)
        message: Message = DoctorDialog.Came("", MIRROR)
        assert posts[0](message) is True


@pytest.mark.slow
async def test_foreign_text_is_safe_and_nothing_is_clipped() -> None:
    for text in HOSTILE:
        shown = dialog(name=text, at="drift")
        host = DialogHost(shown)
        async with host.run_test(size=SMALL) as pilot:
            bad = Finding("drift", PROBLEM, text * 9, text * 9, text * 9, True)
            came(shown, bad, about=text)
            came(shown, *(FINE.replace(check=f"check{n}") for n in range(40)))
            await pilot.pause()
            assert stray_controls(host) == []
            assert any("Mend" in line for line in screen_lines(host)[-3:])


async def test_all_can_be_copied() -> None:
    shown = dialog()
    host = DialogHost(shown)
    async with host.run_test(size=SMALL) as pilot:
        came(shown, MIRROR, DRIFT)
        await pilot.pause()
        await press(pilot, "y")
        assert host.clipboard.splitlines() == [
            r"problem\tmirror\tdeb\tit refuses\tcreate would fail\tanother --mirror",
            r"warning\tdrift\tdeb\t/tmp is not mounted\ton mounts it\tchroot-tool on",
        ]


@pytest.mark.parametrize("size", [SMALL, (120, 40)])
async def test_however_much_is_found_the_frame_is_as_high_as_what_is_in_it(
    size: tuple[int, int],
) -> None:
    shown = dialog()
    async with DialogHost(shown).run_test(size=size) as pilot:
        came(shown, *(Finding(f"check{number}", OK, "fine") for number in range(60)))
        await pilot.pause()
        frame = shown.query_one(".dialog--frame").region
        buttons = shown.query_one(".dialog--buttons").region
        assert shown.table.region.height == size[1] // 2
        assert frame.y > 0
        assert frame.bottom == buttons.bottom + 1
