"""The whole terminal for another program, which may be root's where the UI is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from support import Program, next_line

WAITS = """
import asyncio, sys
sys.path[:0] = eval(sys.argv[1])
from chroot_tool.app.tui.terminal.handover import _wait

async def main():
    become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
    child = await asyncio.create_subprocess_exec(
        *become, "sh", "-c", "echo $$; exec sleep 1000", stdout=asyncio.subprocess.PIPE
    )
    print((await child.stdout.readline()).decode(), end="", flush=True)
    waiting = asyncio.create_task(_wait(child))
    await asyncio.sleep(0)
    waiting.cancel()
    [how] = await asyncio.gather(waiting, return_exceptions=True)
    print(type(how).__name__, flush=True)

asyncio.run(main())
"""


@pytest.mark.root
def test_the_ui_ends_though_who_has_the_terminal_may_not_be_signalled() -> None:
    # Root without CAP_KILL is to nobody what an ordinary user is to sudo.
    without = ("setpriv", "--bounding-set=-kill", "--inh-caps=-kill", "--")
    argv = [*without, sys.executable, "-c", WAITS, repr(sys.path)]
    with Program(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as caller:
        pid = int(next_line(caller))
        try:
            assert next_line(caller) == b"CancelledError\n"
        finally:
            os.kill(pid, signal.SIGKILL)
