"""A yes-or-no of a form on one row, `[x] read-only`: told by a sign, not by its colour."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Checkbox


class Switch(Checkbox):
    """A checkbox whose sign says whether it is on."""

    BINDING_GROUP_TITLE = "Switch"
    HELP = "Enter or space switches it."
    DEFAULT_CSS = """
    Switch {
        width: 1fr;
        height: 1;
        border: none;
        padding: 0;
        background: transparent;
        &:focus { border: none; background-tint: transparent; }
        &:focus > .toggle--label {
            color: $primary; background: transparent; text-style: bold reverse;
        }
        &:blur:hover > .toggle--label { background: transparent; text-style: underline; }
        & > .toggle--button { color: $foreground; background: transparent; text-style: none; }
        &.-on > .toggle--button { color: $primary; background: transparent; text-style: bold; }
    }
    """
    BUTTON_LEFT = "["
    BUTTON_RIGHT = "]"

    @property
    def _button(self) -> Content:
        style = self.get_visual_style("toggle--button")
        sign = "x" if self.value else " "
        return Content.assemble((f"{self.BUTTON_LEFT}{sign}{self.BUTTON_RIGHT}", style))
