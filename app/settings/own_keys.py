"""The keys of the user's own, as they stand in the settings file: `[keys]`."""

from __future__ import annotations

from ...core.text import suggestion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...core.config.toml_places import Path
    from ...core.config.toml_reader import Reader


def bindings(reader: Reader, value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the bindings of the table *value* with other keys than their own, sorted by id.

    What is wrong in it is told to *reader*.
    """
    from . import keymap
    from .key_names import shown

    found: dict[str, tuple[str, ...]] = {}
    places: dict[str, Path] = {}
    table = reader.table(value, ("keys",), tuple(value) if isinstance(value, dict) else ())
    for ident, place, given in _flat(table, ("keys",)):
        if ident not in keymap.IDS:
            reader.wrong(place, f"unknown key binding {ident!r}", suggestion(ident, keymap.IDS))
        elif ident in found:
            reader.wrong(place, f"{ident} is bound twice", "leave one of them out")
        else:
            places[ident] = place
            found[ident] = _names(reader, ident, place, given)
    for ident, key, other in keymap.clashes(found):
        reader.wrong(
            places[ident],
            f"key {shown(key)!r} of {ident} is the key of {other}, too",
            "give one of them another key; all are in docs/keys.md",
        )
    return tuple(sorted(found.items()))


def _flat(table: dict[str, Any], place: Path) -> list[tuple[str, Path, object]]:
    """Return (id, place, value) of each binding: `a.b = "x"` and `"a.b" = "x"` mean the same."""
    found: list[tuple[str, Path, object]] = []
    for key, value in table.items():
        below: Path = (*place, key)
        if isinstance(value, dict):
            found += _flat(value, below)
        else:
            found.append((".".join(str(part) for part in below[1:]), below, value))
    return found


def _names(reader: Reader, ident: str, place: Path, value: object) -> tuple[str, ...]:
    """Return Textual's names of the keys that *value* lists, those that are good."""
    from .key_names import key_name
    from .keymap import default_keys

    keys = value if isinstance(value, list) else [value]
    if not keys:
        reader.wrong(place, f"no key for {ident}, expected one at least", 'write "x" or ["x", "y"]')
    names: list[str] = []
    for index, key in enumerate(keys):
        at: Path = (*place, index) if isinstance(value, list) else place
        if type(key) is not str:
            hint = f'write it in quotes: "{key}"' if type(key) is int else 'write "x" or ["x", "y"]'
            reader.wrong(at, f"key {key!r} of {ident}, expected a string", hint)
            continue
        name, message, hint = key_name(key)
        if key in default_keys(ident):  # though others may not have it: escape, say
            name, message = key, ""
        if message:
            reader.wrong(at, f"{message} ({ident})", hint)
        elif name not in names:
            names.append(name)
    return tuple(names)
