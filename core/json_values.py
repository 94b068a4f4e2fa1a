"""Taking values out of a JSON text that another version, or another hand, may have written. Pure.

Whatever stands there, only ValueError comes out of it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TOO_LARGE = float(1 << 53)
"""Above it a float is no exact number any more; as seconds it is 285 million years."""


def document(data: bytes | str) -> dict[str, Any]:
    """Return the object that *data* is. Raises ValueError."""
    import json

    try:
        found = json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("an object was expected")
    return found


def table(holder: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the object at *key*. Raises ValueError."""
    found = holder.get(key)
    if not isinstance(found, dict):
        raise ValueError(f"{key} is no object")
    return found


def text(holder: dict[str, Any], key: str, default: str | None = None) -> str:
    """Return the text at *key*, which no NUL is in. Raises ValueError."""
    found = holder.get(key, default)
    if not isinstance(found, str) or "\0" in found:
        raise ValueError(f"{key} is no text")
    found.encode("utf-8", "surrogateescape")  # halves of characters: UnicodeError is a ValueError
    return found


def number(holder: dict[str, Any], key: str) -> float:
    """Return the number at *key*, which is not below zero and not without bounds.

    Raises ValueError. JSON of Python has infinity and NaN, which no clock can show.
    """
    found = holder.get(key)
    if isinstance(found, (int, float)) and 0 <= found < _TOO_LARGE:
        return float(found)
    raise ValueError(f"{key} is no number")


def texts(holder: dict[str, Any], key: str) -> tuple[str, ...]:
    """Return the texts at *key*. Raises ValueError."""
    found = holder.get(key)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{key} is no list of texts")
    return tuple(found)
