"""The line to the terminal: at which pace floods are painted on it, in all panels together."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from ...settings.terminal import is_far

if TYPE_CHECKING:
    from ....widgets.terminal.pace import Pace


class Line:
    """The line of one session. *kind* is how far the terminal is, as the settings say it."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    @cached_property
    def pace(self) -> Pace:
        """Its pace, of whatever is written."""
        return self._fitting()

    def use(self, kind: str) -> None:
        """Be a line as the settings say from now on."""
        self._kind = kind
        self.pace.become(self._fitting())

    def _fitting(self) -> Pace:
        from ....widgets.terminal import pace

        return pace.far() if is_far(self._kind, os.environ) else pace.near()
