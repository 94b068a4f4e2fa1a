"""Graphs of braille dots: how high, how wide, what stands where."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.widgets.text.braille import DOTS, graph, line


def dots(text: str) -> int:
    """Count the dots of a text."""
    return sum((ord(c) - 0x2800).bit_count() for c in text if c != " ")


def test_a_cell_has_two_points_that_grow_from_below() -> None:
    assert line([0, 0, 1, 0, 0, 1, 4, 4, 9, -3]) == " ⡀⢀⣿⡇"


def test_the_newest_is_at_the_right_and_older_ones_fall_out() -> None:
    assert graph([1, 2], 2, 3, 1) == ["  " + line([2, 4])]
    assert graph([4, 0, 0], 4, 1, 1) == [" "]


def test_a_high_graph_is_filled_from_below() -> None:
    assert graph([8, 5, 1, 0], 8, 2, 2) == [line([4, 1, 0, 0]), line([4, 4, 1, 0])]


@given(
    st.lists(st.floats(0, 1e18), max_size=300), st.floats(0, 1e18), st.integers(1, 60),
    st.integers(1, 5),
)  # fmt: skip
def test_it_is_as_big_as_was_asked_and_nothing_above_0_is_lost(
    values: list[float], top: float, width: int, height: int
) -> None:
    lines = graph(values, top, width, height)
    assert [len(one) for one in lines] == [width] * height
    shown = values[-2 * width :]
    most = height * DOTS
    assert sum(map(dots, lines)) >= sum(value > 0 for value in shown)
    assert sum(map(dots, lines)) <= most * sum(value > 0 for value in shown)
