"""How a table looks: its styles by their names.

Most are colours of the theme. Component classes are the cursor's look, which differs with the
focus, and what is muted, which some themes leave to the background: CSS is applied to each of them,
thrice before the first paint and whenever the focus moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style

if TYPE_CHECKING:
    from textual.widget import Widget

_COLOURS = {
    "sorted": "$text-primary",
    "good": "$text-success",
    "warn": "$text-warning",
    "bad": "$text-error",
    "accent": "$text-primary",
}
_CURSOR, _MUTED = "table--cursor", "table--muted"
_COMPONENTS = {"cursor": _CURSOR, "header": _MUTED, "hint": _MUTED, "muted": _MUTED}


class Looks:
    """The styles of one table, made when they are first painted with."""

    CLASSES: ClassVar[set[str]] = {_CURSOR, _MUTED}
    CSS: ClassVar[str] = """
    Table {
        height: 1fr;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size: 0 1;
        scrollbar-gutter: stable;
        & > .table--muted { color: $text-muted; }
        & > .table--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .table--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        &:ansi:blur > .table--cursor { text-style: underline; }
    }
    """

    def __init__(self, table: Widget) -> None:
        self._table = table
        self._styles: dict[str, Style] = {}

    def style(self, name: str) -> Style:
        """Return the style called *name*; "": of the table itself."""
        style = self._styles.get(name)
        if style is None:
            component = (_COMPONENTS[name],) if name in _COMPONENTS else ()
            visual = self._table.get_visual_style(*component)
            if name in _COLOURS:
                visual += self._table.app.stylesheet.parse_style(_COLOURS[name])
            style = self._styles[name] = visual.rich_style
        return style

    def forget(self) -> None:
        """Make them anew: theme or focus have changed."""
        self._styles.clear()
