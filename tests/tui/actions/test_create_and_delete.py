"""Making a chroot and deleting one, by keys."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from chroot_tool.app.tui.session import Session
from chroot_tool.core.events import Output, Stage
from chroot_tool.core.looking.status import ChrootStatus
from chroot_tool.core.remote.machines import Machines
from chroot_tool.widgets.dialogs.confirm import Confirm
from chroot_tool.widgets.dialogs.create import CreateForm
from chroot_tool.widgets.dialogs.create_sources import COPY, DEBIAN
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from support.create_form import create_by_form
from support.samples import BASE, CHROOTS, NOW, SIZES
from support.whole_ui import ui

ARM = f"{BASE}/arm"


@pytest.mark.slow
async def test_create_shows_how_far_it_is_and_what_is_printed() -> None:
    async with ui(*CHROOTS) as t:
        path = f"{BASE}/fresh"
        t.engine.reports["create"] = (
            Stage(path, "unpacking", 0.40), Stage(path, "unpacking", 0.42),
            Output(path, "I: Unpacking libc6..."),
        )  # fmt: skip
        gate = t.engine.hold("create")
        await create_by_form(t, "fresh")
        t.feed.show(*CHROOTS, ChrootStatus("fresh", path, "creating", changed=NOW))
        await t.shows("creating 42 %", "I: Unpacking libc6...", "1 job: creating fresh 42 %")
        said = [line.strip() for line in t.text.splitlines()]
        assert said.count("unpacking") == 1  # it got further, which is no news in words
        await t.on_row("jammy")  # the UI stays usable
        await t.press("o")
        await t.until(lambda: t.job_states.get("jammy") == "done")
        gate.set()
        await t.until(lambda: t.job_states.get("fresh") == "done")
        (call,) = t.engine.called("create")
        assert call[0] == path


@pytest.mark.slow
async def test_what_was_made_is_gone_to_once() -> None:
    async with ui(*CHROOTS) as t:
        await create_by_form(t, "fresh")
        fresh = ChrootStatus("fresh", f"{BASE}/fresh", "creating", changed=NOW)
        t.feed.show(*CHROOTS, fresh)
        await t.until(lambda: t.highlighted == "fresh")
        await t.on_row("arm")
        t.feed.show(*CHROOTS, fresh.replace(state="off"))
        await t.shows("○ off fresh")
        assert t.highlighted == "arm"


@pytest.mark.slow
async def test_create_can_be_cancelled() -> None:
    async with ui(*CHROOTS) as t:
        t.engine.hold("create")
        await create_by_form(t, "fresh")
        await t.press("4")
        await t.until(lambda: t.app.main.dock.has_focus_within)
        await t.press("c")
        await t.until(lambda: t.job_states == {"fresh": "cancelled"})
        await t.shows("stopped by you")


@pytest.mark.slow
async def test_create_refuses_a_name_that_is_taken() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("n")
        await t.dialog(CreateForm)
        await t.write("arm")
        await t.shows("arm is there already")
        await t.press("escape")
        await t.dialog(Confirm)
        await t.press("right", "enter")
        await t.main()
        assert t.engine.calls == []


@pytest.mark.slow
async def test_create_starts_over_where_one_was_cut_off() -> None:
    async with ui(*CHROOTS) as t:
        await create_by_form(t, "half")
        await t.until(lambda: [path for path, _ in t.engine.called("create")] == [f"{BASE}/half"])
        await t.press("n")
        form = await t.dialog(CreateForm)
        await t.write("half")
        assert form.field("name").problem is None
        form.field("kind").value = COPY  # which leaves what was begun to `delete`
        await t.shows("half is there already")
        form.field("kind").value = DEBIAN
        await t.shows(f"in {BASE}/half")
        form.field("name").value = "new"  # that is being made
        await t.shows("new is there already")


@pytest.mark.slow
async def test_delete_wants_the_name() -> None:
    async with ui(*CHROOTS, sizes=SIZES) as t:
        await t.on_row("arm")
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.shows("296M", ARM)
        await t.write("ar")
        await t.press("enter", "escape")
        await t.main()
        assert t.engine.calls == []
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.write("arm")
        await t.press("enter", "enter")
        await t.main()
        await t.until(lambda: t.engine.called("delete") == [(ARM, 7.0)])


@pytest.mark.slow
async def test_what_can_be_copied_is_asked_of_no_widget_from_another_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[threading.Thread] = []
    highlighted = Session.highlighted.fget  # type: ignore[attr-defined]

    def noted(session: Session) -> ChrootStatus | None:
        asked.append(threading.current_thread())
        return highlighted(session)  # type: ignore[no-any-return]

    monkeypatch.setattr(Session, "highlighted", property(noted))
    async with ui(*CHROOTS) as t:
        await t.press("n")
        await t.dialog(CreateForm)
        assert set(asked) == {threading.current_thread()}


@pytest.mark.slow
@pytest.mark.parametrize("where", ["here", "on a host of the list", "on the host that this is of"])
async def test_what_a_host_has_is_not_told_by_the_files_of_another(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "supported").write_text("de_DE.UTF-8 UTF-8\n")
    monkeypatch.setattr("chroot_tool.core.creating.options.SUPPORTED", str(tmp_path / "supported"))
    monkeypatch.setattr("chroot_tool.core.host.debian.ZONEINFO", str(tmp_path))
    monkeypatch.setattr("chroot_tool.core.creating.suites.known", lambda: ("bookworm", "sid"))
    if where == "on a host of the list":
        monkeypatch.setattr(Machines, "at", lambda known, path: ("build1", known._here, path))
    elif where == "on the host that this is of":
        monkeypatch.setattr(Machines, "is_here", False)
    async with ui(*CHROOTS) as t:
        await t.press("n")
        form = await t.dialog(CreateForm)
        asked = {"suite": "forky", "locales": "eo_XX.UTF-8", "timezone": "Europe/Nowhere"}
        for ident, value in asked.items():
            form.field(ident).value = value
        await t.pilot.pause()
        refused = [ident for ident in asked if form.field(ident).problem]
        assert refused == (list(asked) if where == "here" else [])
        form.field("timezone").value = "no zone"  # nowhere
        await t.pilot.pause()
        assert form.field("timezone").problem
