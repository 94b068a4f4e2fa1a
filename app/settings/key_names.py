"""The names of keys: what may be bound, under Textual's names, and what may not, and why.

Plain data, since Textual is not loaded where settings are read; a test holds it against what
Textual's parser makes of the bytes that terminals send. Left out are keys that do not reach a
program everywhere (docs/keys.md).
"""

from __future__ import annotations

from ...core.text import suggestion

_SIGNS = {
    "!": "exclamation_mark", '"': "quotation_mark", "#": "number_sign", "$": "dollar_sign",
    "%": "percent_sign", "&": "ampersand", "'": "apostrophe", "(": "left_parenthesis",
    ")": "right_parenthesis", "*": "asterisk", "+": "plus", ",": "comma", "-": "minus",
    ".": "full_stop", "/": "slash", ":": "colon", ";": "semicolon", "<": "less_than_sign",
    "=": "equals_sign", ">": "greater_than_sign", "?": "question_mark", "@": "at",
    "[": "left_square_bracket", "\\": "backslash", "]": "right_square_bracket",
    "^": "circumflex_accent", "_": "underscore", "`": "grave_accent", "{": "left_curly_bracket",
    "|": "vertical_line", "}": "right_curly_bracket", "~": "tilde", " ": "space",
}  # fmt: skip
_MOVES = (
    "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete",
)  # fmt: skip
_FUNCTION_KEYS = ("f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f12")
NAMES = frozenset(
    [
        *_SIGNS.values(), *_MOVES, *_FUNCTION_KEYS, "enter", "backspace",
        *(f"{modifier}+{key}" for modifier in ("ctrl", "shift") for key in _MOVES),
        *(f"ctrl+{letter}" for letter in "defgklnoprtuvwxyz"),
        "ctrl+backslash", "ctrl+right_square_bracket", "ctrl+circumflex_accent", "ctrl+underscore",
    ]
)  # fmt: skip
"""Keys that every terminal tells apart, under Textual's names, but for letters and digits."""

REFUSED = {
    "ctrl+a": "screen takes it",
    "ctrl+b": "tmux takes it",
    "ctrl+s": "it stops the terminal's output",
    "ctrl+q": "it starts the terminal's output",
    "f10": "many terminals take it for their menu",
    "f11": "many terminals take it for the full screen",
    "ctrl+c": "it copies what is selected",
    "ctrl+h": "it comes as backspace",
    "ctrl+i": "it comes as tab",
    "ctrl+j": "many terminals send it for enter",
    "ctrl+m": "it comes as enter",
    "tab": "it goes from pane to pane",
    "shift+tab": "it goes from pane to pane",
    "escape": "it closes and clears",
}
"""Keys that can't be bound, and why: taken by terminals and multiplexers, or ours for good."""


def key_name(key: str) -> tuple[str, str, str]:
    """Return (Textual's name of *key*, "", ""), or ("", what is wrong with it, the hint).

    A key is a character, a name (`slash`, `f5`, `pageup`), or one of these with `ctrl+` or
    `shift+` before it. Refused are those that do not reach a program everywhere (docs/keys.md).
    """
    modifiers, plus, last = key[:-1].rpartition("+")
    last += key[-1:]
    name = modifiers + plus + _SIGNS.get(last, last)
    if not plus and len(last) == 1 and last.isprintable() and name == last:
        if last.isascii() or last.isalnum():
            return last, "", ""
        return "", f"key {key!r}, expected a letter, a digit or an ASCII sign", "write another"
    if name in NAMES:
        return name, "", ""
    return "", *_wrong(key, name)


def _wrong(key: str, name: str) -> tuple[str, str]:
    """Return what is wrong with a *key* that has no good *name*, and the hint."""
    low = name.lower()
    words = low.split("+")
    if low in REFUSED:
        return f"key {key!r} can't be bound: {REFUSED[low]}", "write another key"
    for modifier in ("alt", "meta", "super", "hyper"):
        if modifier in words[:-1]:
            return f"key {key!r} can't be bound: not every terminal sends {modifier}", (
                "write a plain key, or one with ctrl"
            )
    if "ctrl" in words[:-1] and "shift" in words[:-1]:
        return f"key {key!r} can't be bound: few terminals tell ctrl+shift from ctrl", (
            "write a plain key, or one with ctrl"
        )
    if words[:-1] == ["shift"] and len(words[1]) == 1:
        return f"key {key!r} is no key", f"write {words[1].upper()!r}"
    return f"key {key!r} is no key", suggestion(low, sorted(NAMES)) if key else "write a key"


def shown(key: str) -> str:
    """Return a key as people write it: `/` for `slash`, `ctrl+]` …"""
    modifiers, plus, last = key.rpartition("+")
    sign = next((sign for sign, name in _SIGNS.items() if name == last), last)
    return modifiers + plus + (last if sign == " " else sign)
