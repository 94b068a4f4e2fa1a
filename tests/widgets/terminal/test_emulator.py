"""The emulator: what programs show, what hostile bytes cannot do, what keys become."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from chroot_tool.widgets.terminal import cells
from chroot_tool.widgets.terminal.emulator import Emulator
from chroot_tool.widgets.terminal.transcript import Transcript
from support.terminal_rows import looks

RECORDINGS = Path(__file__).parent / "recordings"
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff]")


def emulator(data: bytes | str = b"", columns: int = 80, rows: int = 24) -> Emulator:
    made = Emulator(columns, rows)
    made.feed(data.encode() if isinstance(data, str) else data)
    return made


def screen(shown: Emulator) -> list[str]:
    return [shown.row(y)[0].rstrip() for y in range(shown.rows)]


def history(shown: Emulator) -> list[str]:
    return [row[0] for row in shown.history.rows()]


def sound(shown: Emulator) -> None:
    """What holds whatever has been fed."""
    assert (shown.columns, shown.rows) == (80, 24)
    for row in [*(shown.row(y) for y in range(24)), *shown.history.rows()]:
        text, shape, _, _ = row
        assert not CONTROL.search(text)
        assert cell_len(text) == cells.row_width(row) <= 80
        assert sum(length for _, _, length in cells.runs(row)) == cells.row_width(row)
        assert "".join(part for part, _, _ in cells.runs(row)) == text
        assert not shape or sum(shape) == len(text)
    assert not CONTROL.search(shown.title)


# --- recorded programs, compared with tmux --- #


@pytest.mark.parametrize("recording", sorted(RECORDINGS.glob("*.raw")), ids=lambda path: path.stem)
@pytest.mark.parametrize("piece", [7, 4096])
def test_shows_what_tmux_shows(recording: Path, piece: int) -> None:
    data = recording.read_bytes()
    screens = json.loads(recording.with_suffix(".json").read_text())
    shown = Emulator(80, 24)
    fed = 0
    for moment in screens:
        while fed < moment["bytes"]:
            step = min(piece, moment["bytes"] - fed)
            shown.feed(data[fed : fed + step])
            fed += step
        # tmux prints line drawing with SO and SI.
        expected = emulator("\x1b)0" + "\r\n".join(moment["rows"]))
        for y in range(24):
            ours, theirs = looks(shown.row(y)), looks(expected.row(y))
            assert ours[: len(theirs)] == theirs, (fed, y)
            # tmux leaves out what is blank to the end of a line, whatever its background.
            assert all(text == " " for text, _ in ours[len(theirs) :]), (fed, y)
    sound(shown)


def test_there_are_recordings_of_what_the_panel_is_for() -> None:
    names = {path.stem for path in RECORDINGS.glob("*.raw")}
    assert names >= {"vim", "htop", "less", "apt", "dialog", "whiptail", "python", "bash"}


# --- hostile output --- #

SEQUENCES = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.tuples(
        st.sampled_from(["", "?", ">", "=", "!"]),
        st.lists(st.integers(0, 99999), max_size=5),
        st.sampled_from(["", " ", "$", "*", '"', "'", "#"]),
        st.characters(min_codepoint=0x40, max_codepoint=0x7E),
    ).map(lambda p: f"\x1b[{p[0]}{';'.join(map(str, p[1]))}{p[2]}{p[3]}".encode()),
    st.tuples(st.sampled_from("]P_^X"), st.text(max_size=30), st.sampled_from(["\a", "\x1b\\", ""]))
    .map(lambda p: f"\x1b{p[0]}{p[1]}{p[2]}".encode("utf-8", "surrogatepass")),
    st.sampled_from(
        ["👩‍👩‍👧", "❤️", "中文", "e\u0301" * 9, "\u202eabc", "\x1b(0qqq\x1b(B", "\r\n" * 30]
    ).map(str.encode),
)  # fmt: skip


@pytest.mark.slow
@example([b" ", b"\xe2\x80\x8d!"])  # a joiner at the edge of a cell
@settings(max_examples=150, deadline=None)
@given(st.lists(SEQUENCES, max_size=40))
def test_nothing_breaks_it(pieces: list[bytes]) -> None:
    shown = Emulator(80, 24)
    for piece in pieces:
        for reply in re.split(rb"(?=\x1b[\[P\]])", shown.feed(piece)):
            # One sequence each, and nothing in it that would end a line at a shell.
            assert not re.search(rb"[\r\n\x00-\x06\x08-\x1a]", reply)
    sound(shown)


@pytest.mark.slow
def test_random_bytes_do_not_break_it() -> None:
    draw = random.Random(7)
    shown = Emulator(80, 24)
    for _ in range(60):
        shown.feed(draw.randbytes(2000))
        sound(shown)
        shown.resize(*draw.choice([(20, 5), (200, 60), (1, 1), (80, 24)]))
        shown.resize(80, 24)


@pytest.mark.parametrize(
    "request_",
    [
        "\x1b]0;rm -rf\r\x07\x1b[21t",
        "\x1b]2;echo\x1b\\\x1b[20t",
        "\x1b]52;c;ZWNobw==\x07\x1b]52;c;?\x07",
        "\x1b]50;echo\x07\x1b]50;?\x07",
        "\x05",
        "\x1bP+q0d\x1b\\\x1bP+q\r\x1b\\",
    ],
)
def test_types_nothing_that_the_child_chose(request_: str) -> None:
    reply = emulator().feed(request_.encode())
    assert b"echo" not in reply
    assert b"rm" not in reply
    assert b"\r" not in reply
    assert b"ZWNobw" not in reply


def test_an_unknown_setting_is_refused_without_quoting_the_request() -> None:
    assert emulator().feed(b"\x1bP$qecho evil\x1b\\") == b"\x1bP0$r\x1b\\"


def test_answers_what_programs_ask() -> None:
    shown = emulator("\x1b[5;7H")
    assert shown.feed(b"\x1b[6n") == b"\x1b[5;7R"
    assert shown.feed(b"\x1b[c").startswith(b"\x1b[?62;")
    assert shown.feed(b"\x1b[5n") == b"\x1b[0n"
    assert shown.feed(b"\x1b[18t") == b"\x1b[8;24;80t"
    shown.set_colors((0, 0, 0), (255, 255, 255))
    assert shown.feed(b"\x1b]11;?\x07") == b"\x1b]11;rgb:ffff/ffff/ffff\x07"
    assert shown.feed(b"\x1b]10;?\x07") == b"\x1b]10;rgb:0000/0000/0000\x07"


@pytest.mark.parametrize(
    "ask", ["\x1b[8;1000;1000t", "\x1b[?40h\x1b[?3h", "\x1b[132$|", "\x1b[60t"]
)
def test_the_child_cannot_resize(ask: str) -> None:
    shown = emulator(ask + "text")
    assert (shown.columns, shown.rows) == (80, 24)
    assert shown.row(0)[0] == "text"


def test_the_keyboard_cannot_be_locked() -> None:
    assert emulator("\x1b[2h").input.key("ctrl+c", "\x03") == b"\x03"
    assert emulator("\x1b[2h").input.key("left") == b"\x1b[D"


def test_a_string_without_end_takes_no_memory() -> None:
    shown = Emulator(80, 24)
    shown.feed(b"\x1b]0;")
    for _ in range(500):
        shown.feed(b"x" * 4096)
    assert len(shown._machine.parser.buffer) < 10_000
    shown.feed(b"\x1b")
    shown.feed(b"\\after")
    assert shown.row(0)[0] == "after"


def test_a_sequence_with_endless_parameters_is_not_kept() -> None:
    shown = Emulator(80, 24)
    for number in range(50):
        shown.feed(b"\x1b[" + b"1;" * 3000 + str(number).encode() + b"mtext\r")
    assert all(len(raw) < 1000 for raw in shown._machine.parser._csi_memo)
    assert shown.row(0)[0].endswith("text")


def test_titles_are_cleaned_and_cut() -> None:
    shown = emulator("\x1b]0;" + "evil\u202e\u009b31m" + "x" * 500 + "\x07")
    assert shown.title.startswith("evil\\u202e\\x9b31m")
    assert len(shown.title) < 300
    assert not CONTROL.search(shown.title)


# --- scrollback --- #


def numbered(count: int) -> str:
    return "".join(f"line {number}\r\n" for number in range(count))


def test_scrollback_keeps_the_newest_rows() -> None:
    shown = Emulator(80, 24, scrollback=100)
    shown.feed(numbered(500).encode())
    assert history(shown) == [f"line {number}" for number in range(377, 477)]
    assert screen(shown)[0] == "line 477"
    assert shown.history.first == 377
    assert shown.history.end == 477


@pytest.mark.slow
def test_scrollback_is_bounded_in_bytes_too() -> None:
    shown = Emulator(400, 24)
    colors = "".join(f"\x1b[38;2;{x % 256};{x // 2};9mx" for x in range(400)).encode()
    for _ in range(11_000):
        shown.history.append(cells.pack("x" * 400, [(1, n + 1) for n in range(400)], False))
    assert len(shown.history) < 10_000
    shown.feed(colors)
    assert cells.run_count(shown.row(0)) > 300


def test_clear_forgets_the_scrollback_if_told_to() -> None:
    shown = emulator(numbered(50) + "\x1b[H\x1b[2J\x1b[3J")
    assert history(shown) == []


def test_the_alternate_screen_leaves_the_scrollback_alone() -> None:
    shown = emulator(numbered(30))
    before = history(shown)
    shown.feed(b"\x1b[?1049h" + numbered(100).encode())
    assert shown.alternate
    assert history(shown) == before
    shown.feed(b"\x1b[?1049l")
    assert not shown.alternate
    assert screen(shown)[-2] == "line 29"


def test_the_alternate_screen_is_empty_each_time() -> None:
    shown = emulator("\x1b[?1049heditor\x1b[?1049l\x1b[?1049h")
    assert screen(shown) == [""] * 24


LINES = st.lists(
    st.one_of(
        st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200),
        st.sampled_from(
            ["", "x" * 80, "x" * 81, "x" * 160, " " * 85, "tab\t", "é中", "\x1b[31mred"]
        ),
    ),
    min_size=20,
    max_size=120,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(LINES, st.integers(2, 30), st.integers(1, 3))
def test_skipping_plain_lines_changes_nothing(lines: list[str], rows: int, pieces: int) -> None:
    data = ("\r\n".join(lines * 2) + "\r\n").encode()
    quick, slow = Emulator(80, rows), Emulator(80, rows)
    slow._plain.skip = lambda text: text  # type: ignore[method-assign]
    size = len(data) // pieces + 1
    for start in range(0, len(data), size):
        quick.feed(data[start : start + size])
        slow.feed(data[start : start + size])
    assert quick.history.rows() == slow.history.rows()
    assert [quick.row(y) for y in range(rows)] == [slow.row(y) for y in range(rows)]
    assert quick.cursor == slow.cursor


# --- sizes --- #


def test_a_lower_screen_keeps_the_line_of_the_cursor() -> None:
    shown = emulator(numbered(10) + "$ ", rows=24)
    shown.resize(80, 5)
    assert screen(shown) == [*(f"line {number}" for number in range(6, 10)), "$"]
    assert history(shown) == [f"line {number}" for number in range(6)]
    assert shown.cursor == (2, 4)


def test_a_lower_screen_keeps_the_shell_behind_an_editor() -> None:
    shown = emulator(numbered(20) + "$ vim\x1b[?1049h\x1b[2Jeditor", rows=24)
    shown.resize(80, 5)
    shown.feed(b"\x1b[?1049l!")
    assert screen(shown)[-1] == "$ vim!"
    assert screen(shown)[0] == "line 16"


def test_lines_are_wrapped_anew_and_joined_again() -> None:
    line = "abcdefghij" * 12
    shown = emulator(f"{line}\r\n" * 40, rows=10)
    transcript = Transcript(shown)
    before = transcript.text()
    for columns in (33, 120, 200, 7, 80):
        shown.resize(columns, 10)
        assert shown.columns == columns
        assert set(transcript.text().split("\n")) == {line, ""}
    assert transcript.text() == before


def test_wrapping_halves_no_wide_character() -> None:
    shown = emulator("中文字符" * 30 + "\r\n" * 30)
    shown.resize(7, 24)
    for row in shown.history.rows():
        assert cell_len(row[0]) == cells.row_width(row) <= 7
    assert "".join(history(shown)) == "中文字符" * 30


def test_tab_stops_come_back_with_the_width() -> None:
    shown = emulator()
    shown.resize(10, 24)
    shown.resize(100, 24)
    shown.feed(b"\ta\tb\tc\td\te\tf")
    assert shown.row(0)[0] == "        a       b       c       d       e       f"


def test_resize_in_the_middle_of_output() -> None:
    draw = random.Random(3)
    data = (numbered(200) + "\x1b[?1049h" + "中\x1b[31m" * 300 + "\x1b[?1049l").encode() * 3
    shown = Emulator(80, 24)
    for start in range(0, len(data), 97):
        shown.feed(data[start : start + 97])
        shown.resize(draw.randrange(1, 150), draw.randrange(1, 50))
    shown.resize(80, 24)
    sound(shown)


# --- cells --- #


def test_wide_characters_marks_and_emoji_take_the_cells_they_take() -> None:
    row = emulator("中e\u0301👩‍👩‍👧❤️x").row(0)
    assert row[0] == "中e\u0301👩‍👩‍👧❤️x"
    assert cells.row_width(row) == 2 + 1 + 2 + 2 + 1
    assert cells.cut(row, 3, 4) == cells.cut(row, 4, 5) == "👩‍👩‍👧"


def test_styles_are_packed() -> None:
    row = emulator("\x1b[1;31mA\x1b[0;38;5;200mB\x1b[38;2;1;2;3;48;2;4;5;6mC\x1b[m D").row(0)
    assert [(text, style) for text, style, _ in cells.runs(row)] == [
        ("A", cells.pack_style(2, 0, cells.BOLD)),
        ("B", cells.pack_style(201, 0, 0)),
        ("C", cells.pack_style(cells.RGB | 0x010203, cells.RGB | 0x040506, 0)),
        (" D", 0),
    ]


@pytest.mark.parametrize(
    "sequence", ["38;2;255;100;0", "48;2;0;0;0", "38;2;256;0;0", "38;2;1;2", "38;2;007;1;1"]
)
def test_direct_colours_are_what_bittty_makes_of_them(sequence: str) -> None:
    ours = emulator(f"\x1b[{sequence}mx")
    theirs = Emulator()
    theirs._machine.parser._csi_memo = {}
    theirs.feed(f"\x1b[{sequence}mx".encode())
    assert ours.row(0) == theirs.row(0)


def test_only_changed_rows_are_told() -> None:
    shown = emulator("one\r\ntwo\r\n")
    shown.changed_rows()
    assert shown.changed_rows() == []
    shown.feed(b"\x1b[5Hfive")
    assert shown.changed_rows() == [4]
    shown.feed(b"\x1b[?1049h")
    assert len(shown.changed_rows()) == 24


def test_a_row_that_is_written_again_is_packed_again() -> None:
    shown = emulator("one")
    assert shown.row(0)[0] == "one"
    shown.feed(b"\rtwo")
    assert shown.row(0)[0] == "two"


# --- keys, mouse, paste --- #

KEYS = [
    ("a", "a", b"a"),
    ("é", "é", "é".encode()),
    ("exclamation_mark", "!", b"!"),
    ("space", " ", b" "),
    ("enter", "\r", b"\r"),
    ("enter", None, b"\r"),
    ("tab", "\t", b"\t"),
    ("shift+tab", None, b"\x1b[Z"),
    ("escape", "\x1b", b"\x1b"),
    ("escape", None, b"\x1b"),
    ("backspace", "\x7f", b"\x7f"),
    ("backspace", None, b"\x7f"),
    ("ctrl+c", "\x03", b"\x03"),
    ("ctrl+c", None, b"\x03"),
    ("ctrl+q", "\x11", b"\x11"),
    ("ctrl+at", "\x00", b"\x00"),
    ("ctrl+backslash", "\x1c", b"\x1c"),
    ("ctrl+backslash", None, b"\x1c"),
    ("ctrl+underscore", None, b"\x1f"),
    ("up", None, b"\x1b[A"),
    ("ctrl+left", None, b"\x1b[1;5D"),
    ("ctrl+shift+right", None, b"\x1b[1;6C"),
    ("home", None, b"\x1b[H"),
    ("end", None, b"\x1b[F"),
    ("insert", None, b"\x1b[2~"),
    ("delete", None, b"\x1b[3~"),
    ("pageup", None, b"\x1b[5~"),
    ("ctrl+pagedown", None, b"\x1b[6;5~"),
    ("f1", None, b"\x1bOP"),
    ("f5", None, b"\x1b[15~"),
    ("shift+f5", None, b"\x1b[15;2~"),
    ("f12", None, b"\x1b[24~"),
    ("alt+x", "x", b"\x1bx"),
    ("alt+shift+x", "X", b"\x1bX"),
    ("alt+enter", None, b"\x1b\r"),
    ("left_shift", None, b""),
]


@pytest.mark.parametrize(("name", "character", "expected"), KEYS)
def test_keys_are_encoded_as_xterm_does(name: str, character: str | None, expected: bytes) -> None:
    assert emulator().input.key(name, character) == expected


def test_cursor_keys_follow_their_mode() -> None:
    shown = emulator("\x1b[?1h")
    assert shown.input.key("up") == b"\x1bOA"
    assert shown.input.key("home") == b"\x1bOH"
    assert shown.input.key("ctrl+up") == b"\x1b[1;5A"
    shown.feed(b"\x1b[?1l")
    assert shown.input.key("up") == b"\x1b[A"


def test_a_paste_cannot_leave_its_brackets() -> None:
    text = "safe\x1b[201~rm\x1b[20\x1b[201~1~ -rf\r\nline\nend\x03\x9b"
    plain = emulator().input.paste(text)
    assert plain == b"saferm -rf\rline\rend"
    assert emulator("\x1b[?2004h").input.paste(text) == b"\x1b[200~" + plain + b"\x1b[201~"


def test_the_mouse_is_told_only_to_who_asks() -> None:
    shown = emulator()
    assert shown.input.wanted_mouse == "off"
    assert shown.input.mouse_event(3, 4, 0, "press") == b""
    shown.feed(b"\x1b[?1002h\x1b[?1006h")
    assert shown.input.wanted_mouse == "button"
    assert shown.input.mouse_event(3, 4, 0, "press") == b"\x1b[<0;4;5M"
    assert shown.input.mouse_event(4, 4, 0, "move") == b"\x1b[<32;5;5M"
    assert shown.input.mouse_event(4, 4, 0, "release", frozenset({"ctrl"})) == b"\x1b[<16;5;5m"
    assert shown.input.mouse_event(999, -1, 64, "press") == b"\x1b[<64;80;1M"
    shown.feed(b"\x1b[?1006l")
    assert shown.input.mouse_event(0, 0, 0, "press") == b"\x1b[M !!"


def test_focus_is_told_only_to_who_asks() -> None:
    shown = emulator()
    assert shown.input.focus(True) == b""
    shown.feed(b"\x1b[?1004h")
    assert shown.input.focus(True) == b"\x1b[I"
    assert shown.input.focus(False) == b"\x1b[O"


# --- text, selection --- #


def test_the_text_of_everything() -> None:
    shown = emulator(numbered(40) + "x" * 100 + "\r\n\r\nlast")
    text = Transcript(shown).text()
    assert text == "".join(f"line {n}\n" for n in range(40)) + "x" * 100 + "\n\nlast\n"


def test_selected_text_joins_what_was_wrapped() -> None:
    shown = emulator("start " + "y" * 90 + "\r\nnext 中文 end", rows=5)
    transcript = Transcript(shown)
    assert transcript.text_of(((0, 3), (2, 7))) == "rt " + "y" * 90 + "\nnext 中"
    assert transcript.text_of(((2, 7), (0, 3))) == transcript.text_of(((0, 3), (2, 7)))
    assert transcript.text_of(transcript.line_at(1)) == "start " + "y" * 90
    assert transcript.text_of(transcript.word_at((2, 1))) == "next"
    assert transcript.text_of(transcript.word_at((2, 6))) == "中文"


def test_numbers_of_rows_stay_when_old_ones_go() -> None:
    shown = Emulator(80, 5, scrollback=20)
    shown.feed(numbered(15).encode())
    transcript = Transcript(shown)
    line = transcript.line_at(12)
    assert transcript.text_of(line) == "line 12"
    shown.feed(numbered(15).encode())
    assert transcript.text_of(line) == "line 12"
    shown.feed(numbered(50).encode())
    assert transcript.text_of(line) == ""
