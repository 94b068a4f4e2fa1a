"""The footer alone: what it shows is what holds, and what a click presses."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from chroot_tool.widgets.bars.key_footer import FooterKey, KeyFooter
from support.screen import screen_text

WORDS = ("one", "two", "three")


class Host(App[None]):
    """Three keys, each of which may hold, be held back (None), or be none of these."""

    BINDINGS = [(word[0].upper(), f"press('{word}')", word) for word in WORDS]  # noqa: RUF012
    BINDINGS[2] = ("H", "press('three')", "three")

    def __init__(self, keep: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.keep = keep
        self.holds: dict[str, bool | None] = dict.fromkeys(WORDS, True)
        self.pressed: list[str] = []
        self.bells = 0

    def compose(self) -> ComposeResult:
        yield KeyFooter(self.keep)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.holds[str(parameters[0])] if action == "press" else False

    def action_press(self, word: str) -> None:
        self.pressed.append(word)

    def bell(self) -> None:
        self.bells += 1

    @property
    def footer(self) -> KeyFooter:
        return self.screen.query_one(KeyFooter)

    @property
    def shown(self) -> list[str]:
        return [key.word for key in self.footer.in_sight]


async def hold(pilot: Pilot[None], app: Host, **holds: Any) -> None:
    """Have other keys hold."""
    app.holds |= holds
    app.screen.refresh_bindings()
    await pilot.pause()


def at(app: Host, word: str) -> tuple[int, int]:
    """The cell in the footer at which a key begins."""
    keys = app.footer.in_sight
    before = keys[: [key.word for key in keys].index(word)]
    return sum(key.cells - 1 + app.footer.gap for key in before), 0


async def test_what_applies_is_shown_and_nothing_else() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.pause()
        assert screen_text(app).strip() == "O one  T two  H three"
        await hold(pilot, app, one=False, three=False)
        assert screen_text(app).strip() == "T two"
        await hold(pilot, app, one=True)
        assert screen_text(app).strip() == "O one  T two"


@pytest.mark.parametrize(
    ("keep", "width", "shown"),
    [
        ((), 19, ["one", "two", "three"]),
        ((), 18, ["one", "two"]),
        ((), 5, ["one"]),
        ((), 1, []),
        (("press('three')",), 18, ["one", "three"]),
        (("press('three')",), 8, ["three"]),
        (("press('three')",), 1, ["three"]),
    ],
)
async def test_what_does_not_fit_is_left_out_from_the_right(
    keep: tuple[str, ...], width: int, shown: list[str]
) -> None:
    app = Host(keep)
    async with app.run_test(size=(width, 3)) as pilot:
        await pilot.pause()
        assert app.shown == shown
        await pilot.resize_terminal(80, 3)
        await pilot.pause()
        assert app.shown == list(WORDS)


@pytest.mark.parametrize(
    ("width", "line"), [(21, "O one  T two  H three"), (20, "O one T two H three")]
)
async def test_keys_stand_apart_where_all_have_room_so(width: int, line: str) -> None:
    app = Host()
    async with app.run_test(size=(width, 3)) as pilot:
        await pilot.pause()
        assert screen_text(app).strip() == line
        for word in WORDS:
            await pilot.click(KeyFooter, offset=at(app, word))
        assert app.pressed == list(WORDS)


async def test_a_click_presses_the_key_that_stands_there() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await hold(pilot, app, two=None)
        for word in WORDS:
            await pilot.click(KeyFooter, offset=at(app, word))
        await pilot.click(KeyFooter, offset=(5, 0))  # between the first two
        await pilot.click(KeyFooter, offset=(60, 0))
        await pilot.click(KeyFooter, offset=at(app, WORDS[0]), button=3)
        assert (app.pressed, app.bells) == (["one", "three"], 1)


async def test_what_is_held_back_is_dim_and_what_the_mouse_is_over_stands_out() -> None:
    app = Host()
    async with app.run_test() as pilot:
        await hold(pilot, app, two=None)

        def style(word: str) -> Any:
            x, _ = at(app, word)
            [strip] = app.footer.render_lines(app.footer.size.region)
            return next(iter(strip.crop(x, x + 1))).style

        assert style("two").color != style("one").color
        assert style("three").color == style("one").color
        plain = style("three").bgcolor
        await pilot.hover(KeyFooter, offset=at(app, "three"))
        assert style("three").bgcolor != plain
        assert style("one").bgcolor == plain
        await pilot.hover(KeyFooter, offset=(60, 0))
        assert style("three").bgcolor == plain


async def test_one_action_is_shown_once() -> None:
    app = Host()
    app.bind("x", "press('one')", description="one")
    async with app.run_test() as pilot:
        await pilot.pause()
        assert [key for key in app.footer.keys if key.word == "one"] == [
            FooterKey("O", "press('one')", "O", "one", True, "")
        ]
