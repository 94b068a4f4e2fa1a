"""The themes: four of our own and Textual's, two of which use nothing but the terminal's colours.

The only place with colours as numbers. Our own have one accent, and states that can be told from
each other; tests/settings/test_themes.py holds the contrast of every pair that the widgets use.
Textual is imported where themes are made: the names alone are needed to read the settings.
"""

from __future__ import annotations

from .terminal import no_colours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from textual.app import App
    from textual.theme import Theme

MONOCHROME = "monochrome"
"""Shown without any colour (app/tui/terminal/line_filters.py)."""
OWN = ("dark", "light", "high-contrast", MONOCHROME)
TEXTUAL = (
    "ansi-dark", "ansi-light", "atom-one-dark", "atom-one-light", "catppuccin-frappe",
    "catppuccin-latte", "catppuccin-macchiato", "catppuccin-mocha", "dracula", "flexoki",
    "gruvbox", "monokai", "nord", "rose-pine", "rose-pine-dawn", "rose-pine-moon",
    "solarized-dark", "solarized-light", "textual-dark", "textual-light", "tokyo-night",
)  # fmt: skip
NAMES = OWN + TEXTUAL

_MANY_COLOURS = ("256color", "direct", "kitty", "truecolor")


def every() -> dict[str, Theme]:
    """Return Textual's themes and ours by their names."""
    from textual.theme import BUILTIN_THEMES

    return {**BUILTIN_THEMES, **{theme.name: theme for theme in own()}}


def begin_with(app: App[Any], name: str) -> None:
    """Have *app* begin with the theme called *name*; "": the one that fits.

    To be called before Textual's constructor, by an app whose `available_themes` has ours. To
    change the theme after that would have all CSS read a second time before the first paint.
    """
    import os

    from textual.app import App

    _terminal_colours(app)
    app.set_reactive(App.theme, chosen(name, os.environ))


def _terminal_colours(app: App[object]) -> None:
    """Set the sixteen colours of run panels: Textual's own have magenta for red, purple for blue.

    The common ones of terminals; each widget sees to their contrast with its background.
    """
    from rich.terminal_theme import TerminalTheme
    from textual.app import App

    dim = ["#2e3436", "#cc0000", "#4e9a06", "#c4a000", "#3465a4", "#75507b", "#06989a", "#d3d7cf"]
    lit = ["#555753", "#ef2929", "#8ae234", "#fce94f", "#729fcf", "#ad7fa8", "#34e2e2", "#eeeeec"]
    normal, bright = ([_rgb(colour) for colour in colours] for colours in (dim, lit))
    on_dark = TerminalTheme(_rgb("#14171b"), _rgb("#d5dae0"), normal, bright)
    on_light = TerminalTheme(_rgb("#fbfbf9"), _rgb("#1d2126"), normal, bright)
    app.set_reactive(App.ansi_theme_dark, on_dark)
    app.set_reactive(App.ansi_theme_light, on_light)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def chosen(name: str, environ: Mapping[str, str]) -> str:
    """Return the theme where the settings say *name*; "": the one that fits the terminal.

    With sixteen colours or less a theme in true colours is a guess at each of them: the console,
    a serial line.
    """
    if no_colours(environ):
        return MONOCHROME
    if name:
        return name
    if environ.get("COLORTERM") or any(k in environ.get("TERM", "") for k in _MANY_COLOURS):
        return OWN[0]
    return "ansi-dark"


def own() -> tuple[Theme, ...]:
    """Return our own themes, in the order of OWN."""
    from textual.theme import Theme

    return (
        Theme(
            name="dark",
            dark=True,
            primary="#6aa9d8",
            secondary="#99a5b2",
            accent="#6aa9d8",
            success="#7fb77e",
            warning="#d9a85b",
            error="#e57f7a",
            foreground="#d5dae0",
            background="#14171b",
            surface="#1a1e23",
            panel="#252a31",
            variables={
                "block-cursor-background": "#28516f",
                "block-cursor-foreground": "#f4f7fa",
                "block-cursor-blurred-background": "#2b333c",
                "border-blurred": "#3a424c",
                "button-color-foreground": "#0e1114",
                "footer-background": "#1a1e23",
                "input-selection-background": "#34566f",
                "scrollbar-background": "#1a1e23",
                "text-disabled": "#8791a0",
                "text-muted": "#97a1ad",
                "foreground-muted": "#97a1ad",
            },
        ),
        Theme(
            name="light",
            dark=False,
            primary="#1c6399",
            secondary="#56616d",
            accent="#1c6399",
            success="#2b6a30",
            warning="#855300",
            error="#a92b27",
            foreground="#23282e",
            background="#fbfbfa",
            surface="#f3f3f1",
            panel="#e7e8e6",
            variables={
                "block-cursor-foreground": "#ffffff",
                "block-cursor-blurred-background": "#d5e0e9",
                "border-blurred": "#c3c8cc",
                "button-color-foreground": "#ffffff",
                "footer-background": "#f3f3f1",
                "input-selection-background": "#b7d3e8",
                "text-disabled": "#606973",
                "text-muted": "#555e68",
                "foreground-muted": "#555e68",
            },
        ),
        Theme(
            name="high-contrast",
            dark=True,
            primary="#ffd75f",
            secondary="#ffffff",
            accent="#ffd75f",
            success="#7dff7d",
            warning="#ffb454",
            error="#ff9d9d",
            foreground="#ffffff",
            background="#000000",
            surface="#000000",
            panel="#262626",
            variables={
                "block-cursor-foreground": "#000000",
                "block-cursor-blurred-background": "#262626",
                "border-blurred": "#a0a0a0",
                "button-color-foreground": "#000000",
                "footer-background": "#000000",
                "input-selection-background": "#5a4a00",
                "text": "#ffffff",
                "text-disabled": "#bcbcbc",
                "text-muted": "#d8d8d8",
                "foreground-muted": "#d8d8d8",
            },
        ),
        Theme(
            name=MONOCHROME,
            dark=True,
            primary="#ffff99",
            secondary="#ffffff",
            accent="#ffff99",
            success="#ffffff",
            warning="#ffff99",
            error="#ffff99",
            foreground="#ffffff",
            background="#000000",
            surface="#000000",
            panel="#181818",
            variables={
                "block-cursor-background": "#ffffff",
                "block-cursor-foreground": "#000000",
                "block-cursor-text-style": "none",
                "block-cursor-blurred-background": "#000000",
                "block-cursor-blurred-text-style": "underline",
                "border-blurred": "#999999",
                "button-color-foreground": "#000000",
                "button-focus-text-style": "bold underline",
                "footer-background": "#000000",
                "input-selection-background": "#4d4d4d",
                "text": "#ffffff",
                "text-primary": "#ffff99",
                "text-accent": "#ffff99",
                "text-success": "#ffffff",
                "text-warning": "#ffff99",
                "text-error": "#ffff99",
                "text-disabled": "#999999",
                "text-muted": "#aaaaaa",
                "foreground-muted": "#aaaaaa",
            },
        ),
    )
