"""bittty's machine, with all switched off that a hostile child must not reach.

It can neither be resized by the child, nor quote what the child chose, nor reach the user's
clipboard, nor learn without bound. What it sends is kept until it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bittty import Board, Model, Operation, TerminalCaps
from bittty import mode_profiles as mode
from bittty.constants import ERASE_ALL
from bittty.options import EDITING
from bittty.style import Color, Style

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

_BYTE = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_RGB = f"{_BYTE};{_BYTE};{_BYTE}"
_DIRECT_COLOR = re.compile(rf"\x1b\[([34])8;2;{_RGB}(?:;48;2;{_RGB})?m")


class Machine(Board):
    """A screen of *columns* by *rows*; what happens on it is told to *display*."""

    def __init__(self, columns: int, rows: int, display: object) -> None:
        super().__init__(width=columns, height=rows, model=_MODEL)
        self.cable = Cable()
        """What the child is sent."""
        self.flags: Any = self.modes  # bittty sets its attributes from a table
        """The modes, each by its name."""
        self.attach_display(display)
        self.host.attach(self.cable)
        self._switch_screen = self.blitter.switch_screen
        self.blitter.switch_screen = self._on_switch_screen  # type: ignore[method-assign]
        self._window_request = self.registry["XTWINOPS"]
        self.registry["XTWINOPS"] = self._on_window_request
        memory = _DirectColors(self.registry["SGR"])
        self.parser._csi_memo = memory  # noqa: SLF001 (there is no other way in)
        for name in _IGNORED:
            self.registry.pop(name, None)
        self.set_caps(TerminalCaps(grapheme_mode="permanently-set", color_depth="truecolor"))

    def resize(self, width: int, height: int) -> None:
        """Ignore what the child asks for."""

    def fit(self, width: int, height: int) -> None:
        """Take the size of the widget."""
        super().resize(width, height)

    def _on_window_request(self, operation: Any) -> None:
        parameters = operation.args[0]
        if parameters and parameters[0] in _HARMLESS_WINDOW_REQUESTS:
            self._window_request(operation)

    def _on_switch_screen(self, alt: bool) -> None:
        """Clear the alternate screen when it is entered (mode 1049), which bittty does not."""
        blitter = self.blitter
        if alt and not blitter.in_alt_screen:
            for y in range(blitter.height):
                blitter.alt_page.clear_line(y, ERASE_ALL)
        self._switch_screen(alt)


class Cable:
    """The cable to the child: keeps what bittty sends until it is asked for."""

    closed = False

    def __init__(self) -> None:
        self.sent = bytearray()

    async def read_bytes_async(self, size: int) -> bytes:
        """Nothing comes this way: the owner feeds."""
        return b""

    def configure_line(self, line: object) -> None:
        """There is no modem."""

    def close(self) -> None:
        """Nothing to let go."""

    def write(self, data: str) -> int:
        """Keep text."""
        self.sent += data.encode("utf-8", "replace")
        return len(data)

    def write_bytes(self, data: bytes) -> int:
        """Keep bytes."""
        self.sent += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def resize(self, rows: int, cols: int) -> None:
        """The pty is resized by its owner."""

    def take(self) -> bytes:
        """Return what was kept, and forget it."""
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
