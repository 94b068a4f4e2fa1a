"""What may stand in a TOML file of ours, as values: readers and JSON Schema are made of the same.

A reader takes a value by its `Key` (`toml_reader.Reader.take`), so that what is not listed here is
no key; what a schema can't say (an absolute path, a size) the reader minds beside. Pure.
"""

from __future__ import annotations

from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Key(Value):
    """One key of a table."""

    name: str
    kind: type
    """str, bool, int, float; dict: a table; list: of strings, or of tables where `table` is set."""
    about: str
    default: Any = None
    choices: tuple[str, ...] = ()
    """Of a string; of a list what its items may be."""
    table: Table | None = None
    pattern: str = ""
    """What a string, or an item of a list, looks like, as a regular expression of JSON Schema."""
    least: float | None = None
    most: float | None = None
    also: type | None = None
    """Another kind that it may be of."""


class Table(Value):
    """The keys that a table may have."""

    keys: tuple[Key, ...]
    required: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(key.name for key in self.keys)

    def __getitem__(self, name: str) -> Key:
        return next(key for key in self.keys if key.name == name)


DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}
ABSOLUTE = "^/"


def schema(name: str, title: str, table: Table) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the file *name*."""
    return {"$schema": DIALECT, "title": f"{name}: {title}", **_table(table)}


def _table(table: Table) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {key.name: of_key(key) for key in table.keys},
        "additionalProperties": False,
        **({"required": list(table.required)} if table.required else {}),
    }


def of_key(key: Key) -> dict[str, Any]:
    """Return the schema of one key."""
    return {
        "description": key.about,
        **_value(key),
        **({"default": key.default} if key.default is not None else {}),
    }


def _value(key: Key) -> dict[str, Any]:
    if key.kind is list and key.table:
        return {"type": "array", "items": _table(key.table)}
    if key.kind is list:
        items: dict[str, Any] = {"type": "string"}
        if key.choices:
            items["enum"] = list(key.choices)
        if key.pattern:
            items["pattern"] = key.pattern
        return {"type": "array", "items": items}
    if key.kind is dict:
        free = {"type": "object", "additionalProperties": {"type": "string"}}
        return _table(key.table) if key.table else free
    types = [_TYPES[kind] for kind in (key.kind, key.also) if kind]
    strings = {"items": {"type": "string"}} if key.also is list else {}
    limits = {
        "enum": list(key.choices) or None, "pattern": key.pattern or None,
        "minimum": key.least, "maximum": key.most,
    }  # fmt: skip
    return {
        "type": types if len(types) > 1 else types[0],
        **strings,
        **{word: limit for word, limit in limits.items() if limit is not None},
    }
