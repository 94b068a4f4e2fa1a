"""A failure in full: what went wrong, what to do about it, and what was said on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from ..text import foreign
from .base import Dialog, button


class ErrorDialog(Dialog[None]):
    """Shows *message*, *hint* and *details* (the last words of a program, one a line)."""

    HELP = "`y` copies all of it, Enter and Escape close."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy", id="dialog.copy", tooltip="Copy the message and all below"),
        Binding("escape", "cancel", "close", id="dialog.cancel", tooltip="Close"),
    ]

    def __init__(
        self, message: str, hint: str = "", details: Sequence[str] = (), *, title: str = "failed"
    ) -> None:
        super().__init__(Content.assemble("✗ ", foreign(title)), danger=True, wide=bool(details))
        self._message = message
        self._hint = hint
        self._details = tuple(details)

    def content(self) -> Iterable[Widget]:
        """Return the message, the hint, the details."""
        yield Static(foreign(self._message))
        if self._hint:
            yield Static(Content.assemble("hint: ", foreign(self._hint)), classes="dialog--gap")
        if self._details:
            lines = Content("\n").join([foreign(line) for line in self._details])
            yield Static(lines, classes="dialog--quiet dialog--gap")

    def buttons(self) -> Iterable[Button]:
        """Return Copy and Close, which has the focus."""
        yield button("Copy", "copy")
        yield button("Close", "close")

    def cancelled(self) -> None:
        """Return nothing: there is nothing to answer."""

    def on_mount(self) -> None:
        """Focus Close, so that Enter closes."""
        self.query_one("#close").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.answer(None)

    def action_copy(self) -> None:
        """Copy everything that is shown."""
        hint = [f"hint: {self._hint}"] if self._hint else []
        self.copy([self._message, *hint, *self._details])
