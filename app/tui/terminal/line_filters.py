"""What becomes of lines on their way to a terminal that has no colours, or no signs but ASCII.

Both look at lines as they are painted, Textual's own widgets and what runs in panels among them:
no widget has to know.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter, Monochrome, NoColor

from ....widgets.text.ascii_signs import in_ascii

if TYPE_CHECKING:
    from collections.abc import Sequence

_NONE = Style(color="default", bgcolor="default")
_LIT, _RAISED, _MUTED, _COLOURED = 0.4, 0.12, 0.75, 0.2
"""From 0 to 1: how bright a ground is that is shown in reverse, or by a line below (the field that
has the focus), how bright text is that is not dim, how far from grey what is bold. The theme
`monochrome` keeps away from all four."""


def with_ours(filters: Sequence[LineFilter], *, colours: bool, encoding: str) -> list[LineFilter]:
    """Return the filters that hold: Textual's, but for those of its own that take colours away.

    *encoding* is that of a terminal without other signs than ASCII, "" where it has them.
    """
    held = [one for one in filters if not isinstance(one, Monochrome | NoColor)]
    if not colours:
        held.append(_no_colours())
    if encoding:
        held.append(_ascii(encoding))
    return held


@lru_cache(1)
def _no_colours() -> NoColours:
    return NoColours()  # one for all: strips keep what became of them, by the filter


@lru_cache(4)
def _ascii(encoding: str) -> AsciiSigns:
    return AsciiSigns(encoding)


class NoColours(LineFilter):
    """Bold, dim and reverse for colours: what is tinted is bold, what is grey dim."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return *segments* without colours."""
        return [
            Segment(text, style and _uncoloured(style, background), None)
            for text, style, _ in segments
        ]


@lru_cache(1024)
def _uncoloured(style: Style, background: Color) -> Style:
    ground = _colour(style.bgcolor, background)
    text = _colour(style.color, background.inverse)
    lit, raised = ground.brightness > _LIT, ground.brightness > _RAISED
    reverse = lit != bool(style.reverse)
    tinted = max(text.r, text.g, text.b) - min(text.r, text.g, text.b) > _COLOURED * 255
    bold = bool(style.bold) or (tinted and not lit)
    dim = bool(style.dim) or (not lit and not tinted and text.brightness < _MUTED)
    line = bool(style.underline) or (raised and not lit)
    return style + _NONE + Style(
        bold=bold, dim=dim and not reverse, reverse=reverse, underline=line
    )  # fmt: skip


def _colour(said: object, default: Color) -> Color:
    from rich.color import Color as RichColor

    if not isinstance(said, RichColor) or said.is_default:
        return default
    return Color.from_rich_color(said)


class AsciiSigns(LineFilter):
    """ASCII for all signs; ? for letters that the terminal's encoding has not."""

    def __init__(self, encoding: str) -> None:
        """*encoding* is what the terminal has, as Python calls it."""
        super().__init__()
        self._encoding = encoding

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return *segments* in ASCII."""
        return [Segment(in_ascii(text, self._encoding), style, None) for text, style, _ in segments]
