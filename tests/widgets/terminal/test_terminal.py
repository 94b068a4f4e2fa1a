"""The terminal widget with real commands in real ptys, driven by Pilot."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
from rich.color import Color
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color as TextualColor
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from chroot_tool.widgets.terminal import cells, flow_control, painting, pty_child
from chroot_tool.widgets.terminal.colors import Palette, contrast
from chroot_tool.widgets.terminal.pace import Pace
from chroot_tool.widgets.terminal.search import Match
from chroot_tool.widgets.terminal.terminal import Terminal
from support import PATIENCE, has_ended, wait_until
from support.screen import screen_text

SHELL = ("bash", "--norc", "--noprofile", "-i")
KEYS_AS_TEXT = ("sh", "-c", "stty raw -echo; printf 'ready\\r\\n'; exec cat -vT")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class Host(App[None]):
    """An app with bindings of every kind, all in the way of a terminal."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "note('q')"),
        Binding("ctrl+g", "note('ctrl+g')", priority=True),
        Binding("f1", "note('f1')", priority=True),
    ]
    CSS = "Terminal { border: round $primary; } Input { dock: bottom; }"

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self.terminal = terminal
        self.noted: list[str] = []
        self.messages: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.terminal
        yield Input()

    def action_note(self, what: str) -> None:
        self.noted.append(what)

    def on_terminal_exited(self, message: Terminal.Exited) -> None:
        self.messages.append(message)

    def on_terminal_leave_requested(self, message: Terminal.LeaveRequested) -> None:
        self.messages.append(message)


@asynccontextmanager
async def hosted(
    argv: Sequence[str], *, log: io.BytesIO | None = None, cwd: str | None = None
) -> AsyncIterator[tuple[Terminal, Pilot[None], Host]]:
    environment = {**os.environ, "PS1": "prompt> ", "LANG": "C.UTF-8"}
    terminal = Terminal(argv, env=environment, log=log, cwd=cwd, id="terminal")
    host = Host(terminal)
    async with host.run_test(size=(82, 27)) as pilot:
        terminal.start()
        terminal.focus()
        await pilot.pause()
        yield terminal, pilot, host


async def until(
    pilot: Pilot[None], condition: Callable[[], object], seconds: float = PATIENCE
) -> None:
    await pilot.pause()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)  # Pilot's own pause waits for an idle processor
    raise AssertionError("it did not come")


async def shows(pilot: Pilot[None], terminal: Terminal, text: str) -> None:
    await until(pilot, lambda: text in terminal.reading.text())


def painted(terminal: Terminal) -> list[str]:
    return [terminal.render_line(y).text for y in range(terminal.size.height)]


# --- commands and how they end --- #


async def test_shows_output_and_tells_the_exit_code() -> None:
    async with hosted(["sh", "-c", "seq 1 3000; exit 7"]) as (terminal, pilot, host):
        await until(pilot, lambda: host.messages)
        (message,) = host.messages
        assert isinstance(message, Terminal.Exited)
        assert (message.code, message.signal, message.terminal) == (7, None, terminal)
        assert terminal.exit == 7
        assert not terminal.running
        assert terminal.reading.text() == "".join(f"{n}\n" for n in range(1, 3001))
        assert painted(terminal)[-2].rstrip() == "3000"


async def test_tells_the_signal() -> None:
    async with hosted(["sh", "-c", "kill -SEGV $$"]) as (_, pilot, host):
        await until(pilot, lambda: host.messages)
        assert (host.messages[0].code, host.messages[0].signal) == (None, signal.SIGSEGV)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("argv", "cwd"), [(["/no/such/command"], None), (["true"], "/no/such")])
async def test_a_command_that_cannot_be_started_says_why(argv: list[str], cwd: str | None) -> None:
    async with hosted(argv, cwd=cwd) as (terminal, pilot, host):
        await until(pilot, lambda: host.messages)
        assert terminal.exit == 127
        assert "No such file or directory" in terminal.reading.text()


async def test_a_command_whose_end_could_not_be_seen_does_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[int] = []

    def refuse(pid: int, _flags: int = 0) -> int:
        started.append(pid)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "pidfd_open", refuse)
    async with hosted(["sleep", "1000"]) as (terminal, pilot, host):
        await until(pilot, lambda: host.messages)
        assert "Too many open files" in terminal.reading.text()
        (pid,) = started
        assert has_ended(pid)


async def test_the_command_has_its_size_and_its_terminal_from_the_start() -> None:
    script = "stty size; echo $TERM $COLORTERM; tty; cut -d ' ' -f 5,8 /proc/$$/stat"
    async with hosted(["sh", "-c", script]) as (terminal, pilot, _):
        await until(pilot, lambda: terminal.exit is not None)
        size, term, tty, groups = terminal.reading.text().split("\n")[:4]
        assert size == f"{terminal.size.height} {terminal.size.width}"
        assert term == "xterm-256color truecolor"
        assert tty.startswith("/dev/pts/")
        own, foreground = groups.split()
        assert foreground == own  # it is the controlling terminal


async def test_resizing_tells_the_command() -> None:
    script = "trap 'stty size' WINCH; echo up; while :; do sleep 0.02; done"
    async with hosted(["sh", "-c", script]) as (terminal, pilot, _):
        await shows(pilot, terminal, "up")
        before = terminal.size
        await pilot.resize_terminal(52, 20)
        await until(pilot, lambda: terminal.size != before)
        width, height = terminal.size
        await shows(pilot, terminal, f"{height} {width}")
        assert terminal.emulator is not None
        assert (terminal.emulator.columns, terminal.emulator.rows) == (width, height)


@pytest.mark.slow
async def test_resizing_in_a_flood() -> None:
    async with hosted(["yes", "x" * 100]) as (terminal, pilot, _):
        await shows(pilot, terminal, "xxx")
        for width in (40, 120, 30, 82):
            await pilot.resize_terminal(width, width // 3)
            await pilot.pause(0.05)
            assert all(len(line) == terminal.size.width for line in painted(terminal))


async def test_what_is_left_in_the_background_does_not_hold_the_end_up() -> None:
    log = io.BytesIO()  # on the screen `yes` may be quicker than the shell
    script = "sleep 97 & yes & echo done"
    async with hosted(["sh", "-c", script], log=log) as (terminal, pilot, _):
        await until(pilot, lambda: terminal.exit == 0)
        assert b"done" in log.getvalue()


async def test_stop_ends_what_ignores_term_and_hup(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = tuple((number, 0.1) for number, _ in pty_child._STOPPING)
    monkeypatch.setattr(pty_child, "_STOPPING", quick)
    script = "trap '' TERM HUP; echo up; while :; do sleep 0.05; done"
    async with hosted(["sh", "-c", script]) as (terminal, pilot, _):
        await shows(pilot, terminal, "up")
        terminal.stop()
        await until(pilot, lambda: terminal.exit is not None)
        assert terminal.exit == -signal.SIGKILL


async def test_stop_lets_a_command_end_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = tuple((number, PATIENCE) for number, _ in pty_child._STOPPING)
    monkeypatch.setattr(pty_child, "_STOPPING", patient)
    script = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.02; done"
    async with hosted(["sh", "-c", script]) as (terminal, pilot, _):
        await shows(pilot, terminal, "up")
        terminal.stop()
        await until(pilot, lambda: terminal.exit is not None)
        assert terminal.exit == 3
        assert "bye" in terminal.reading.text()


async def test_a_closed_panel_leaves_no_process() -> None:
    async with hosted(["sh", "-c", "sleep 98 & echo $!; wait"]) as (terminal, pilot, _):
        await until(pilot, lambda: terminal.reading.text().strip().isdigit())
        sleeper = int(terminal.reading.text())
        await terminal.remove()
    wait_until(lambda: has_ended(sleeper))


async def test_restart_begins_anew() -> None:
    async with hosted(["sh", "-c", "echo $$; exit 1"]) as (terminal, pilot, host):
        await until(pilot, lambda: host.messages)
        first = terminal.reading.text()
        terminal.restart()
        await until(pilot, lambda: len(host.messages) == 2)
        assert terminal.reading.text().strip().isdigit()
        assert terminal.reading.text() != first


async def test_restart_lets_go_of_what_still_runs() -> None:
    async with hosted(["sh", "-c", "echo $$; exec sleep 96"]) as (terminal, pilot, host):
        await until(pilot, lambda: terminal.reading.text().strip().isdigit())
        first = int(terminal.reading.text())
        terminal.restart()
        await until(pilot, lambda: terminal.reading.text().strip() not in ("", str(first)))
        await until(pilot, lambda: has_ended(first))
        assert terminal.running
        assert terminal.exit is None
        assert host.messages == []


async def test_a_hidden_terminal_shows_what_came_meanwhile() -> None:
    script = "echo one; while [ ! -e /proc/$$/fd/9 ]; do read x; echo two; exec 9</dev/null; done"
    async with hosted(["sh", "-c", script]) as (terminal, pilot, _):
        await shows(pilot, terminal, "one")
        terminal.display = False
        await pilot.pause()
        terminal.send(b"\n")
        await shows(pilot, terminal, "two")
        await pilot.pause(0.1)
        terminal.display = True
        await pilot.pause(0.1)
        lines = [
            "".join(part.text for part in line)
            for line in terminal.render_lines(terminal.size.region)
        ]
        assert any("two" in line for line in lines)


async def test_the_log_has_every_byte() -> None:
    log = io.BytesIO()
    async with hosted(["sh", "-c", "seq 1 20000; printf '\\033[1mx'"], log=log) as (_, pilot, host):
        await until(pilot, lambda: host.messages)
    numbers = "".join(f"{n}\r\n" for n in range(1, 20001))
    assert log.getvalue() == numbers.encode() + b"\x1b[1mx"


# --- keys --- #


async def test_every_key_is_the_commands() -> None:
    async with hosted(KEYS_AS_TEXT) as (terminal, pilot, host):
        await shows(pilot, terminal, "ready")
        await pilot.press("q", "ctrl+q", "ctrl+p", "tab", "shift+tab", "escape", "ctrl+c", "f1")
        await pilot.press("ctrl+g", "j", "exclamation_mark", "é", "left")
        await shows(pilot, terminal, "q^Q^P^I^[[Z^[^C^[OP^Gj!M-CM-)^[[D")
        assert host.noted == []
        assert host.focused is terminal
        assert len(host.screen_stack) == 1


async def test_ctrl_bracket_leaves_and_can_be_rebound() -> None:
    async with hosted(KEYS_AS_TEXT) as (terminal, pilot, host):
        await shows(pilot, terminal, "ready")
        await pilot.press("ctrl+right_square_bracket")
        assert [type(message) for message in host.messages] == [Terminal.LeaveRequested]
        host.set_keymap({"terminal.leave": "ctrl+o"})
        await pilot.press("ctrl+right_square_bracket", "x")
        await shows(pilot, terminal, "^]x")
        await pilot.press("ctrl+o")
        assert len(host.messages) == 2


async def test_keys_of_the_app_work_again_outside() -> None:
    async with hosted(KEYS_AS_TEXT) as (_, pilot, host):
        host.query_one(Input).focus()
        await pilot.press("ctrl+g", "f1")
        assert host.noted == ["ctrl+g", "f1"]


async def test_a_paste_comes_in_brackets_if_asked_for() -> None:
    script = "stty raw -echo; printf '\\033[?2004hready\\r\\n'; exec cat -v"
    async with hosted(["sh", "-c", script]) as (terminal, pilot, _):
        await shows(pilot, terminal, "ready")
        terminal.post_message(events.Paste("two\nlines\x1b[201~\x03"))
        await shows(pilot, terminal, "^[[200~two^Mlines^[[201~")


@pytest.mark.slow
async def test_more_than_the_kernel_takes_is_written_bit_by_bit() -> None:
    script = "stty raw -echo; echo ready; sleep 0.5; head -c 300000 | cksum"
    async with hosted(["sh", "-c", script]) as (terminal, pilot, _):
        await shows(pilot, terminal, "ready")
        terminal.send(b"0123456789" * 30000)
        await until(pilot, lambda: terminal.exit == 0)
        assert " 300000" in terminal.reading.text()


@pytest.mark.slow
async def test_answers_to_a_child_that_does_not_read_are_dropped() -> None:
    script = (
        "stty raw -echo; yes \"$(printf '\\033[c\\033[6n')\" | head -c 200000; echo end; sleep 9"
    )
    async with hosted(["sh", "-c", script]) as (terminal, pilot, _):
        await shows(pilot, terminal, "end")
        assert terminal._command.child is not None
        assert len(terminal._command.child._unsent) < 100_000


# --- what the child cannot do --- #


async def test_no_control_byte_gets_into_a_line() -> None:
    hostile = (
        r"\033]0;title\033\\\007\033]52;c;aGk=\007\033]9;note\007\033]8;;http://x\007link\033]8;;\007"
        r"\033P+q544e\033\\\033[?1049h\033[>4;2m\302\233 \302\220x\033_apc\033\\ \033[8;9;9t\007"
        r"\342\200\256rtl [red]markup[/] [@click=app.quit]click[/]"
    )
    async with hosted(["printf", hostile]) as (terminal, pilot, host):
        await until(pilot, lambda: host.messages)
        lines = painted(terminal)
        assert any("[@click=app.quit]click[/]" in line for line in lines)
        for y, line in enumerate(lines):
            assert not CONTROL.search(line)
            assert "\u202e" not in line
            assert all(
                segment.control is None and not (segment.style and segment.style.meta)
                for segment in terminal.render_line(y)
            )
        assert terminal.title == "title"
        assert host.clipboard == ""


async def test_titles_are_safe() -> None:
    title = r"\033]0;a[b]\302\233c\342\200\256d\007"
    async with hosted(["printf", title]) as (terminal, pilot, host):
        await until(pilot, lambda: host.messages)
        assert terminal.title == "a[b]\\x9bc\\u202ed" or not CONTROL.search(terminal.title)
        assert "\u202e" not in terminal.title


@pytest.mark.slow
async def test_a_flood_leaves_other_keys_answered_and_ends_at_ctrl_c() -> None:
    async with hosted(SHELL) as (terminal, pilot, host):
        await shows(pilot, terminal, "prompt>")
        await pilot.press(*"yes", "enter")
        await until(
            pilot,
            lambda: terminal._command.is_flooding,
        )
        entry = host.query_one(Input)
        entry.focus()
        await pilot.press(*"abc")
        assert entry.value == "abc"
        assert terminal.emulator is not None
        assert len(terminal.emulator.history) <= 10_000
        terminal.focus()
        await pilot.press("ctrl+c")
        await until(pilot, lambda: painted(terminal)[-1].startswith("prompt>"))
        assert "^C" in terminal.reading.text()


@pytest.mark.slow
async def test_while_keys_go_elsewhere_a_flood_is_painted_behind_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(painting, "_AT_THE_KEYS", 3600)  # not by the clock, in here
    async with hosted(["yes"]) as (terminal, pilot, host):
        await until(
            pilot,
            lambda: terminal._command.is_flooding,
        )
        assert not terminal._painting.is_left_alone
        host.query_one(Input).focus()
        await pilot.press("a")
        assert terminal._painting.is_left_alone
        drawn: list[int] = []
        original = terminal.render_line

        def counting(y: int) -> object:
            drawn.append(y)
            return original(y)

        terminal.render_line = counting
        await asyncio.sleep(painting._FRAME_BY_THE_WAY)
        assert host.query_one(Input).value == "a"
        drawn.clear()
        await pilot.press("b")
        await until(pilot, lambda: drawn)
        terminal.focus()
        await pilot.press("c")
        assert not terminal._painting.is_left_alone


async def test_the_mouse_over_a_terminal_is_for_it_and_elsewhere_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(painting, "_AT_THE_KEYS", 3600)
    booted = time.monotonic()  # now: nothing can have happened an hour ago
    monkeypatch.setattr(painting, "monotonic", lambda: time.monotonic() - booted)
    async with hosted(KEYS_AS_TEXT) as (terminal, pilot, host):
        await shows(pilot, terminal, "ready")
        host.set_focus(None)
        await pilot.hover(Terminal)
        assert not terminal._painting.is_left_alone
        await pilot.hover(Input)
        assert terminal._painting.is_left_alone


@pytest.mark.slow
async def test_several_floods_share_the_time() -> None:
    terminals = [Terminal(["yes", str(n)]) for n in range(4)]

    class Many(App[None]):
        def compose(self) -> ComposeResult:
            yield from terminals
            yield Input()

    app = Many()
    async with app.run_test(size=(80, 40)) as pilot:
        for terminal in terminals:
            terminal.start()
        for number, terminal in enumerate(terminals):
            await until(pilot, lambda t=terminal, n=number: f"{n}\n" * 3 in t.reading.text())  # type: ignore[misc]
        app.query_one(Input).focus()
        await pilot.press("x")
        assert app.query_one(Input).value == "x"
    assert flow_control.FlowControl.busy == 0


# --- scrolling, selecting, searching --- #


async def test_scrolled_up_it_stays_and_a_key_goes_back() -> None:
    script = "stty raw -echo; seq -f 'row %g\r' 1 100; read x; seq 101 150; exec cat -v"
    async with hosted(["bash", "-c", script]) as (terminal, pilot, _):
        await shows(pilot, terminal, "row 100")
        await pilot.press("shift+pageup", "shift+pageup")
        before, scrolled = painted(terminal), terminal.scrolled
        assert scrolled == 2 * (terminal.size.height - 1)
        terminal.send(b"\n")
        # What is read is shown a little later.
        await until(pilot, lambda: terminal.scrolled >= scrolled + 50)
        assert painted(terminal) == before
        await pilot.press("shift+pagedown")
        assert painted(terminal) != before
        await pilot.press("x")
        await until(pilot, lambda: terminal.scrolled == 0)


async def test_the_wheel_scrolls_types_arrows_or_is_the_commands() -> None:
    script = "stty raw -echo; seq -f 'row %g\r' 1 100; exec cat -v"
    async with hosted(["bash", "-c", script]) as (terminal, pilot, _):
        await shows(pilot, terminal, "row 100")
        await pilot._post_mouse_events([events.MouseScrollUp], terminal, offset=(5, 5))
        assert terminal.scrolled == 3
        await pilot._post_mouse_events([events.MouseScrollDown], terminal, offset=(5, 5))
        assert terminal.scrolled == 0
        assert terminal.emulator is not None
        terminal.emulator.feed(b"\x1b[?1049h")
        await pilot._post_mouse_events([events.MouseScrollUp], terminal, offset=(5, 5))
        await shows(pilot, terminal, "^[[A^[[A^[[A")
        terminal.emulator.feed(b"\x1b[?1000h\x1b[?1006h")
        await pilot._post_mouse_events([events.MouseScrollDown], terminal, offset=(5, 5))
        await shows(pilot, terminal, "^[[<65;5;5M")
        await pilot.click(terminal, offset=(1, 1))
        await shows(pilot, terminal, "^[[<0;1;1M^[[<0;1;1m")


async def test_the_mouse_selects_and_copies() -> None:
    async with hosted(["printf", "first line\r\nsecond/path here"]) as (terminal, pilot, host):
        await until(pilot, lambda: host.messages)
        await pilot.mouse_down(terminal, offset=(7, 1))
        await pilot.hover(terminal, offset=(6, 2))
        await pilot.mouse_up(terminal, offset=(6, 2))
        await until(pilot, lambda: terminal.reading.selected_text == "line\nsecond")
        reverse = [
            part.text for part in terminal.render_line(1) if part.style and part.style.reverse
        ]
        assert reverse[0] == "second"
        assert terminal.reading.copy() == host.clipboard == "line\nsecond"
        await pilot.click(terminal, offset=(3, 2), times=2)
        assert terminal.reading.selected_text == "second/path"
        await pilot.click(terminal, offset=(3, 2), times=3)
        assert terminal.reading.selected_text == "second/path here"
        terminal.reading.clear_selection()
        assert terminal.reading.copy() == "first line\nsecond/path here"


async def test_search_shows_and_marks_what_it_finds() -> None:
    async with hosted(["seq", "-f", "row %g", "1", "500"]) as (terminal, pilot, host):
        await until(pilot, lambda: host.messages)
        reading = terminal.reading
        assert reading.find("row 12") == Match(((128, 0), (128, 6)), 11, 11)
        assert {"row 12"} == {text for text in marked(terminal) if text}
        assert reversed_text(terminal) == "row 12"
        assert any("row 129" in line for line in painted(terminal))
        assert terminal.scrolled > 0
        assert terminal.reading.selected_text == ""
        before = reading.step(backwards=True)
        assert before is not None
        assert before.number == 10
        after = reading.step(backwards=False)
        assert after is not None
        assert after.number == 11
        assert reading.find("nothing like it") is None
        assert not any(marked(terminal))
        reading.end_search(back=True)
        assert terminal.scrolled == 0


def marked(terminal: Terminal) -> list[str]:
    """What is marked as found, row by row."""
    return [
        "".join(part.text for part in terminal.render_line(y) if part.style and part.style.bold)
        for y in range(terminal.size.height)
    ]


def reversed_text(terminal: Terminal) -> str:
    parts = (part for y in range(terminal.size.height) for part in terminal.render_line(y))
    return "".join(part.text for part in parts if part.style and part.style.reverse)


# --- looks --- #


async def test_the_cursor_is_reversed_with_focus_and_underlined_without() -> None:
    async with hosted(KEYS_AS_TEXT) as (terminal, pilot, host):
        await shows(pilot, terminal, "ready")
        await until(pilot, lambda: terminal.emulator and terminal.emulator.cursor == (0, 1))
        style = next(iter(terminal.render_line(1))).style
        assert style is not None
        assert style.reverse
        host.query_one(Input).focus()
        await pilot.pause()
        style = next(iter(terminal.render_line(1))).style
        assert style is not None
        assert style.underline
        assert not style.reverse


async def test_only_what_changed_is_painted() -> None:
    async with hosted(KEYS_AS_TEXT) as (terminal, pilot, _):
        await shows(pilot, terminal, "ready")
        await until(pilot, lambda: terminal._painting._timer is None)
        await pilot.pause()
        drawn: list[int] = []
        original = terminal.render_line

        def counting(y: int) -> object:
            drawn.append(y)
            return original(y)

        terminal.render_line = counting  # type: ignore[assignment, method-assign]
        await pilot.press("x")
        await shows(pilot, terminal, "x")
        await until(pilot, lambda: drawn)
        await until(pilot, lambda: terminal._painting._timer is None)
        await pilot.pause()
        assert set(drawn) == {1}


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "nord", "solarized-light"])
async def test_the_sixteen_colours_can_be_read_in_every_theme(theme: str) -> None:
    async with hosted(["true"]) as (terminal, pilot, host):
        host.theme = theme
        await until(pilot, lambda: terminal._view is not None)
        await pilot.pause()
        palette = terminal._view.palette  # type: ignore[union-attr]
        ground = TextualColor(*palette.ground[1])
        assert terminal.rich_style.bgcolor is not None
        assert palette.ground[1] == terminal.rich_style.bgcolor.triplet
        for index in range(16):
            color = palette.style(cells.pack_style(1 + index, 0, 0)).color
            assert color is not None
            assert color.triplet is not None
            assert contrast(TextualColor(*color.triplet), ground) >= 3


async def test_programs_learn_whether_the_theme_is_light() -> None:
    async with hosted(["sleep", "60"]) as (terminal, pilot, host):
        await until(pilot, lambda: terminal.emulator is not None)
        assert terminal.emulator is not None
        dark = terminal.emulator.feed(b"\x1b]11;?\x07")
        host.theme = "textual-light"
        await pilot.pause()
        light = terminal.emulator.feed(b"\x1b]11;?\x07")
        assert dark != light


def test_a_native_app_leaves_the_sixteen_colours_to_the_terminal() -> None:
    palette = Palette(Style(), App().ansi_theme, native=True)
    assert palette.style(cells.pack_style(2, 0, 0)).color == Color.from_ansi(1)
    assert palette.style(cells.pack_style(201, 0, 0)).color == Color.from_ansi(200)


@pytest.mark.slow
async def test_a_flood_that_is_not_seen_takes_nothing_of_the_line() -> None:
    spent: list[float] = []

    class Noted(Pace):
        def spend(self, count: float) -> None:
            spent.append(count)

    terminal = Terminal(
        ["sh", "-c", "echo ready; read x; seq 1 100000; echo the end; exec sleep 1000"],
        pace=Noted(1e9, 1e9),
    )  # fmt: skip
    host = Host(terminal)
    async with host.run_test(size=(82, 27)) as pilot:
        terminal.start()
        await shows(pilot, terminal, "ready")
        terminal.display = False
        await until(pilot, lambda: not terminal.is_on_screen)
        spent.clear()
        terminal.send(b"go\n")
        await shows(pilot, terminal, "the end")
        await pilot.pause()
        assert spent == []
        terminal.display = True
        await until(pilot, lambda: "the end" in screen_text(host))


async def test_a_paint_waits_where_others_have_taken_the_room_on_the_line_meanwhile() -> None:
    pace = Pace(1e9, 1e9, of_all=True)
    terminal = Terminal(["sh", "-c", "echo ready; read x; echo more; read x"], pace=pace)
    host = Host(terminal)
    async with host.run_test(size=(82, 27)) as pilot:
        terminal.start()
        await until(pilot, lambda: "ready" in screen_text(host))
        await until(pilot, lambda: terminal._painting._timer is None)
        terminal._painting._within(0)
        pace.become(Pace(1, 1e3, of_all=True))
        pace.wrote(10_000)
        terminal.send(b"go\n")
        await shows(pilot, terminal, "more")
        assert "more" not in screen_text(host)
        pace.become(Pace(1e9, 1e9))
        terminal._painting.now()
        await until(pilot, lambda: "more" in screen_text(host))


async def test_what_waits_to_be_painted_takes_nothing_of_the_line_once_it_is_hidden() -> None:
    spent: list[float] = []

    class Slow(Pace):
        def spend(self, count: float) -> None:
            spent.append(count)
            super().spend(count)

    terminal = Terminal(
        ["sh", "-c", "echo ready; read x; seq 1 1000; echo the end; read x"],
        pace=Slow(0.001, 400, of_all=True),
    )  # fmt: skip
    host = Host(terminal)
    async with host.run_test(size=(82, 27)) as pilot:
        terminal.start()
        await shows(pilot, terminal, "ready")
        terminal.send(b"go\n")
        await shows(pilot, terminal, "the end")
        terminal.display = False
        await until(pilot, lambda: not terminal.is_on_screen)
        spent.clear()
        terminal.send(b"go\n")
        await until(pilot, lambda: terminal.exit is not None)
        await pilot.pause()
        assert spent == []
        terminal.display = True
        await until(pilot, lambda: "the end" in screen_text(host))
