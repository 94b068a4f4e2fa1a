"""`remembered`: what was asked is not worked out again, and what is kept has a bound."""

from __future__ import annotations

from chroot_tool.core import remembered as of
from chroot_tool.core.remembered import remembered


def test_what_was_asked_is_known_and_an_error_is_not() -> None:
    asked: list[tuple[object, ...]] = []

    @remembered
    def half(number: int, by: int = 2) -> float:
        asked.append((number, by))
        return number / by

    assert [half(4), half(4), half(4, 4), half(4, 4)] == [2, 2, 1, 1]
    assert asked == [(4, 2), (4, 4)]
    for _ in range(2):
        try:
            half(1, 0)
        except ZeroDivisionError:
            asked.append(("no",))
    assert asked[2:] == [(1, 0), ("no",), (1, 0), ("no",)]


def test_of_very_many_not_all_are_kept() -> None:
    asked: list[int] = []

    @remembered
    def same(number: int) -> int:
        asked.append(number)
        return number

    count = 3 * of._MOST
    assert [same(number) for number in range(count)] == list(range(count))
    assert same(count - 1) == count - 1
    assert len(asked) == count
    assert same(0) == 0
    assert len(asked) == count + 1
