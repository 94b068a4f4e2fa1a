"""bittty's lines of cells as packed rows (`cells.Row`)."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from bittty.style import Color, Style
from bittty.video import Line

from . import cells
from .cells import Row

_STYLE, _CHARACTER = itemgetter(0), itemgetter(1)
_MOST_STYLES = 4096

_FLAGS = (
    ("bold", cells.BOLD),
    ("dim", cells.DIM),
    ("italic", cells.ITALIC),
    ("underline", cells.UNDERLINE),
    ("blink", cells.BLINK),
    ("reverse", cells.REVERSE),
    ("conceal", cells.CONCEAL),
    ("strike", cells.STRIKE),
    ("overline", cells.OVERLINE),
)


class Packer:
    """Packs lines, and knows the styles that it has seen."""

    def __init__(self) -> None:
        # By identity: to hash a style of bittty's costs more than all else. The style is kept, so
        # that no other one can take its place in memory.
        self._codes: dict[int, tuple[Style, int]] = {}

    def row(self, line: Line) -> Row:
        """Return a line as a row."""
        ids = list(map(id, map(_STYLE, line.cells)))
        codes = self._codes
        if len(codes) > _MOST_STYLES:
            codes.clear()
        for key in set(ids).difference(codes):
            style = line.cells[ids.index(key)][0]
            codes[key] = (style, style_code(style))
        characters = list(map(_CHARACTER, line.cells))
        styles = [(len(list(run)), codes[key][1]) for key, run in groupby(ids)]
        return cells.pack(characters, styles, line.wrapped)


def style_code(style: Style) -> int:
    """Return a style as `cells.pack_style` has it."""
    flags = 0
    for name, flag in _FLAGS:
        if getattr(style, name):
            flags |= flag
    return cells.pack_style(_color(style.fg), _color(style.bg), flags)


def _color(color: Color | None) -> int:
    if color is None or color.value is None:
        return 0
    if color.mode == "indexed":
        return 1 + int(color.value)  # type: ignore[arg-type]
    red, green, blue = color.value  # type: ignore[misc]
    return cells.RGB | red << 16 | green << 8 | blue
