"""An app with one dialog in it, and the keys that are pressed there."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Checkbox, Static

from chroot_tool.widgets.dialogs.field import Field
from support.key_presses import press_key

SMALL = (80, 24)
"""The smallest terminal in which nothing may be clipped."""
OPEN = "nothing answered"
"""What a test sees as the answer of a dialog that is still open."""


class DialogHost(App[None]):
    """An app with one dialog over it: remembers the answer, and keys that got through to it."""

    BINDINGS: ClassVar = [("q", "leak", "Leak")]
    NOTIFICATION_TIMEOUT = 3600  # they are looked for, however slow this machine is

    def __init__(self, dialog: ModalScreen[Any]) -> None:
        super().__init__()
        self.dialog = dialog
        self.answers: list[Any] = []
        self.leaked = False

    def compose(self) -> ComposeResult:
        yield Static("behind")

    def on_mount(self) -> None:
        # One thread only, so that `settle` can wait behind what was started before.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        self.push_screen(self.dialog, self.answers.append)

    def action_leak(self) -> None:
        self.leaked = True

    @property
    def answer(self) -> Any:
        assert len(self.answers) < 2
        return self.answers[0] if self.answers else OPEN


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await press_key(pilot, key)
    await pilot.pause()


async def settle(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, after each wait for what it starts in a thread, and for what comes of that."""
    for key in keys or ("",):
        if key:
            await press_key(pilot, key)
        for _ in range(3):
            await pilot.pause()
            await asyncio.to_thread(int)
    await pilot.pause()


async def type_text(pilot: Pilot[None], text: str) -> None:
    named = {" ": "space", "/": "slash", ".": "full_stop", "-": "minus", "=": "equals_sign"}
    await press(pilot, *[named.get(c, c) for c in text])


def focused(app: App[None]) -> str:
    """The id of what has the focus, for a field's input that of the field."""
    found = app.focused
    while found is not None and found.id is None:
        found = found.parent if isinstance(found.parent, Widget) else None
    return "" if found is None else str(found.id)


def field(app: DialogHost, ident: str) -> Field:
    """A field of the dialog on top, by its id."""
    return app.screen.query_one(f"#{ident}", Field)


def switch(app: DialogHost, ident: str) -> Checkbox:
    """A switch of it."""
    return app.screen.query_one(f"#{ident}", Checkbox)
