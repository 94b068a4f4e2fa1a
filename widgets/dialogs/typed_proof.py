"""Deleting: what would be gone, and words typed as proof that this is meant."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Static

from ...core.text import safe
from ..text.foreign import foreign
from .dialog import Dialog, button
from .field import FieldInput
from .switch import Switch


class ProofDialog(Dialog[bool]):
    """Asks for *proof*, which may be foreign text, to be typed. Answers True to delete.

    Subclasses say in `content` what is removed, `fate` before all that there may be too much of.
    """

    HELP = "Type the words as they stand there, then press Delete. Escape cancels."
    AUTO_FOCUS = "#name"
    AROUND = 11
    DEFAULT_CSS = """
    ProofDialog .delete--line { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    ProofDialog #said {
        height: 1; padding: 0 1; color: $text-error; text-wrap: nowrap; text-overflow: ellipsis;
        &:ansi { color: $error; }
    }
    """

    def __init__(self, title: Content, proof: str, what: str, trash: float) -> None:
        """*what* is deleted, as it is called after the proof: `it`.

        *trash* are the days that it can be kept; 0: it is removed at once.
        """
        super().__init__(title, danger=True)
        self._days = trash
        self.trash = trash
        """The days that it is to be kept in the trash; 0: it is to be removed at once."""
        self._proof = proof
        self._what = what

    def fate(self) -> Iterable[Widget]:
        """Return what says whether it can be had back."""
        yield Static(self._fate, id="fate")

    @property
    def _fate(self) -> str:
        rest = "can be had back" if self.trash else "is gone for good"
        return f"What is bound from the host stays. The rest {rest}."

    @on(Checkbox.Changed, "#trash")
    def _switched(self, event: Checkbox.Changed) -> None:
        event.stop()
        self.trash = self._days if event.value else 0.0
        self.query_one("#fate", Static).update(self._fate)

    def fixed(self) -> Iterable[Widget]:
        """Return the choice of the trash, where there is one, and the field for the proof."""
        if self._days:
            takes = "it takes its" if self._what == "it" else "they take their"
            kept = f"keep {self._what} in the trash for {in_words(self._days)}"
            label = f"{kept}, where {takes} disk"
            yield Switch(label, value=True, id="trash", classes="dialog--gap")
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


def in_words(days: float) -> str:
    """Return a number of days in words."""
    return "a day" if days == 1 else f"{days:g} days"
