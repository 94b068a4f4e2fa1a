"""A line of a form: label, input, and below it what is wrong with it or what it is for.

The rules are functions handed in that raise UsageError; the form knows none of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from ...core.errors import UsageError
from ...core.text import safe
from ..light_message import Telling
from ..text.foreign import foreign
from ..text.safe_input import SafeInput

Check = Callable[[str], object]


class FieldInput(SafeInput):
    """The input of a field."""

    BINDING_GROUP_TITLE = "Field"
    HELP = "Right takes the suggestion. Up and down go to the other fields."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "go on", id="form.go_on", tooltip="Go on with what is typed"),
    ]
    DEFAULT_CSS = """
    FieldInput {
        padding: 0 1;
        background: $foreground 8%;
        &:focus { background: $foreground 14%; background-tint: transparent; }
        &:ansi { background: ansi_default; text-style: underline; }
        /* What would be taken must not look typed already. */
        & > .input--placeholder { color: $text-muted; text-style: italic; }
        &:ansi > .input--placeholder { color: ansi_default; text-style: dim italic; }
    }
    """

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        suggester: Suggester | None = None,
        id: str | None = None,  # noqa: A002 (Textual's name)
    ) -> None:
        super().__init__(
            value, placeholder=safe(placeholder), suggester=suggester, id=id, compact=True,
            select_on_focus=False,
        )  # fmt: skip


class Field(Vertical):
    """One field of a form. `problem` says what is wrong with what stands in it."""

    DEFAULT_CSS = """
    Field {
        height: auto;
        & Horizontal { height: 1; }
        & .field--label { width: 13; }
        & Input, & Select { width: 1fr; }
        & .field--note {
            padding-left: 13; min-height: 1; color: $text-muted;
            &:ansi { text-style: dim; }
        }
        &.-wrong .field--note { color: $text-error; &:ansi { color: $error; text-style: none; } }
    }
    """

    class Changed(Telling):
        """The value changed, and was checked."""

        field: Field

        @property
        def control(self) -> Field:
            """The field."""
            return self.field

    class Submitted(Telling):
        """Enter was pressed in the field."""

        field: Field

        @property
        def control(self) -> Field:
            """The field."""
            return self.field

    def __init__(
        self,
        label: str,
        *,
        id: str,  # noqa: A002 (Textual's name)
        check: Check | None = None,
        value: str = "",
        note: Content | str = "",
        placeholder: str = "",
        suggester: Suggester | None = None,
        required: str = "",
    ) -> None:
        """A *note* that is a str is our own text; value and placeholder may be foreign.

        *check* is called with what stands in the field, without blanks around it, at every
        change; what it raises as UsageError is shown. *required* is what is said where nothing
        stands there when the form is to go on: before that, nothing typed yet is nothing wrong.
        """
        super().__init__(id=id)
        self._label = label
        self._check = check
        self._required = required
        self.asked = False
        """Whether the form was to go on with it."""
        self._note = note if isinstance(note, Content) else Content(note)
        self._input = FieldInput(value, placeholder=placeholder, suggester=suggester)
        self.problem: UsageError | None = None
        self._find_problem()

    def compose(self) -> ComposeResult:
        """Build label, input and note."""
        with Horizontal():
            yield Label(self._label, classes="field--label")
            yield self.entry()
        yield Static(self._note, classes="field--note")

    def entry(self) -> Widget:
        """Return what is typed or chosen in."""
        return self._input

    @property
    def value(self) -> str:
        """What stands in it, without blanks around it."""
        return self._input.value.strip()

    @value.setter
    def value(self, value: str) -> None:
        self._input.value = value
        self._input.cursor_position = len(value)  # where who comes to it goes on

    def say(self, note: Content | str) -> None:
        """Show *note* below, as long as nothing is wrong."""
        self._note = note if isinstance(note, Content) else Content(note)
        self._show()

    def check_again(self) -> UsageError | None:
        """Check once more, as where a rule depends on another field; return what is wrong."""
        self._find_problem()
        self._show()
        return self.problem

    def refuse(self, error: UsageError) -> None:
        """Say what is wrong with what stands there, until it is changed; put the cursor in it."""
        self.problem = error
        self._show()
        self.focus_entry()

    def focus_entry(self) -> None:
        """Put the cursor in it."""
        self.entry().focus()

    def _find_problem(self) -> None:
        self.problem = None
        try:
            if self._required and not self.value:
                if self.asked:
                    raise UsageError(self._required)
            elif self._check:
                self._check(self.value)
        except UsageError as error:
            self.problem = error

    def _show(self) -> None:
        if not self.is_mounted:
            return
        error = self.problem
        self.set_class(error is not None, "-wrong")
        note = self.query_one(".field--note", Static)
        if error is None:
            note.update(self._note)
        else:
            said = [f"✗ {error.message}", *([error.hint] if error.hint else [])]
            note.update(Content(" · ").join([foreign(part) for part in said]))

    @on(Input.Changed)
    def _input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.check_again()
        self.post_message(self.Changed(self))

    @on(Input.Submitted)
    def _input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(self))
