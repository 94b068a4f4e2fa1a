"""Where things stand in a TOML text that is known to be valid. Pure.

tomllib gives values without lines, and tomlkit, which would know, costs 27 ms to import and keeps
no offsets. Errors need the line of a key, edits the span of an entry. This scanner walks the text
once; because tomllib has accepted it before, it only has to find where a string, an array or a
table ends, never to judge it. The grammar: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    Path = tuple[str | int, ...]


class Place(Value):
    """A span of the text, and the line (from 1) in which it begins.

    Of a value: the value without its key. Of a `[[table]]`: from its header to the end of the
    line of its last key, with what a comment there says.
    """

    start: int
    end: int
    line: int


def places(text: str) -> dict[Path, Place]:
    """Return where each key, array item and `[[table]]` of *text* stands.

    A path is the way down through the parsed document: `("bind", 0, "target")`. *text* may have
    CRLF line ends; it must be valid TOML.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.found


class _Scanner:
    """Walks a text; `at` is the offset it has come to."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, Place] = {}
        self.counts: dict[Path, int] = {}
        self.counted = (0, 1)  # an offset, and the line it is in: lines are counted once

    def document(self) -> None:
        table: Path = ()
        while self.blank():
            start = self.at
            if self.text[start] == "[":
                table = self.header()
            else:
                self.pair(table)
            stop = self.text.find("\n", self.at)
            self.at = len(self.text) if stop < 0 else stop + 1
            if self.counts.get(table[:-1]):  # a [[table]] reaches to its last key
                opened = self.found[table]
                self.found[table] = Place(opened.start, self.at, opened.line)

    def header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]`; return the path of the table that it opens."""
        start, line = self.at, self.line()
        array = self.text.startswith("[[", start)
        self.at += 2 if array else 1
        names = self.names()
        path: Path = ()
        for index, name in enumerate(names):
            path = (*path, name)
            if array and index == len(names) - 1:
                self.found.setdefault(path, Place(start, self.at, line))
                self.counts[path] = self.counts.get(path, 0) + 1
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        self.found.setdefault(path, Place(start, self.at, line))
        return path

    def pair(self, table: Path) -> None:
        """Read `key = value`; the tables that a dotted key makes are where it stands."""
        start, line = self.at, self.line()
        names = self.names()
        self.at += 1  # the =
        self.blank()
        for length in range(1, len(names)):
            self.found.setdefault((*table, *names[:length]), Place(start, self.at, line))
        self.value((*table, *names))

    def names(self) -> list[str]:
        """Read a dotted key, up to the `]` or `=` after it."""
        names = []
        while True:
            self.blank()
            start = self.at
            if self.text[start] in "\"'":
                self.string()
                names.append(_unquoted(self.text[start : self.at]))
            else:
                while self.text[self.at] not in " \t.]=":
                    self.at += 1
                names.append(self.text[start : self.at])
            self.blank()
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def value(self, path: Path) -> None:
        start, line = self.at, self.line()
        char = self.text[start]
        if char in "\"'":
            self.string()
        elif char == "[":
            self.items(path)
        elif char == "{":
            self.inline(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\r\n":
                self.at += 1
            self.at = start + len(self.text[start : self.at].rstrip())
        self.found[path] = Place(start, self.at, line)

    def items(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self.blank() != "]":
            if self.text[self.at] == ",":
                self.at += 1
            else:
                self.value((*path, index))
                index += 1
        self.at += 1

    def inline(self, path: Path) -> None:
        self.at += 1
        while self.blank() != "}":
            if self.text[self.at] == ",":
                self.at += 1
            else:
                self.pair(path)
        self.at += 1

    def string(self) -> None:
        quote = self.text[self.at]
        long = self.text.startswith(quote * 3, self.at)
        mark = quote * 3 if long else quote
        self.at += len(mark)
        while not self.text.startswith(mark, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(mark)
        if long:  # one or two quotes may stand right before the closing three
            while self.text.startswith(quote, self.at):
                self.at += 1

    def blank(self) -> str:
        """Go past white space, line ends and comments; return what stands there, if anything."""
        text = self.text
        while self.at < len(text):
            if text[self.at] == "#":
                stop = text.find("\n", self.at)
                self.at = len(text) if stop < 0 else stop
            elif text[self.at] in " \t\r\n":
                self.at += 1
            else:
                return text[self.at]
        return ""

    def line(self) -> int:
        offset, line = self.counted
        line += self.text.count("\n", offset, self.at)
        self.counted = (self.at, line)
        return line


def _unquoted(key: str) -> str:
    import tomllib  # 14 ms; who asks for places has it loaded

    name: str = tomllib.loads(f"key = {key}")["key"]
    return name
