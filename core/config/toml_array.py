"""The words of an array in a TOML text changed, and nothing else of it: no comment is lost.

tomlkit drops the comment of an item that goes. Pure; the words hold no comma and no `#`.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .toml_places import Place

_BLANK = " \t"
_REST = re.compile(r"[ \t]*(?P<comma>,?)[ \t]*(?:#[^\n]*)?\r?\n")
"""What is left of a line behind an item that is the last on it."""
_COMMA = re.compile(r"(?:[ \t\r\n]|#[^\n]*\n)*,")
_INDENT = re.compile(r"\n([ \t]*)[^ \t\r\n\]]")


def with_words(
    text: str, array: Place, items: Sequence[Place], there: Sequence[str], wanted: Sequence[str]
) -> str:
    """Return *text*, whose *array* has *wanted* in the place of *there*, which stand at *items*.

    Words that stay are where they were, as far as their order allows. *wanted* are written as they
    are, in quotes.
    """
    from difflib import SequenceMatcher

    found = _INDENT.search(text, array.start, array.end)
    indent = found[1] if found else "  "
    end = "\r\n" if "\r\n" in text else "\n"
    changes = SequenceMatcher(None, there, wanted, autojunk=False).get_opcodes()
    for what, first, last, begin, stop in reversed(changes):
        if what == "equal":
            continue
        for item in reversed(items[first:last]):
            text = _without(text, item)
        for word in reversed(wanted[begin:stop]):
            if first:
                text = _behind(text, items[first - 1].end, f'"{word}"', indent, end)
            else:
                text = _foremost(text, array.start + 1, f'"{word}"', indent, end)
    return text


def _without(text: str, item: Place) -> str:
    """Cut *item* out with its comma, and its line where nothing else is on it."""
    stop = item.end
    if comma := _COMMA.match(text, stop):
        between = text[stop : comma.end() - 1]
        text = text[:stop] + between + text[comma.end() :]
    before = text[: item.start]
    after = text[stop:].lstrip(_BLANK)
    line = before.rstrip(_BLANK)
    if line.endswith("\n") and after.startswith(("\n", "\r\n")):
        return line + after[after.index("\n") + 1 :]
    if after.startswith("]") and line.endswith(","):  # the last of a line: no comma is left over
        return line[:-1] + after
    return before + after


def _behind(text: str, at: int, word: str, indent: str, end: str) -> str:
    """Put *word* behind the item that ends *at*: on the next line where that one ends its own."""
    rest = _REST.match(text, at)
    if rest is None:
        return f"{text[:at]}, {word}{text[at:]}"
    if not rest["comma"] and (further := _COMMA.match(text, at)):  # it begins a line of its own
        return f"{text[: further.end()]} {word},{text[further.end() :]}"
    line = f"{indent}{word}{rest['comma']}{end}"
    added = "" if rest["comma"] else ","
    return text[:at] + added + text[at : rest.end()] + line + text[rest.end() :]


def _foremost(text: str, at: int, word: str, indent: str, end: str) -> str:
    """Put *word* behind the bracket that stands before *at*."""
    if rest := _REST.match(text, at):
        return f"{text[: rest.end()]}{indent}{word},{end}{text[rest.end() :]}"
    while text[at] in _BLANK:
        at += 1
    comma = "" if text[at] == "]" else ", "
    return text[:at] + word + comma + text[at:]
