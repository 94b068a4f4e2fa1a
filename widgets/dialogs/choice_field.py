"""A line of a form in which one of a few values is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Select

from .field import Field


class Menu(Select[str]):
    """A Select of one row that opens with Enter or space, so that up and down change the field."""

    BINDING_GROUP_TITLE = "Choice"
    HELP = "Enter or space opens the choice, Escape closes it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.next_field", show=False, id="form.menu_next"),
        Binding("up", "screen.previous_field", show=False, id="form.menu_previous"),
        Binding(
            "enter,space",
            "show_overlay",
            "choose",
            id="form.choose",
            tooltip="Open the choice",
        ),
    ]
    DEFAULT_CSS = """
    Menu {
        & > SelectCurrent { padding: 0 1; background: $foreground 8%; }
        &:focus > SelectCurrent { background: $foreground 14%; background-tint: transparent; }
        & > SelectOverlay { border: round $primary; }
        &:ansi > SelectCurrent { background: ansi_default; text-style: underline; }
    }
    """


class ChoiceField(Field):
    """A field with few possible values, the first of which is what is meant without a choice."""

    def __init__(
        self,
        label: str,
        choices: Sequence[tuple[str, str]],
        *,
        id: str,  # noqa: A002 (Textual's name)
        value: str = "",
        note: str = "",
    ) -> None:
        """*choices* are (label, value); both are our own text."""
        known = [choice for _, choice in choices]
        self._menu = Menu(
            [(Text(shown), choice) for shown, choice in choices],
            value=value if value in known else known[0],
            allow_blank=False,
            compact=True,
        )
        super().__init__(label, id=id, note=note)

    def entry(self) -> Widget:
        """Return the menu."""
        return self._menu

    @property
    def value(self) -> str:
        """What is chosen."""
        return str(self._menu.value)

    @value.setter
    def value(self, value: str) -> None:
        self._menu.value = value

    @on(Select.Changed)
    def _chosen(self, event: Select.Changed) -> None:
        event.stop()
        self.check_again()
        self.post_message(self.Changed(self))
