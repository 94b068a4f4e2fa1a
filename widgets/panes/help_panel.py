"""The keys that apply where the focus is: over the lower part of the screen, in columns.

Not Textual's HelpPanel: that one takes a third of the width, which is too narrow to read at 80
columns, makes the panes beside it narrower still, and has its keys in no order of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.screen import Screen

from ...core.value import Value
from ..text.fitting import fit, width_of, wrap
from ..text.measured import Measured

_COLUMN = 36
"""Cells that a column takes at least."""
_MOST_COLUMNS = 3
_GAP = 2


class KeyGroup(Value):
    """Keys that belong together, in the order of use: (keys, what they do)."""

    title: str
    keys: tuple[tuple[str, str], ...]


class Help(Value):
    """What there is to say about the focused pane, and the keys that apply in it."""

    title: str = ""
    about: str = ""
    groups: tuple[KeyGroup, ...] = ()


class HelpPanel(VerticalScroll, can_focus=False):
    """Shows what *tell* returns, and again whenever other keys apply. A layer `help` is its."""

    DEFAULT_CSS = """
    HelpPanel {
        layer: help;
        dock: bottom;
        height: auto;
        max-height: 95%;
        margin-bottom: 1;
        background: $surface;
        border: round $primary;
        border-title-style: bold;
        border-title-color: $primary;
        scrollbar-size-vertical: 1;
        &:ansi { background: ansi_default; }
    }
    """

    def __init__(self, tell: Callable[[], Help]) -> None:
        super().__init__(id="help")
        self._tell = tell

    def compose(self) -> ComposeResult:
        """Make the text."""
        yield KeySheet()

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._show)
        self._show(self.screen)

    def _show(self, _screen: Screen[object]) -> None:
        told = self._tell()
        self.border_title = told.title
        self.query_one(KeySheet).told = told


class KeySheet(Measured):
    """The text itself, laid out while it is measured and painted."""

    DEFAULT_CSS = """
    KeySheet { padding: 0 1; height: auto; }
    """

    told: reactive[Help] = reactive(Help(), layout=True)

    def render(self) -> Content:
        """Return the lines."""
        return Content("\n").join(_lines(self.told, self.size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines there are at a width."""
        return len(_lines(self.told, width))


Block = list[Content]
"""Lines that stay together, each as wide as a column."""


def _lines(told: Help, width: int) -> list[Content]:
    count = min(max(1, (width + _GAP) // (_COLUMN + _GAP)), _MOST_COLUMNS)
    cells = (width + _GAP) // count - _GAP
    keys = max((width_of(shown) for group in told.groups for shown, _ in group.keys), default=0)
    columns = _spread([_blocks(group, keys, cells) for group in told.groups], count, cells)
    lines = [
        Content(" " * _GAP).join([line or Content(" " * cells) for line in row])
        for row in zip_longest(*columns)
    ]
    about = [Content.styled(line, "$foreground-muted") for line in wrap(told.about, width)]
    return [*about, Content(""), *lines]


def _blocks(group: KeyGroup, keys: int, cells: int) -> list[Block]:
    """Return a block for each line of *group*, the title in the first; *keys* take that width."""
    room = max(cells - keys - _GAP, 1)
    blocks = []
    for shown, does in group.keys:
        first, *more = (fit(line, room) for line in wrap(does, room))
        lead = (fit(shown, keys + _GAP), "$text-accent bold")
        lines = [Content.assemble(lead, first)]
        blocks.append([*lines, *(Content(" " * (keys + _GAP) + line) for line in more)])
    blocks[0].insert(0, Content.styled(fit(group.title, cells), "$text-primary bold"))
    return blocks


def _spread(groups: Sequence[list[Block]], count: int, cells: int) -> list[Block]:
    """Spread *groups* over at most *count* columns, of the least height that they fit into."""
    height = 1
    while len(columns := _columns(groups, height, cells)) > count:
        height += 1
    return columns


def _columns(groups: Sequence[list[Block]], height: int, cells: int) -> list[Block]:
    columns: list[Block] = [[]]
    for group in groups:
        gap = [Content(" " * cells)]
        for block in group:
            if columns[-1] and len(columns[-1]) + len(gap) + len(block) > height:
                columns.append([])
            columns[-1] += [*gap, *block] if columns[-1] else block
            gap = []
    return columns
