"""The first paint, and what there is before and after it."""

from __future__ import annotations

import pytest
from textual.color import Color

from chroot_tool.widgets.dialogs.create import CreateForm
from support.samples import BASE, CHROOTS
from support.whole_ui import Feed, RecordingEngine, recorded, ui, until


@pytest.mark.parametrize(
    ("width", "classes"), [(120, set()), (150, {"-wide"}), (209, {"-wide"}), (210, {"-broad"})]
)
async def test_the_first_paint_has_the_chroots_where_they_stay(
    width: int, classes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[tuple[tuple[str, ...], set[str]]] = []
    app = recorded(RecordingEngine(), Feed(*CHROOTS))

    def note() -> None:
        if app.main.size:
            painted.append((app.main.table.rows.keys, set(app.main.classes)))

    monkeypatch.setattr(app, "post_display_hook", note)
    async with app.run_test(size=(width, 40)) as pilot:
        await until(pilot, lambda: app.main.is_built)
        assert len(app.main.table.rows.keys) == len(CHROOTS)
        assert painted[0] == painted[-1] == (app.main.table.rows.keys, classes)


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
async def test_first_run_says_what_to_do() -> None:
    async with ui(size=(80, 24)) as t:
        await t.shows(f"no chroot under {BASE} yet", "press n to make one")
        for key in ("o", "s", "S", "r", "d", "b", "y", "space", "enter", "2", "3", "G"):
            await t.press(key)
        await t.main()
        await t.press("n")
        await t.dialog(CreateForm)
