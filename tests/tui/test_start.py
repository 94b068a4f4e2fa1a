"""The first paint, and what there is before and after it."""

from __future__ import annotations

import pytest
from textual.color import Color

from chroot_tool.widgets.dialogs.create import CreateForm
from support.samples import BASE, CHROOTS
from support.whole_ui import Feed, RecordingEngine, recorded, ui, until


@pytest.mark.parametrize(
    ("size", "classes", "body"),
    [
        ((120, 40), set(), set()),
        ((150, 40), {"-wide"}, set()),
        ((209, 40), {"-wide"}, set()),
        ((210, 40), {"-broad"}, set()),
        ((160, 24), {"-wide"}, {"-beside"}),
    ],
)
async def test_the_first_paint_has_the_chroots_where_they_stay(
    size: tuple[int, int], classes: set[str], body: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[tuple[tuple[str, ...], set[str], set[str]]] = []
    app = recorded(RecordingEngine(), Feed(*CHROOTS))

    def note() -> None:
        if app.main.size:
            beside = set(app.main.query_one("#body").classes)
            painted.append((app.main.table.rows.keys, set(app.main.classes), beside))

    monkeypatch.setattr(app, "post_display_hook", note)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.main.is_built)
        assert len(app.main.table.rows.keys) == len(CHROOTS)
        assert painted[0] == painted[-1] == (app.main.table.rows.keys, classes, body)


async def test_no_css_is_read_twice_before_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    app = recorded(RecordingEngine(), Feed(*CHROOTS), theme="light")
    again: list[object] = []
    monkeypatch.setattr(app.stylesheet, "reparse", lambda: again.append(None))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.main.is_built)
        assert app.theme == "light"
        assert app.main.styles.background == Color.parse(app.current_theme.background or "")
        assert again == []


@pytest.mark.slow
async def test_first_run_says_the_key_that_makes_one_now() -> None:
    async with ui(size=(80, 24), keys=(("environments.create", ("f6",)),)) as t:
        await t.shows("press f6 to make one", "f6 a new one: a Debian")


@pytest.mark.slow
async def test_first_run_says_what_to_do() -> None:
    async with ui(size=(80, 24)) as t:
        await t.shows(f"no chroot under {BASE} yet", "press n to make one")
        for key in ("o", "s", "S", "r", "d", "b", "y", "space", "enter", "2", "3", "G"):
            await t.press(key)
        await t.main()
        await t.press("n")
        await t.dialog(CreateForm)
