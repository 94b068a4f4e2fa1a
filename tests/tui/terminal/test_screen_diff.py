"""What is left out of what goes to a slow line: the terminal shows the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.app.tui.terminal.screen_diff import ScreenDiff
from chroot_tool.widgets.terminal.emulator import Emulator
from support.terminal_rows import looks

COLUMNS, ROWS = 12, 4
SIZE = (COLUMNS, ROWS)
NARROW = st.text(st.sampled_from("ab  │●é"), min_size=1, max_size=COLUMNS)
WIDE = st.text(st.sampled_from("ab  │●é世"), min_size=1, max_size=COLUMNS)
UNSEEN = st.sampled_from(["", "0", "1", "31", "3;38;5;200"])
"""Styles that a blank looks the same with."""
STYLES = UNSEEN | st.sampled_from([
    "7", "4;38;2;1;2;3", "38;2;1;2;3;48;2;4;5;6", "1;38;2;9;9;9;48;2;4;5;6", "31;42",
    "2;97;48;5;7", "3;48;2;4;5;6",
])  # fmt: skip
PLACES = st.tuples(st.integers(1, ROWS), st.integers(1, COLUMNS))


@st.composite
def paints(draw: st.DrawFn, letters: st.SearchStrategy[str], styles: st.SearchStrategy[str]) -> str:
    """As Textual paints: a place, runs that end in the row, the cursor's place."""
    runs = st.lists(st.tuples(styles, letters), min_size=1, max_size=4)
    said = []
    for row, column in draw(st.lists(PLACES, min_size=1, max_size=5)):
        said.append(f"\x1b[{row};{column}H")
        room = COLUMNS - column + 1
        for style, text in draw(runs):
            fitting = ""
            for letter in text:
                width = 2 if letter == "世" else 1
                if width <= room:
                    fitting, room = fitting + letter, room - width
            if fitting:
                said.append(f"\x1b[{style}m{fitting}\x1b[0m" if style else fitting)
    row, column = draw(PLACES)
    return "".join((*said, f"\x1b[{row};{column}H"))


def shown(screen: Emulator) -> list[object]:
    rows = [looks(screen.row(y)) for y in range(ROWS)]
    return [*rows, screen.cursor]


PAINTED = [
    st.lists(st.tuples(paints(letters, styles), st.booleans()), max_size=8)
    # What is left of a wide letter of which half is written over is blank: of which background,
    # terminals disagree.
    for letters, styles in ((NARROW, STYLES), (WIDE, UNSEEN))
]


@pytest.mark.slow
@given(st.one_of(PAINTED))
def test_the_terminal_shows_what_was_painted(painted: list[tuple[str, bool]]) -> None:
    """Whenever what has changed is written: after each paint, or after several."""
    whole, spared = Emulator(COLUMNS, ROWS), Emulator(COLUMNS, ROWS)
    diff = ScreenDiff()
    clear = f"\x1b[2J\x1b[H{'x' * COLUMNS}"
    for data, is_written in [(clear, True), *painted, ("", True)]:
        whole.feed(data.encode())
        spared.feed(diff.take(data, SIZE).encode())
        if is_written:
            spared.feed(diff.changes().encode())
            assert shown(spared) == shown(whole)


PAINT = (
    "\x1b[1;1H\x1b[38;2;1;1;1;48;2;2;2;2mab \x1b[0m\x1b[38;2;3;3;3;48;2;2;2;2mcd\x1b[0m\x1b[1;1H"
)


def test_what_stands_there_is_not_written_again() -> None:
    diff = ScreenDiff()
    assert diff.take(PAINT, SIZE) == ""
    assert diff.changes() == (
        "\x1b[1;1H\x1b[0;38;2;1;1;1;48;2;2;2;2mab \x1b[38;2;3;3;3mcd\x1b[1;1H"
    )
    diff.take(PAINT, SIZE)
    assert diff.changes() == ""
    diff.take(PAINT.replace("cd", "ce"), SIZE)
    assert diff.changes() == "\x1b[4Ce\x1b[1;1H"


def test_what_was_painted_over_before_it_was_written_is_not_written() -> None:
    diff = ScreenDiff()
    for letter in "abc":
        diff.take(f"\x1b[2;1H{letter}", SIZE)
    assert diff.changes() == "\x1b[2;1H\x1b[0mc"


def test_what_it_does_not_know_goes_on_in_its_place_and_all_is_written_after_it() -> None:
    diff = ScreenDiff()
    diff.take(PAINT, SIZE)
    passed = diff.take("\x1b[?1049l", SIZE)
    assert passed.index("cd") < passed.index("\x1b[?1049l")
    assert diff.changes() == ""  # the cursor is somebody else's now
    diff.take(PAINT, SIZE)
    assert "ab" in diff.changes()
    diff.take("\x1b[?2026h\x1b[?2026l", SIZE)
    assert diff.changes() == ""
    diff.take("\x1b[?25l\x1b]0;title\x07\x07", SIZE)
    assert diff.changes() == "\x1b[?25l\x1b]0;title\x07\x07"
    diff.take(PAINT, SIZE)
    assert diff.changes() == ""
    diff.take(PAINT, (COLUMNS + 1, ROWS))
    assert "ab" in diff.changes()
