"""Toasts: short, and never over what one reads."""

from __future__ import annotations

import pytest
from textual.widgets._toast import Toast

from chroot_tool.app.tui.app import ChrootApp
from chroot_tool.core.errors import ChrootError
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from support.samples import CHROOTS
from support.whole_ui import ui


@pytest.mark.slow
async def test_toasts_are_short_and_do_not_lie_over_the_status_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ChrootApp, "NOTIFICATION_TIMEOUT", 600)
    async with ui(*CHROOTS, size=(80, 24)) as t:
        path = "/srv/chroot/with/a/very/long/path/to/what/could/not/be/mounted"
        t.engine.fail("on", ChrootError(f"mount {path}: no space left on device"))
        await t.on_row("arm")
        await t.press("o")
        await t.says("/srv/chroot/wi…not/be/mounted: no space left")
        await t.until(lambda: [one for one in t.app.screen.query(Toast) if one.region])
        status = t.app.main.status_line.region
        for toast in t.app.screen.query(Toast):
            assert toast.region.bottom <= status.y


@pytest.mark.slow
async def test_no_toast_lies_over_a_dialog() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        t.app.notify("copied", timeout=600)  # and not gone by itself
        await t.shows("copied")
        await t.press("d")
        await t.dialog(DeleteDialog)
        await t.hides("copied")
        assert not t.app._notifications
