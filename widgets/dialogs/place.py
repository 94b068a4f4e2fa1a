"""Where a chroot goes: the copy of one, or one under another name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from ...core.value import Value
from ..text.foreign import foreign
from .dialog import button
from .field import Field
from .form import FormDialog
from .place_field import PlaceField
from .switch import Switch


class Place(Value):
    """A place for a chroot."""

    path: str
    switched: bool = False
    """Whether the switch of the dialog was on."""


class PlaceDialog(FormDialog[Place | None]):
    """Asks for another name or place of the chroot *name*. Answers a Place, None where it was left.

    *verb* is what is done, `clone`. *base* and *taken* are those of `PlaceField`, *value* is what
    stands there first. *notes* are lines that say what happens, *switch* what can be had besides:
    both our own text.
    """

    HELP = "A plain name goes under the base directory, a path stands for itself. Enter goes on."
    DEFAULT_CSS = """
    PlaceDialog .dialog--quiet { margin-bottom: 1; }
    """

    def __init__(
        self,
        verb: str,
        name: str,
        base: str,
        taken: frozenset[str],
        *,
        value: str = "",
        notes: Sequence[str] = (),
        switch: str = "",
    ) -> None:
        super().__init__(Content.assemble(f"{verb} ", foreign(name)))
        self._verb = verb
        self._base = base
        self._taken = taken
        self._value = value
        self._notes = tuple(notes)
        self._besides = switch

    def content(self) -> Iterable[Widget]:
        """Return what happens, the field, and the switch."""
        if self._notes:
            yield Static(Content("\n".join(self._notes)), classes="dialog--quiet")
        yield PlaceField("New name", self._base, self._taken, value=self._value)
        if self._besides:
            yield Switch(self._besides)

    def buttons(self) -> Iterable[Button]:
        """Return Cancel and what goes on."""
        yield button("Cancel", "cancel")
        yield button(self._verb.capitalize(), "go")

    def cancelled(self) -> None:
        """Return that nothing is to be done."""

    @on(Field.Submitted)
    def _entered(self, event: Field.Submitted) -> None:
        event.stop()
        self._go_on()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "go":
            self._go_on()
        else:
            self.action_cancel()

    def _go_on(self) -> None:
        if not self.wrong():
            switched = any(switch.value for switch in self.query(Switch))
            self.answer(Place(self.query_one(PlaceField).path, switched))
