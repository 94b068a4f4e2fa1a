"""Leaving while something still runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from ..text.foreign import foreign
from .dialog import Dialog, button

Leaving = Literal["stay", "leave", "stop"]


class QuitDialog(Dialog[Leaving]):
    """Lists what is *running* and asks: stay, leave and let it go on, or stop it first.

    *means* are lines of our own that say what becomes of it.
    """

    SAME: ClassVar[Mapping[str, str]] = {"cancel": "stay"}
    HELP = "Escape stays. *Let it go on* leaves it running; *Stop it* ends it before leaving."

    def __init__(
        self, running: Sequence[str], means: Sequence[str] = (),
        *, title: str = "quit while something runs",
    ) -> None:  # fmt: skip
        super().__init__(title, danger=True)
        self._going_on = tuple(running)
        self._means = tuple(means)

    def content(self) -> Iterable[Widget]:
        """Return what runs, and what becomes of it."""
        lines = [Content.assemble("… ", foreign(one)) for one in self._going_on]
        yield Static(Content("\n").join(lines))
        for line in self._means:
            yield Static(Content(line), classes="dialog--quiet dialog--gap")

    def buttons(self) -> Iterable[Button]:
        """Return the three answers; what changes nothing has the focus."""
        many = len(self._going_on) > 1
        yield button("Stay", "stay")
        yield button("Let them go on" if many else "Let it go on", "leave")
        yield button("Stop them" if many else "Stop it", "stop", destructive=True)

    def cancelled(self) -> Leaving:
        """Return that the user stays."""
        return "stay"

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        answers: dict[str | None, Leaving] = {"leave": "leave", "stop": "stop"}
        self.answer(answers.get(event.button.id, "stay"))
