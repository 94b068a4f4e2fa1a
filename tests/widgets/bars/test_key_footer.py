"""The footer alone: what it shows is what holds."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Footer

from chroot_tool.widgets.bars.key_footer import KeyFooter


class Host(App[None]):
    """Two keys, of which one holds."""

    BINDINGS = [("a", "one", "one"), ("b", "two", "two")]  # noqa: RUF012 (Textual's own form)
    holds = "one"

    def compose(self) -> ComposeResult:
        yield KeyFooter(())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action == self.holds

    def hold(self, action: str) -> None:
        self.holds = action
        self.screen.refresh_bindings()

    @property
    def shown(self) -> list[str]:
        return [str(key.action) for key in self.query("FooterKey").results()]  # type: ignore[attr-defined]


async def test_what_changes_while_the_keys_are_made_is_not_taken_for_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, make = Host(), Footer.recompose
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.shown == ["one"]

        async def late(footer: Footer) -> None:
            app.holds = "one"
            await make(footer)

        monkeypatch.setattr(Footer, "recompose", late)
        app.hold("two")
        await pilot.pause()
        assert app.shown == ["one"]
        monkeypatch.setattr(Footer, "recompose", make)
        app.hold("two")
        await pilot.pause()
        assert app.shown == ["two"]
