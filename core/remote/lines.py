"""Lines from a descriptor, with a bound on each: who is at the other end may be anybody."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 32 << 20
"""Bytes. The status of one chroot with 9,000 mounts is 3 MB."""
_PIECE = 1 << 16


class TooLongError(ValueError):
    """A line is longer than `LONGEST`, and still no end of it."""


class Lines:
    """The lines that a descriptor gives until its end, without their newlines.

    What stands behind the last newline is no line: its rest was cut off.
    """

    def __init__(self, fd: int, longest: int = LONGEST) -> None:
        self._fd = fd
        self._longest = longest

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line. Raises TooLongError."""
        kept: list[bytes] = []
        size = 0
        while piece := self._read():
            *whole, rest = piece.split(b"\n")
            for line in whole:
                yield b"".join((*kept, line))
                kept, size = [], 0
            kept.append(rest)
            size += len(rest)
            if size > self._longest:
                raise TooLongError(f"a line is longer than {self._longest} bytes")

    def _read(self) -> bytes:
        try:
            return os.read(self._fd, _PIECE)
        except OSError:
            return b""
