from textual.app import App, ComposeResult

from chroot_tool.widgets.text.wrapped_text import WrappedText


class Page(App[None]):
    def compose(self) -> ComposeResult:
        yield WrappedText()


async def test_it_is_as_high_as_what_it_says_though_it_was_measured_when_it_said_less() -> None:
    async with Page().run_test() as pilot:
        text = pilot.app.query_one(WrappedText)
        text.paragraphs = (("one", ""),)
        pilot.app.screen._refresh_layout(pilot.app.size)  # measured, and its own layout is due
        text.paragraphs = (("one", ""), ("two", ""))
        await pilot.pause()
        assert text.size.height == 2
