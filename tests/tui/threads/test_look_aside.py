"""The first look, taken by a process of its own: what comes of it, or where it comes to nothing.

In a Python without other threads, as the UI has none at its start.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support import make_tiny_root

SCRIPT = """
import os, queue, sys, time
from chroot_tool.app.tui.threads.look_aside import LookAside
from chroot_tool.app.tui.threads.watch_threads import WatchThread
from chroot_tool.core.local_engine import LocalEngine

first = os.getpid()
class Engine(LocalEngine):
    def follow(self):
        if "broken" in sys.argv and os.getpid() != first:
            raise RuntimeError
        if "killed" in sys.argv and os.getpid() != first:
            os.kill(os.getpid(), 9)
        return super().follow()

def post(message):
    seen.put([(one.name, one.state, one.os) for one in message.snapshot.chroots])

seen = queue.Queue()
engine = Engine(sys.argv[1])
watching = WatchThread(engine, LookAside(engine)).post_to(engine, post)
print("chroot_tool.core.looking.watch" in sys.modules)
watching.start()
print(seen.get(timeout=60))
os.rename(sys.argv[1] + "/one", sys.argv[1] + "/other")
while (last := seen.get(timeout=60)) != [("other", "off", "Tiny")]:
    pass  # it may fall into a look
print(last)
watching.close()
try:
    while True:
        os.waitpid(-1, os.WNOHANG)
        time.sleep(0.01)
except ChildProcessError:
    print("nobody is left")
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["sound", "broken", "killed"])
def test_what_another_process_has_seen_is_told_and_then_what_changes(
    tmp_path: Path, how: str
) -> None:
    make_tiny_root(tmp_path / "one")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), how],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[1:] == [
        "[('one', 'off', 'Tiny')]",
        "[('other', 'off', 'Tiny')]",
        "nobody is left",
    ], done.stderr
    assert how != "sound" or lines[0] == "False"
