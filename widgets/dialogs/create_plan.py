"""What `create` would do, asked of the engine in a thread and shown in place of the form."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from ...core.errors import ChrootError, Problem
from ..light_message import Telling
from ..text.foreign import foreign

Describe = Callable[[], Sequence[str]]
"""Returns the lines of the plan, or raises ChrootError."""


class PlanPage(Vertical):
    """Shows the plan that was asked for, or why there is none, and calls *answered* with it."""

    DEFAULT_CSS = """
    PlanPage { height: auto; }
    """

    class Described(Telling):
        """The plan is known, or why there is none. `turn` says which question it answers."""

        turn: int
        lines: tuple[str, ...] = ()
        problem: Problem | None = None

    def __init__(self, answered: Callable[[], None]) -> None:
        super().__init__()
        self._answered = answered
        self._turn = 0
        self._asked = False
        self.is_shown = False
        """Whether the plan that was asked for last stands there."""

    def compose(self) -> ComposeResult:
        """Make room for the lines."""
        yield Static()

    def ask(self, describe: Describe) -> None:
        """Find out what would be done, in a thread, and show it."""
        self._turn += 1
        self._asked = True
        self.is_shown = False
        self.query_one(Static).update("looking at the host …")
        self._ask(self._turn, describe)

    def forget(self) -> None:
        """Show no answer any more to what was asked."""
        self._turn += 1
        self._asked = self.is_shown = False

    @work(thread=True, group="describe", exit_on_error=False)
    def _ask(self, turn: int, describe: Describe) -> None:
        try:
            self.post_message(self.Described(turn, tuple(describe())))
        except ChrootError as error:
            problem = Problem(error.message, error.hint)
            self.post_message(self.Described(turn, problem=problem))

    @on(Worker.StateChanged)
    def _worker_failed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.group == "describe":
            problem = Problem(f"the plan could not be made: {event.worker.error!r}")
            self.post_message(self.Described(self._turn, problem=problem))

    @on(Described)
    def _described(self, event: Described) -> None:
        event.stop()
        if event.turn != self._turn or not self._asked:
            return  # the user has gone back meanwhile
        lines = self.query_one(Static)
        if event.problem is not None:
            hint = event.problem.hint
            lines.update(
                Content("\n").join(
                    [
                        Content.assemble("✗ ", foreign(event.problem.message)),
                        *([Content.assemble("hint: ", foreign(hint))] if hint else []),
                    ]
                )
            )
        else:
            first, *more = [foreign(line) for line in event.lines] or [Content()]
            lines.update(Content("\n\n").join([first.stylize("bold"), *more]))
            self.is_shown = True
        self._answered()  # no message: what can be done with it is in the same frame
