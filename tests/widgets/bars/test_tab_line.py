"""A line of tabs that is too long: the one that is shown has room, and clicks hit what is there."""

from __future__ import annotations

from textual.app import App, ComposeResult

from chroot_tool.widgets.bars.tab_line import TabLine
from support.screen import screen_text

LABELS = tuple((f"tab{number}", f"label {number}") for number in range(9))


class Tabs(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.chosen: list[str] = []

    def compose(self) -> ComposeResult:
        yield TabLine()

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.chosen.append(message.tab)


async def test_the_tab_that_is_shown_has_room() -> None:
    async with Tabs().run_test(size=(40, 3)) as pilot:
        line = pilot.app.query_one(TabLine)
        line.labels = LABELS
        for name, label in LABELS:
            line.current = name
            await pilot.pause()
            assert label in screen_text(pilot.app)
        line.current = "tab0"
        await pilot.pause()
        assert screen_text(pilot.app).startswith(" label 0  label 1")


async def test_marks_say_on_which_side_there_are_more() -> None:
    async with Tabs().run_test(size=(40, 3)) as pilot:
        line = pilot.app.query_one(TabLine)

        async def said(current: str) -> str:
            line.current = current
            await pilot.pause()
            return screen_text(pilot.app).splitlines()[0].rstrip()

        line.labels = LABELS[:4]
        assert await said("tab3") == " label 0  label 1  label 2  label 3"
        line.labels = LABELS
        first, between, last = [await said(name) for name in ("tab0", "tab4", "tab8")]
        assert (first[:2], first[-2:]) == (" l", " ›")
        assert (between[:2], between[-9:]) == ("‹ ", "label 4 ›")
        assert (last[:2], last[-7:]) == ("‹ ", "label 8")


async def test_a_click_on_a_mark_chooses_the_nearest_that_is_not_seen() -> None:
    app = Tabs()
    async with app.run_test(size=(40, 3)) as pilot:
        line = app.query_one(TabLine)
        line.labels, line.current = LABELS, "tab4"
        await pilot.pause()
        await pilot.click(TabLine, offset=(39, 0))
        await pilot.click(TabLine, offset=(0, 0))
        assert app.chosen == ["tab5", "tab0"]


async def test_a_click_hits_what_is_seen() -> None:
    app = Tabs()
    async with app.run_test(size=(40, 3)) as pilot:
        line = app.query_one(TabLine)
        line.labels, line.current = LABELS, "tab8"
        await pilot.pause()
        at = screen_text(app).index("label 7")
        await pilot.click(TabLine, offset=(at + 2, 0))
        assert app.chosen == ["tab7"]


async def test_a_label_that_is_wider_than_the_line_is_seen_from_its_beginning() -> None:
    async with Tabs().run_test(size=(20, 3)) as pilot:
        line = pilot.app.query_one(TabLine)
        line.labels, line.current = (("a", "short"), ("b", "long " * 9)), "b"
        await pilot.pause()
        assert screen_text(pilot.app).startswith("‹ long long")
