"""Text that can be read in every theme: no pair of colours below what WCAG 2.2 asks for (AA).

Themes of others are made for code on one ground; some have muted words or keys that many people
can't read. What is too near to its ground is taken towards black or white, as far as is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.color import Color

AA = 4.5
"""The contrast that text has to have at least (WCAG 2.2, 1.4.3)."""
_GROUNDS = ("background", "surface", "panel")
WRITTEN_ON: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("foreground", "foreground-muted", "text-muted", "text-disabled", "text-primary",
         "text-secondary", "text-accent", "text-success", "text-warning", "text-error",
         "primary", "error"),  # as titles of dialogs and keys of buttons
        _GROUNDS,
    ),
    "text": (*_GROUNDS, "primary-muted"),
    "footer-foreground": ("footer-background",),
    "footer-key-foreground": ("footer-background",),
    "footer-description-foreground": ("footer-background",),
    "block-cursor-foreground": ("block-cursor-background",),
    "block-cursor-blurred-foreground": ("block-cursor-blurred-background",),
}  # fmt: skip
"""What is written on what, by the names that a theme's colours have."""
_STEPS = 20


def readable(colours: dict[str, str]) -> dict[str, str]:
    """Return the colours of a theme, those of texts changed where they can't be read."""
    from textual.color import Color

    if colours["background"].startswith("ansi"):
        return colours  # the terminal's own: nobody knows what they are
    base = Color.parse(colours["background"])
    changed = dict(colours)
    for text, names in WRITTEN_ON.items():
        grounds = [base + Color.parse(colours[name]) for name in names]
        if text in colours:
            changed[text] = _on(grounds, colours[text])
    return changed


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _on(grounds: list[Color], said: str) -> str:
    """Return *said*, or as near to it as can be read on all of *grounds*."""
    if said.startswith("auto"):
        return _automatic(grounds, said)
    from textual.color import Color

    text = grounds[0] + Color.parse(said)
    if _least(text, grounds) >= AA:
        return said
    end = _end(grounds)
    shades = (text.blend(end, step / _STEPS) for step in range(_STEPS))
    return next((shade for shade in shades if _least(shade, grounds) >= AA), end).hex


def _automatic(grounds: list[Color], said: str) -> str:
    """Return how much of black or white, whichever the ground asks for, can be read."""
    first = int(said.removeprefix("auto").strip(" %") or 100)
    for percent in range(first, 101):
        shades = [each + each.get_contrast_text(percent / 100) for each in grounds]
        if all(contrast(*pair) >= AA for pair in zip(shades, grounds, strict=True)):
            return f"auto {percent}%"
    return _end(grounds).hex


def _end(grounds: list[Color]) -> Color:
    from textual.color import BLACK, WHITE

    return max((BLACK, WHITE), key=lambda one: _least(one, grounds))


def _least(text: Color, grounds: list[Color]) -> float:
    return min(contrast(text, ground) for ground in grounds)


def _luminance(colour: Color) -> float:
    parts = (part / 255 for part in (colour.r, colour.g, colour.b))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
