"""How the columns of a table share its width, those of every table that there is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from chroot_tool.app.settings.all_settings import COLUMNS_OF
from chroot_tool.widgets.binds import table as bind_table
from chroot_tool.widgets.dialogs import stop_processes
from chroot_tool.widgets.panes import jobs_pane
from chroot_tool.widgets.tables import mounts_table, processes_table
from chroot_tool.widgets.tables.chosen import chosen, ident_and_width, wish
from chroot_tool.widgets.tables.chroot_columns import (
    COLUMNS,
    ChrootRow,
    columns,
)
from chroot_tool.widgets.tables.columns import Column, place
from support.samples import CHROOTS, clock

TABLES = (
    columns(COLUMNS, clock),
    mounts_table.COLUMNS,
    processes_table.columns(clock),
    jobs_pane.columns(clock),
    stop_processes.COLUMNS,
    bind_table.COLUMNS,
)


@pytest.mark.parametrize("table", TABLES)
def test_every_title_leaves_room_for_the_sort_mark(table: tuple[Column[Any], ...]) -> None:
    assert [one.title for one in table if 0 < one.width <= len(one.title)] == []


def fixed(name: str, width: int, rank: int, **more: object) -> Column[str]:
    return Column(name, name, lambda row, _: (row, ""), lambda row: row, width, rank=rank, **more)  # type: ignore[arg-type]


def test_the_least_important_column_is_left_out_first() -> None:
    every = (fixed("a", 5, 2), fixed("b", 5, 0), fixed("c", 5, 1))
    assert [one.column.id for one in place(every, {}, 0, 17)] == ["a", "b", "c"]
    assert [one.column.id for one in place(every, {}, 0, 16)] == ["b", "c"]
    assert [one.column.id for one in place(every, {}, 0, 10)] == ["b"]


def test_growing_columns_take_what_they_need_by_importance() -> None:
    every = (fixed("a", 4, 1, most=20), fixed("b", 4, 0, most=6), fixed("c", 3, 2, fills=True))
    placed = {
        one.column.id: (one.start, one.width) for one in place(every, {"a": 9, "b": 30}, 1, 30)
    }
    assert placed["b"] == (12, 6)
    assert placed["a"] == (1, 9)
    assert placed["c"] == (20, 10), "what is left, up to the edge"


def test_a_spare_column_waits_until_the_others_have_what_they_need() -> None:
    every = (fixed("a", 4, 0, most=20), fixed("b", 4, 1, spare=True))
    assert len(place(every, {"a": 10}, 0, 14)) == 1
    assert len(place(every, {"a": 10}, 0, 15)) == 2


@given(st.integers(0, 260), st.integers(0, 60), st.integers(0, 60))
def test_columns_never_overlap_or_stand_over_the_edge(width: int, name: int, system: int) -> None:
    placed = place(columns(COLUMNS, clock), {"name": name, "system": system}, 2, width)
    ends = [one.start + one.width for one in placed]
    assert all(end < one.start for end, one in zip(ends, placed[1:], strict=False))
    assert len(placed) == 1 or ends[-1] <= width


def test_eighty_columns_show_the_seven_that_matter_unclipped() -> None:
    every = columns(COLUMNS, clock)
    rows = [ChrootRow(one) for one in CHROOTS]
    needs = {c.id: max(c.needs(row) for row in rows) for c in every if c.most}
    placed = place(every, needs, 2, 79)
    spare = ("host", "processes-graph", "cpu-graph", "memory-graph", "size", "changed")
    assert [one.column.id for one in placed] == [name for name in COLUMNS if name not in spare]
    for row in rows:
        for one in placed:
            assert cell_len(one.column.cell(row, one.width)[0]) <= one.width


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (80, {"processes-graph", "cpu-graph", "memory-graph", "size", "changed"}),
        (96, {"processes-graph", "memory-graph", "changed"}),
        (120, {"processes-graph"}),
        (125, set()),
    ],
    ids=["80", "beside the details at 160", "120", "wider"],
)
def test_graphs_stand_beside_their_figures_where_nothing_else_needs_the_room(
    width: int, left_out: set[str]
) -> None:
    needs = {"name": 12, "system": 21}
    placed = place(columns(COLUMNS, clock), needs, 2, width)
    shown = [one.column.id for one in placed]
    assert shown == [name for name in COLUMNS if name not in {"host", *left_out}]
    assert all(one.width >= needs.get(one.column.id, 0) or width == 80 for one in placed)


def test_columns_are_as_they_were_wanted() -> None:
    every = (fixed("a", 4, 1, most=20), fixed("b", 4, 0, fills=True), fixed("c", 3, 2))
    assert [one.id for one in chosen(every, ("c", "a"))] == ["c", "a"]
    assert chosen(every, ()) == every
    assert chosen(every, ("what this table has not",)) == every
    placed = place(chosen(every, ("b:9", "a:7", "c")), {"a": 20}, 0, 60)
    assert [one.width for one in placed] == [9, 7, 3], "whatever they need, and what is left"
    for ident, width in (("a", 0), ("name", 24)):
        assert ident_and_width(wish(ident, width)) == (ident, width)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("environments", columns(COLUMNS, clock)),
        ("mounts", mounts_table.COLUMNS),
        ("processes", processes_table.columns(clock)),
    ],
)
def test_the_settings_know_the_columns_of_each_table(
    name: str, table: tuple[Column[Any], ...]
) -> None:
    setting = COLUMNS_OF[name]
    assert setting.ids == tuple(column.id for column in table)
    assert setting.must in setting.ids
