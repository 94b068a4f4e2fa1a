"""A terminal as a widget: runs a command in a pty, shows its screen, gives it keys and mouse.

What the command writes ends up as text in cells (`emulator`) and nowhere else: no control byte of
it reaches the terminal around the app. Output is taken in slices (`flow_control`) and painted bit
by bit (`painting`), so that a flood leaves the rest of the app its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.reactive import var
from textual.strip import Strip
from textual.widget import Widget

from ..broken_work import TellsOfWork
from ..light_message import Telling
from ..sure_timers import SureTimers
from .colors import Palette
from .command import Command
from .keyboard import Keyboard
from .mouse import Mouse
from .pace import Pace, near
from .painting import PaintedLine, Painting
from .reading import Reading
from .tuning import preload, tune

if TYPE_CHECKING:
    from .emulator import Emulator
    from .pty_child import PtyChild
    from .view import View

_NOT_STARTED = 127
"""What a shell gives for a command that cannot be started."""


class Terminal(SureTimers, TellsOfWork, Widget, can_focus=True):
    """Runs a command and is its terminal.

    While it has the focus every key is the command's, whatever else is bound to it, but for the
    bindings below. Who types when the command ends does not know that yet: the next keys do
    nothing, and once there was none for a moment it asks to be left.

    | Key | Does |
    | :- | :- |
    | ctrl+] | asks to be left (`LeaveRequested`) |
    | shift+pageup, shift+pagedown | scroll; any other key goes back to the end |
    """

    ALLOW_SELECT = False
    BINDING_GROUP_TITLE = "Terminal"
    HELP = "Every key is the command's; ctrl+] leaves. The mouse selects, with shift if need be."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+right_square_bracket", "leave", "leave", id="terminal.leave",
                tooltip="Give the keys back to the app", priority=True),
        Binding("shift+pageup", "scroll_view(-1)", "scroll up", id="terminal.page_up",
                show=False, priority=True),
        Binding("shift+pagedown", "scroll_view(1)", "scroll down", id="terminal.page_down",
                show=False, priority=True),
    ]  # fmt: skip
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
    title: var[str] = var("")
    """The title that the command has set, safe to show."""
    scrolled: var[int] = var(0)
    """Rows that the view is above the end; 0 while it follows the output."""

    class Exited(Telling):
        """The command has ended: with a code, or by a signal."""

        terminal: Terminal
        code: int | None
        signal: int | None

    class LeaveRequested(Telling):
        """The focus is to be elsewhere: the user wants it, or the command has ended."""

        terminal: Terminal

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        scrollback: int = 10_000,
        log: BinaryIO | None = None,
        pace: Pace | None = None,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
    ) -> None:
        """Prepare a terminal; `start` runs the command.

        *env* is the whole environment but for TERM and COLORTERM, None for the app's own. What the
        command writes goes into *log* too, byte by byte. A flood is painted at *pace*, that of a
        terminal on this machine where none is given.
        """
        super().__init__(id=id)
        self.exit: int | None = None
        """How the last run ended: its code, or minus the signal's number. None before the end."""
        self._scrollback = scrollback
        self._view: View | None = None
        self._painting = Painting(
            self, is_flooding=lambda: self._command.is_flooding, on_paint=self._before_paint,
            pace=pace or near(),
        )  # fmt: skip
        self._command = Command(
            argv, env=env, cwd=cwd, log=log,
            on_output=self._take, on_quiet=self._painting.sooner, on_exit=self._ended,
            others_first=lambda: self._painting.is_left_alone,
        )  # fmt: skip
        self.reading = Reading(self, moved=self._moved)
        """What is seen of its output."""
        self._mouse = Mouse(self, send=self.send, moved=self._moved)
        self._wanted = False
        self._unseen = False
        """Whether it is to run before it has a size."""
        self._keyboard = Keyboard(self, reading=self.reading, send=self.send)

    # --- the command --- #

    def start(self, *, unseen: bool = False) -> None:
        """Run the command, as soon as the widget has a size. Does nothing while it runs.

        *unseen*: at once, although the widget is hidden.
        """
        if not self.running:
            self._wanted = True
            self._unseen = unseen
            self._start_if_possible()

    def _start_if_possible(self) -> None:
        if self._wanted and self.is_mounted and (self.size.area or self._unseen):
            self._wanted = False
            self._launch()

    def _launch(self) -> None:
        self._keyboard.drop_lull()
        self._keyboard.hold()
        self.exit = None
        self.title = ""
        failure = self._command.launch(*self._fitting_size)
        self.running = True
        connecting = self._connect(self._command.child, failure)
        self.run_worker(connecting, group="terminal", exit_on_error=False)

    @property
    def _fitting_size(self) -> tuple[int, int]:
        return (self.size.width, self.size.height) if self.size.area else (80, 24)

    async def _connect(self, child: PtyChild | None, failure: str) -> None:
        """Give the command its emulator, which takes a while to load the first time."""
        await asyncio.to_thread(preload)
        if child is not self._command.child or not self.is_attached:
            return
        from .emulator import Emulator
        from .view import View

        columns, rows = self._fitting_size
        emulator = Emulator(columns, rows, scrollback=self._scrollback)
        self._show(View(emulator, self._palette()))
        self.call_after_refresh(tune)
        if failure:
            self._take(f"{failure}\r\n".encode())
            self._ended(_NOT_STARTED)
        else:
            self._command.listen(columns, rows)
        self._keyboard.begin()

    def restart(self) -> None:
        """Run the command again, on an empty screen. What still runs is let go of (HUP)."""
        self._command.close()
        self.running = False
        self.start()

    def stop(self) -> None:
        """Ask the command to end: TERM, then HUP, then KILL. `Exited` follows."""
        self._command.stop()

    def release(self) -> int:
        """Give the terminal away, the command goes on; see PtyChild.release."""
        return self._command.release()

    def _ended(self, code: int) -> None:
        self.exit = code
        self.running = False
        self._painting.now()
        self._ask_to_be_left()
        self.post_message(
            self.Exited(self, code if code >= 0 else None, -code if code < 0 else None)
        )

    # --- its output --- #

    def _take(self, data: bytes) -> None:
        assert self._view is not None
        replies = self._view.emulator.feed(data)
        if replies:
            self._command.write(replies, reply=True)
        self._painting.in_turn()

    # --- what is shown --- #

    @property
    def emulator(self) -> Emulator | None:
        """The screen and its scrollback; None before the first start."""
        return None if self._view is None else self._view.emulator

    def _show(self, view: View) -> None:
        """Show another screen from now on."""
        self._view = self._mouse.view = self.reading.view = view
        view.emulator.set_colors(*view.palette.ground)
        self._painting.show(view)

    def _before_paint(self, view: View) -> None:
        self.title = view.emulator.title
        self.scrolled = view.scrolled

    def on_show(self) -> None:
        """Paint what has changed while it was hidden."""
        self._painting.forget()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return line *y* of the view."""
        width = self.size.width
        if self._view is None:
            return Strip.blank(width, self.rich_style)
        return self._view.strip(y, width, focused=self.has_focus)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a region, in a form that leaves no cycles to the collector."""
        return [PaintedLine(strip, strip.cell_length) for strip in super().render_lines(crop)]

    def _palette(self) -> Palette:
        return Palette(
            self.rich_style, self.app.ansi_theme, native=bool(self.app.native_ansi_color)
        )

    def notify_style_update(self) -> None:
        """Take over the colours of another theme."""
        super().notify_style_update()
        if self._view is None or not self.is_attached:
            return
        palette = self._palette()
        if palette.base != self._view.palette.base:
            self._view.palette = palette
            self._view.emulator.set_colors(*palette.ground)

    def _moved(self) -> None:
        assert self._view is not None
        self.scrolled = self._view.scrolled
        self._painting.everything()

    def action_scroll_view(self, pages: int) -> None:
        """Scroll by pages; a row stays in view."""
        self.reading.page(pages)

    # --- keys --- #

    @property
    def is_chosen(self) -> bool:
        """Whether the focus is here; `has_focus` says so only once the widget has been told."""
        return self.is_attached and self.screen.focused is self

    def _ask_to_be_left(self) -> None:
        """Ask for that after a moment without keys; whichever comes last, the end or the focus."""
        if self.exit is not None and self.is_chosen:
            self._keyboard.after_a_lull(self.action_leave)

    def action_leave(self) -> None:
        """Ask for the focus to be taken elsewhere."""
        self.post_message(self.LeaveRequested(self))

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Take every key: nothing that is bound further up, with priority or not, applies here."""
        return True

    def send(self, data: bytes) -> None:
        """Send bytes to the command as if they had been typed."""
        self._command.write(data)

    def on_key(self, event: events.Key) -> None:
        """Give a key to the command."""
        self._keyboard.take(event)

    def on_paste(self, event: events.Paste) -> None:
        """Give pasted text to the command, in brackets if it asked for them."""
        self._keyboard.take(event)

    def on_focus(self) -> None:
        """Show the cursor as a block; tell the command if it wants to know."""
        self._ask_to_be_left()
        self._focus_changed(True)

    def on_blur(self) -> None:
        """Show the cursor as a line; tell the command if it wants to know."""
        self._keyboard.drop_lull()
        self._focus_changed(False)

    def _focus_changed(self, focused: bool) -> None:
        if self._view is not None:
            self.send(self._view.emulator.input.focus(focused))
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
            self._view.number_anew()
            self.scrolled = 0
        self._command.resize(columns, rows)
        self._painting.forget()
        self.refresh()

    def on_mount(self) -> None:
        """Start if that was asked for before there was a size; see when others need the time."""
        self._start_if_possible()
        self.app.message_signal.subscribe(self, self._painting.notice, immediate=True)

    def on_unmount(self) -> None:
        """Let go of the command: it gets HUP, as from any terminal that is closed."""
        self._command.close()
        self._painting.stop()

    # --- mouse --- #

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Give a click to the command if it wants the mouse, else begin to select."""
        self._mouse.down(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Give a movement to the command if it wants it, or select further."""
        self._mouse.move(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End what the button began."""
        self._mouse.up(event)

    def on_click(self, event: events.Click) -> None:
        """Select a word with a double click, a line with a third one."""
        self._mouse.click(event)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back, or let the command do what it does on the wheel."""
        self._mouse.wheel(event)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll on, or let the command do what it does on the wheel."""
        self._mouse.wheel(event)
