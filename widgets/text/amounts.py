"""Shares, spans of time and bytes in a few cells, the same in every room. Pure."""

from __future__ import annotations

import time

from ...core.text import size

_AGES = (("y", 31557600), ("mo", 2629800), ("d", 86400), ("h", 3600), ("m", 60))


def percent(fraction: float) -> str:
    """Return a share of 1.0 as `42 %`."""
    return f"{int(min(max(fraction, 0.0), 1.0) * 100)} %"


def age(seconds: float) -> str:
    """Return a span of time in one unit, at most four cells: `now`, `3m`, `2d`, `11mo`."""
    for unit, length in _AGES:
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return "now"


def cpu(share: float) -> str:
    """Return a share of one core in at most five cells: `0.3`, `250`; nothing for an idle one."""
    if share < 0.05:
        return "-"
    return f"{share:.1f}" if share < 99.95 else f"{share:.0f}"


def memory(count: int) -> str:
    """Return a number of bytes, or a dash for none."""
    return size(count) if count else "-"


def moment(then: float, form: str) -> str:
    """Return epoch seconds as time.strftime does in *form*; `?` beyond what a calendar has."""
    try:
        return time.strftime(form, time.localtime(then))
    except (OverflowError, ValueError, OSError):
        return "?"
