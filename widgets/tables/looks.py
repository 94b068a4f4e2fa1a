"""How a table looks: its styles by the names of its component classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style

if TYPE_CHECKING:
    from textual.widget import Widget

TONES = ("muted", "good", "warn", "bad", "accent")


class Looks:
    """The styles of one table, made when they are first painted with."""

    CLASSES: ClassVar[set[str]] = {
        f"table--{name}" for name in ("header", "sorted", "cursor", "hint", *TONES)
    }
    CSS: ClassVar[str] = """
    Table {
        height: 1fr;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size: 0 1;
        scrollbar-gutter: stable;
        & > .table--header { color: $text-muted; }
        & > .table--sorted { color: $text-primary; }
        & > .table--hint { color: $text-muted; }
        & > .table--muted { color: $text-muted; }
        & > .table--good { color: $text-success; }
        & > .table--warn { color: $text-warning; }
        & > .table--bad { color: $text-error; }
        & > .table--accent { color: $text-primary; }
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
        """Return the style of the component class *name*; "": of the table itself."""
        style = self._styles.get(name)
        if style is None:
            component = (f"table--{name}",) if name else ()
            visual = self._table.get_visual_style(*component)
            style = self._styles[name] = visual.rich_style
        return style

    def forget(self) -> None:
        """Make them anew: theme or focus have changed."""
        self._styles.clear()
