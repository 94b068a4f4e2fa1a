"""An app with one widget in it."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget


class WidgetHost(App[None]):
    """One widget alone; keeps what it says."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.said: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_mounts_table_toggle_requested(self, message: Message) -> None:
        self.said.append(message)

    on_copy_requested = on_mounts_table_toggle_requested
    on_processes_table_signal_requested = on_mounts_table_toggle_requested
    on_jobs_pane_cancel_requested = on_mounts_table_toggle_requested
    on_jobs_pane_dismissed = on_mounts_table_toggle_requested
