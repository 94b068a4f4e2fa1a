"""Sizes as people write them."""

from __future__ import annotations

_UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}


def bytes_of(text: str) -> int | None:
    """Return the bytes that a size such as `4G`, `500M`, `1.5G` or `0` means, None for no size."""
    unit = text[-1:].upper()
    number = text[:-1] if unit in _UNITS else text
    if not number.isascii() or not number.replace(".", "", 1).isdecimal():
        return None
    return int(float(number) * (1 << _UNITS.get(unit, 0)))
