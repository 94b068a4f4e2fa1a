"""The terminal UI: settings, themes and the threads that watch; what is seen is the main screen."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import events, on
from textual.binding import Binding
from textual.command import Provider
from textual.css.query import NoMatches
from textual.driver import Driver
from textual.filter import LineFilter
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.theme import Theme
from textual.widget import Widget
from textual.widgets import Input

from ...core.remote.machines import Machines
from ...core.text import safe
from ...widgets.text.fitting import brief
from .. import exits
from ..settings.file import Settings
from ..settings.readable import readable
from ..settings.terminal import ascii_for, no_colours
from ..settings.themes import MONOCHROME, begin_with, chosen, every
from ..signals import from_a_handler
from .screen.main_screen import MainScreen
from .threads.messages import BaseWanted, SettingsRead, SettingsWrong
from .threads.watch_threads import SizeThread
from .user.key_queue import KeyQueue

if TYPE_CHECKING:
    from .threads.settings_thread import SettingsThread
    from .threads.watch_threads import Count, Follow, WatchThread

_SIGNALLED = 128
"""With the number of a signal, the exit code of what it has ended."""
_TOAST_WORD, _TOAST = 30, 200
"""Cells of a word in a toast, and of all of them: a line of one at 80 columns, and six."""

_KEY_WORDS = {"⏎": "enter", "⌫": "backspace", "←": "left", "→": "right", "↑": "up", "↓": "down"}


def _of_the_file(settings: Settings) -> Settings:
    """Return the settings without those that the UI itself mostly writes."""
    return settings.replace(
        theme="", dock=0, hosts=(), columns=(), mounts_columns=(), processes_columns=()
    )


def _actions() -> type[Provider]:
    from .palette import Actions

    return Actions


class ChrootApp(KeyQueue):
    """Shows the chroots under a base directory, live, and does what the user asks for."""

    TITLE = "chroot-tool"
    CSS_PATH = "ui.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMMANDS = {_actions}  # noqa: RUF012 (Textual's own form)
    BINDINGS = [  # noqa: RUF012 (Textual's own form)
        Binding("q", "quit", "quit", id="app.quit", tooltip="Quit; asks when something runs"),
        Binding("question_mark", "help", "help", id="app.help", tooltip="The keys that apply here"),
        Binding("colon,ctrl+p", "command_palette", "commands", id="app.palette", show=False),
        # Before all that Esc does in a pane: the help says what that is and is still in the way.
        Binding("escape", "close_help", "close help", id="app.close_help", priority=True,
                tooltip="Close these keys; then Esc does what it does here"),
        # Nor do these reach a pane behind the help, whether or not there is more than is seen.
        *(Binding(keys, f"scroll_help('{way}')", show=False, id=f"table.{ident}", priority=True)
          for keys, way, ident in (
              ("j,down", "down", "down"), ("k,up", "up", "up"),
              ("pagedown", "page_down", "page_down"), ("pageup", "page_up", "page_up"),
              ("g,home", "home", "first"), ("G,end", "end", "last"),
          )),
    ]  # fmt: skip

    def __init__(
        self,
        machines: Machines,
        settings: Settings,
        *,
        follow: Follow,
        count: Count = SizeThread,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        host: str = "",
        driver: type[Driver] | None = None,
        follow_settings: bool = False,
    ) -> None:
        """Show what *machines* have; *follow* and *count* make the threads that watch.

        *clock* tells the time of day, *ticks* how time goes on.
        """
        self._themes = every()
        begin_with(self, settings.theme)
        super().__init__(driver_class=driver)
        self.animation_level = "none"
        # Textual's own way to quit asks nothing; a terminal may take this key for itself anyway.
        del self._bindings.key_to_bindings["ctrl+q"]
        self._encoding = ascii_for(settings.signs, os.environ)
        """That of a terminal without other signs than ASCII; "": it has them."""
        self.set_keymap(settings.keymap)
        self._settings = settings
        self._follow_settings = follow_settings
        self._following: SettingsThread | None = None
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self.wanted_base = ""
        """The base directory that the UI is to begin again on; "": none, it is over."""
        self.ended_by = 0
        """The number of the signal that asked to end."""
        self.main = MainScreen(
            machines,
            settings,
            follow=follow,
            count=count,
            clock=clock,
            ticks=ticks,
            host=host,
        )

    def get_css_variables(self) -> dict[str, str]:
        """Return the colours of the theme, as far as they can be read."""
        return readable(super().get_css_variables())

    @property
    def available_themes(self) -> dict[str, Theme]:
        """All themes by their names."""
        return self._themes

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what becomes of each line before it is written."""
        filters = super().get_line_filters()
        colours = self.theme != MONOCHROME
        if colours and not self._encoding and not self.no_color:
            return filters
        from .terminal.line_filters import with_ours

        return with_ours(filters, colours=colours, encoding=self._encoding)

    def get_key_display(self, binding: Binding) -> str:
        """Return a key as it is shown; as a word where its sign can't be."""
        shown = super().get_key_display(binding)
        return _KEY_WORDS.get(shown, shown) if self._encoding else shown

    def search_themes(self) -> None:
        """Ask for another theme, where there are colours."""
        if no_colours(os.environ):
            self.notify("NO_COLOR is set: there is one theme without colours")
        else:
            super().search_themes()

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen: nothing stands below it."""
        return self.main

    def on_load(self) -> None:
        """From now on a signal reaches the loop; what came before it ends the app here."""
        self._own_loop = asyncio.get_running_loop()
        if self.ended_by:
            self._end()

    def end_by(self, number: int, _frame: object) -> None:
        """Take a signal that asks to end: jobs take back what they did, the terminal is restored.

        A handler of Python's own, not the loop's: it holds until the last job has ended, too.
        """
        self.ended_by = self.ended_by or number
        # With HUP the kernel sends CONT, for which Textual would start on the terminal anew.
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        from_a_handler(self.main.session.jobs.give_up)
        if self._own_loop is not None:
            try:
                self._own_loop.call_soon_threadsafe(self._end)
            except RuntimeError:
                pass  # it is closed: only jobs are waited for

    def wrote(self, count: int) -> None:
        """Take note that so many bytes went to the terminal."""
        self.main.session.line.pace.wrote(count)

    def spares(self) -> bool:
        """Tell whether what stands on the screen is to be left out of what is written."""
        return self.main.session.line.pace.of_all

    @on(events.DescendantFocus)
    def _keep_cursor_steady(self, event: events.DescendantFocus) -> None:
        """Have nothing move where nothing happens, here where something is typed."""
        if isinstance(event.widget, Input):
            event.widget.cursor_blink = False

    def mind_line(self) -> None:
        """Have dialogs leave what is behind them as it is where that would have to be written."""
        self.set_class(self.spares(), "-spares")

    def on_resize(self) -> None:
        """Have all be written anew: the terminal has moved what stood there."""
        from .terminal.terminal_driver import TerminalDriver

        if isinstance(self._driver, TerminalDriver):
            self._driver.forget()

    def _end(self) -> None:
        self.main.session.panels.detach_away()
        self.exit(return_code=_SIGNALLED + self.ended_by)

    def on_mount(self) -> None:
        """Take over the user's keys, and note the theme when it is changed."""
        if self._settings.keys:
            self.set_keymap(self._settings.keymap)
        self.theme_changed_signal.subscribe(self, self._save_theme)
        self.mind_line()
        self.call_after_refresh(self._freeze_what_is_there)

    def _freeze_what_is_there(self) -> None:
        """After the first paint: what is there now stays, the collector need not walk it again."""
        gc.collect()
        gc.freeze()
        gc.enable()
        if self._follow_settings:
            from .threads.settings_thread import SettingsThread

            self._following = SettingsThread(self._settings, self._tell)
            self._following.start()

    @property
    def takes_keys(self) -> bool:
        """Whether the screen is so far that keys do what they are for."""
        return super().takes_keys and (self.screen is not self.main or self.main.is_built)

    def watch_app_focus(self, focus: bool) -> None:
        """Have something take the keys when the terminal has the focus again.

        Textual gives the focus back to what had it, if that is still there; not to a dialog that
        came meanwhile, nor to what is shown instead of what was.
        """
        if not focus:
            return
        screen = self.screen
        if screen is self.main:
            self.main.session.panes.take_focus_from_hidden()
        elif screen.focused is None:
            screen.focus_next(screen.AUTO_FOCUS or "*")
        screen.refresh_bindings()

    def _tell(self, message: Message) -> None:
        self.post_message(message)

    def on_unmount(self) -> None:
        """End the thread that follows the settings, and one that waits for root's privilege."""
        if self._following is not None:
            self._following.close()
        self.main.session.machines.rise_no_more()  # before asyncio waits for its threads

    @on(SettingsRead)
    def _use(self, message: SettingsRead) -> None:
        """Have other settings from now on, but for the base: that is where one is."""
        before, now = self._settings, message.settings
        self._settings = now
        if now.theme != before.theme:
            self.theme = chosen(now.theme, os.environ)
        if now.signs != before.signs:
            self._encoding = ascii_for(now.signs, os.environ)
            self.refresh_css(animate=False)
        if now.keys != before.keys:
            self.set_keymap(now.keymap)
        self.main.use(before, now)
        self.mind_line()
        if _of_the_file(now) != _of_the_file(before):
            self.notify("the settings were read again", timeout=3)

    @on(SettingsWrong)
    def _keep(self, message: SettingsWrong) -> None:
        """Say what is wrong in the file; what held before holds on."""
        hint = f" ({message.error.hint})" if message.error.hint else ""
        text = safe(f"{message.error.message}{hint}; the settings of before hold on")
        self.main.session.user.tell(text, "error", timeout=10, whole=True)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a toast, kept short: the whole of it stands where it is about."""
        if not markup:
            message = brief(message, _TOAST_WORD, _TOAST)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def _save_theme(self, theme: Theme) -> None:
        """Keep the theme that the user chose, not one that the settings say, or leave open."""
        if theme.name != chosen(self._settings.theme, os.environ):
            self._settings = self._settings.replace(theme=theme.name)
            self.main.session.user.keep({"theme": theme.name})

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to close the help, and to scroll it, only while it is there."""
        return action not in ("close_help", "scroll_help") or self._help is not None

    @property
    def _help(self) -> Widget | None:
        """The keys of the focused pane, where they are shown: asked for at each key."""
        try:
            return self.screen.get_child_by_id("help")  # of a dict, not of the whole screen
        except NoMatches:
            return None

    def action_help(self) -> None:
        """Show or hide the keys of the focused pane."""
        if self._help:
            self.action_close_help()
        else:
            self.action_show_help_panel()

    def action_show_help_panel(self) -> None:
        """Show the keys of the focused pane: not in Textual's way, which the palette asks for."""
        from ...widgets.panes.help_panel import HelpPanel
        from .help import tell

        if not self._help:
            self.screen.mount(HelpPanel(partial(tell, self)))
            self.screen.refresh_bindings()

    def action_scroll_help(self, way: str) -> None:
        """Scroll the keys of the focused pane."""
        getattr(self._help, f"scroll_{way}")(animate=False)

    def action_close_help(self) -> None:
        """Hide the keys of the focused pane."""
        self.action_hide_help_panel()
        self.call_after_refresh(self.screen.refresh_bindings)

    @on(BaseWanted)
    def _begin_elsewhere(self, message: BaseWanted) -> None:
        self.wanted_base = message.path
        self.exit()

    async def action_quit(self) -> None:
        """Quit, at once when nothing runs; where the help is in the way, close that instead."""
        if self._help:
            self.action_close_help()
            return
        running = self.main.session.running
        if running and self._settings.confirm_quit:
            self.main.session.user.begin(self._ask_to_quit(running))
        else:
            self.main.session.panels.detach_away()
            self.exit()

    async def _ask_to_quit(self, running: tuple[str, ...]) -> None:
        from ...widgets.dialogs.quit import QuitDialog

        ask = QuitDialog(running, self.main.session.after_quitting)
        answer = await self.push_screen_wait(ask)
        if answer == "stop":
            self.main.session.stop_all()
        elif answer == "leave":
            self.main.session.panels.detach_all()
        else:
            return
        self.exit()


def run(
    machines: Machines, settings: Settings, watching: WatchThread, host: str = ""
) -> tuple[int, str]:
    """Run the UI on *machines* until the user quits.

    Return the exit code, and the base directory to begin again on, "" where it is over.
    """
    from .terminal.terminal_driver import TerminalDriver

    app = ChrootApp(
        machines, settings, follow=watching.post_to, driver=TerminalDriver, host=host,
        follow_settings=True,
    )  # fmt: skip
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, app.end_by)
    app.run()
    jobs = app.main.session.jobs
    ended = jobs.wait()
    code = exits.INTERRUPTED
    try:
        machines.close()
        app.main.keep_ends()
        failed = jobs.tell_ends()
        code = _SIGNALLED + app.ended_by if app.ended_by else app.return_code or failed
    finally:
        if not ended:
            os._exit(code)  # Python would wait for the threads
    return code, "" if app.ended_by else app.wanted_base
