"""Every key binding as plain data: its id, its keys unless settings name others, what it does.

Users rebind by these ids, docs/keys.md prints them, and tests hold them against the BINDINGS that
the UI is made of. Textual takes unknown ids, keys that do not exist and clashes without a word
(`App.set_keymap`), so all of that is checked here, and without importing it: settings are read on
the way of `list` and `run`, too.
"""

from __future__ import annotations

from ..core.text import suggestion
from ..core.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVERYWHERE, ENVIRONMENTS, MOUNTS, PROCESSES, JOBS, TERMINAL, DIALOG = (
    "everywhere", "environments", "mounts", "processes", "jobs", "terminal", "dialog",
)  # fmt: skip
"""Where a binding holds. Everywhere is everywhere but in a terminal and in a dialog."""

_APART = (TERMINAL, DIALOG)
"""Places that have all keys to themselves."""


class KeyBinding(Value):
    """One binding: `keys` are Textual's names of its default keys."""

    id: str
    keys: tuple[str, ...]
    place: str
    does: str


BINDINGS = (
    KeyBinding("app.help", ("question_mark",), EVERYWHERE, "show the keys of the focused pane"),
    KeyBinding("app.palette", ("colon", "ctrl+p"), EVERYWHERE, "command palette"),
    KeyBinding("app.quit", ("q",), EVERYWHERE, "quit; asks when something still runs"),
    KeyBinding("pane.1", ("1",), EVERYWHERE, "overview"),
    KeyBinding("pane.2", ("2",), EVERYWHERE, "mounts"),
    KeyBinding("pane.3", ("3",), EVERYWHERE, "processes"),
    KeyBinding("pane.4", ("4",), EVERYWHERE, "jobs"),
    KeyBinding("tab.previous", ("left_square_bracket",), EVERYWHERE, "previous tab"),
    KeyBinding("tab.next", ("right_square_bracket",), EVERYWHERE, "next tab"),
    KeyBinding("row.copy", ("y",), EVERYWHERE, "copy the row or command"),
    KeyBinding("environments.filter", ("slash",), EVERYWHERE, "filter as you type; Esc clears"),
    KeyBinding(
        "environments.toggle", ("o",), ENVIRONMENTS, "on / off, the highlighted or the marked ones"
    ),
    KeyBinding("environments.mark", ("space",), ENVIRONMENTS, "mark"),
    KeyBinding("details.open", ("enter",), ENVIRONMENTS, "details"),
    KeyBinding("environments.shell", ("s",), EVERYWHERE, "shell in a panel"),
    KeyBinding("environments.shell_full", ("S",), EVERYWHERE, "shell on the whole screen"),
    KeyBinding("environments.run", ("r",), EVERYWHERE, "run a command"),
    KeyBinding("environments.binds", ("b",), EVERYWHERE, "edit binds"),
    KeyBinding("environments.create", ("n",), EVERYWHERE, "new chroot"),
    KeyBinding("environments.delete", ("d",), EVERYWHERE, "delete; wants the name typed"),
    KeyBinding("processes.term", ("t",), PROCESSES, "TERM, after asking"),
    KeyBinding("processes.kill", ("K",), PROCESSES, "KILL, after asking"),
    KeyBinding("terminal.leave", ("ctrl+right_square_bracket",), TERMINAL, "leave the terminal"),
    KeyBinding("terminal.page_up", ("shift+pageup",), TERMINAL, "scroll up"),
    KeyBinding("terminal.page_down", ("shift+pagedown",), TERMINAL, "scroll down"),
)  # fmt: skip

IDS = tuple(binding.id for binding in BINDINGS)

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
    `shift+` before it. Refused are those that do not reach a program everywhere (interface.md).
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


def clashes(changed: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str, str]]:
    """Return (id, key, id of the other) for each key that *changed* bindings share with others.

    *changed* has the new keys by id. Two bindings clash where they hold in the same place, or one
    of them everywhere. Each pair is told once, at the later of two that were changed.
    """
    found = []
    for index, binding in enumerate(BINDINGS):
        for other in BINDINGS[:index]:
            if not _meet(binding.place, other.place):
                continue
            for key in changed.get(binding.id, binding.keys):
                if key in changed.get(other.id, other.keys):
                    one, two = (binding, other) if binding.id in changed else (other, binding)
                    found.append((one.id, key, two.id))
    return found


def _meet(one: str, other: str) -> bool:
    if one == other:
        return True
    return EVERYWHERE in (one, other) and one not in _APART and other not in _APART


def textual_keymap(changed: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """Return what `App.set_keymap` wants for `Settings.keys`."""
    return {ident: ",".join(keys) for ident, keys in changed}


def shown(key: str) -> str:
    """Return a key as people write it: `/` for `slash`, `ctrl+]` …"""
    modifiers, plus, last = key.rpartition("+")
    sign = next((sign for sign, name in _SIGNS.items() if name == last), last)
    return modifiers + plus + (last if sign == " " else sign)
