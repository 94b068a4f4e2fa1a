"""What the user does, keys, mouse, pastes, as the bytes that a child expects for it now."""

from __future__ import annotations

import re

from bittty import KeyEvent, KeyModifiers

from .bittty_machine import Machine

_PASTE_END = "\x1b[201~"
_NOT_PASTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

_MODIFIERS = {
    "shift": KeyModifiers.SHIFT,
    "alt": KeyModifiers.ALT,
    "ctrl": KeyModifiers.CTRL,
    "meta": KeyModifiers.META,
    "super": KeyModifiers.NONE,
    "hyper": KeyModifiers.NONE,
}

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


class UserInput:
    """Encodes for the child of *machine*."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    @property
    def wanted_mouse(self) -> str:
        """What the child wants to know of the mouse: `off`, `basic`, `button` (drag) or `any`."""
        return str(self._machine.mouse.capture())

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
        self._machine.input_key_event(KeyEvent(_KEYS.get(base, base), modifiers))
        return self._machine.cable.take()

    def paste(self, text: str) -> bytes:
        """Encode a paste. It can neither end the bracket around it nor hold a control character."""
        while _PASTE_END in text:
            text = text.replace(_PASTE_END, "")
        text = text.replace("\r\n", "\r").replace("\n", "\r")
        pasted = _NOT_PASTED.sub("", text).encode("utf-8", "replace")
        if self._machine.flags.bracketed_paste:
            return b"\x1b[200~" + pasted + b"\x1b[201~"
        return pasted

    def mouse_event(
        self, x: int, y: int, button: int, kind: str, modifiers: frozenset[str] = frozenset()
    ) -> bytes:
        """Encode a mouse event.

        *x* and *y* count cells from 0, *button* 0 left, 1 middle, 2 right, 64 wheel up, 65 wheel
        down; *kind* is `press`, `release` or `move`; *modifiers* of `shift`, `meta`, `ctrl`.
        """
        x = min(max(x, 0), self._machine.width - 1) + 1
        y = min(max(y, 0), self._machine.height - 1) + 1
        self._machine.input_mouse(x, y, button, kind, set(modifiers))
        return self._machine.cable.take()

    def focus(self, focused: bool) -> bytes:
        """Tell the child, if it asked, that the terminal got or lost the focus."""
        self._machine.set_focus(focused)
        return self._machine.cable.take()
