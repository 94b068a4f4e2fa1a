"""Yes or no to one thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from ..text.foreign import foreign
from .dialog import Dialog, button


class Confirm(Dialog[bool]):
    """Says *lines* and asks whether to do *action*. Answers True for it, False for anything else.

    Where it is a *danger*, Cancel has the focus. Title, lines and action may be foreign text.
    """

    HELP = "Enter presses the button that is marked, Escape cancels."

    def __init__(
        self, title: str, lines: Sequence[str], *, action: str = "OK", danger: bool = False
    ) -> None:
        super().__init__(title, danger=danger)
        self._said = tuple(lines)
        self._action = action
        self._danger = danger

    def content(self) -> Iterable[Widget]:
        """Return the lines."""
        yield Static(Content("\n").join([foreign(line) for line in self._said]))

    def buttons(self) -> Iterable[Button]:
        """Return Cancel and the action."""
        yield button("Cancel", "cancel")
        yield button(foreign(self._action).plain, "act", destructive=self._danger)

    def cancelled(self) -> bool:
        """Return that it was not wanted."""
        return False

    def on_mount(self) -> None:
        """Focus what does no harm."""
        self.query_one("#cancel" if self._danger else "#act").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.answer(event.button.id == "act")
