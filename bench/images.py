"""Measures making, copying and packing chroots against what people use instead."""

from __future__ import annotations

import os

from .chroots import chroots
from .copies import copying
from .creating import creating
from .packing import packing
from .rows import Row
from .sessions import sessions


def run() -> list[Row]:
    """Measure everything; return the figures. Raises SystemExit without root."""
    if os.geteuid():
        raise SystemExit("images are measured as root: sudo ./dev bench images")
    rows: list[Row] = []
    for part in (creating, copying, packing):
        with chroots(1) as base:
            rows += part(base)
    return [*rows, *sessions()]
