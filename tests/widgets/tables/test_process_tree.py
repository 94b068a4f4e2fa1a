"""Processes as a tree: in order, each once, whatever their parents are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core.process import Process
from chroot_tool.widgets.tables.process_tree import tree
from chroot_tool.widgets.tables.processes_table import ProcessesTable
from support.samples import clock
from support.screen import screen_text
from support.widget_host import WidgetHost


def rows(*pairs: tuple[int, int]) -> dict[str, Process]:
    return {
        str(pid): Process(pid, "root", f"p{pid}", float(pid % 7), 1, 0.0, parent=parent)
        for pid, parent in pairs
    }


def ordered(*pairs: tuple[int, int]) -> list[tuple[int, int]]:
    found = rows(*pairs)
    return [(int(key), depth) for key, depth in tree(list(found), found).items()]


def test_children_stand_below_their_parents_in_the_order_given() -> None:
    assert ordered((9, 1), (5, 9), (2, 9), (3, 2), (7, 1)) == [
        (9, 0), (5, 1), (2, 1), (3, 2), (7, 0)
    ]  # fmt: skip


def test_whose_parent_is_elsewhere_is_at_the_top() -> None:
    assert ordered((5, 4711), (6, 0)) == [(5, 0), (6, 0)]


def test_those_that_are_each_others_parents_are_there_once() -> None:
    assert ordered((1, 1)) == [(1, 0)]
    assert ordered((1, 2), (2, 1), (3, 2)) == [(1, 0), (2, 1), (3, 2)]


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), unique_by=lambda pair: pair[0]))
def test_nobody_is_lost(pairs: list[tuple[int, int]]) -> None:
    found = ordered(*pairs)
    assert sorted(pid for pid, _ in found) == sorted(pid for pid, _ in pairs)
    parents = dict(pairs)
    place = {pid: number for number, (pid, _) in enumerate(found)}
    for pid, depth in found:
        if depth:
            assert place[parents[pid]] < place[pid]


async def test_the_key_and_back_sorted_within() -> None:
    table = ProcessesTable(clock=clock)
    host = WidgetHost(table)
    async with host.run_test(size=(80, 24)) as pilot:
        table.show(tuple(rows((10, 1), (11, 10), (13, 10), (12, 11), (20, 1)).values()))
        table.focus()
        await pilot.press("T")
        await pilot.pause()
        assert [key.split()[0] for key in table.keys] == ["10", "11", "12", "13", "20"]
        assert "└ p11" in screen_text(host)
        assert "  └ p12" in screen_text(host)
        table.sort_by("cpu")
        await pilot.pause()
        assert [key.split()[0] for key in table.keys] == ["20", "10", "13", "11", "12"]
        table.search("p12")
        await pilot.pause()
        assert "└" not in screen_text(host), "its parents are not there"
        table.search("")
        await pilot.press("T")
        await pilot.pause()
        assert "└" not in screen_text(host)
        assert [key.split()[0] for key in table.keys] == ["13", "20", "12", "11", "10"]
