"""What somebody types at a terminal who was asked."""

from __future__ import annotations

import os
import sys


def typed_line() -> str:
    """Return a line, without what is blank around it; "" where there is no more.

    It is read as the name of a file: a key of another encoding makes it another, and no error.
    """
    return os.fsdecode(sys.stdin.buffer.readline()).strip()
