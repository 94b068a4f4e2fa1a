"""Plain tables for a person at a terminal. Everything foreign is made safe here."""

from __future__ import annotations

import unicodedata

from ...core.text import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...core.looking.status import ChrootStatus


def width(text: str) -> int:
    """Return how many columns *text* takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return aligned lines; columns whose head begins with a space are right-aligned."""
    cells = [[word.strip() for word in head], *([safe(cell) for cell in row] for row in rows)]
    widths = [max(width(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for row in cells:
        parts = []
        for i, cell in enumerate(row):
            gap = " " * (widths[i] - width(cell))
            parts.append(gap + cell if head[i].startswith(" ") else cell + gap)
        lines.append("  ".join(parts).rstrip())
    return lines


def indented(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table two columns to the right."""
    return [f"  {line}" for line in table(head, rows)]


def process_count(one: ChrootStatus) -> str:
    """Return how many processes live in a chroot, `?` where this user can't know."""
    return "?" if one.unseen and not one.processes else str(len(one.processes))
