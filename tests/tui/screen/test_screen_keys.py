"""The user's keys, columns and theme."""

from __future__ import annotations

from support.samples import BASE, CHROOTS
from support.whole_ui import ui

ARM = f"{BASE}/arm"


async def test_the_users_keys_hold() -> None:
    keys = (("environments.toggle", ("x",)), ("table.down", ("e",)))
    async with ui(*CHROOTS, keys=keys) as t:
        await t.until(lambda: t.highlighted == "arm")
        await t.press("o")
        await t.press("x")
        await t.until(lambda: t.engine.calls == [("on", ARM)])
        await t.press("e")
        await t.until(lambda: t.highlighted == "broken")


async def test_the_users_columns_and_theme_hold() -> None:
    async with ui(*CHROOTS, columns=("name", "state"), theme="light") as t:
        assert t.app.theme == "light"
        await t.until(lambda: t.highlighted)
        header = next(line for line in t.text.splitlines() if "State" in line)
        assert header.index("Name") < header.index("State")
        assert "System" not in header


async def test_every_binding_does_something() -> None:
    async with ui(*CHROOTS) as t:
        for widget in (t.app, t.app.main, *t.app.main.walk_children()):
            for _, binding in widget._bindings:
                name = binding.action.partition("(")[0].rpartition(".")
                owner = {"": widget, "app": t.app, "screen": t.app.main}[name[0]]
                assert hasattr(owner, f"action_{name[2]}"), (widget, binding)
