"""Foreign text laid into a number of cells: cut, padded, wrapped. Pure; knows no widget.

Everything that leaves here has gone through `core.text.safe` and is as wide as it says: a column
of a table stays straight, whatever stands in it.
"""

from __future__ import annotations

from rich.cells import cell_len, chop_cells, set_cell_size

from ...core.text import safe

ELLIPSIS = "…"

_LONGEST = 4000
"""Characters that are looked at: a command line may have two million, and each paint looks."""


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return *text*, safe and exactly `width` cells wide: padded, or cut with an ellipsis."""
    text = _begin(text)
    size = cell_len(text)
    if size > width:
        text = _head(text, width - 1) + ELLIPSIS if width > 0 else ""
        size = cell_len(text)
    gap = " " * (width - size)
    return gap + text if right else text + gap


def shorten(text: str, width: int) -> str:
    """Return *text*, safe and at most `width` cells wide, cut in the middle where it is longer.

    For paths: where they begin and where they end both say more than what is between.
    """
    if len(text) > 2 * _LONGEST:
        text = text[:_LONGEST] + ELLIPSIS + text[-_LONGEST:]
    text = safe(text)
    size = cell_len(text)
    if size <= width:
        return text
    if width < 3:
        return _head(text, width)
    before = (width - 1) // 2
    head = _head(text, before)
    return head + ELLIPSIS + _tail(text, width - 1 - cell_len(head))


def brief(text: str, word: int, most: int) -> str:
    """Return *text*, safe and at most `most` cells wide, with words of at most `word` cells.

    For toasts: a narrow one breaks a path anywhere, and a long one covers what is read.
    """
    words = " ".join(shorten(one, word) for one in _begin(text).split(" "))
    return fit(words, most).rstrip(" ")


def wrap(text: str, width: int) -> list[str]:
    """Return *text*, safe, as lines of at most `width` cells, broken at spaces where there are any.

    At least one line; of a text beyond all bounds the beginning.
    """
    width = max(width, 1)
    lines = [""]
    for word in _begin(text).split(" "):
        line = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(line) <= width:
            lines[-1] = line
            continue
        chunks = chop_cells(word, width)
        if word and not chunks:
            chunks = [word]  # marks alone, which take no cell
        lines[-1:] = [lines[-1], *chunks] if lines[-1] else chunks
    return lines


def width_of(text: str) -> int:
    """Return how many cells *text* takes once it is safe."""
    return cell_len(_begin(text))


def _begin(text: str) -> str:
    return safe(text if len(text) <= _LONGEST else text[:_LONGEST] + ELLIPSIS)


def _head(text: str, width: int) -> str:
    """Return what of *text* fits into `width` cells; a wide character is not halved."""
    if width <= 0:
        return ""
    return set_cell_size(text, width).rstrip(" ") if cell_len(text) > width else text


def _tail(text: str, width: int) -> str:
    while cell_len(text) > width:
        text = text[max(1, (cell_len(text) - width) // 2) :]
    return text
