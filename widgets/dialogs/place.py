"""Where a chroot goes: the copy of one, or one under another name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from ...core.value import Value
from ..text.foreign import foreign
from .field import Field
from .form import TwoWayForm
from .place_field import Home, PlaceField, machine_field
from .switch import Switch


class Place(Value):
    """A place for a chroot."""

    path: str
    switched: bool = False
    """Whether the switch of the dialog was on."""


class PlaceDialog(TwoWayForm[Place]):
    """Asks for another name or place of the chroot *name*. Answers a Place, None where it was left.

    *verb* is what is done, `clone`. *base* and *taken* are those of `PlaceField`, *value* is what
    stands there first. *notes* are lines that say what happens, *switch* what can be had besides:
    both our own text. *homes* are the machines it may go to.
    """

    HELP = "A plain name goes under the base directory, a path stands for itself. Enter goes on."
    DEFAULT_CSS = """
    PlaceDialog {
        & .dialog--quiet { margin-bottom: 1; }
        & Switch { margin-left: 13; }
    }
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
        homes: Sequence[Home] = (),
    ) -> None:
        super().__init__(Content.assemble(f"{verb} ", foreign(name)))
        self.goes_on = verb.capitalize()
        self._base = base
        self._taken = taken
        self._value = value
        self._notes = tuple(notes)
        self._besides = switch
        self._homes = tuple(homes)

    def content(self) -> Iterable[Widget]:
        """Return what happens, the field, and the switch."""
        if self._notes:
            yield Static(Content("\n".join(self._notes)), classes="dialog--quiet")
        yield PlaceField("New name", self._base, self._taken, value=self._value)
        yield from machine_field(self._homes, self._base)
        if self._besides:
            yield Switch(self._besides)

    @on(Field.Changed, "#machine")
    def _moved(self, event: Field.Changed) -> None:
        event.stop()
        home = next(home for home in self._homes if home.host == event.field.value)
        self.query_one(PlaceField).move(home)

    def go_on(self) -> None:
        """Answer with what stands in the fields, where all of them are right."""
        if not self.wrong():
            switched = any(switch.value for switch in self.query(Switch))
            self.answer(Place(self.query_one(PlaceField).path, switched))
