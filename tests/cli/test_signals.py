"""Signals that come while the one before is being taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import chroot_tool

TWO_AT_ONCE = """
import os, signal, sys, threading, types
sys.path.insert(0, sys.argv[1])
from chroot_tool.app.cli import long_call

class Event(threading.Event):
    came = False

    def set(self):
        with self._cond:
            if not self.came:
                self.came = True
                os.kill(os.getpid(), signal.SIGTERM)  # in the middle of it
            self._flag = True
            self._cond.notify_all()

both = threading.current_thread, threading.main_thread
long_call.threading = types.SimpleNamespace(
    Event=Event, current_thread=both[0], main_thread=both[1]
)
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where it is ignored
with long_call.LongCall(json=False) as (_, cancelled):
    os.kill(os.getpid(), signal.SIGINT)
    assert cancelled.wait(60)
"""


TOO_LATE = """
import os, signal, sys, types
sys.path.insert(0, sys.argv[1])
from chroot_tool.app.cli import output
from chroot_tool.app.cli.verbs import {verb}
from chroot_tool.core.plan import Plan

engine = types.SimpleNamespace({verb}=lambda path, **_: Plan(()))
{verb}.chroot_of = lambda arguments: (engine, "/srv/deb")

def tell_state(*words):
    os.kill(os.getpid(), signal.SIGINT)
    output.tell_state(*words)

{verb}.tell_state = tell_state
words = dict.fromkeys(("config", "only", "dry_run", "json", "no_stop", "kill", "lazy"), False)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit({verb}.execute(types.SimpleNamespace(binds=(), timeout=1, **words)))
"""


@pytest.mark.parametrize("verb", ["on", "off"])
def test_one_that_comes_when_all_is_done_is_too_late(verb: str) -> None:
    """It said `interrupted` of a chroot that was on."""
    above = Path(chroot_tool.__file__).parents[1]
    argv = [sys.executable, "-c", TOO_LATE.format(verb=verb), str(above)]
    done = subprocess.run(argv, timeout=120, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, f"/srv/deb: already {verb}\n")


LOADING = """
import builtins, signal, sys
sys.path.insert(0, sys.argv.pop(1))

from chroot_tool.app.main import main
load = builtins.__import__

def interrupted(name, *more):
    if name == "parser":
        signal.raise_signal(signal.SIGINT)
    return load(name, *more)

builtins.__import__ = interrupted
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""


def test_one_that_comes_while_the_tool_is_loaded_is_told() -> None:
    """It was a traceback."""
    above = Path(chroot_tool.__file__).parents[1]
    argv = [sys.executable, "-c", LOADING, str(above), "list", "-H", "one"]
    done = subprocess.run(argv, timeout=120, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "chroot-tool: interrupted\n")


def test_two_at_once_hold_nobody_up() -> None:
    above = Path(chroot_tool.__file__).parents[1]
    argv = [sys.executable, "-c", TWO_AT_ONCE, str(above)]
    done = subprocess.run(argv, timeout=120, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
