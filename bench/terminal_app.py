"""The app that `bench.terminal` measures: a terminal panel and something else that answers keys.

`s` starts the shell, `f` gives the panel the focus, ctrl+] takes it away; any other key while the
panel has not got it is counted, and the count is shown as `<n>`.
"""

from __future__ import annotations

import asyncio
import sys

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Label

from chroot_tool.widgets.terminal.terminal import Terminal
from chroot_tool.widgets.terminal.tuning import preload


class TerminalApp(App[None]):
    """A panel, and a counter of keys."""

    CSS = "Terminal { border: round $primary; }"
    AUTO_FOCUS = None
    counted = 0

    def compose(self) -> ComposeResult:
        """A counter above a panel."""
        yield Label("<0>", id="count", markup=False)
        yield Terminal(sys.argv[1:])

    def on_mount(self) -> None:
        """Load the emulator behind the first paint, as the real app does."""
        self.call_after_refresh(self.run_worker, asyncio.to_thread(preload))

    def on_key(self, event: events.Key) -> None:
        """Count, start, or give the panel the focus."""
        if event.key == "s":
            self.query_one(Terminal).start()
        elif event.key == "f":
            self.query_one(Terminal).focus()
        else:
            self.counted += 1
            self.query_one("#count", Label).update(f"<{self.counted}>")

    def on_terminal_leave_requested(self) -> None:
        """Take the focus away."""
        self.set_focus(None)


if __name__ == "__main__":
    TerminalApp().run()
