"""Searching what a terminal shows and has shown."""

from __future__ import annotations

import pytest

from chroot_tool.widgets.terminal.emulator import Emulator
from chroot_tool.widgets.terminal.search import Match, Search
from chroot_tool.widgets.terminal.transcript import Transcript


def fed(text: str, *, columns: int = 20, rows: int = 5, kept: int = 1000) -> Emulator:
    made = Emulator(columns, rows, scrollback=kept)
    made.feed(text.encode())
    return made


def places(shown: Emulator, text: str) -> list[str]:
    """Every place of *text*, from the end upwards, as the text that stands there."""
    transcript = Transcript(shown)
    search = Search(transcript, text)
    found: list[Match] = []
    start = (transcript.end, 0)
    while (match := search.step(start, backwards=True)) and match not in found:
        found.append(match)
        start = match.span[0]
    assert [one.number for one in found] == list(range(len(found), 0, -1))
    assert {one.of for one in found} <= {len(found)}
    return [transcript.text_of(one.span) for one in found]


LINES = "".join(f"line {n}\r\n" for n in range(60))


def test_both_ways_and_round() -> None:
    shown = fed(LINES + "Needle one\r\n" + "z" * 15 + "needle two")
    transcript = Transcript(shown)
    search = Search(transcript, "needle")
    last = search.step((transcript.end, 0), backwards=True)
    assert last is not None
    assert transcript.text_of(last.span) == "needle"
    assert last.span[0][0] != last.span[1][0]  # it stands over the end of a row
    first = search.step(last.span[0], backwards=True)
    assert first is not None
    assert transcript.text_of(first.span) == "Needle"
    assert (first.number, first.of, last.number) == (1, 2, 2)
    assert search.at == first.span
    assert search.step(first.span[0], backwards=True) == last
    assert search.step(first.span[0], backwards=False) == last
    assert search.step(last.span[0], backwards=False) == first


def test_capitals_count_where_there_are_some() -> None:
    shown = fed("Make make MAKE\r\n")
    assert places(shown, "make") == ["MAKE", "make", "Make"]
    assert places(shown, "Make") == ["Make"]
    assert places(shown, "nowhere") == []


def test_several_in_a_row_and_over_the_ends_of_rows() -> None:
    assert places(fed("ab" * 35), "ab") == ["ab"] * 35
    assert places(fed("x" * 19 + "abc" + "y" * 30), "abc") == ["abc"]
    assert places(fed("ab" + "c" * 50 + "de"), "b" + "c" * 50 + "d") == ["b" + "c" * 50 + "d"]
    assert places(fed("abc\r\ndef"), "cd") == []


def test_wide_characters_are_found_and_marked_whole() -> None:
    shown = fed("中文 end 中文")
    assert places(shown, "文") == ["文", "文"]
    assert Search(Transcript(shown), "文").marks(0) == [(2, 4), (11, 13)]
    assert places(fed("x" * 19 + "中文"), "中文") == ["中文"]


def test_each_row_is_marked_where_a_place_reaches_into_it() -> None:
    shown = fed("x" * 17 + "needle and needle")
    search = Search(Transcript(shown), "needle")
    assert search.marks(0) == [(17, 20)]
    assert search.marks(1) == [(0, 3), (8, 14)]
    assert search.marks(2) == []


@pytest.mark.parametrize("text", ["line", "ne 5"])
def test_what_is_kept_is_bounded_and_the_place_may_be_gone(text: str) -> None:
    shown = fed(LINES, kept=20)
    transcript = Transcript(shown)
    search = Search(transcript, text)
    oldest = search.step((transcript.first, 0), backwards=False)
    assert oldest is not None
    shown.feed(LINES.encode())
    after = search.step(oldest.span[0], backwards=False)
    assert after is not None
    assert transcript.text_of(after.span) == text
    assert after.span[0][0] >= transcript.first
