"""What a chroot has been doing in the last minutes, as graphs, each with its scale and its peak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import var

from ...core.process import Process
from ...core.text import size
from ..text.amounts import cpu, memory
from ..text.braille import graph
from ..text.fitting import fit
from ..text.measured import Measured
from ..trend_points import SPAN, Trend

_SCALE = 6
"""The cells of a scale, with the blank after it."""
_MOST = 60
"""The most cells of a graph: its points are two a cell."""
_READ_AND_WRITTEN = 37
"""The cells of a graph whose head has room for both, not for their sum alone."""
_MINUTE = 60
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1024)

_TALLEST = 4
"""Lines that a graph grows by, where there is room for all."""

Lines = list[Content]
Marked = Callable[[Lines], Iterable[Content]]
"""Returns lines with what is looked for marked in them."""


class Activity(Measured):
    """A trend in; nothing at all where there is none."""

    DEFAULT_CSS = """
    Activity { height: auto; padding: 1 1 0 1; }
    """

    def __init__(
        self, above: Callable[[int], int], below: Callable[[int, int], Lines], marked: Marked
    ) -> None:
        """Make it empty; *above* tells how many lines stand above it, at a width.

        *below* has what to say, at a width, in so many lines that graphs leave free;
        *marked* marks what is looked for.
        """
        super().__init__()
        self._above = above
        self._below = below
        self._marked = marked
        self._drawn: Lines = []

    shown: var[tuple[Trend | None, tuple[float, ...]]] = var((None, ()), init=False)

    def show(self, processes: tuple[Process, ...], trend: Trend | None) -> None:
        """Show the *trend* of a chroot and what its *processes* do now."""
        now = (
            round(sum(one.cpu_percent for one in processes), 1),
            sum(one.rss for one in processes),
            len(processes),
            sum(one.read_rate for one in processes),
            sum(one.write_rate for one in processes),
        )
        self.display = trend is not None
        self.shown = (trend, now if trend is not None else ())

    def watch_shown(self) -> None:
        """Have painted what is other than before: most of a graph stays as it was."""
        before, after = self._drawn, self._lines(self.size.width, self.size.height)
        if len(after) != self.size.height or len(before) != len(after):
            self.refresh(layout=True)
            return
        pairs = enumerate(zip(before, after, strict=True))
        changed = [y for y, (old, new) in pairs if not old.is_same(new)]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render(self) -> Content:
        """Return the lines."""
        self._drawn = self.lines
        return Content("\n").join(self._marked(self._drawn))

    @property
    def lines(self) -> Lines:
        """What is painted."""
        return self._lines(self.size.width, self.size.height)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines there are at a width: graphs grow into what is left free."""
        room = container.height - self.gutter.height - self._above(width)
        return len(self._lines(width, room))

    def _lines(self, width: int, room: int) -> Lines:
        graphs = self._graphs(width, room)
        return graphs + (self._below(width, room - len(graphs)) if graphs else [])

    def _graphs(self, width: int, room: int) -> Lines:
        trend, now = self.shown
        if trend is None:
            return []
        width = min(width - _SCALE, _MOST)
        if width < _SCALE:
            return []
        minutes = 2 * width * SPAN / _MINUTE
        title = Content.styled(f"Last {minutes:.0f} minutes", "$foreground-muted bold")
        share, rss, count, read, written = now
        graphs: list[Callable[[int], Lines]] = [
            lambda more: _graph("CPU", f"{_cpu(share)} %", _cpu, trend.cpu, 3 + more, width),
            lambda more: _graph("memory", memory(int(rss)), size, trend.memory, 2 + more, width),
            lambda more: _graph(
                "processes", str(int(count)), _number, trend.processes, 2 + more, width
            ),
        ]
        if any(trend.disk):
            said = f"{size(read)}/s read, {size(written)}/s written"
            if width < _READ_AND_WRITTEN:
                said = f"{size(read + written)}/s"
            graphs.append(
                lambda more: _graph("disks", said, size, trend.disk, 2 + more, width, "/s")
            )
        free = room - 2 - 3 * len(graphs)  # the title, CPU's third line; a head and two lines each
        more = min(max(free // len(graphs), 0), _TALLEST)
        return [title, *(line for lines in graphs for line in lines(more))]


def _cpu(share: float) -> str:
    return cpu(share).replace("-", "0")


def _number(count: float) -> str:
    return f"{count:.0f}"


def _scale(peak: float, base: int) -> float:
    """Return the 1, 2 or 5 times a power of ten, below a unit of *base*, that *peak* fits below."""
    unit = 1.0
    while unit * base <= peak:
        unit *= base
    return next(unit * step for step in _STEPS if unit * step >= peak)


def _graph(
    label: str, now: str, say: Callable[[float], str], values: Sequence[float], height: int,
    width: int, unit: str = "",
) -> Lines:  # fmt: skip
    """Return a line of words and *height* lines of graph, the scale before them."""
    peak = max(values[-2 * width :], default=0)
    top = _scale(peak, 1024 if say is size else 10)
    head = Content.assemble(
        (fit(label, 10), "$foreground-muted"),
        now,
        (f", peak {say(peak)}{unit}", "$foreground-muted"),
    )
    lines = [head]
    for row, dots in enumerate(graph(values, top, width, height)):
        scale = say(top) if row == 0 else "0" if row == height - 1 else ""
        scale = fit(scale, _SCALE - 1, right=True) + " "
        lines.append(Content.assemble((scale, "$foreground-muted"), (dots, "$text-primary")))
    return lines
