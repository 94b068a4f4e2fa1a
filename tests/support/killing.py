"""Verbs killed in the middle, for tests: kill -9 before or after a call that they make.

`killed` runs the engine in a process of its own, in which one function is exchanged for one that
ends the process. Imported as `killing`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from support import CHECKOUT

_SCRIPT = """
import importlib, json, os, signal, sys
where, when, count, method, options, *words = sys.argv[1:]
module, _, name = where.rpartition(":")
owner = importlib.import_module(f"chroot_tool.{module}")
*path, name = name.split(".")
for part in path:
    owner = getattr(owner, part)
original, calls = getattr(owner, name), [0]
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def instead(*args, **options):
    calls[0] += 1
    if when == "before" and calls[0] == int(count):
        die()
    found = original(*args, **options)
    if when == "after" and calls[0] == int(count):
        die()
    return found
setattr(owner, name, instead)
from chroot_tool.core.local_engine import LocalEngine
getattr(LocalEngine("/nowhere"), method)(*words, **json.loads(options))
"""


def killed(place: str, method: str, *words: str | Path, **options: float) -> None:
    """Call the engine's *method*, which is killed at *place*: `before core.module:name [2]`.

    The number says at which call. Fails where it was not killed.
    """
    when, where, *count = place.split()
    call = [where, when, count[0] if count else "1", method, json.dumps(options), *words]
    argv = [sys.executable, "-c", _SCRIPT, *call]
    done = subprocess.run(
        argv, env={"PYTHONPATH": str(CHECKOUT / ".pkg"), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -9, f"{place}: ended by itself: {done.returncode}\n{done.stderr}"
