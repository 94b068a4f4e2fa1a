"""Telling on stderr, or as JSON lines on stdout, what a long operation does."""

from __future__ import annotations

import os

from ..core import events
from ..core.text import safe
from . import exits, json_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..core.events import Event

_LINE = "\r\x1b[K"


class Narrator:
    """A `report` for the engine: JSON lines, a progress line on a terminal, or plain lines."""

    def __init__(self, *, json: bool, output: bool = False) -> None:
        self._json = json
        self._output = output
        self._live = not json and exits.can_draw()
        self._deaf = False
        self._stage = ""
        self._drawn = ""

    def __call__(self, event: Event) -> None:
        """Tell of one event."""
        if self._json:
            self._event(event)
        elif isinstance(event, events.Stage):
            self._progress(event)
        elif isinstance(event, events.Warned):
            self._say(f"warning: {event.problem.message}")
            if event.problem.hint:
                self._say(f"hint: {event.problem.hint}")
        elif isinstance(event, events.Output) and self._output:
            self._say(event.line)

    def _event(self, event: Event) -> None:
        """Print an event. What is done goes on though nobody reads: the end of it will say so."""
        try:
            if not self._deaf:
                json_fields.write(json_fields.event(event))
        except OSError:
            self._deaf = True

    def _progress(self, event: events.Stage) -> None:
        percent = "" if event.fraction is None else f"{event.fraction * 100:3.0f} %  "
        if self._live:
            columns = _columns()
            line = (percent + safe(event.stage))[: columns - 1]
            if line != self._drawn:
                exits.tell(_LINE + line)
                self._drawn = line
        elif (stage := event.stage.partition(",")[0]) != self._stage:
            self._say(percent + stage)  # without the counts: a log wants one line for each stage
            self._stage = stage

    def _say(self, line: str) -> None:
        self.end()
        exits.tell(safe(line) + "\n")

    def end(self) -> None:
        """Take the progress line away, so that what follows begins on a line of its own."""
        if self._drawn:
            exits.tell(_LINE)
            self._drawn = ""


def _columns() -> int:
    try:
        return max(os.get_terminal_size(2).columns, 20)
    except OSError:
        return 80
