"""Deleting: what would be gone, and words typed as proof that this is meant."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from ...core.text import safe
from ..text.foreign import foreign
from .dialog import Dialog, button
from .field import FieldInput


class ProofDialog(Dialog[bool]):
    """Asks for *proof*, which may be foreign text, to be typed. Answers True to delete.

    Subclasses say in `content` what is removed.
    """

    HELP = "Type the words as they stand there, then press Delete. Escape cancels."
    AUTO_FOCUS = "#name"
    AROUND = 9
    DEFAULT_CSS = """
    ProofDialog .delete--line { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    ProofDialog #said {
        height: 1; padding: 0 1; color: $text-error; text-wrap: nowrap; text-overflow: ellipsis;
        &:ansi { color: $error; }
    }
    """

    def __init__(self, title: Content, proof: str, what: str) -> None:
        """*what* is deleted, as it is called after the proof: `it`."""
        super().__init__(title, danger=True)
        self._proof = proof
        self._what = what

    def fixed(self) -> Iterable[Widget]:
        """Return the field for the proof."""
        yield Static(
            Content.assemble(
                "Type ", foreign(self._proof).stylize("bold"), f" to delete {self._what}:"
            ),
            classes="dialog--gap",
        )
        yield FieldInput(id="name")
        yield Static(id="said")

    def buttons(self) -> Iterable[Button]:
        """Return Cancel, and Delete, which stays disabled until the proof stands there."""
        yield button("Cancel", "cancel")
        yield button("Delete", "delete", destructive=True, disabled=True)

    def cancelled(self) -> bool:
        """Return that it stays."""
        return False

    def _matches(self, typed: str) -> bool:
        # A name that holds what no key types is accepted as it is shown.
        return typed in (self._proof, safe(self._proof))

    @on(Input.Changed, "#name")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#delete", Button).disabled = not self._matches(event.value)
        self.query_one("#said", Static).update("")

    @on(Input.Submitted, "#name")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._matches(event.value):
            # Enter in the field only leads to the button: one key more before it is gone.
            self.query_one("#delete").focus()
        else:
            said = Content.assemble('✗ that is not "', foreign(self._proof), '"')
            self.query_one("#said", Static).update(said)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        sure = event.button.id == "delete" and self._matches(self.query_one("#name", Input).value)
        self.answer(sure)
