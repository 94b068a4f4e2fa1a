"""ASCII for the signs of this program and of Textual, for terminals that have no others. Pure.

Each is as wide as what it stands for, so that nothing moves. Letters stay, as far as the terminal's
encoding has them.
"""

from __future__ import annotations

from functools import lru_cache

from .fitting import width_of

_SIGNS = {
    "●": "@", "○": "o", "◐": "%", "✗": "x", "✓": "*", "…": "~", "·": ".", "•": "*", "▪": "*",
    "▸": "+", "▾": "-", "▶": ">", "▼": "v", "▲": "^", "■": "#", "→": ">", "←": "<", "↑": "^",
    "↓": "v", "⏎": "<", "⌫": "<", "–": "-", "—": "-", "−": "-", "×": "x", "µ": "u", "\xa0": " ",
    "‘": "'", "’": "'", "“": '"', "”": '"', "◦": "o", "⭘": "o", "└": "`", "�": "?", "🔎": "> ",
    "‹": "<", "›": ">",
}  # fmt: skip
_LINES, _BLOCKS, _BRAILLE = range(0x2500, 0x2580), range(0x2580, 0x25A0), range(0x2800, 0x2900)
"""Unicode's blocks "Box Drawing", "Block Elements", "Braille Patterns"."""
_UP, _DOWN, _THICK = "│┃╎╏┆┇┊┋║╵╷╹╻╽╿", "─╌┄┈╴╶", "━═╍┅┉╸╺╼╾"
_BLOCK_SIGNS = {
    "▀": "-", "▔": "-", "▁": "_", "▂": " ", "▃": " ", "▄": "_", "▅": " ", "▆": " ", "▇": " ",
    "█": "#", "▉": "#", "▊": "|", "▋": "|", "▌": "|", "▍": "|", "▎": "|", "▏": "|", "▐": "|",
    "▕": "|", "░": ":", "▒": "%", "▓": "#",
}  # fmt: skip
_HEIGHTS = " .:|#"
"""What stands for a cell of a graph, by the dots of its higher half."""
_LEFT_DOTS = 0x47
"""The bits of the left half of a braille cell."""


@lru_cache(4096)
def _sign(char: str, encoding: str) -> str:
    code = ord(char)
    if char in _SIGNS:
        return _SIGNS[char]
    if code in _LINES:
        return "|" if char in _UP else "-" if char in _DOWN else "=" if char in _THICK else "+"
    if code in _BLOCKS:
        return _BLOCK_SIGNS.get(char, "+")
    if code in _BRAILLE:
        left = (code & _LEFT_DOTS).bit_count()
        return _HEIGHTS[max(left, (code & 0xFF).bit_count() - left)]
    try:
        char.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "?" * width_of(char)
    return char


def in_ascii(text: str, encoding: str) -> str:
    """Return *text* with ASCII for its signs, and ? for what *encoding* has no letter for."""
    if text.isascii():
        return text
    return "".join(char if char < "\x80" else _sign(char, encoding) for char in text)
