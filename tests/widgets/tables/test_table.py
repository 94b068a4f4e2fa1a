"""The table itself, apart from what this program lists in it."""

from __future__ import annotations

from textual.app import App, ComposeResult

from chroot_tool.widgets.tables.columns import Column
from chroot_tool.widgets.tables.table import Table

COLUMNS: tuple[Column[str], ...] = (
    Column("name", "Name", lambda one, _: (one, ""), lambda one: one, 10, rank=0, fills=True),
    Column("length", "Length", lambda one, _: (str(len(one)), ""), len, 6, rank=1),
)
WORDS = {word: word for word in ("cherry", "fig", "apple")}


class Words(App[None]):
    """Words, the shortest first."""

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, sort="length")

    def on_mount(self) -> None:
        self.table.show_rows(WORDS)

    @property
    def table(self) -> Table[str]:
        return self.query_one(Table)


async def test_it_goes_on_being_sorted_by_a_column_that_is_hidden() -> None:
    app = Words()
    async with app.run_test() as pilot:
        await pilot.pause()
        table = app.table
        assert list(table.keys) == ["fig", "apple", "cherry"]
        table.choose_columns(["name"])
        table.show_rows({**WORDS, "lime": "lime"})
        assert list(table.keys) == ["fig", "lime", "apple", "cherry"]
        await pilot.press("equals_sign")
        assert list(table.keys) == ["cherry", "apple", "lime", "fig"]
        await pilot.press("greater_than_sign")  # to the first of those that are seen
        assert list(table.keys) == ["apple", "cherry", "fig", "lime"]


async def test_a_search_goes_on_in_other_columns() -> None:
    app = Words()
    async with app.run_test() as pilot:
        await pilot.pause()
        table = app.table
        table.choose_columns(["name"])
        table.search("5")
        assert list(table.keys) == []
        table.choose_columns(["name", "length"])
        assert list(table.keys) == ["apple"]
