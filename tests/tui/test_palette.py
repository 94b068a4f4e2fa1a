"""The palette: every action and every chroot, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.command import CommandPalette

from chroot_tool.app.tui.user import ask_and_tell
from chroot_tool.widgets.dialogs.delete import DeleteDialog
from support.samples import BASE, CHROOTS
from support.whole_ui import ui

ARM = f"{BASE}/arm"


@pytest.mark.slow
async def test_the_palette_has_every_action_and_every_chroot() -> None:
    async with ui(*CHROOTS) as t:
        await t.press("ctrl+p")
        await t.dialog(CommandPalette)
        await t.press("escape")
        await t.main()
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.write("go to trix")
        await t.shows("go to trixie-build")
        await t.press("enter")
        await t.until(lambda: t.highlighted == "trixie-build")
        await t.main()
        from chroot_tool.app.tui.palette import entries

        offered = {one.name.plain for one in entries(t.app.main)}
        assert offered >= {
            one.description for one in t.app.main.BINDINGS if isinstance(one, Binding)
        }
        assert offered >= {f"go to {one.name}" for one in CHROOTS}


@pytest.mark.slow
async def test_the_palette_shows_keys_as_they_are_bound() -> None:
    async with ui(*CHROOTS, size=(80, 24), keys=(("environments.run", ("e",)),)) as t:
        await t.press("2")  # where `o` is another thing
        await t.until(lambda: t.app.main.details.query("MountRows:focus"))
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.shows("on/off o", "run e")
        await t.write("delete")
        await t.shows("delete d")
        await t.hides("on/off o")


@pytest.mark.slow
@pytest.mark.parametrize("word", ["settings", "config", "preferences"])
async def test_the_palette_opens_the_settings_in_the_editor(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[tuple[str, ...]] = []

    async def hand_over(_app: object, argv: Sequence[str], **_: object) -> int:
        handed.append(tuple(argv))
        return 0

    monkeypatch.setattr(ask_and_tell, "hand_over", hand_over)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("VISUAL", "my-editor -w")
    file = tmp_path / "chroot-tool/settings.toml"
    async with ui(*CHROOTS) as t:
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.write(word)
        await t.shows("The file of keys, theme, hosts")
        await t.press("enter")
        await t.until(lambda: handed == [("my-editor", "-w", str(file))])
        await t.main()
    assert file.read_text().lstrip().startswith("#")


async def test_an_editor_with_an_open_quote_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("VISUAL", "my-editor '-w")
    async with ui(*CHROOTS) as t:
        await t.app.main.action_perform("settings")
        await t.says("VISUAL can't be split into words: no closing quotation")


@pytest.mark.slow
async def test_the_palette_runs_an_action() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("colon")
        await t.dialog(CommandPalette)
        await t.write("on/off")
        await t.shows("Switch on or off")
        await t.press("enter")
        await t.until(lambda: t.engine.calls == [("on", ARM)])


@pytest.mark.slow
async def test_the_palette_over_a_dialog_harms_nobody() -> None:
    async with ui(*CHROOTS) as t:
        await t.on_row("arm")
        await t.press("d")
        dialog = await t.dialog(DeleteDialog)
        await t.press("ctrl+p")
        await t.pilot.pause()
        await t.press("escape")
        await t.until(lambda: t.app.screen is dialog or t.app.screen is t.app.main)
        assert t.app.is_running
