"""Lines from a descriptor, with a bound on each: who is at the other end may be anybody."""

from __future__ import annotations

import os

from .. import json_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator
    from typing import Any

LONGEST = 16 << 20
"""Bytes. The status of one chroot with 9,000 mounts is 3 MB."""
MOST = 1_000_000
"""Values on a line, where each is a list, an object or one in it: those 9,000 mounts are 200,000.
`[],` is three bytes, and twenty times as much in memory."""
_PIECE = 1 << 16
_SIGNS = (b",", b"[", b"{")
_TEXT = rb'"[^"\\]*(?:\\.[^"\\]*)*"'


class TooLongError(ValueError):
    """A line is longer than `LONGEST`, and still no end of it; or it holds more than `MOST`."""


def line_of(document: dict[str, Any]) -> bytes:
    """Return *document* as a line, with its newline, that `Lines` takes. Raises TooLongError.

    Who counts there counts the signs in texts, too: where they are too many, they are written out.
    """
    line = json_values.line(document).encode("ascii")
    if _values(line) > MOST:
        import re  # which hardly any line needs

        line = re.sub(_TEXT, _without_signs, line)
        _mind_values(line)
    if len(line) > LONGEST:
        raise TooLongError(f"a line is longer than {LONGEST} bytes")
    return line + b"\n"


def _values(line: bytes) -> int:
    return sum(map(line.count, _SIGNS))


def _without_signs(text: re.Match[bytes]) -> bytes:
    found = text.group()
    for sign in _SIGNS:
        found = found.replace(sign, b"\\u%04x" % ord(sign))
    return found


def _mind_values(line: bytes) -> None:
    if _values(line) > MOST:
        raise TooLongError(f"a line holds more than {MOST} values")


class Lines:
    """The lines that a descriptor gives until its end, without their newlines.

    What stands behind the last newline is no line: its rest was cut off.
    """

    def __init__(
        self, fd: int, longest: int = LONGEST, heard: Callable[[], object] = bool,
        until: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        """*heard* is called whenever something came, which may be less than a line.

        *until* is called before something is waited for; its False is the end.
        """
        self._fd = fd
        self._until = until
        self._longest = longest
        self._heard = heard

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line. Raises TooLongError."""
        kept: list[bytes] = []
        size = 0
        while piece := self._read():
            self._heard()
            *whole, rest = piece.split(b"\n")
            for line in whole:
                kept.append(line)
                whole_line = b"".join(kept)
                _mind_values(whole_line)
                kept, size = [], 0
                yield whole_line
            kept.append(rest)
            size += len(rest)
            if size > self._longest:
                raise TooLongError(f"a line is longer than {self._longest} bytes")

    def _read(self) -> bytes:
        try:
            return os.read(self._fd, _PIECE) if self._until() else b""
        except OSError:
            return b""
