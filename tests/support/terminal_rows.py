"""Rows of the terminal emulator, as one sees them. Imported as `support.terminal_rows`."""

from __future__ import annotations

from chroot_tool.widgets.terminal import cells

_VISIBLE_ON_BLANKS = (
    cells.COLOR << cells.BACKGROUND_SHIFT | cells.REVERSE | cells.UNDERLINE | cells.STRIKE
)


def looks(row: cells.Row) -> list[tuple[str, int]]:
    """Each cell's text and what one sees of its style; blanks at the end left out."""
    styles = [style for _, style, length in cells.runs(row) for _ in range(length)]
    found = []
    for x, style in enumerate(styles):
        text = cells.cut(row, x, x + 1)
        found.append((text, style & _VISIBLE_ON_BLANKS if text == " " else style))
    while found and found[-1][0] == " ":
        found.pop()
    return found
