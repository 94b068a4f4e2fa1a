"""The colours of a terminal's cells as Rich styles, fitting the theme of the app around it."""

from __future__ import annotations

from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.color import Color as TextualColor

from . import cells

_READABLE = 3.0
"""The contrast that a colour of the child's has at least on the default background.

WCAG 2.1, 1.4.11, asks for it of everything one has to make out.
"""

_MOST_STYLES = 1024
_ANSI = 16


class Palette:
    """Turns packed styles (`cells.pack_style`) into Rich ones.

    *base* has the widget's own colours. The 16 ANSI colours are those of *theme*, unless the app
    is *native*: then they are left to the outer terminal, as the rest of its colours are.
    """

    def __init__(self, base: Style, theme: TerminalTheme, *, native: bool) -> None:
        self.base = base
        self._theme = theme
        self._native = native
        self._styles: dict[int, Style] = {0: base}
        self._flags: dict[int, Style] = {}

    @property
    def ground(self) -> tuple[ColorTriplet, ColorTriplet]:
        """The colours of plain text and of what is behind it."""
        theme, own = self._theme, self.base
        text = own.color.triplet if own.color else None
        behind = own.bgcolor.triplet if own.bgcolor else None
        return (
            text or ColorTriplet(*theme.foreground_color),
            behind or ColorTriplet(*theme.background_color),
        )

    def style(self, code: int) -> Style:
        """Return the Rich style of a packed one."""
        style = self._styles.get(code)
        if style is None:
            if len(self._styles) >= _MOST_STYLES:
                self._styles = {0: self.base}
            style = self._styles[code] = self._make(code)
        return style

    def _make(self, code: int) -> Style:
        foreground = code & cells.COLOR
        background = code >> cells.BACKGROUND_SHIFT & cells.COLOR
        plain = not background and not code & cells.REVERSE
        style = Style.from_color(
            self._color(foreground, readable=plain) if foreground else self.base.color,
            self._color(background, readable=False) if background else self.base.bgcolor,
        )
        flags = code >> 2 * cells.BACKGROUND_SHIFT
        return style + self._flags_style(code, flags) if flags else style

    def _flags_style(self, code: int, flags: int) -> Style:
        style = self._flags.get(flags)
        if style is None:
            style = self._flags[flags] = Style(
                bold=bool(code & cells.BOLD) or None,
                dim=bool(code & cells.DIM) or None,
                italic=bool(code & cells.ITALIC) or None,
                underline=bool(code & cells.UNDERLINE) or None,
                blink=bool(code & cells.BLINK) or None,
                reverse=bool(code & cells.REVERSE) or None,
                conceal=bool(code & cells.CONCEAL) or None,
                strike=bool(code & cells.STRIKE) or None,
                overline=bool(code & cells.OVERLINE) or None,
            )
        return style

    def _color(self, color: int, *, readable: bool) -> Color:
        if color & cells.RGB:
            return Color.from_triplet(
                ColorTriplet(color >> 16 & 0xFF, color >> 8 & 0xFF, color & 0xFF)
            )
        index = color - 1
        if index >= _ANSI or self._native:
            return Color.from_ansi(index)
        triplet = ColorTriplet(*self._theme.ansi_colors[index])
        return Color.from_triplet(self._readable(triplet) if readable else triplet)

    def _readable(self, triplet: ColorTriplet) -> ColorTriplet:
        """Move a colour away from the default background until it can be made out."""
        background = TextualColor(*self.ground[1])
        end = TextualColor(255, 255, 255) if background.brightness < 0.5 else TextualColor(0, 0, 0)
        color = TextualColor(*triplet)
        for step in range(11):
            mixed = color.blend(end, step / 10)
            if contrast(mixed, background) >= _READABLE:
                break
        return ColorTriplet(*mixed.rgb)


def contrast(one: TextualColor, other: TextualColor) -> float:
    """WCAG 2.1, contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: TextualColor) -> float:
    """WCAG 2.1, relative luminance."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
