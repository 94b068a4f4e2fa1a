"""Text that wants to do harm, and what really stands on the screen."""

from __future__ import annotations

import re

from textual.app import App

HOSTILE = [
    "srv[/x]",
    "[@click=app.quit]x[/]",
    "[bold red]x",
    "\x1b]0;owned\x07\x1b[2Jx",
    "\x9b31mx\x90q",
    "one\ntwo\r\nthree\ttab",
    "日本語の名前 👩‍👩‍👧 x",
    "\u202egnp.exe\u2066\u200b\ufeff",
    "\udcff\udc80 bytes",
    "a\x00b\x7f",
    "x" * 500,
    " ",
]


def screen_lines(app: App[object] | App[None]) -> list[str]:
    """What stands on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def screen_text(app: App[object] | App[None]) -> str:
    """What stands on the screen, with a newline after each line."""
    return "\n".join(screen_lines(app))


def unbroken(text: str) -> str:
    """The words of *text* in one line, without the frames between the lines."""
    return " ".join(re.sub("[\u2500-\u257f]", " ", text).split())


def stray_controls(app: App[object] | App[None]) -> list[str]:
    """Characters on the screen that no terminal shows as a sign of its own."""
    hidden = (range(0x20), range(0x7F, 0xA0), range(0x202A, 0x202F), range(0x2066, 0x206A),
              range(0xD800, 0xE000), (0x200B, 0xFEFF))  # fmt: skip
    return [
        repr(character)
        for line in screen_lines(app)
        for character in line
        if any(ord(character) in codes for codes in hidden)
    ]
