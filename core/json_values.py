"""Taking values out of a JSON text that another version, or another hand, may have written. Pure.

Whatever stands there, only ValueError comes out of it.

`_json` is what the module `json` itself is made of (Debian builds it into Python); that module
brings regular expressions for what is not asked of it here, at 6 ms of the start of every `serve`.
"""

from __future__ import annotations

from _json import encode_basestring_ascii, make_encoder, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TOO_LARGE = float(1 << 53)
"""Above it a float is no exact number any more; as seconds it is 285 million years."""


class _Usual:
    """How JSON is read, as `json.JSONDecoder` has it unless it is told otherwise."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = float
    """Of NaN, Infinity and -Infinity."""


_BLANKS = " \t\n\r"
_scan = make_scanner(_Usual)  # type: ignore[arg-type]  # as json.decoder does


def document(data: bytes | str) -> dict[str, Any]:
    """Return the object that *data* is. Raises ValueError."""
    text = data if isinstance(data, str) else data.decode("utf-8", "surrogatepass")
    text = text.strip(_BLANKS)
    try:
        found, end = _scan(text, 0)
    except StopIteration as error:
        raise ValueError(f"a value was expected at {error.value}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if end != len(text):
        raise ValueError(f"more than one value: {end} of {len(text)} letters are one")
    if not isinstance(found, dict):
        raise ValueError("an object was expected")
    return found


def line(found: dict[str, Any]) -> str:
    """Return *found* in JSON, as `json.dumps` does: ASCII, without a newline."""
    return "".join(_encode(found, 0))


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is no kind of JSON")


_encode = make_encoder(
    None,
    _refuse,
    encode_basestring_ascii,
    None,
    ": ",
    ", ",
    False,
    False,
    True,
)


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
