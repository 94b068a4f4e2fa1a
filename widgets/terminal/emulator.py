"""The terminal emulator: our own small interface over bittty. Knows no Textual and no process.

Bytes of a child go in, rows, a cursor and replies come out; keys, mouse and pastes go in, bytes for
the child come out. What the child writes is hostile: it can neither resize the screen, nor make the
terminal type what it chose, nor grow memory without bound, nor raise anything here.

Importing this module loads bittty, which takes an eighth of a second: do it in a thread.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import replace

from bittty import present as events

from ...core.text import safe
from . import cells
from .bittty_machine import Machine
from .cells import Row
from .packed_rows import Packer
from .plain_output import PlainOutput
from .scrollback import Scrollback
from .user_input import UserInput

_REPLY = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1bP[0-9]*[$+!>|][ -~]*\x1b\\"
    r"|\x1b\](?:4;\d+|1\d);rgb:[0-9a-fA-F/]+(?:\x07|\x1b\\)"
)
"""A reply that may go to the child: one sequence, without a line end and without a title."""

_REFUSED_STATUS = re.compile(r"\x1bP0\$r.*\x1b\\", re.DOTALL)
"""DECRQSS for an unknown setting: bittty quotes the request, which the child chose."""

_LONGEST_SEQUENCE = 4096
_LONG_PARAMETERS = re.compile(r"(\x1b\[|\x9b)[0-9;:<=>?]{256,}")
"""bittty keeps sequences that it has parsed, up to 10,000: none may be long."""

_LONGEST_TITLE = 200


class Emulator:
    """A screen of `columns` by `rows` and its scrollback, fed with the bytes of a child."""

    def __init__(self, columns: int = 80, rows: int = 24, *, scrollback: int = 10_000) -> None:
        self.history = Scrollback(scrollback, columns)
        self.title = ""
        self.keeps_scrollback = True
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._machine = Machine(columns, rows, self)
        self._packer = Packer()
        self._plain = PlainOutput(self._machine, self.history, self._to_history)
        self.input = UserInput(self._machine)
        """Encodes what the user does."""
        self._seen: tuple[object, int] = (None, -1)
        self._packed: dict[int, tuple[object, int, Row]] = {}

    # --- the child's output --- #

    def feed(self, data: bytes) -> bytes:
        """Take output of the child; return what the terminal answers."""
        text = self._decode(data)
        if "\x1b" in text or "\x9b" in text:
            text = _LONG_PARAMETERS.sub(r"\1", text)
        parser = self._machine.parser
        try:
            parser.feed(self._plain.skip(text))
        except Exception:
            # Random bytes reach corners where bittty raises. What it was at is dropped.
            parser.reset()
        if len(parser.buffer) > _LONGEST_SEQUENCE:
            self._shorten_sequence()
        return self._replies()

    def _shorten_sequence(self) -> None:
        """Forget the content of a string that does not end; keep that we are inside of it."""
        parser = self._machine.parser
        if parser.mode in (None, "csi"):
            parser.reset()
        else:
            parser.buffer = parser.buffer[:2] + parser.buffer[-1]

    def _replies(self) -> bytes:
        if not self._machine.cable.sent:
            return b""
        text = self._machine.cable.take().decode("utf-8", "replace")
        text = _REFUSED_STATUS.sub("\x1bP0$r\x1b\\\\", text)
        return "".join(_REPLY.findall(text)).encode()

    def _to_history(self, count: int) -> None:
        """Take rows of the screen, from the top, into the scrollback."""
        page = self._machine.blitter.primary_page
        self.history.extend(self._packer.row(page.line(y)) for y in range(count))

    # --- what bittty tells (its Presentable protocol) --- #

    def present(self, event: object) -> None:
        """Take an event of bittty's. Bells, clipboard and notifications go nowhere."""
        kind = type(event)
        if kind is events.RowsScrolledOff:
            for line in event.lines:  # type: ignore[attr-defined]
                self.history.append(self._packer.row(line))
        elif kind is events.ScrollbackCleared:
            self.history.clear()
        elif kind is events.TitleChanged:
            self.title = safe(event.title[:_LONGEST_TITLE])  # type: ignore[attr-defined]

    # --- the screen --- #

    @property
    def columns(self) -> int:
        """The screen's width in cells."""
        return self._machine.width

    @property
    def rows(self) -> int:
        """The screen's height in cells."""
        return self._machine.height

    def row(self, y: int) -> Row:
        """Return row *y* of the screen; a blank one outside of it."""
        page = self._machine.blitter.main_page
        if not 0 <= y < page.height:
            return cells.BLANK
        known, generation, row = self._packed.get(y, (None, 0, cells.BLANK))
        if known is page and max(page.page_gen, page.row_gen[y]) < generation:
            return row
        row = self._packer.row(page.line(y))
        self._packed[y] = (page, page.observe(), row)
        return row

    def changed_rows(self) -> list[int]:
        """Return the rows of the screen that have changed since the last call."""
        page = self._machine.blitter.main_page
        seen, generation = self._seen
        changed = list(page.dirty_rows(generation)) if seen is page else list(range(page.height))
        self._seen = (page, page.observe())
        return changed

    @property
    def cursor(self) -> tuple[int, int] | None:
        """The cursor's (column, row), or None while it is hidden."""
        cursor: tuple[int, int] | None = self._machine.display.cursor
        return cursor

    @property
    def cursor_shape(self) -> str:
        """`block`, `underline` or `bar`."""
        return str(self._machine.cursor.shape)

    @property
    def reversed(self) -> bool:
        """Whether the whole screen is in reverse video."""
        return bool(self._machine.flags.reverse_screen)

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown, which has no scrollback."""
        return bool(self._machine.blitter.in_alt_screen)

    @property
    def updating(self) -> bool:
        """Whether the child is in the middle of a frame (mode 2026)."""
        return bool(self._machine.flags.synchronized_output)

    def resize(self, columns: int, rows: int) -> None:
        """Give the screen another size. Lines are wrapped anew, no line above the cursor is lost.

        Raises ValueError for a size without a cell.
        """
        machine = self._machine
        if (columns, rows) == (machine.width, machine.height):
            return
        if columns < 1 or rows < 1:
            raise ValueError(f"a screen of {columns} by {rows} cells")
        before = machine.width
        self._make_room(rows)
        self.history.columns = columns
        machine.fit(columns, rows)
        # bittty forgets the tab stops beyond the narrowest width there ever was.
        machine.cursor.tab_stops |= set(range(before - before % 8, columns, 8)) - {0}
        self._seen = (None, -1)
        self._packed.clear()

    def _make_room(self, rows: int) -> None:
        """Scroll the primary screen up as far as its cursor would be below the new last row."""
        machine, page = self._machine, self._machine.blitter.primary_page
        saved = machine.cursor.saved[False] if machine.blitter.in_alt_screen else None
        excess = (machine.cursor.y if saved is None else saved.y) + 1 - rows
        if excess <= 0:
            return
        self._to_history(excess)
        page.scroll_region_up(0, page.height - 1, excess)
        if saved is None:
            machine.cursor.set_position(None, machine.cursor.y - excess)
        else:
            machine.cursor.saved[False] = replace(saved, y=saved.y - excess, wrap_pending=False)

    def set_colors(
        self, foreground: tuple[int, int, int], background: tuple[int, int, int]
    ) -> None:
        """Say which colours the screen has, for programs that ask whether it is dark."""
        palette = self._machine.palette
        palette.foreground = palette.cursor = foreground
        palette.background = background
