"""Picking a preset: what it gives, and which binds it adds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option

from ...core.config.presets import Preset
from ..dialogs.dialog import Dialog, button
from ..text.foreign import foreign


class PresetList(OptionList):
    """The presets by title."""

    BINDING_GROUP_TITLE = "Presets"
    HELP = "Enter adds what is listed below. Each bind can be edited afterwards."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "add", id="presets.add", tooltip="Add what is listed below"),
        Binding("j", "cursor_down", "down", id="presets.down", show=False, tooltip="Down"),
        Binding("k", "cursor_up", "up", id="presets.up", show=False, tooltip="Up"),
    ]
    DEFAULT_CSS = """
    PresetList {
        height: auto;
        max-height: 8;
        background: transparent;
        scrollbar-size-vertical: 1;
        &:focus { background-tint: transparent; }
    }
    """


class PresetPicker(Dialog[Preset | None]):
    """Shows *presets*. Answers the one that was taken, None where none was."""

    HELP = "Up and down show what each preset adds. Nothing is saved before you say so."
    AUTO_FOCUS = "PresetList"

    def __init__(self, presets: Sequence[Preset]) -> None:
        super().__init__("presets", wide=True)
        self._presets = tuple(presets)

    def content(self) -> Iterable[Widget]:
        """Return the titles, and what the marked one adds."""
        options = [Option(foreign(preset.title)) for preset in self._presets]
        yield PresetList(*options, compact=True, markup=False)
        yield Static(id="adds", classes="dialog--gap")

    def buttons(self) -> Iterable[Button]:
        """Return what leaves, and what adds."""
        yield button("Cancel", "cancel")
        yield button("Add", "add")

    def cancelled(self) -> None:
        """Return that nothing is added."""

    @on(OptionList.OptionHighlighted)
    def _marked(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        preset = self._presets[event.option_index]
        self.query_one("#adds", Static).update(Content("\n").join(_lines(preset)))

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.answer(self._presets[event.option_index])

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        index = self.query_one(PresetList).highlighted
        if event.button.id == "add" and index is not None:
            self.answer(self._presets[index])
        else:
            self.action_cancel()


def _lines(preset: Preset) -> list[Content]:
    lines = [foreign(preset.why), Content()]
    for bind in preset.binds:
        place = bind.target if bind.source == bind.target else f"{bind.source} at {bind.target}"
        words = [*bind.options, *(["optional"] if bind.optional else [])]
        lines.append(Content.assemble(foreign(place), "  ", foreign(",".join(words), "dim")))
    if preset.env:
        pairs = " ".join(f"{name}={value}" for name, value in preset.env)
        lines += [Content(), foreign(f"programs inside also need: {pairs}", "dim")]
    return lines
