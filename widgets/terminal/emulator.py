"""The terminal emulator: our own small interface over bittty. Knows no Textual and no process.

Bytes of a child go in, rows, a cursor and replies come out; keys, mouse and pastes go in, bytes for
the child come out. What the child writes is hostile: it can neither resize the screen, nor make the
terminal type what it chose, nor grow memory without bound, nor raise anything here.

Importing this module loads bittty, which takes an eighth of a second: do it in a thread.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from bittty import Board, KeyEvent, KeyModifiers, Model, Operation, TerminalCaps
from bittty import mode_profiles as mode
from bittty import present as events
from bittty.constants import ERASE_ALL
from bittty.options import EDITING
from bittty.style import Color, Style
from bittty.video import Line

from ...core.text import safe
from . import cells
from .cells import Row
from .scrollback import Scrollback

_MODES = frozenset(
    {
        mode.ANSI_INSERT,
        mode.ANSI_NEWLINE,
        mode.DEC_AUTOWRAP,
        mode.DEC_CURSOR_APPLICATION,
        mode.DEC_CURSOR_VISIBLE,
        mode.DEC_LEFT_RIGHT_MARGINS,
        mode.DEC_NUMERIC_KEYPAD,
        mode.DEC_ORIGIN,
        mode.DEC_REVERSE_SCREEN,
        mode.UNICODE_GRAPHEME_CLUSTERING,
        mode.XTERM_ALT_ESCAPE,
        mode.XTERM_ALT_SCREEN_1047,
        mode.XTERM_ALT_SCREEN_1049,
        mode.XTERM_ALT_SCREEN_47,
        mode.XTERM_BRACKETED_PASTE,
        mode.XTERM_CURSOR_BLINK,
        mode.XTERM_FOCUS,
        mode.XTERM_META_ESCAPE,
        mode.XTERM_MOUSE_ANY,
        mode.XTERM_MOUSE_BUTTON,
        mode.XTERM_MOUSE_NORMAL,
        mode.XTERM_MOUSE_SGR,
        mode.XTERM_MOUSE_UTF8,
        mode.XTERM_MOUSE_X10,
        mode.XTERM_REVERSE_WRAP,
        mode.XTERM_SAVE_CURSOR_1048,
        mode.XTERM_SYNC_OUTPUT,
        mode.URXVT_MOUSE,
    }
)
"""The modes a child may set. Not among them: VT52, 132 columns, local echo, a locked keyboard."""

_MODEL = Model(
    name="xterm",
    terminfo="xterm-256color",
    da1_response="\033[?62;1;6;22c",
    da2_response="\033[>1;10;0c",
    mode_capabilities=_MODES,
    control_capabilities=EDITING,
    power_on_modes=frozenset({1036, 1039}),  # Alt and Meta send ESC
    reflows=True,
)

_IGNORED = (
    *("OSC_CLIPBOARD", "OSC_CWD", "OSC_FONT", "OSC_HYPERLINK", "OSC_NOTIFY", "OSC_POINTER_SHAPE"),
    *("C0_ENQ", "DECRQCRA", "DECSCPP", "LINUX_PALETTE_SET", "LINUX_SETTERM"),
    *("DECCARA", "DECCRA", "DECERA", "DECFRA", "DECRARA", "DECSERA"),
)
"""What would reach the user, type what the child chose, resize, or cost far more than its bytes."""

_HARMLESS_WINDOW_REQUESTS = (14, 16, 18, 19, 22, 23)
"""XTWINOPS: sizes are reported, titles pushed and popped; nothing is moved, resized or quoted."""

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

_WORTH_IT = 8
"""Lines beyond a screenful from which on skipping them pays."""
_BYTE = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_RGB = f"{_BYTE};{_BYTE};{_BYTE}"
_DIRECT_COLOR = re.compile(rf"\x1b\[([34])8;2;{_RGB}(?:;48;2;{_RGB})?m")
_PLAIN_LINES = re.compile(r"(?:[ -~]*\r\n)+")
_STYLE, _CHARACTER = itemgetter(0), itemgetter(1)
_MOST_STYLES = 4096
_PASTE_END = "\x1b[201~"
_NOT_PASTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LONGEST_TITLE = 200

_MODIFIERS = {
    "shift": KeyModifiers.SHIFT,
    "alt": KeyModifiers.ALT,
    "ctrl": KeyModifiers.CTRL,
    "meta": KeyModifiers.META,
    "super": KeyModifiers.NONE,
    "hyper": KeyModifiers.NONE,
}

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


class _Board(Board):
    """bittty's machine, whose size only its owner sets."""

    def resize(self, width: int, height: int) -> None:
        """Ignore what the child asks for."""

    def fit(self, width: int, height: int) -> None:
        """Take the size of the widget."""
        super().resize(width, height)


class _Line:
    """The cable to the child: keeps what bittty sends until it is asked for."""

    closed = False

    def __init__(self) -> None:
        self.sent = bytearray()

    async def read_bytes_async(self, size: int) -> bytes:
        return b""

    def configure_line(self, line: object) -> None:
        """There is no modem."""

    def close(self) -> None:
        """Nothing to let go."""

    def write(self, data: str) -> int:
        self.sent += data.encode("utf-8", "replace")
        return len(data)

    def write_bytes(self, data: bytes) -> int:
        self.sent += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def resize(self, rows: int, cols: int) -> None:
        """The pty is resized by its owner."""

    def take(self) -> bytes:
        sent = bytes(self.sent)
        self.sent.clear()
        return sent


class _DirectColors(dict[str, Any]):
    """bittty's memory of parsed sequences, which does not learn 24-bit colours.

    There are 16 million of them. In a flood of colours each one would take a place in five caches
    of 10,000, only to be forgotten, and the garbage collector would walk them all.
    """

    def __init__(self, apply: Callable[[Any], None]) -> None:
        super().__init__()
        self._apply = apply

    def get(self, raw: str, default: Any = None) -> Any:
        """Return the handler and operation for a sequence, if known or a direct colour."""
        entry = super().get(raw)
        if entry is not None or raw[2:7] not in ("38;2;", "48;2;"):
            return entry
        match = _DIRECT_COLOR.fullmatch(raw)
        if match is None:
            return default
        ground, *first = match.groups()[:4]
        second = match.groups()[4:]
        colors = {ground: Color("rgb", tuple(map(int, first)))}  # type: ignore[arg-type]
        if second[0] is not None:
            colors["4"] = Color("rgb", tuple(map(int, second)))  # type: ignore[arg-type]
        style = Style(fg=colors.get("3"), bg=colors.get("4"))
        return self._apply, Operation("SGR", (style, False))


class Emulator:
    """A screen of `columns` by `rows` and its scrollback, fed with the bytes of a child."""

    def __init__(self, columns: int = 80, rows: int = 24, *, scrollback: int = 10_000) -> None:
        self.history = Scrollback(scrollback, columns)
        self.title = ""
        self.keeps_scrollback = True
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._line = _Line()
        # By identity: to hash a style of bittty's costs more than all else. The style is kept, so
        # that no other one can take its place in memory.
        self._codes: dict[int, tuple[Style, int]] = {}
        self._board = _Board(width=columns, height=rows, model=_MODEL)
        self._board.attach_display(self)
        self._board.host.attach(self._line)
        self._modes: Any = self._board.modes  # bittty sets its attributes from a table
        self._switch_screen = self._board.blitter.switch_screen
        self._board.blitter.switch_screen = self._on_switch_screen  # type: ignore[method-assign]
        self._window_request = self._board.registry["XTWINOPS"]
        self._board.registry["XTWINOPS"] = self._on_window_request
        self._board.parser._csi_memo = _DirectColors(self._board.registry["SGR"])
        for name in _IGNORED:
            self._board.registry.pop(name, None)
        self._seen: tuple[object, int] = (None, -1)
        self._packed: dict[int, tuple[object, int, Row]] = {}
        self._board.set_caps(TerminalCaps(grapheme_mode="permanently-set", color_depth="truecolor"))

    # --- the child's output --- #

    def feed(self, data: bytes) -> bytes:
        """Take output of the child; return what the terminal answers."""
        text = self._decode(data)
        if "\x1b" in text or "\x9b" in text:
            text = _LONG_PARAMETERS.sub(r"\1", text)
        parser = self._board.parser
        try:
            parser.feed(self._skip_plain(text))
        except Exception:
            # Random bytes reach corners where bittty raises. What it was at is dropped.
            parser.reset()
        if len(parser.buffer) > _LONGEST_SEQUENCE:
            self._shorten_sequence()
        return self._replies()

    def _shorten_sequence(self) -> None:
        """Forget the content of a string that does not end; keep that we are inside of it."""
        parser = self._board.parser
        if parser.mode in (None, "csi"):
            parser.reset()
        else:
            parser.buffer = parser.buffer[:2] + parser.buffer[-1]

    def _replies(self) -> bytes:
        if not self._line.sent:
            return b""
        text = self._line.take().decode("utf-8", "replace")
        text = _REFUSED_STATUS.sub("\x1bP0$r\x1b\\\\", text)
        return "".join(_REPLY.findall(text)).encode()

    def _skip_plain(self, text: str) -> str:
        """Put lines that would scroll by unseen straight into the scrollback; return the rest.

        In a flood of plain lines the last screenful is all that anybody can see of a chunk, and
        building cells for the others takes nine tenths of the time.
        """
        board = self._board
        rows = board.height
        if text.count("\r\n") < rows + _WORTH_IT or not self._is_plain():
            return text
        start = text.index("\r\n") + 2
        board.parser.feed(text[:start])
        for _ in range(board.cursor.y, rows - 1):  # so far that the screen scrolls
            end = text.find("\r\n", start) + 2
            board.parser.feed(text[start:end])
            start = end
        match = _PLAIN_LINES.match(text, start)
        if match is None or not (self._is_plain() and self._is_at_new_line()):
            return text[start:]
        lines = text[start : match.end()].split("\r\n")[:-1]
        if len(lines) <= rows:
            return text[start:]
        kept = lines[-rows:]
        style = self._code(board.style.current)
        self._to_history(rows - 1)
        self._lines_to_history(lines[:-rows], style)
        # Now the screen shows rows that are in the scrollback already: clear it, then go on.
        board.blitter.primary_page.scroll_region_up(0, rows - 1, rows)
        board.cursor.set_position(0, 0)
        return "\r\n".join(kept) + "\r\n" + text[match.end() :]

    def _is_plain(self) -> bool:
        """Whether printable ASCII and line ends do now what they do on a typewriter."""
        board, blitter, charset = self._board, self._board.blitter, self._board.charset
        return (
            board.parser.mode is None
            and not board.parser.buffer
            and not blitter.in_alt_screen
            and blitter.scroll_top == 0
            and blitter.scroll_bottom == board.height - 1
            and blitter.left_margin == 0
            and blitter.right_margin == board.width - 1
            and self._modes.auto_wrap
            and not self._modes.insert_mode
            and not self._modes.origin_mode
            and charset.single_shift is None
            and charset.charset_array[charset.current_charset] == "B"
            and board.style.current.bg is None
        )

    def _is_at_new_line(self) -> bool:
        """Whether the cursor stands at the start of the last row, and that row is empty."""
        board = self._board
        last = board.height - 1
        return (
            board.cursor.y == last
            and board.cursor.x == 0
            and not any(character != " " for _, character in board.blitter.primary_page.grid[last])
        )

    def _lines_to_history(self, lines: list[str], style: int) -> None:
        columns = self._board.width
        take = self.history.append
        for line in lines:
            while len(line) > columns:
                take(_plain_row(line[:columns], style, True))
                line = line[columns:]
            take(_plain_row(line, style, False))

    def _to_history(self, count: int) -> None:
        page = self._board.blitter.primary_page
        self.history.extend(self._pack(page.line(y)) for y in range(count))

    def _pack(self, line: Line) -> Row:
        ids = list(map(id, map(_STYLE, line.cells)))
        codes = self._codes
        if len(codes) > _MOST_STYLES:
            codes.clear()
        for key in set(ids).difference(codes):
            style = line.cells[ids.index(key)][0]
            codes[key] = (style, self._code(style))
        characters = list(map(_CHARACTER, line.cells))
        styles = [(len(list(run)), codes[key][1]) for key, run in groupby(ids)]
        return cells.pack(characters, styles, line.wrapped)

    # --- what bittty tells (its Presentable protocol) --- #

    def present(self, event: object) -> None:
        """Take an event of bittty's. Bells, clipboard and notifications go nowhere."""
        kind = type(event)
        if kind is events.RowsScrolledOff:
            for line in event.lines:  # type: ignore[attr-defined]
                self.history.append(self._pack(line))
        elif kind is events.ScrollbackCleared:
            self.history.clear()
        elif kind is events.TitleChanged:
            self.title = safe(event.title[:_LONGEST_TITLE])  # type: ignore[attr-defined]

    def _on_window_request(self, operation: Any) -> None:
        parameters = operation.args[0]
        if parameters and parameters[0] in _HARMLESS_WINDOW_REQUESTS:
            self._window_request(operation)

    def _on_switch_screen(self, alt: bool) -> None:
        """Clear the alternate screen when it is entered (mode 1049), which bittty does not."""
        blitter = self._board.blitter
        if alt and not blitter.in_alt_screen:
            for y in range(blitter.height):
                blitter.alt_page.clear_line(y, ERASE_ALL)
        self._switch_screen(alt)

    # --- the screen --- #

    @property
    def columns(self) -> int:
        """The screen's width in cells."""
        return self._board.width

    @property
    def rows(self) -> int:
        """The screen's height in cells."""
        return self._board.height

    def row(self, y: int) -> Row:
        """Return row *y* of the screen; a blank one outside of it."""
        page = self._board.blitter.main_page
        if not 0 <= y < page.height:
            return cells.BLANK
        known, generation, row = self._packed.get(y, (None, 0, cells.BLANK))
        if known is page and max(page.page_gen, page.row_gen[y]) < generation:
            return row
        row = self._pack(page.line(y))
        self._packed[y] = (page, page.observe(), row)
        return row

    def changed_rows(self) -> list[int]:
        """Return the rows of the screen that have changed since the last call."""
        page = self._board.blitter.main_page
        seen, generation = self._seen
        changed = list(page.dirty_rows(generation)) if seen is page else list(range(page.height))
        self._seen = (page, page.observe())
        return changed

    @property
    def cursor(self) -> tuple[int, int] | None:
        """The cursor's (column, row), or None while it is hidden."""
        cursor: tuple[int, int] | None = self._board.display.cursor
        return cursor

    @property
    def cursor_shape(self) -> str:
        """`block`, `underline` or `bar`."""
        return str(self._board.cursor.shape)

    @property
    def reversed(self) -> bool:
        """Whether the whole screen is in reverse video."""
        return bool(self._modes.reverse_screen)

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown, which has no scrollback."""
        return bool(self._board.blitter.in_alt_screen)

    @property
    def updating(self) -> bool:
        """Whether the child is in the middle of a frame (mode 2026)."""
        return bool(self._modes.synchronized_output)

    def resize(self, columns: int, rows: int) -> None:
        """Give the screen another size. Lines are wrapped anew, no line above the cursor is lost.

        Raises ValueError for a size without a cell.
        """
        board = self._board
        if (columns, rows) == (board.width, board.height):
            return
        if columns < 1 or rows < 1:
            raise ValueError(f"a screen of {columns} by {rows} cells")
        before = board.width
        self._make_room(rows)
        self.history.columns = columns
        board.fit(columns, rows)
        # bittty forgets the tab stops beyond the narrowest width there ever was.
        board.cursor.tab_stops |= set(range(before - before % 8, columns, 8)) - {0}
        self._seen = (None, -1)
        self._packed.clear()

    def _make_room(self, rows: int) -> None:
        """Scroll the primary screen up as far as its cursor would be below the new last row."""
        board, page = self._board, self._board.blitter.primary_page
        saved = board.cursor.saved[False] if board.blitter.in_alt_screen else None
        excess = (board.cursor.y if saved is None else saved.y) + 1 - rows
        if excess <= 0:
            return
        self._to_history(excess)
        page.scroll_region_up(0, page.height - 1, excess)
        if saved is None:
            board.cursor.set_position(None, board.cursor.y - excess)
        else:
            board.cursor.saved[False] = replace(saved, y=saved.y - excess, wrap_pending=False)

    def set_colors(
        self, foreground: tuple[int, int, int], background: tuple[int, int, int]
    ) -> None:
        """Say which colours the screen has, for programs that ask whether it is dark."""
        palette = self._board.palette
        palette.foreground = palette.cursor = foreground
        palette.background = background

    def _code(self, style: Style) -> int:
        flags = 0
        for name, flag in _FLAGS:
            if getattr(style, name):
                flags |= flag
        return cells.pack_style(_color(style.fg), _color(style.bg), flags)

    # --- the user's input --- #

    @property
    def mouse(self) -> str:
        """What the child wants to know of the mouse: `off`, `basic`, `button` (drag) or `any`."""
        return str(self._board.mouse.capture())

    def key(self, name: str, character: str | None = None) -> bytes:
        """Encode a key as the child expects it now.

        *name* as Textual has it (`ctrl+a`, `shift+tab`, `f5`, `left`), *character* what it types.
        A key without an encoding gives nothing.
        """
        *words, base = name.split("+")
        modifiers = KeyModifiers.NONE
        for word in words:
            modifiers |= _MODIFIERS.get(word, KeyModifiers.NONE)
        if character and (not modifiers & (KeyModifiers.ALT | KeyModifiers.META)):
            if ord(character[0]) >= 0x20 and character != "\x7f":
                return character.encode("utf-8", "replace")
            if not modifiers or base not in ("tab", "enter", "backspace", "escape"):
                return character.encode()
        if character and len(character) == 1 and character.isprintable():
            base, modifiers = character, modifiers & ~KeyModifiers.SHIFT
        self._board.input_key_event(KeyEvent(_KEYS.get(base, base), modifiers))
        return self._line.take()

    def paste(self, text: str) -> bytes:
        """Encode a paste. It can neither end the bracket around it nor hold a control character."""
        while _PASTE_END in text:
            text = text.replace(_PASTE_END, "")
        text = text.replace("\r\n", "\r").replace("\n", "\r")
        pasted = _NOT_PASTED.sub("", text).encode("utf-8", "replace")
        if self._modes.bracketed_paste:
            return b"\x1b[200~" + pasted + b"\x1b[201~"
        return pasted

    def send_mouse(
        self, x: int, y: int, button: int, kind: str, modifiers: frozenset[str] = frozenset()
    ) -> bytes:
        """Encode a mouse event.

        *x* and *y* count cells from 0, *button* 0 left, 1 middle, 2 right, 64 wheel up, 65 wheel
        down; *kind* is `press`, `release` or `move`; *modifiers* of `shift`, `meta`, `ctrl`.
        """
        x = min(max(x, 0), self.columns - 1) + 1
        y = min(max(y, 0), self.rows - 1) + 1
        self._board.input_mouse(x, y, button, kind, set(modifiers))
        return self._line.take()

    def focus(self, focused: bool) -> bytes:
        """Tell the child, if it asked, that the terminal got or lost the focus."""
        self._board.set_focus(focused)
        return self._line.take()


_KEYS = {
    "space": " ",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "backslash": "\\",
    "circumflex_accent": "^",
    "underscore": "_",
    "at": "@",
}
"""Textual's names that bittty does not know."""


def _color(color: Color | None) -> int:
    if color is None or color.value is None:
        return 0
    if color.mode == "indexed":
        return 1 + int(color.value)  # type: ignore[arg-type]
    red, green, blue = color.value  # type: ignore[misc]
    return cells.RGB | red << 16 | green << 8 | blue


def _plain_row(text: str, style: int, wrapped: bool) -> Row:
    if not style:
        return text if wrapped else text.rstrip(" "), b"", b"", wrapped
    return cells.pack(text, [(len(text), style)], wrapped)
