"""A file system whose server can be stopped: what is asked of it then waits for ever (FUSE)."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from support import MNT_DETACH, PATIENCE

_SERVER = Path(__file__).with_name("fuse_server.py")


class Served:
    """The directory *top*, shown at *point* by a server of its own. A context manager.

    *silent*: by one that never answers anything.
    """

    def __init__(self, top: Path, point: Path, *, silent: bool = False) -> None:
        top.mkdir(parents=True, exist_ok=True)
        point.mkdir(parents=True, exist_ok=True)
        self.top, self.point = top, point
        self._words = ["--silent"] if silent else []

    def __enter__(self) -> Served:
        self._server = subprocess.Popen(
            [sys.executable, "-I", _SERVER, self.top, self.point, *self._words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._server.stdout is not None
        assert select.select([self._server.stdout], [], [], PATIENCE)[0]
        assert self._server.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.kill()  # whoever waits is told that it has gone, stopped or not
        self._server.communicate()
        ctypes.CDLL(None).umount2(os.fsencode(self.point), MNT_DETACH)

    def stop(self) -> None:
        """Have it answer nothing from now on."""
        self._server.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._server.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        """Have it answer again."""
        self._server.send_signal(signal.SIGCONT)
