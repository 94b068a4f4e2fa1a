"""What a part of the benchmark answers: figures with the limits that they are held to."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Row(NamedTuple):
    """One figure, less of which is better, and what was measured beside it in the same run."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    """The most that `value` may be."""
    other: float | None = None
    """The same of another program, in the same unit; None where it was not to be had."""
    beside: str = ""
    """What that other program is."""
    times: float | None = None
    """The most that `value` may be, as a multiple of `other`."""
    faster: float | None = None
    """How many times faster than `other` it has to be."""

    @property
    def ok(self) -> bool:
        """Whether every limit is kept. What could not be compared is not counted as missed."""
        if self.limit is not None and self.value > self.limit:
            return False
        if self.other is None:
            return True
        if self.times is not None and self.value > self.times * self.other:
            return False
        return self.faster is None or self.value * self.faster <= self.other

    def cells(self) -> tuple[str, ...]:
        """Return the row as text: name, value, beside, ratio, wanted, verdict."""
        other = "" if self.other is None else f"{_number(self.other)} {self.unit} {self.beside}"
        verdict = "" if self._wanted() == "" else "yes" if self.ok else "NO"
        value = f"{_number(self.value)} {self.unit}"
        return self.name, value, other.rstrip(), self._ratio(), self._wanted(), verdict

    def _ratio(self) -> str:
        if self.other is None or not self.value or not self.other:
            return ""
        if self.value < self.other:
            return f"{self.other / self.value:.1f} times faster"
        return f"{self.value / self.other:.2f} times"

    def _wanted(self) -> str:
        wanted = []
        if self.limit is not None:
            wanted.append(f"at most {_number(self.limit)} {self.unit}")
        if self.times is not None:
            wanted.append(f"at most {self.times:g} times")
        if self.faster is not None:
            wanted.append(f"{self.faster:g} times faster")
        return ", ".join(wanted)


HEAD = ("", "here", "beside it", "ratio", "wanted", "met")


def table(rows: Sequence[Row]) -> str:
    """Return *rows* as a Markdown table that is aligned, to be read as it is, too."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]

    def drawn(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = drawn(["-" * width for width in widths])
    return "\n".join([drawn(lines[0]), rule, *map(drawn, lines[1:])])


def _number(value: float) -> str:
    """Return *value* with three digits that count: `0.123`, `1.23`, `12.3`, `123`."""
    for limit, digits in ((1, 3), (10, 2), (100, 1)):
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"
