"""A list of what is or was done, and below it what the one under its cursor says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Self

from textual import getters, on
from textual.containers import Vertical

from ..tables.table import Table
from .job_output import JobOutput


class ListWithOutput(Vertical):
    """Subclasses put a `Table` and a `JobOutput` there."""

    DEFAULT_CSS = """
    ListWithOutput {
        height: 1fr;
        & > JobOutput { height: 1fr; border-top: solid $panel; }
    }
    """

    output = getters.query_one(JobOutput)

    shown: int | None = None
    """What the output below is of."""

    def why_not(self, action: str) -> str:
        """Say what can't be done with the one under the cursor."""
        raise NotImplementedError

    def show_selected(self) -> None:
        """Show what the one under the cursor says."""
        raise NotImplementedError

    def turn_to(self, ident: int | None, said: Callable[[int], Iterable[str]]) -> None:
        """Have the output be that of *ident*, of which *said* returns the lines."""
        if ident != self.shown:
            self.shown = ident
            self.output.set_lines(said(ident) if ident is not None else ())

    def may(self, action: str) -> bool:
        """Tell whether that can be done with the one under the cursor; where not, say why."""
        why = self.why_not(action)
        if why:
            self.notify(why, severity="warning", timeout=3, markup=False)
        return not why

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the list."""
        self.query_one(Table).focus(scroll_visible)
        return self

    @on(Table.Highlighted)
    def _moved(self, message: Table.Highlighted) -> None:
        message.stop()
        self.show_selected()
        self.refresh_bindings()
