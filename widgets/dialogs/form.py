"""What the dialogs with fields share: going from field to field, finding the first wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Button

from . import DIALOGS
from .confirm import throw_away
from .dialog import Dialog, button
from .field import Field
from .switch import Switch

Answer = TypeVar("Answer")


class FormDialog(Dialog[Answer]):
    """Base of the forms: Enter goes on where everything is right, up and down change the field."""

    HELP = "Tab, up and down go from field to field; right takes the suggestion; Enter goes on."
    AUTO_FOCUS = "Input"
    AROUND = 4
    DEFAULT_CSS = "FormDialog > .dialog--frame { padding: 0 2; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "down", "next_field", "next field", id="form.next", show=False, tooltip="Next field"
        ),
        Binding(
            "up",
            "previous_field",
            "previous field",
            id="form.previous",
            show=False,
            tooltip="Field before",
        ),
    ]

    _at_first: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Take note of what stands there before anything is filled in."""
        self._at_first = self._filled_in

    @property
    def _filled_in(self) -> tuple[object, ...]:
        """What stands in all fields, also in those that are not shown now."""
        fields, switches = self.query(Field), self.query(Switch)
        return (*(field.value for field in fields), *(switch.value for switch in switches))

    def action_cancel(self) -> None:
        """Leave; ask first where something was filled in."""
        if self._filled_in == self._at_first:
            super().action_cancel()
        else:
            self._ask_to_leave()

    @work(group=DIALOGS, exit_on_error=False)
    async def _ask_to_leave(self) -> None:
        ask = throw_away("leave this form", "What is filled in would be lost.")
        if await self.app.push_screen_wait(ask):
            self.leave()

    def leave(self) -> None:
        """Leave at once, as who presses Cancel means it."""
        self.answer(self.cancelled())

    def field(self, ident: str) -> Field:
        """Return the field with that id."""
        return self.query_one(f"#{ident}", Field)

    def value(self, ident: str) -> str:
        """Return what stands in a field, without blanks around it."""
        return self.field(ident).value

    def wrong(self) -> Field | None:
        """Check all fields; put the cursor into the first wrong one and return it."""
        fields = [field for field in self.query(Field) if field.display and not field.disabled]
        for field in fields:
            field.asked = True
        found = [field for field in fields if field.check_again() is not None]
        if not found:
            return None
        found[0].focus_entry()
        return found[0]

    def action_next_field(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def action_previous_field(self) -> None:
        """Go to the field before."""
        self.focus_previous()


class TwoWayForm(FormDialog[Answer | None]):
    """A form with two ways out: Cancel, which answers None, and `go_on`, which is Enter as well."""

    goes_on: str
    """What the button that goes on is called: of the class, or of one form."""

    def buttons(self) -> Iterable[Button]:
        """Return Cancel and what goes on."""
        yield button("Cancel", "cancel")
        yield button(self.goes_on, "go")

    def cancelled(self) -> None:
        """Return that nothing is to be done."""

    def go_on(self) -> None:
        """Answer with what stands in the fields, where all of them are right."""
        raise NotImplementedError

    @on(Field.Submitted)
    def _entered(self, event: Field.Submitted) -> None:
        event.stop()
        self.go_on()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "go":
            self.go_on()
        else:
            self.leave()
