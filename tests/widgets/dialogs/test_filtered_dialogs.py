"""`/` in the tables of dialogs: the filter that the tables of the main screen have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.geometry import Region
from textual.message import Message

from chroot_tool.core.diagnosis.finding import NOTE, Finding
from chroot_tool.core.looking.snapshot import Machine
from chroot_tool.core.process import OpenFile
from chroot_tool.core.trees.snapshots import TreeSnapshot
from chroot_tool.core.trees.trash import Trashed
from chroot_tool.core.trees.usage import FOLDER, Usage
from chroot_tool.widgets.dialogs.dialog import Dialog
from chroot_tool.widgets.dialogs.doctor import DoctorDialog
from chroot_tool.widgets.dialogs.machines import SHOW, MachineRow, MachinesDialog, MachineWish
from chroot_tool.widgets.dialogs.open_files import OpenFilesDialog
from chroot_tool.widgets.dialogs.snapshots import SnapshotsDialog, SnapshotWish
from chroot_tool.widgets.dialogs.trash import REMOVE, TrashDialog, TrashWish
from chroot_tool.widgets.dialogs.usage import UsageDialog
from chroot_tool.widgets.tables.table import Table
from support.dialog_host import OPEN, SMALL, DialogHost, press, settle, type_text
from support.samples import PROCESSES, clock
from support.screen import screen_text

SIZES = pytest.mark.parametrize("size", [SMALL, (160, 50)], ids=["80x24", "160x50"])
NAMES = tuple(f"deb-{number:02}" for number in range(70))
"""More than fit."""


def doctor() -> DoctorDialog:
    def begin(post: Callable[[Message], object]) -> None:
        for name in NAMES:
            post(DoctorDialog.Came("deb", Finding(name, NOTE, "it is there")))

    return DoctorDialog("deb", begin)


def usage() -> UsageDialog:
    found = tuple(Usage(name, FOLDER, 9 << 20, 1) for name in NAMES)

    def begin(folder: str, take: Callable[[Message], object]) -> Callable[[], object]:
        take(UsageDialog.Counted(folder, found))
        return lambda: None

    return UsageDialog("deb", begin)


def snapshots() -> SnapshotsDialog:
    return SnapshotsDialog("deb", [TreeSnapshot(name, 1.0, "kept", 1) for name in NAMES])


def trash() -> TrashDialog:
    kept = [Trashed(f"{name}-1", name, f"/c/{name}", clock(), clock() + 9) for name in NAMES]
    return TrashDialog("/c", kept, count=lambda: kept, clock=clock)


def machines() -> MachinesDialog:
    return MachinesDialog([MachineRow(Machine(name, answers=True), 1) for name in NAMES])


def open_files() -> OpenFilesDialog:
    files = [OpenFile(7, str(at), "file", f"/srv/{name}") for at, name in enumerate(NAMES)]
    return OpenFilesDialog(PROCESSES[0], files)


EACH = pytest.mark.parametrize("make", [doctor, usage, snapshots, trash, machines, open_files])


def frame(dialog: Dialog[Any]) -> Region:
    """Where the dialog is."""
    return dialog.query_one(".dialog--frame").region


@pytest.mark.slow
@EACH
@SIZES
async def test_the_key_filters_and_escape_shows_all_before_it_closes(
    size: tuple[int, int], make: Callable[[], Dialog[Any]]
) -> None:
    dialog = make()
    host = DialogHost(dialog)
    async with host.run_test(size=size) as pilot:
        await settle(pilot)
        table, before = dialog.query_one(Table), frame(dialog)
        assert len(table.keys) == len(NAMES)
        assert "/ filter" in screen_text(host)
        await press(pilot, "slash")
        assert "filter: any column" in screen_text(host)
        await type_text(pilot, "DEB 42")
        assert [key for key in table.keys if "deb-42" in str(table.known_rows[key])]
        assert len(table.keys) == 1
        assert frame(dialog).bottom <= size[1]
        assert frame(dialog).height >= before.height, "the frame jumps while one types"
        await press(pilot, "enter")
        assert table.has_focus
        assert "DEB 42" in screen_text(host), "what holds is said"
        await press(pilot, "escape")
        assert len(table.keys) == len(NAMES)
        assert frame(dialog) == before
        assert host.answer is OPEN
        await press(pilot, "slash")
        await type_text(pilot, "nowhere")
        assert "nothing matches nowhere" in screen_text(host)
        await press(pilot, "escape")
        assert len(table.keys) == len(NAMES)
        assert table.has_focus
        await press(pilot, "escape")
        assert host.answer is not OPEN


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "key", "wish"),
    [(snapshots, "enter", SnapshotWish("restore", "deb-42")),
     (trash, "d", TrashWish(REMOVE, "deb-42-1")),
     (machines, "enter", MachineWish(SHOW, "deb-42"))],
)  # fmt: skip
async def test_what_is_done_is_done_to_what_was_found(
    make: Callable[[], Dialog[Any]], key: str, wish: object
) -> None:
    host = DialogHost(make())
    async with host.run_test(size=SMALL) as pilot:
        await settle(pilot, "slash")
        await type_text(pilot, "no such")
        await press(pilot, "enter", key)
        assert host.answer is OPEN, "there is nothing to do it to"
        await press(pilot, "slash", "ctrl+u")
        await type_text(pilot, "deb-42")
        await press(pilot, "enter", key)
        assert host.answer == wish


@pytest.mark.slow
async def test_what_is_typed_into_a_field_begins_no_filter() -> None:
    dialog = machines()
    host = DialogHost(dialog)
    async with host.run_test(size=SMALL) as pilot:
        await settle(pilot, "tab")
        assert "/ filter" not in screen_text(host)
        await type_text(pilot, "a/b")
        assert dialog.value("name") == "a/b"
        assert len(dialog.query_one(Table).keys) == len(NAMES)


@pytest.mark.slow
async def test_a_finding_that_comes_is_filtered() -> None:
    dialog = doctor()
    host = DialogHost(dialog)
    async with host.run_test(size=SMALL) as pilot:
        await settle(pilot, "slash")
        await type_text(pilot, "mirror")
        for name in ("mirror", "kernel"):
            dialog.post_message(DoctorDialog.Came("", Finding(name, NOTE, "it came later")))
        await pilot.pause()
        assert [row.finding.check for row in map(dialog.table.known_rows.get, dialog.table.keys)
                if row] == ["mirror"]  # fmt: skip


@pytest.mark.slow
async def test_a_filter_is_for_one_folder() -> None:
    dialog = usage()
    host = DialogHost(dialog)
    async with host.run_test(size=SMALL) as pilot:
        await settle(pilot, "slash")
        await type_text(pilot, "42")
        await settle(pilot, "enter", "enter")
        assert "/deb-42" in screen_text(host)
        table = dialog.query_one(Table)
        assert len(table.keys) == len(NAMES)
        await settle(pilot, "backspace")
        assert len(table.keys) == len(NAMES)
        assert table.cursor_key == "deb-42"


async def test_where_nothing_is_listed_there_is_nothing_to_filter() -> None:
    host = DialogHost(TrashDialog("/c", (), count=tuple))
    async with host.run_test(size=SMALL) as pilot:
        await settle(pilot, "slash")
        assert "filter" not in screen_text(host)
