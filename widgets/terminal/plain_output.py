"""The short way of a flood of plain lines: past the screen, straight into the scrollback."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import cells
from .bittty_machine import Machine
from .cells import Row
from .packed_rows import style_code
from .scrollback import Scrollback

_WORTH_IT = 8
"""Lines beyond a screenful from which on skipping them pays."""
_PLAIN_LINES = re.compile(r"(?:[ -~]*\r\n)+")


class PlainOutput:
    """Puts lines that would only scroll by on *machine* into *history*.

    *scroll_off* takes that many rows of the screen, from the top, into the scrollback.
    """

    def __init__(
        self, machine: Machine, history: Scrollback, scroll_off: Callable[[int], None]
    ) -> None:
        self._machine = machine
        self._history = history
        self._scroll_off = scroll_off

    def skip(self, text: str) -> str:
        """Put lines that would scroll by unseen straight into the scrollback; return the rest.

        In a flood of plain lines the last screenful is all that anybody can see of a chunk, and
        building cells for the others takes nine tenths of the time.
        """
        machine = self._machine
        rows = machine.height
        if text.count("\r\n") < rows + _WORTH_IT or not self._is_plain():
            return text
        start = text.index("\r\n") + 2
        machine.parser.feed(text[:start])
        for _ in range(machine.cursor.y, rows - 1):  # so far that the screen scrolls
            end = text.find("\r\n", start) + 2
            machine.parser.feed(text[start:end])
            start = end
        match = _PLAIN_LINES.match(text, start)
        if match is None or not (self._is_plain() and self._is_at_new_line()):
            return text[start:]
        lines = text[start : match.end()].split("\r\n")[:-1]
        if len(lines) <= rows:
            return text[start:]
        kept = lines[-rows:]
        style = style_code(machine.style.current)
        self._scroll_off(rows - 1)
        self._lines_to_history(lines[:-rows], style)
        # Now the screen shows rows that are in the scrollback already: clear it, then go on.
        machine.blitter.primary_page.scroll_region_up(0, rows - 1, rows)
        machine.cursor.set_position(0, 0)
        return "\r\n".join(kept) + "\r\n" + text[match.end() :]

    def _is_plain(self) -> bool:
        """Whether printable ASCII and line ends do now what they do on a typewriter."""
        machine, blitter, charset = self._machine, self._machine.blitter, self._machine.charset
        return (
            machine.parser.mode is None
            and not machine.parser.buffer
            and not blitter.in_alt_screen
            and blitter.scroll_top == 0
            and blitter.scroll_bottom == machine.height - 1
            and blitter.left_margin == 0
            and blitter.right_margin == machine.width - 1
            and self._machine.flags.auto_wrap
            and not self._machine.flags.insert_mode
            and not self._machine.flags.origin_mode
            and charset.single_shift is None
            and charset.charset_array[charset.current_charset] == "B"
            and machine.style.current.bg is None
        )

    def _is_at_new_line(self) -> bool:
        """Whether the cursor stands at the start of the last row, and that row is empty."""
        machine = self._machine
        last = machine.height - 1
        row = machine.blitter.primary_page.grid[last]
        return (
            machine.cursor.y == last
            and machine.cursor.x == 0
            and not any(character != " " for _, character in row)
        )

    def _lines_to_history(self, lines: list[str], style: int) -> None:
        columns = self._machine.width
        take = self._history.append
        for line in lines:
            while len(line) > columns:
                take(_plain_row(line[:columns], style, True))
                line = line[columns:]
            take(_plain_row(line, style, False))


def _plain_row(text: str, style: int, wrapped: bool) -> Row:
    if not style:
        return text if wrapped else text.rstrip(" "), b"", b"", wrapped
    return cells.pack(text, [(len(text), style)], wrapped)
