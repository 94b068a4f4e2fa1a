"""The terminal UI: settings, themes and the threads that watch; what is seen is the main screen."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from textual.app import App
from textual.binding import Binding
from textual.command import Provider
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.theme import Theme

from ..core.engine import Engine
from ..core.errors import ChrootError
from ..core.text import safe
from ..widgets.fit import brief
from .follow import Count, Follow, Follower, Sizes
from .keymap import textual_keymap
from .main_screen import MainScreen
from .settings import Settings, save
from .themes import register

_TOAST_WORD, _TOAST = 30, 200
"""Cells of a word in a toast, and of all of them: a line of one at 80 columns, and six."""


def _actions() -> type[Provider]:
    from .palette import Actions

    return Actions


class ChrootApp(App[None]):
    """Shows the chroots under a base directory, live, and does what the user asks for."""

    TITLE = "chroot-tool"
    CSS_PATH = "ui.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide"), (210, "-broad")]  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMMANDS = {_actions}  # noqa: RUF012 (Textual's own form)
    BINDINGS = [  # noqa: RUF012 (Textual's own form)
        Binding("q", "quit", "quit", id="app.quit", tooltip="Quit; asks when something runs"),
        Binding("question_mark", "help", "help", id="app.help", tooltip="The keys that apply here"),
        Binding("colon,ctrl+p", "command_palette", "commands", id="app.palette", show=False),
    ]

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        follow: Follow = Follower,
        count: Count = Sizes,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Show what *engine* has; *follow* and *count* make the threads that watch."""
        super().__init__()
        register(self, settings.theme)
        self.set_keymap(textual_keymap(settings.keys))
        self._settings = settings
        self.main = MainScreen(engine, settings, follow=follow, count=count, clock=clock)

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen: nothing stands below it."""
        return self.main

    def on_mount(self) -> None:
        """Take over the user's keys, and note the theme when it is changed."""
        if self._settings.keys:
            self.set_keymap(textual_keymap(self._settings.keys))
        self.theme_changed_signal.subscribe(self, self._save_theme)
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """After the first paint: what is there now stays, the collector need not walk it again."""
        gc.collect()
        gc.freeze()

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
        """Keep the theme that the user chose."""
        try:
            save({"theme": theme.name})
        except ChrootError as error:
            self.notify(safe(error.message), severity="warning", markup=False)

    def action_help(self) -> None:
        """Show or hide the keys of the focused pane."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    async def action_quit(self) -> None:
        """Quit, at once when nothing runs."""
        running = self.main.running
        if running and self._settings.confirm_quit:
            self.main.run_worker(self._ask_to_quit(running), group="dialogs", exit_on_error=False)
        else:
            self.exit()

    async def _ask_to_quit(self, running: tuple[str, ...]) -> None:
        from ..widgets.dialogs.quit import QuitDialog

        answer = await self.push_screen_wait(QuitDialog(running))
        if answer == "stop":
            self.main.cancel_all()
        elif answer == "leave":
            self.main.let_go_on()
        else:
            return
        self.exit()


def run(base: str, settings: Settings) -> int:
    """Run the UI on *base* until the user quits; return the exit code."""
    app = ChrootApp(Engine(base), settings)
    app.run()
    app.main.wait_for_jobs()
    return app.return_code or 0
