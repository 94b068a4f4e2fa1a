"""Our themes: what can be read on what, and the names that settings may use."""

import re

import pytest
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme
from textual.widgets import Button, DataTable, Footer, Input

from chroot_tool.app.settings import themes
from chroot_tool.app.settings.readable import AA, WRITTEN_ON, contrast, readable
from support import CHECKOUT

TEXTS = (
    "foreground", "text-muted", "foreground-muted", "primary", "secondary", "accent", "success",
    "warning", "error", "text-primary", "text-accent", "text-success", "text-warning", "text-error",
)  # fmt: skip
GROUNDS = ("background", "surface", "panel", "footer-background", "block-cursor-blurred-background")
PAIRS = (
    ("text-disabled", "background"),  # what a field is when nothing is typed
    ("text-disabled", "surface"),
    ("block-cursor-foreground", "block-cursor-background"),
    ("button-color-foreground", "primary"),
    ("button-color-foreground", "success"),
    ("button-color-foreground", "warning"),
    ("button-color-foreground", "error"),
    ("text-primary", "primary-muted"),
    ("text-success", "success-muted"),
    ("text-warning", "warning-muted"),
    ("text-error", "error-muted"),
    ("foreground", "input-selection-background"),
    ("input-cursor-foreground", "input-cursor-background"),
)
WRITTEN = re.compile(
    r"""(?:(?<![\w-])(?:border-title-|border-subtitle-)?color:\s*|["'])\$([a-z][a-z-]*?)(?=[;"'\s])"""
)
"""A colour of a text, in CSS and in styled content."""
OWN = pytest.mark.parametrize("theme", themes.own(), ids=themes.OWN)


def test_contrast_is_what_the_standard_says() -> None:
    assert contrast(Color.parse("#000"), Color.parse("#fff")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)


@OWN
def test_everything_can_be_read(theme: Theme) -> None:
    wanted = 7 if theme.name == "high-contrast" else 4.5
    colors = theme.to_color_system().generate()
    base = Color.parse(colors["background"])
    ratios = {}
    for text, ground in (*((t, g) for t in TEXTS for g in GROUNDS), *PAIRS):
        below = base + Color.parse(colors[ground])
        ratios[f"{text} on {ground}"] = contrast(below + Color.parse(colors[text]), below)
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < wanted} == {}


def as_painted(said: str, ground: Color) -> Color:
    """A colour as it is on a ground."""
    if said.startswith("auto"):
        return ground + ground.get_contrast_text(float(said.removeprefix("auto").strip(" %")) / 100)
    return ground + Color.parse(said)


@pytest.mark.parametrize("name", [name for name in themes.NAMES if not name.startswith("ansi")])
def test_every_theme_can_be_read(name: str) -> None:
    colours = readable(Painted(name).get_css_variables())
    base = Color.parse(colours["background"])
    ratios = {}
    for text, grounds in WRITTEN_ON.items():
        for ground in grounds:
            below = base + Color.parse(colours[ground])
            ratios[f"{text} on {ground}"] = contrast(as_painted(colours[text], below), below)
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < AA} == {}


def test_every_colour_of_a_text_is_held_to_that() -> None:
    used: dict[str, str] = {}
    for file in [*(CHECKOUT / "widgets").rglob("*.py"), *(CHECKOUT / "app").rglob("*.py")]:
        for name in WRITTEN.findall(file.read_text()):
            used[name] = f"{file.name}: ${name}"
    colours = Painted("dark").get_css_variables().keys() & used
    assert colours >= {"primary", "text-primary", "foreground-muted"}
    assert {used[name] for name in colours - WRITTEN_ON.keys()} == set()


@OWN
def test_what_can_be_read_stays_as_it_is(theme: Theme) -> None:
    colours = Painted(theme.name).get_css_variables()
    assert {n: c for n, c in readable(colours).items() if c != colours[n]} == {}


@pytest.mark.parametrize("name", ["ansi-dark", "ansi-light"])
def test_the_colours_of_the_terminal_are_left_alone(name: str) -> None:
    colours = Painted(name).get_css_variables()
    assert readable(colours) == colours


@pytest.mark.parametrize(
    "theme",
    [one for one in themes.own() if one.name != themes.MONOCHROME],
    ids=lambda one: one.name,
)
def test_states_have_colours_of_their_own(theme: Theme) -> None:
    assert len({theme.primary, theme.success, theme.warning, theme.error}) == 4
    assert theme.accent == theme.primary  # one accent


def test_the_names_are_those_that_there_are() -> None:
    assert tuple(theme.name for theme in themes.own()) == themes.OWN
    assert tuple(sorted(BUILTIN_THEMES)) == themes.TEXTUAL


class Painted(App[None]):
    """Something of everything that takes colours from a theme."""

    def __init__(self, name: str) -> None:
        themes.begin_with(self, name)
        super().__init__()

    @property
    def available_themes(self) -> dict[str, Theme]:
        return themes.every()

    def compose(self) -> ComposeResult:
        table: DataTable[str] = DataTable()
        yield table
        yield Input("text")
        yield Button("ok", variant="primary")
        yield Footer()


@pytest.mark.parametrize("name", [*themes.OWN, "ansi-dark", "ansi-light"])
async def test_every_theme_can_be_shown(name: str) -> None:
    app = Painted(name)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.theme == name


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"TERM": "xterm-256color"}, "dark"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "dark"),
        ({"TERM": "linux"}, "ansi-dark"),
        ({"TERM": "vt220"}, "ansi-dark"),
        ({}, "ansi-dark"),
    ],
)
def test_the_theme_fits_the_terminal(environ: dict[str, str], name: str) -> None:
    assert themes.chosen("", environ) == name
