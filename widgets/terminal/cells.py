"""Rows of a terminal, packed. Pure; knows neither the emulator nor Textual.

A screen cell of the emulator is an object that Python's garbage collector follows; a scrollback of
them stops the program for a fifth of a second at each full collection. A `Row` here is a tuple of
strings and bytes, which the collector leaves alone. Packing is also the one place where a cell is
made safe: what leaves it holds no control character, and is as wide as it says it is.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len

Row = tuple[str, bytes, bytes, bool]
"""(text, shape, styles, wrapped).

`text`: without the trailing cells that hold nothing, unless the line goes on. `shape`: code points
of each cell, 0 for the second half of a wide character, empty where each cell has exactly one.
`styles`: pairs of unsigned 64-bit numbers, cells and style (`pack_style`), empty where all cells
have style 0. `wrapped`: the line goes on in the next row.
"""

Run = tuple[str, int, int]
"""(text, style, width in cells) of neighbouring cells that share a style."""

BLANK: Row = ("", b"", b"", False)

BOLD, DIM, ITALIC, UNDERLINE, BLINK, REVERSE, CONCEAL, STRIKE, OVERLINE = (
    1 << bit for bit in range(50, 59)
)
COLOR = (1 << 25) - 1
BACKGROUND_SHIFT = 25
RGB = 1 << 24
"""A colour is 0 (the default), 1 + its index in the palette of 256, or `RGB | 0xrrggbb`."""

_LONGEST = 16
"""Code points that are kept of one cell: enough for every emoji, no room for a flood of marks."""

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
"""Control, bidi and invisible characters. Joiner and variation selectors stay: emoji need them."""


def pack_style(foreground: int, background: int, flags: int) -> int:
    """Return one number for a style: two colours and any of `BOLD` … `OVERLINE`."""
    return foreground | background << BACKGROUND_SHIFT | flags


def pack(characters: Sequence[str], styles: Sequence[tuple[int, int]], wrapped: bool) -> Row:
    """Return the row of these cells.

    A wide character's second cell holds an empty string. *styles* has (cells, style) for each
    stretch of one style, for all cells together.
    """
    text = "".join(characters)
    shape = b""
    if not text.isascii() or len(text) != len(characters) or not text.isprintable():
        cleaned = _clean(characters)
        text = "".join(cleaned)
        if len(text) != len(cleaned) or "" in cleaned:
            shape = bytes(map(len, cleaned))
    pairs: list[int] = []
    for length, style in styles:
        if pairs and pairs[-1] == style:
            pairs[-2] += length
        else:
            pairs += (length, style)
    if pairs and not pairs[-1] and not wrapped:
        kept = text.rstrip(" ")
        blanks = min(len(text) - len(kept), pairs[-2])
        pairs[-2] -= blanks
        text = text[: len(text) - blanks]
        shape = shape[: len(shape) - blanks] if shape else b""
    if pairs and not pairs[-2]:
        del pairs[-2:]
    if not any(pairs[1::2]):
        return text, shape, b"", wrapped
    return text, shape, array("Q", pairs).tobytes(), wrapped


def _clean(characters: Sequence[str]) -> list[str]:
    """Make each cell safe and exactly as wide as the cells that it takes."""
    cleaned: list[str] = []
    last = len(characters) - 1
    for x, character in enumerate(characters):
        if character.isascii() and len(character) == 1 and character.isprintable():
            cleaned.append(character)
        elif not character:
            # Nothing: the second half of the wide character before it, or a leftover.
            cleaned.append("" if x and cleaned[-1] and cell_len(cleaned[-1]) == 2 else " ")
        else:
            wide = x < last and not characters[x + 1]
            # A joiner at an edge would join two cells, and both be measured as one.
            kept = _UNSAFE.sub("", character)[:_LONGEST].strip("\u200d")
            cleaned.append(_fit(kept, 2 if wide else 1))
    return cleaned


def _fit(character: str, width: int) -> str:
    """Return *character*, or what comes nearest to it: at most `width` cells wide.

    The emulator and Textual measure with tables of their own; Textual cuts and pads by its own
    measure, so a cell that it takes for wider or narrower would shift the rest of the line.
    """
    if character and cell_len(character) == width:
        return character
    if character and cell_len(character[0]) == width:
        return character[0]
    return "\ufffd"


def row_width(row: Row) -> int:
    """Return how many cells a row holds."""
    return len(row[1] or row[0])


def runs(row: Row) -> Iterator[Run]:
    """Yield a row's cells from left to right, a run for each stretch of one style."""
    text, shape, styles, _ = row
    if not styles:
        if text:
            yield text, 0, len(shape or text)
        return
    pairs = memoryview(styles).cast("Q")
    cell = point = 0
    for index in range(0, len(pairs), 2):
        length = pairs[index]
        points = sum(shape[cell : cell + length]) if shape else length
        yield text[point : point + points], pairs[index + 1], length
        cell += length
        point += points


def run_count(row: Row) -> int:
    """Return how many runs a row has: what it costs to paint."""
    return len(row[2]) // 16 or 1


def cut(row: Row, start: int, stop: int) -> str:
    """Return the text of cells `start` to `stop`; half of a wide character counts as all of it."""
    text, shape, _, _ = row
    if not shape:
        return text[start:stop]
    start, stop = whole(row, start, stop)
    point = sum(shape[:start])
    return text[point : point + sum(shape[start:stop])]


def whole(row: Row, start: int, stop: int) -> tuple[int, int]:
    """Widen a span of cells so that it halves no wide character."""
    shape = row[1]
    if 0 < start < len(shape) and not shape[start]:
        start -= 1
    if 0 < stop < len(shape) and not shape[stop]:
        stop += 1
    return start, stop


def cell_of(row: Row, point: int) -> int:
    """Return the cell in which the code point at index `point` of a row's text stands."""
    shape = row[1]
    if not shape:
        return point
    for cell, points in enumerate(shape):
        if points > point:
            return cell
        point -= points
    return len(shape)


def rewrap(rows: Iterable[Row], columns: int) -> Iterator[Row]:
    """Yield the same lines laid out at another width, never halving a wide character."""
    line: list[Row] = []
    for row in rows:
        line.append(row)
        if not row[3]:
            yield from _lay_out(line, columns, False)
            line = []
    if line:  # its end is still on the screen
        yield from _lay_out(line, columns, True)


def _lay_out(line: list[Row], columns: int, goes_on: bool) -> Iterator[Row]:
    if len(line) == 1 and row_width(line[0]) <= columns:
        yield line[0]
        return
    if not any(row[1] or row[2] for row in line):
        text = "".join(row[0] for row in line)
        starts = range(0, len(text), columns)
        for start in starts:
            yield text[start : start + columns], b"", b"", goes_on or start != starts[-1]
        return
    characters: list[str] = []
    styles: list[int] = []
    for row in line:
        characters += _characters(row)
        for _, style, length in runs(row):
            styles += [style] * length
    start = 0
    while True:
        stop = min(start + columns, len(characters))
        if stop < len(characters) and not characters[stop] and stop - 1 > start:
            stop -= 1
        pairs = [(len(list(run)), style) for style, run in groupby(styles[start:stop])]
        ends = stop == len(characters)
        yield pack(characters[start:stop], pairs, goes_on if ends else True)
        if ends:
            return
        start = stop


def _characters(row: Row) -> list[str]:
    text, shape, _, _ = row
    if not shape:
        return list(text)
    characters: list[str] = []
    point = 0
    for points in shape:
        characters.append(text[point : point + points])
        point += points
    return characters
