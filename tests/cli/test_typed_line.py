"""What is typed where somebody was asked: a signal ends the wait whenever it comes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from chroot_tool.app.cli.typed_line import typed_line
from support import PATIENCE

# The number of stdin is asked for within select, by code that is no Python: a signal that comes
# there is noted, and handled no sooner than after the wait.
_JUST_BEFORE_THE_WAIT = """
import ctypes, functools, select, signal, sys
from chroot_tool.app.cli.typed_line import typed_line

class Stdin:
    fileno = functools.partial(ctypes.CDLL(None)["raise"], signal.SIGINT)

wait = select.select
select.select = lambda read, *others: wait([Stdin(), *read[1:]], *others)
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    typed_line()
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_between_the_question_and_the_wait_is_not_lost() -> None:
    silent, held = os.pipe()
    try:
        argv = [sys.executable, "-c", _JUST_BEFORE_THE_WAIT]
        done = subprocess.run(argv, stdin=silent, timeout=PATIENCE, check=False)
    finally:
        os.close(silent)
        os.close(held)
    assert done.returncode == 130


@pytest.mark.parametrize(("typed", "line"), [(b"", ""), (b"deb", "deb"), (b" d\xff \n", "d\udcff")])
def test_a_line_or_what_there_is_of_one(typed: bytes, line: str) -> None:
    end, far = os.pipe()
    os.write(far, typed)
    os.close(far)
    kept = os.dup(0)
    try:
        os.dup2(end, 0)
        assert typed_line() == line
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(end)
