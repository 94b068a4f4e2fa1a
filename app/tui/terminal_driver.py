"""Textual's driver for a terminal that may go away: a window is closed, a connection is lost."""

from __future__ import annotations

import io
import sys
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from ..exits import deafen

_STDERR = 2


class TerminalDriver(LinuxDriver):
    """Writes to stderr, as Textual does, and nowhere once nobody is there to see it."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = _Outlet(
            open(_STDERR, "wb", closefd=False),  # noqa: SIM115 (it lives as long as this does)
            encoding=sys.__stderr__.encoding if sys.__stderr__ else "utf-8",
            errors="backslashreplace",
        )


class _Outlet(io.TextIOWrapper):
    """Raises no OSError: Textual's thread that writes would die of it, and the app wait for it."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            deafen(_STDERR)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            deafen(_STDERR)
