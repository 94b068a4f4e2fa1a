"""A run panel: one command in a chroot, in a terminal, with a line that says how it goes.

In the terminal every key is the command's. ctrl+] leaves it for the panel, whose own keys run it
again, stop it, search and save its output, or close it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import BinaryIO, ClassVar

from textual import events, getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from ...core.text import duration, safe
from ..light_message import Telling
from ..terminal.mouse import RIGHT
from ..terminal.pace import Pace
from ..terminal.terminal import Terminal
from ..text.fitting import shorten, width_of
from .find_line import FindLine
from .searching import FINDING, Searched, Searching

_WIDEST_NAME = 24


class RunPanel(Searching, can_focus=True, can_focus_children=False):
    """Runs *argv* and shows it. `start` begins.

    Tab stops at the panel itself: in the terminal it is the command's, so there it would end.
    """

    BINDING_GROUP_TITLE = "Panel"
    HELP = "A command in a chroot. Enter goes into its terminal, ctrl+] comes back here."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "into it", id="panel.enter", tooltip="Give it the keys"),
        Binding("a", "again", "again", id="panel.again", tooltip="Run the command again"),
        Binding("t", "stop", "stop", id="panel.stop", tooltip="TERM, and KILL if that is ignored"),
        *FINDING,
        Binding("w", "save", "save", id="panel.save", tooltip="Save the output to a file"),
        Binding("y", "copy", "copy", id="panel.copy", show=False,
                tooltip="Copy what is selected, or what is seen"),
        Binding("z", "zoom", "zoom", id="panel.zoom", tooltip="The whole screen, and back"),
        Binding("x", "close", "close", id="panel.close", tooltip="Close; asks while it runs"),
        Binding("escape", "leave", "list", id="panel.leave", show=False,
                tooltip="End the search; else back to the chroots"),
        Binding("pageup,shift+pageup", "scroll(-1)", "scroll up", id="panel.page_up", show=False),
        Binding("pagedown,shift+pagedown", "scroll(1)", "scroll down", id="panel.page_down",
                show=False),
    ]  # fmt: skip
    DEFAULT_CSS = """
    RunPanel {
        height: 1fr;
        & > .run-panel--head { height: 1; }
        & .run-panel--line { height: 1; background: $panel; color: $text-muted; padding: 0 1; }
        &:focus .run-panel--line { background: $primary-muted; color: $text; }
        &:focus-within .run-panel--line { color: $text; }
        &.-finding .run-panel--line { width: auto; }
    }
    """

    terminal = getters.query_one(Terminal)

    class Message_(Telling):  # noqa: N801 (base of the messages below)
        """Base: names the panel."""

        panel: RunPanel

    class Moved(Message_):
        """The command has begun, or ended; `panel.outcome` says how."""

    class CloseRequested(Message_):
        """The panel is to be closed."""

    class SaveRequested(Message_):
        """The output is to be saved."""

    class LeaveRequested(Message_):
        """The focus is to go back to the environments."""

    class ZoomRequested(Message_):
        """The panel is to have the whole screen, or to give it back."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        chroot: str,
        command: str,
        path: str = "",
        throw_away: bool = False,
        log: BinaryIO | None = None,
        pace: Pace | None = None,
        seconds: Callable[[], float] | None = None,
        stop: Callable[[], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,  # noqa: A002 (Textual's own name for it)
    ) -> None:
        """*seconds* tells how long it has run where *argv* only shows what began earlier, and
        *stop* ends that: then nothing can be typed into it.

        A flood is painted at *pace*.
        """
        super().__init__(id=id)
        self.chroot = chroot
        """The chroot's name: foreign text."""
        self.command = command
        """What was asked for, `shell` or a command line: foreign text."""
        self.path = path
        """The chroot's, with its machine; "": it is of none."""
        self.throw_away = throw_away
        """Whether it is in a throw-away session."""
        self._argv = tuple(argv)
        self._log = log
        self._pace = pace
        self._clock = clock
        self._seconds = seconds
        self._stop = stop
        self._began = clock()
        self._lasted: float | None = None
        self.end_was_seen = False
        """Whether it has been on the screen since the command ended."""

    def compose(self) -> ComposeResult:
        """The line above, in which the search is typed while it is wanted, and the terminal.

        The terminal has the same size in a search as without: its program is not to know of it.
        """
        with Horizontal(classes="run-panel--head"):
            yield FindLine()
            yield Static(classes="run-panel--line")
        yield Terminal(self._argv, log=self._log, pace=self._pace)

    def on_mount(self) -> None:
        """Count the seconds."""
        self.set_interval(1, self._tick)
        self.terminal.can_focus = self._stop is None
        self.watch(self.terminal, "running", self._moved, init=False)

    def _moved(self) -> None:
        self._show_line()
        self.refresh_bindings()
        self.post_message(self.Moved(self))

    def on_resize(self) -> None:
        """Cut the command to the new width."""
        self._show_line()

    def start(self, *, focus: bool = True) -> None:
        """Run the command."""
        self._began = self._clock()
        self._lasted = None
        if focus:
            self.action_enter()
        self.terminal.start(unseen=not focus)
        self._show_line()

    @property
    def running(self) -> bool:
        """Whether the command runs; it does not yet where the terminal is not there yet."""
        return self.is_mounted and self.terminal.running

    @property
    def outcome(self) -> str:
        """How it is, or how it ended, in words."""
        code = self.terminal.exit
        if self.running or code is None:
            return "running"
        if self._stop is not None:
            return (
                "ended"  # its parent alone was told how; the code is that of what shows its output
            )
        return f"exit {code}" if code >= 0 else f"signal {-code}"

    @property
    def seconds(self) -> float:
        """How long the command has run."""
        if self._seconds is not None:
            return self._seconds()
        return self._clock() - self._began if self._lasted is None else self._lasted

    def _tick(self) -> None:
        if self.running and self.display and self.is_on_screen:
            self._show_line()

    def _show_line(self) -> None:
        if self.outcome != "running" and self.is_on_screen:
            self.end_was_seen = True
        line = self.query_one(".run-panel--line", Static)
        if self.is_finding:
            line.update(Content(self.place))
            return
        sign = "▶" if self.running else "■" if self.terminal.exit == 0 else "✗"
        sought = safe(shorten(self.terminal.reading.sought, _WIDEST_NAME))
        said = f"  {self.outcome}  {duration(self.seconds)}"
        said += f"  /{sought}  {self.place}" if sought else ""
        chroot = shorten(self.chroot, _WIDEST_NAME)
        room = self.size.width - 6 - width_of(chroot) - width_of(said)
        command = shorten(self.command, max(room, 0))
        line.update(Content.assemble(f"{sign} ", Content(f"{chroot}  {command}"), Content(said)))

    @property
    def searched(self) -> Searched:
        """What the terminal keeps."""
        return self.terminal.reading

    def show_search(self) -> None:
        """Show how the search stands."""
        self._show_line()

    @on(Terminal.Exited)
    def _exited(self, message: Terminal.Exited) -> None:
        message.stop()
        self._lasted = self._clock() - self._began
        self._show_line()
        self._mind_terminal()

    @on(events.DescendantBlur)
    def _mind_terminal(self) -> None:
        """Once it has ended and was left it would swallow every key: a click is the panel's now.

        Where another window has the focus it gets it back, and asks to be left.
        """
        if self.terminal.exit is None or not self.is_attached:
            return
        if self.screen.focused not in (None, self.terminal):
            self.terminal.can_focus = False

    @on(Terminal.LeaveRequested)
    def _left(self, message: Terminal.LeaveRequested) -> None:
        message.stop()
        if self.terminal.is_chosen:  # else the focus has gone elsewhere meanwhile
            self.screen.set_focus(self)

    def on_click(self, event: events.Click) -> None:
        """Where a menu is to come, the keys are the panel's: it is of those."""
        if event.button == RIGHT:
            self.screen.set_focus(self)

    # -- keys ------------------------------------------------------------------------------------

    @property
    def subject(self) -> str:
        """The chroot and the command."""
        return f"{self.chroot}: {self.command}"

    def why_not(self, action: str) -> str:
        """Say what makes no sense now."""
        if action in ("enter", "stop") and not self.running:
            return "the command has ended"
        if action == "enter" and self._stop is not None:
            return "its terminal has ended with the UI: what it prints is shown"
        if action == "again":
            return "it runs still" if self.running else ""
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what makes sense now."""
        if action == "enter":
            return self.running and self._stop is None
        return super().check_action(action, parameters)

    def action_enter(self) -> None:
        """Give the terminal the keys, at once: by `focus` a command may end before it has them."""
        if self._stop is None:
            self.screen.set_focus(self.terminal)

    def action_again(self) -> None:
        """Run the same command once more. The next keys are still the panel's: Enter goes in."""
        if self.running:
            return
        self._began = self._clock()
        self._lasted = None
        self.terminal.can_focus = self._stop is None
        self.terminal.restart()
        self._show_line()

    def action_stop(self) -> None:
        """End the command."""
        if self.running:
            self.stop()

    def stop(self) -> None:
        """Ask the command to end, ever more firmly."""
        if self._stop is not None:
            self._stop()
        else:
            self.terminal.stop()

    def action_save(self) -> None:
        """Ask for the output to be saved."""
        self.post_message(self.SaveRequested(self))

    def action_copy(self) -> None:
        """Copy the selection, or what is seen."""
        if self.terminal.reading.copy():
            self.notify("copied", timeout=1.5)

    def action_zoom(self) -> None:
        """Ask for the whole screen."""
        self.post_message(self.ZoomRequested(self))

    def action_close(self) -> None:
        """Ask to be closed."""
        self.post_message(self.CloseRequested(self))

    def action_leave(self) -> None:
        """End the search; else ask for the focus to go back to the environments."""
        if self.terminal.reading.sought:
            self.end_search()
        else:
            self.post_message(self.LeaveRequested(self))

    def action_scroll(self, pages: int) -> None:
        """Scroll the terminal by pages."""
        self.terminal.reading.page(pages)

    @on(events.DescendantFocus)
    def _entered(self) -> None:
        """What is typed is the program's now: marks would be in its way."""
        if self.terminal.is_chosen and self.terminal.reading.sought:
            self.end_search()
