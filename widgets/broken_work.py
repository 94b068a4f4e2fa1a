"""Work beside the UI that breaks off by a bug of ours: it is told, and the rest goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.worker import Worker, WorkerState

from ..core.text import safe

if TYPE_CHECKING:
    from textual.dom import DOMNode as Node
else:
    Node = object  # a second node among the bases would take the place of the one whose CSS counts


class TellsOfWork(Node):
    """Mixed into a widget or screen with workers of its own, begun with `exit_on_error=False`.

    Textual tells of a worker to its own node alone; by itself it would end the app.
    """

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say that it broke off, and how."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and error is not None:
            said = safe(f"unexpected {type(error).__name__}: {error}")
            self.app.notify(f"{said} (please report this)", severity="error", markup=False)
