"""Taking values of known types out of a TOML document that somebody else wrote.

What is wrong becomes a problem with file, line, what stands there and what was expected; nothing
is raised, so that all errors of a file are told at once. Pure; knows no keys.
"""

from __future__ import annotations

import tomllib  # 14 ms: import this module only where there is a TOML file

from ..errors import MOST_PROBLEMS, Problem
from ..text import did_you_mean, suggestion
from .toml_places import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from .toml_places import Path, Place
    from .toml_value_types import Key

    T = TypeVar("T")

_KINDS: dict[type, str] = {
    str: "a string", bool: "true or false", int: "an integer", float: "a number",
    list: "an array", dict: "a table",
}  # fmt: skip
_DEEPEST = 100
"""Parts of a dotted key. tomllib takes a time for it that grows with their square: half a minute
for a file of 60 KB."""


class Reader:
    """A TOML file: its `text`, `document`, and where each thing stands, `found`.

    Document and `found` are empty where the file is no TOML; that is a problem, too.
    """

    def __init__(self, data: bytes, path: str) -> None:
        self.path = path
        self.errors: list[tuple[int, Problem]] = []
        self.text = ""
        self.document: dict[str, Any] = {}
        self.found: dict[Path, Place] = {}
        try:
            self.text = data.decode()
        except UnicodeDecodeError as error:
            self.fail(
                data.count(b"\n", 0, error.start) + 1,
                f"the byte {data[error.start]:#04x}, expected UTF-8",
                "a path that is not UTF-8 can be listed in tool.conf",
            )
        else:
            self._load()

    def _load(self) -> None:
        deep = _deep_line(self.text)
        if deep:
            self.fail(deep, f"a key of more than {_DEEPEST} parts", "write it flat")
            return
        try:
            document = tomllib.loads(self.text)
            self.found = places(self.text)
            self.document = document
        except RecursionError:
            self.fail(1, "arrays or tables nested too deeply", "write them flat")
        except ValueError as error:  # TOMLDecodeError, or an integer beyond Python's limit
            line, what = _syntax_error(str(error), self.text)
            shown = self.text.split("\n")[line - 1].strip()
            self.fail(line, f"{what}: {shown!r}, expected TOML", 'text needs quotes: key = "text"')

    def fail(self, line: int, message: str, hint: str = "") -> None:
        """Add a problem in *line*, unless there are many already."""
        if len(self.errors) < MOST_PROBLEMS:
            self.errors.append((line, Problem(f"{self.path}:{line}: {message:.400}", hint)))

    def problems(self) -> list[Problem]:
        """Return what was found, in the order of the file."""
        return [problem for _, problem in sorted(self.errors, key=lambda error: error[0])]

    def wrong(self, place: Path, message: str, hint: str = "") -> None:
        """Add a problem where *place* stands."""
        self.fail(self.line(place), message, hint)

    def line(self, place: Path) -> int:
        """Return the line of *place*, or of the nearest thing around it that stands in the text."""
        while place:
            if place in self.found:
                return self.found[place].line
            place = place[:-1]
        return 1

    def table(self, value: object, place: Path, keys: tuple[str, ...]) -> dict[str, Any]:
        """Return *value* if it is a table, else an empty one; only *keys* are known in it."""
        if not isinstance(value, dict):
            name = f"[[{place[0]}]]" if len(place) > 1 else f"[{place[0]}]"
            self.wrong(place, f"{place[0]} is {kind_of(value)}, expected a table", f"write {name}")
            return {}
        for key in value:
            if key not in keys and len(self.errors) < MOST_PROBLEMS:
                inside = f" in {place[0]}" if place else ""
                self.wrong((*place, key), f"unknown key {key!r}{inside}", suggestion(key, keys))
        return value

    def typed(self, table: dict[str, Any], place: Path, key: str, kind: type[T], default: T) -> T:
        """Return the value of *key*, which is to be exactly of *kind*: true is no integer here."""
        value: T = table.get(key, default)
        if value is default or type(value) is kind:
            return value
        hint = f'write it in quotes: "{value}"' if kind is str and type(value) is int else ""
        self.wrong((*place, key), f"{key} is {kind_of(value)}, expected {_KINDS[kind]}", hint)
        return default

    def choice(self, table: dict[str, Any], place: Path, key: str, choices: tuple[str, ...]) -> str:
        """Return the value of *key*, one of *choices*, the first of which is the default."""
        value = self.typed(table, place, key, str, choices[0])
        if value in choices:
            return value
        expected = ", ".join(repr(choice) for choice in choices)
        near = did_you_mean(value, choices)
        self.wrong((*place, key), f"{key} is {value!r}, expected one of {expected}", near)
        return choices[0]

    def take(self, table: dict[str, Any], place: Path, key: Key) -> Any:
        """Return the value of a key as it is declared, its default where it is absent or wrong."""
        if key.kind is list:
            return self.strings(table, place, key.name)
        if key.choices:
            return self.choice(table, place, key.name, key.choices)
        return self.typed(table, place, key.name, key.kind, key.default)

    def strings(self, table: dict[str, Any], place: Path, key: str) -> list[str] | None:
        """Return the array of strings at *key*, None where there is no such key."""
        if key not in table:
            return None
        items: list[Any] = self.typed(table, place, key, list, [])
        for index, item in enumerate(items):
            if type(item) is not str:
                message = f"{key} holds {kind_of(item)}, expected strings only"
                self.wrong((*place, key, index), message, f'write each in quotes: "{item}"')
        return items


def kind_of(value: object) -> str:
    """Return what *value* is in TOML's words."""
    return _KINDS.get(type(value), "a date or time")


def _deep_line(text: str) -> int:
    """Return the first line whose keys have too many parts, 0 where there is none."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") >= _DEEPEST:
            bare = "".join(line.replace("'", '"').split('"')[::2])  # what stands in no quotes
            if bare.partition("#")[0].count(".") >= _DEEPEST:
                return number
    return 0


def _syntax_error(message: str, text: str) -> tuple[int, str]:
    """Split tomllib's message, which ends in `(at line 3, column 7)` or `(at end of document)`."""
    what, _, where = message.partition(" (at ")
    if where.startswith("line "):
        return int(where[len("line ") :].partition(",")[0]), what
    if where:
        return len(text.rstrip("\n").split("\n")), what
    return 1, what
