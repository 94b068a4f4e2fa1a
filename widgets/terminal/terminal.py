"""A terminal as a widget: runs a command in a pty, shows its screen, gives it keys and mouse.

What the command writes ends up as text in cells (`emulator`) and nowhere else: no control byte of
it reaches the terminal around the app. Output is taken in slices (`pty_child`) and painted bit by
bit (`terminal_display`), so that a flood leaves the rest of the app its time.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var
from textual.timer import Timer

from .display import TerminalDisplay
from .pty_child import PtyChild

_COLLECTIONS = 200
"""Collections of the middle generation for each one of the oldest, which can take 100 ms."""
_WHEEL_ROWS = 3
_WHEEL_UP, _WHEEL_DOWN = 64, 65
_TERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
_LULL = 0.5
"""Seconds without a key after which keys may mean something else again."""
_NOT_STARTED = 127
"""What a shell gives for a command that cannot be started."""

_tuned = False


def preload() -> None:
    """Load the emulator, an eighth of a second: call it in a thread once the app is painted."""
    from . import view  # noqa: F401


def _tune() -> None:
    """Keep the collector and the threads out of the way, once in a process.

    A full collection walks everything there is: what the app is made of stays from now on. And a
    key waits in Textual's input thread until this one lets it run.
    """
    global _tuned
    if not _tuned:
        _tuned = True
        gc.collect()
        gc.freeze()
        gc.set_threshold(*gc.get_threshold()[:2], _COLLECTIONS)
        sys.setswitchinterval(0.001)


class Terminal(TerminalDisplay, can_focus=True):
    """Runs a command and is its terminal.

    While it has the focus every key is the command's, whatever else is bound to it, but for the
    bindings below. Who types when the command ends does not know that yet: the next keys do
    nothing, and once there was none for a moment it asks to be left.

    | Key | Does |
    | :- | :- |
    | ctrl+] | asks to be left (`LeaveRequested`) |
    | shift+pageup, shift+pagedown | scroll; any other key goes back to the end |
    """

    BINDING_GROUP_TITLE = "Terminal"
    HELP = "Every key is the command's; ctrl+] leaves. The mouse selects, with shift if need be."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+right_square_bracket",
            "leave",
            "leave",
            id="terminal.leave",
            tooltip="Give the keys back to the app",
            priority=True,
        ),
        Binding(
            "shift+pageup",
            "scroll_view(-1)",
            "scroll up",
            id="terminal.page_up",
            show=False,
            priority=True,
        ),
        Binding(
            "shift+pagedown",
            "scroll_view(1)",
            "scroll down",
            id="terminal.page_down",
            show=False,
            priority=True,
        ),
    ]
    DEFAULT_CSS = """
    Terminal {
        width: 1fr;
        height: 1fr;
        background: $background;
        color: $foreground;
        pointer: text;
    }
    """

    running: var[bool] = var(False)
    """Whether the command runs."""

    @dataclass
    class Exited(Message):
        """The command has ended: with a code, or by a signal."""

        terminal: Terminal
        code: int | None
        signal: int | None

        @property
        def control(self) -> Terminal:
            """The terminal it ran in."""
            return self.terminal

    @dataclass
    class LeaveRequested(Message):
        """The focus is to be elsewhere: the user wants it, or the command has ended."""

        terminal: Terminal

        @property
        def control(self) -> Terminal:
            """The terminal that has the focus."""
            return self.terminal

    @dataclass
    class Selected(Message):
        """The user has selected text with the mouse; `copy` puts it into the clipboard."""

        terminal: Terminal
        text: str

        @property
        def control(self) -> Terminal:
            """The terminal with the selection."""
            return self.terminal

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        scrollback: int = 10_000,
        log: BinaryIO | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
    ) -> None:
        """Prepare a terminal; `start` runs the command.

        *env* is the whole environment but for TERM and COLORTERM, None for the app's own. What the
        command writes goes into *log* too, byte by byte.
        """
        super().__init__(id=id)
        self.argv = tuple(argv)
        self.exit: int | None = None
        """How the last run ended: its code, or minus the signal's number. None before the end."""
        self._env = env
        self._cwd = cwd
        self._scrollback = scrollback
        self._log = log
        self._child: PtyChild | None = None
        self._wanted = False
        self._lull: Timer | None = None
        self._early: list[events.Key | events.Paste] = []
        """Typed before there was an emulator to say what that is for the command."""
        self._pressed: int | None = None
        self._mouse_at: tuple[int, int] | None = None

    # --- the command --- #

    def start(self) -> None:
        """Run the command, as soon as the widget has a size. Does nothing while it runs."""
        if not self.running:
            self._wanted = True
            self._start_if_possible()

    def _start_if_possible(self) -> None:
        if self._wanted and self.is_mounted and self.size.area:
            self._wanted = False
            self._launch()

    def _launch(self) -> None:
        self._drop_lull()
        self.exit = None
        self.title = ""
        child = PtyChild(
            self.argv,
            on_output=self._take,
            on_quiet=self._paint_sooner,
            on_exit=lambda code: self._ended(child, code),
            others_first=lambda: self._is_left_alone,
            log=self._log,
        )
        env = {**self._environment(), **_TERM}
        columns, rows = self.size
        failure = ""
        try:
            child.start(columns, rows, env=env, cwd=self._cwd)
        except OSError as error:
            failure = str(error)
        self._child = child
        self.running = True
        self.run_worker(self._connect(child, failure), group="terminal", exit_on_error=False)

    def _environment(self) -> Mapping[str, str]:
        return os.environ if self._env is None else self._env

    async def _connect(self, child: PtyChild, failure: str) -> None:
        """Give the command its emulator, which takes a while to load the first time."""
        await asyncio.to_thread(preload)
        if child is not self._child or not self.is_attached:
            return
        from .emulator import Emulator
        from .view import View

        columns, rows = self.size if self.size.area else (80, 24)
        emulator = Emulator(columns, rows, scrollback=self._scrollback)
        self._show(View(emulator, self._palette()))
        self.call_after_refresh(_tune)
        if failure:
            self._take(f"{failure}\r\n".encode())
            self._ended(child, _NOT_STARTED)
        else:
            child.resize(columns, rows)
            child.listen()
            early, self._early = self._early, []
            for event in early:
                self._give(event)

    def restart(self) -> None:
        """Run the command again, on an empty screen. What still runs is let go of (HUP)."""
        if self._child is not None:
            self._child.close()
        self.running = False
        self.start()

    def stop(self) -> None:
        """Ask the command to end: TERM, then HUP, then KILL. `Exited` follows."""
        if self._child is not None:
            self._child.stop()

    def release(self) -> int:
        """Give the terminal away, the command goes on; see PtyChild.release."""
        return -1 if self._child is None else self._child.release()

    def _ended(self, child: PtyChild, code: int) -> None:
        if child is not self._child:
            return  # it was let go of
        self.exit = code
        self.running = False
        self._paint()
        self._ask_to_be_left()
        self.post_message(
            self.Exited(self, code if code >= 0 else None, -code if code < 0 else None)
        )

    # --- its output --- #

    def _take(self, data: bytes) -> None:
        assert self._view is not None
        replies = self._view.emulator.feed(data)
        if replies and self._child is not None:
            self._child.write(replies, reply=True)
        self._paint_in_turn()

    @property
    def _is_flooding(self) -> bool:
        return self._child is not None and self._child.is_flooding

    # --- keys --- #

    @property
    def is_chosen(self) -> bool:
        """Whether the focus is here; `has_focus` says so only once the widget has been told."""
        return self.is_attached and self.screen.focused is self

    def _ask_to_be_left(self) -> None:
        """Ask for that after a moment without keys; whichever comes last, the end or the focus."""
        if self.exit is not None and self.is_chosen and self._lull is None:
            self._lull = self.set_timer(_LULL, self.action_leave)

    def _drop_lull(self) -> None:
        if self._lull is not None:
            self._lull.stop()
            self._lull = None

    def action_leave(self) -> None:
        """Ask for the focus to be taken elsewhere."""
        self.post_message(self.LeaveRequested(self))

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Take every key: nothing that is bound further up, with priority or not, applies here."""
        return True

    def send(self, data: bytes) -> None:
        """Send bytes to the command as if they had been typed."""
        if self._child is not None:
            self._child.write(data)

    def on_key(self, event: events.Key) -> None:
        """Give a key to the command."""
        event.stop()
        event.prevent_default()
        if self._lull is not None:
            self._lull.reset()
        self._give(event)

    def on_paste(self, event: events.Paste) -> None:
        """Give pasted text to the command, in brackets if it asked for them."""
        event.stop()
        event.prevent_default()
        self._give(event)

    def _give(self, event: events.Key | events.Paste) -> None:
        if self._view is None:
            self._early.append(event)
            return
        emulator = self._view.emulator
        if isinstance(event, events.Paste):
            data = emulator.paste(event.text)
        else:
            data = emulator.key(event.key, event.character)
        if data:
            self.clear_selection()
            self.follow()
            self.send(data)

    def on_focus(self) -> None:
        """Show the cursor as a block; tell the command if it wants to know."""
        self._ask_to_be_left()
        self._focus_changed(True)

    def on_blur(self) -> None:
        """Show the cursor as a line; tell the command if it wants to know."""
        self._drop_lull()
        self._focus_changed(False)

    def _focus_changed(self, focused: bool) -> None:
        if self._view is not None:
            self.send(self._view.emulator.focus(focused))
            self.refresh()

    # --- size and end --- #

    def on_resize(self) -> None:
        """Take over the widget's size; a hidden one keeps what it had."""
        if not self.size.area:
            return
        self._start_if_possible()
        if self._view is None:
            return
        columns, rows = self.size
        before = self._view.emulator.columns
        self._view.emulator.resize(columns, rows)
        if columns != before:
            self._view.selection = None
            self._view.follow()
            self.scrolled = 0
        if self._child is not None:
            self._child.resize(columns, rows)
        self._dirty.clear()
        self.refresh()

    def on_mount(self) -> None:
        """Start if that was asked for before there was a size."""
        self._start_if_possible()

    def on_unmount(self) -> None:
        """Let go of the command: it gets HUP, as from any terminal that is closed."""
        if self._child is not None:
            self._child.close()

    # --- mouse --- #

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Give a click to the command if it wants the mouse, else begin to select."""
        at = event.get_content_offset(self)
        if self._view is None or at is None:
            return
        event.stop()
        self.capture_mouse()
        self._mouse_at = at
        if self._view.emulator.mouse != "off" and not event.shift:
            self._pressed = event.button - 1
            self._send_mouse(at, self._pressed, "press", event)
        elif event.button == 1:
            self.clear_selection()
            place = self._view.place(*at)
            self._view.selection = (place, place)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Give a movement to the command if it wants it, or select further."""
        view = self._view
        if view is None:
            return
        at = event.get_content_offset_capture(self)
        if at == self._mouse_at:
            return
        if view.emulator.mouse in ("button", "any") and (
            self._pressed is not None or self.app.mouse_captured is None
        ):
            self._mouse_at = at
            self._send_mouse(at, self._pressed or 0, "move", event)
        elif self.app.mouse_captured is self and self._pressed is None and view.selection:
            self._mouse_at = at
            self._select_to(at)

    def _select_to(self, at: tuple[int, int]) -> None:
        view = self._view
        assert view is not None
        assert view.selection is not None
        x, y = at
        if y < 0 or y >= self.size.height:
            view.scroll(-1 if y < 0 else 1)
        y = min(max(y, 0), self.size.height - 1)
        anchor = view.selection[0]
        place = view.place(min(max(x, 0), self.size.width), y)
        if place >= anchor:
            place = (place[0], place[1] + 1)
        view.selection = (anchor, place)
        self._moved()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End what the button began."""
        view = self._view
        self.release_mouse()
        if view is None:
            return
        event.stop()
        if self._pressed is not None:
            at = event.get_content_offset_capture(self)
            self._send_mouse(at, self._pressed, "release", event)
            self._pressed = None
        elif view.selection is not None:
            if view.selection[0] == view.selection[1]:
                view.selection = None
            else:
                self.post_message(self.Selected(self, self.selected_text))

    def on_click(self, event: events.Click) -> None:
        """Select a word with a double click, a line with a third one."""
        view = self._view
        at = event.get_content_offset(self)
        event.stop()
        if view is None or at is None or event.chain not in (2, 3) or event.button != 1:
            return
        if view.emulator.mouse != "off" and not event.shift:
            return
        place = view.place(*at)
        find = view.transcript
        view.selection = find.word_at(place) if event.chain == 2 else find.line_at(place[0])
        self.refresh()
        self.post_message(self.Selected(self, self.selected_text))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back, or let the command do what it does on the wheel."""
        self._wheel(event, _WHEEL_UP)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll on, or let the command do what it does on the wheel."""
        self._wheel(event, _WHEEL_DOWN)

    def _wheel(self, event: events.MouseEvent, button: int) -> None:
        event.stop()
        event.prevent_default()
        at = event.get_content_offset(self)
        if self._view is None or at is None:
            return
        emulator = self._view.emulator
        if emulator.mouse != "off" and not event.shift:
            self._send_mouse(at, button, "press", event)
        elif emulator.alternate:
            # A pager or editor that does not know of mice knows the arrow keys.
            self.send(emulator.key("up" if button == _WHEEL_UP else "down") * _WHEEL_ROWS)
        else:
            self.scroll_rows(-_WHEEL_ROWS if button == _WHEEL_UP else _WHEEL_ROWS)

    def _send_mouse(
        self, at: tuple[int, int], button: int, kind: str, event: events.MouseEvent
    ) -> None:
        assert self._view is not None
        pressed = frozenset(name for name in ("shift", "meta", "ctrl") if getattr(event, name))
        x, y = at[0], at[1] - self._view.scrolled
        self.send(self._view.emulator.send_mouse(x, y, button, kind, pressed))
