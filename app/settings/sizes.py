"""Sizes as people write them."""

from __future__ import annotations

_UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}
_DIGITS = 30
"""More than any disk has; a few hundred would be without bounds to a float."""


def bytes_of(text: str) -> int | None:
    """Return the bytes that a size such as `4G`, `500M`, `1.5G` or `0` means, None for no size."""
    unit = text[-1:].upper()
    number = text[:-1] if unit in _UNITS else text
    if len(number) > _DIGITS or not number.isascii():
        return None
    if not number.replace(".", "", 1).isdecimal():
        return None
    return int(float(number) * (1 << _UNITS.get(unit, 0)))
