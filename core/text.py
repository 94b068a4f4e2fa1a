"""Making foreign text safe to show, and numbers readable. Pure.

What a chroot contains is hostile: names of files, commands of processes, lines of its
configuration. Escape sequences in them reach the real terminal if nobody stops them, bidi and
zero-width characters make one name look like another.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_HIDDEN = frozenset(
    [
        *range(0x20),  # C0: ESC, BEL, newline, tab …
        *range(0x7F, 0xA0),  # DEL and C1: 8-bit CSI, OSC
        0x00AD,  # soft hyphen
        0x034F,  # combining grapheme joiner
        0x061C,  # Arabic letter mark
        0x115F, 0x1160,  # Hangul fillers
        0x17B4, 0x17B5,
        0x180E,
        *range(0x200B, 0x2010),  # zero-width, left-to-right and right-to-left marks
        *range(0x2028, 0x202F),  # line and paragraph separators, bidi embeddings and overrides
        *range(0x2060, 0x2070),  # word joiner, invisible operators, bidi isolates
        0x3164,
        *range(0xFE00, 0xFE10),  # variation selectors change the width of what stands before
        0xFEFF,
        0xFFA0,
        *range(0xFFF9, 0xFFFC),
    ]
)  # fmt: skip


_NEAR = 0.65
"""One letter of three may be wrong, not two of five: difflib's own 0.6 finds lucid near uideb."""


def _is_hidden(code: int) -> bool:
    is_surrogate = 0xD800 <= code < 0xE000  # a byte that was not UTF-8
    return code in _HIDDEN or is_surrogate or 0xE0000 <= code <= 0xE0FFF


def _shown(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: the byte that stood there
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        named = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\x1b": "\\e"}
        return named.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}"


def safe(text: str) -> str:
    """Return *text* with everything that is no visible character written out (`\\e`, `\\x9b`).

    One line, no control, escape, bidi or zero-width character, no lone surrogate: fit for a
    terminal, an error message, a table cell.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(c) if _is_hidden(ord(c)) else c for c in text)


def size(count: float) -> str:
    """Return a number of bytes in at most five characters: `812`, `9.8K`, `206M`, `1.4G`."""
    if count < 1000:
        return f"{count:.0f}"
    for unit in "KMGTPE":
        count /= 1024
        if count < 9.95:
            return f"{count:.1f}{unit}"
        if count < 999.5:
            return f"{count:.0f}{unit}"
    return f"{count:.0f}E"


def processes(count: int) -> str:
    """Return how many processes, in words."""
    return "1 process" if count == 1 else f"{count} processes"


def duration(seconds: float) -> str:
    """Return a span of time with its two largest units at most: `8s`, `3m 20s`, `2d 4h`."""
    left = int(seconds)
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count}{unit}")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if not part.startswith("0")) or "0s"


def ago(seconds: float) -> str:
    """Return how long ago it was, with the largest unit alone: `9m ago`, `just now`."""
    return f"{duration(seconds).partition(' ')[0]} ago" if seconds >= 60 else "just now"


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the hint for a *word* that is not among *known*: the nearest one, else all of them.

    Empty where nothing is known.
    """
    names = tuple(known)
    return did_you_mean(word, names) or (f"one of: {', '.join(names)}" if names else "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the hint that names the one of *known* nearest to *word*; "" where none is near.

    Letter case does not count.
    """
    from difflib import get_close_matches  # only ever needed to explain an error

    names = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), names, 1, _NEAR)
    return f"did you mean {names[near[0]]!r}?" if near else ""
