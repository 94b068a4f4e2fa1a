"""What saving would change in the files, line by line, before it is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from ..dialogs.dialog import Dialog, button
from ..text.foreign import foreign

Saving = Literal["", "save", "apply"]

_STYLES = {"+": "$text-success", "-": "$text-error", "@": "$text-accent"}


class SaveBinds(Dialog[Saving]):
    """Shows a unified diff. Answers "save", "apply" to save and switch too, "" to go back.

    *can_apply*: the chroot is on, so that what is saved can be mounted and unmounted at once.
    """

    HELP = "Lines with + are added, lines with - go. Everything else stays byte for byte."
    AUTO_FOCUS = "#save"

    def __init__(
        self, difference: Sequence[str], *, can_apply: bool, warnings: Sequence[str] = ()
    ) -> None:
        """*warnings* say what will not work of what is to be saved."""
        super().__init__("save", wide=True, danger=bool(warnings))
        self._warnings = tuple(warnings)
        self._difference = tuple(difference)
        self._can_apply = can_apply

    def content(self) -> Iterable[Widget]:
        """Return what will not work, and the diff."""
        if self._warnings:
            said = [foreign(f"! {line}", "bold $text-warning") for line in self._warnings]
            yield Static(Content("\n").join([*said, Content("")]))
        if not self._difference:
            yield Static("The files would stay as they are.")
            return
        lines = [foreign(line, _style(line)) for line in self._difference]
        yield Static(Content("\n").join(lines))

    def buttons(self) -> Iterable[Button]:
        """Return what goes back, what saves, and what saves and applies."""
        yield button("Back", "back")
        yield button("Save", "save", disabled=not self._difference)
        if self._can_apply:
            yield button("Save and apply now", "apply", disabled=not self._difference)

    def cancelled(self) -> Saving:
        """Return that nothing is written."""
        return ""

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        answers: dict[str | None, Saving] = {"save": "save", "apply": "apply"}
        self.answer(answers.get(event.button.id, ""))


def _style(line: str) -> str:
    return "bold" if line.startswith(("+++", "---")) else _STYLES.get(line[:1], "")
