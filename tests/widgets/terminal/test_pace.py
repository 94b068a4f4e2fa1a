"""The pace of a flood: so many bytes a second, so many at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.widgets.terminal.pace import Pace, cost, far, near


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_room_comes_back_with_time_and_no_more_than_there_was() -> None:
    ticks = Ticks()
    pace = Pace(1000, 200, ticks)
    assert pace.room == 200
    assert pace.wait == 0
    pace.spend(300)
    assert pace.room == -100
    assert pace.wait == 0.2
    ticks.now = 0.2
    assert pace.room == 100
    assert pace.wait == 0
    ticks.now = 60
    assert pace.room == 200


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 40), st.integers(1, 250)), max_size=60))
def test_it_is_never_exceeded(moves: list[tuple[float, int, int]]) -> None:
    ticks = Ticks()
    pace = Pace(4000, 800, ticks)
    written = 0.0
    for seconds, lines, width in moves:
        ticks.now += seconds
        for _ in range(lines):
            if pace.room <= 0:
                break
            pace.spend(cost(width, 1))
            written += cost(width, 1)
    # One line may go over what there was room for.
    assert written <= 800 + 4000 * ticks.now + cost(250, 1)


def test_what_is_written_counts_and_not_what_was_guessed() -> None:
    ticks = Ticks()
    pace = Pace(1000, 200, ticks)
    pace.spend(150)
    pace.spend(50)
    pace.wrote(120)
    assert pace.room == 80
    pace.wrote(300)  # of somebody else: nobody has guessed it
    assert pace.room == -220
    assert pace.wait == 0.32
    pace.wrote(1_000_000)  # a whole screen
    assert pace.wait == 1.1


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 4000)), max_size=60))
def test_whatever_a_paint_costs_the_line_takes_no_more(moves: list[tuple[float, int]]) -> None:
    ticks = Ticks()
    pace = Pace(4000, 800, ticks)
    written = 0
    for seconds, size in moves:
        ticks.now += seconds
        if pace.wait == 0:
            pace.spend(300)
            pace.wrote(size)
            written += size
    assert written <= 800 + 4000 * ticks.now + 4000


def test_behind_ssh_a_key_has_a_fifth_of_a_second_at_64_kbit_at_most() -> None:
    line = 64_000 / 8
    pace = far()
    pace._ticks, pace._at = Ticks(), 0.0
    assert pace.room / line <= 0.2
    pace.spend(pace.room + 401)
    assert pace.wait > 0
    assert near().room > pace.room


def test_another_pace_keeps_what_was_written() -> None:
    ticks = Ticks()
    pace = Pace(1000, 200, ticks)
    pace.wrote(500)
    pace.become(Pace(100, 800, ticks, of_all=True))
    assert (pace.room, pace.of_all) == (-300, True)
