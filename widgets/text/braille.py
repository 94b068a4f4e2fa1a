"""Graphs of braille dots: a cell is two points wide and four high. Pure; knows no widget."""

from __future__ import annotations

import math
from collections.abc import Sequence

DOTS = 4
"""Dots of a cell, one above the other."""
_BRAILLE = 0x2800
_LEFT = (0, 0x40, 0x44, 0x46, 0x47)
_RIGHT = (0, 0x80, 0xA0, 0xB0, 0xB8)
"""The bits of so many dots from the bottom, in the left and the right half (Unicode, 2800)."""


def graph(values: Sequence[float], top: float, width: int, height: int) -> list[str]:
    """Return *values* as *height* lines of *width* cells, the last value at the right.

    *top* is the value that is as high as the graph. Anything above 0 has a dot at least.
    """
    points = 2 * width
    levels = [_level(value, top, height * DOTS) for value in values[-points:]]
    levels = [0] * (points - len(levels)) + levels
    return [line([level - DOTS * row for level in levels]) for row in reversed(range(height))]


def line(levels: Sequence[int]) -> str:
    """Return a line of cells, of which each has two of *levels*: dots from the bottom."""
    pairs = zip(levels[::2], levels[1::2], strict=True)
    return "".join(_cell(left, right) for left, right in pairs)


def _cell(left: int, right: int) -> str:
    bits = _LEFT[min(max(left, 0), DOTS)] | _RIGHT[min(max(right, 0), DOTS)]
    return chr(_BRAILLE + bits) if bits else " "


def _level(value: float, top: float, most: int) -> int:
    if value <= 0:
        return 0
    return most if value >= top else max(math.ceil(value / top * most), 1)
