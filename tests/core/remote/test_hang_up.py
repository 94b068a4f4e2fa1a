"""What is hung up on another machine when Ctrl-C ends what has pipes here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from chroot_tool.core.remote.ssh import _HANG_UP
from support import PATIENCE, Program, next_line

GONE = 4194305
"""More than any pid can be: pid_max of proc_sys_kernel(5)."""


@pytest.fixture
def one() -> Iterator[Program]:
    """A process that waits for nothing else."""
    argv = [sys.executable, "-c", "print(flush=True); input()"]
    with Program(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        next_line(process)
        yield process


def hang_up(*pids: int, as_user: tuple[str, ...] = ()) -> int:
    """Run the script where grep finds these."""
    found = " ".join(f"/proc/{pid}/environ" for pid in pids)
    script = f"grep() {{ echo {found}; }}\n{_HANG_UP}"
    argv = [*as_user, "/bin/sh", "-c", script, "chroot-tool", "word"]
    return subprocess.run(argv, check=False, stderr=subprocess.DEVNULL).returncode


def test_one_that_has_ended_with_the_one_before_is_hung_up_as_well(one: Program) -> None:
    assert hang_up(one.pid, GONE) == 0
    assert one.wait(PATIENCE) == -1


@pytest.mark.root
def test_one_that_may_not_be_signalled_goes_on(one: Program) -> None:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
    assert hang_up(one.pid, GONE, as_user=nobody) == 1
    assert one.poll() is None
