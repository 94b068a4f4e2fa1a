"""The record grammar of tool.conf: `key:value` pairs, quotes, `;`. Pure; knows no keys.

One line holds records separated by `;`. Every record and pair knows where in the line it stands,
so that an edit can leave the rest of the line as it is.
"""

from __future__ import annotations

from ..errors import UsageError
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    _Word = tuple[str | None, int, int]  # None: a colon; then where it starts and ends

_QUOTING = ("\\", '"')
BLANK = " \t\r\v\f\n"
"""What separates words. Only ASCII: a no-break space belongs to the path it stands in."""
_ENDS = (*BLANK, ":", ";", *_QUOTING)
_PIECE = 64
"""Characters that are looked through at first: nearly all words are shorter."""


class Pair(Value):
    """`key:value`; `start` and `end` are offsets in the line, quotes included."""

    key: str
    value: str
    start: int
    end: int


class Record(Value):
    """What stands between two `;`. `error` says why it has no meaning, None where it has one."""

    pairs: tuple[Pair, ...]
    start: int
    end: int
    error: UsageError | None = None


def split(line: str) -> Iterator[Record]:
    """Yield the records of *line*, without the empty ones; never raises."""
    at = 0
    while at <= len(line):
        words: list[_Word] = []
        error = None
        try:
            at = _read_words(line, at, words)
        except UsageError as problem:
            # Where a quote is open, a `;` after it may be meant as text: the rest is one record.
            error = problem
            words.append(("", at, len(line)))
            at = len(line)
        if words:
            yield _record(words, error)
        at += 1


def quote(value: str) -> str:
    """Return *value* as a word of a record; raises UsageError where that can't be written."""
    if "\n" in value:
        raise UsageError(
            f"{value!r} holds a newline, tool.conf has no way to write that",
            "list it in chroot.toml",
        )
    if value and all(c.isalnum() or c in "/._-+=,@%~" for c in value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read_words(line: str, at: int, words: list[_Word]) -> int:
    """Append the words and colons of the record at *at*; return where its `;` or the end is."""
    while at < len(line) and line[at] != ";":
        if line[at] in BLANK:
            at += 1
        elif line[at] == ":":
            words.append((None, at, at + 1))
            at += 1
        else:
            word, end = _read_word(line, at)
            words.append((word, at, end))
            at = end
    return at


def _read_word(line: str, at: int) -> tuple[str, int]:
    """Read a word at *at*: return it without its quotes, and where it ends."""
    end = _end_of_plain(line, at)
    if line[end : end + 1] not in _QUOTING:  # as nearly all are
        return line[at:end], end
    start, parts, quoted = at, [], False
    while at < len(line):
        char = line[at]
        if char == "\\":
            at += 1
            parts.append(line[at : at + 1])
        elif char == '"':
            quoted = not quoted
        elif not quoted and (char in BLANK or char in ":;"):
            break
        else:
            parts.append(char)
        at += 1
    if quoted:
        raise UsageError(f"an open quote in {line[start:]!r}, expected its end", 'add the last "')
    if at > len(line):
        raise UsageError(
            f"nothing after the \\ that ends {line[start:]!r}, expected a character",
            "put what ends in a space into quotes, and write \\\\ for a backslash",
        )
    return "".join(parts), at


def _end_of_plain(line: str, at: int) -> int:
    """Return where the first sign of `_ENDS` from *at* on is, or the end of *line*.

    Piece by piece: to look through all the rest for each sign would be quadratic.
    """
    piece = _PIECE
    while at < len(line):
        end = stop = min(at + piece, len(line))
        for char in _ENDS:
            found = line.find(char, at, end)
            if found >= 0:
                end = found
        if end < stop:
            return end
        at, piece = stop, piece * 2
    return at


def _record(words: list[_Word], error: UsageError | None) -> Record:
    pairs: list[Pair] = []
    if error is None:
        try:
            _pair_up(words, pairs)
        except UsageError as problem:
            error = problem
    return Record(tuple(pairs), words[0][1], words[-1][2], error)


def _pair_up(words: list[_Word], pairs: list[Pair]) -> None:
    """Append the pairs that *words* make; raises UsageError where one is no `key:value`."""
    at = 0
    while at < len(words):
        key, start, _ = words[at]
        if key is None:
            raise _stray_colon(pairs)
        if at + 1 == len(words) or words[at + 1][0] is not None:
            hint = "write key:value, and put a value with spaces into quotes"
            if key.startswith("#"):
                hint = "a comment needs a line of its own"
            elif key.startswith("["):
                hint = "a section header is [letters], alone in its line"
            raise UsageError(f"{key!r} without ':', expected key:value", hint)
        if at + 2 == len(words) or words[at + 2][0] is None:
            raise UsageError(f"nothing after '{key}:', expected a value", 'an empty one is ""')
        value, _, end = words[at + 2]
        pairs.append(Pair(key, value or "", start, end))
        at += 3


def _stray_colon(pairs: list[Pair]) -> UsageError:
    if not pairs:
        return UsageError("nothing before ':', expected a key", "write key:value")
    value = pairs[-1].value
    return UsageError(
        f"':' after the value {value!r}, expected a space, ';' or the end of the line",
        "put a value that holds ':' into quotes",
    )
