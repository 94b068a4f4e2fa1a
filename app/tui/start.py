"""Starting the terminal UI: what has to be done before Textual is imported, in that order."""

from __future__ import annotations

import os
import sys

from ..engine import open_machines
from ..privilege import prefix
from ..settings.file import load
from .terminal.paint_rate import paint_often
from .threads.look_aside import LookAside
from .threads.watch_threads import WatchThread

_TURN = 0.0005
"""Seconds that a thread waits for its turn. What was painted is written by one, and the UI goes on
meanwhile: at Python's 5 ms each paint that is followed by more comes that much later."""


def main(base: str, host: str = "") -> int:
    """Run the UI on the base directory *base*, "" for the user's own; return the exit code.

    *host* is another machine, by its name for ssh.

    Raises ConfigError where the settings file is wrong.
    """
    if not os.environ.get("NO_COLOR", "1"):
        del os.environ["NO_COLOR"]  # empty it says nothing (no-color.org), but not to Textual
    sys.setswitchinterval(_TURN)
    is_first = True
    while True:
        settings = load()
        machines = open_machines(settings.hosts, base, host, prefix(settings.privilege))
        # Later there are threads; who looks from elsewhere, too, or as root soon, has others again.
        is_aside = is_first and not (host or settings.hosts or machines.can_rise)
        here = machines.of()
        watching = WatchThread(here, LookAside(here) if is_aside else None)
        if is_first:
            is_first = False
            _import_asyncio_alone()
            paint_often()
        from .app import run

        code, base = run(machines, settings, watching, host)
        if not base:
            return code


def _import_asyncio_alone() -> None:
    """Import asyncio as a Python without TLS does, whose libraries are a thirtieth of the start.

    Nothing here speaks TLS through it; who needs `ssl` imports it as ever.
    """
    if "ssl" not in sys.modules:
        sys.modules["ssl"] = None  # type: ignore[assignment]  # an import of it raises ImportError
        import asyncio  # noqa: F401

        del sys.modules["ssl"]
