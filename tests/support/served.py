"""A file system whose server answers nothing when that is asked of it: who asks waits for ever."""

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

    *silent*: by one that never answers anything. *keeps*: which goes on to take what it is asked
    while it is stopped; who has asked cannot even be killed then.
    """

    def __init__(
        self, top: Path, point: Path, *, silent: bool = False, keeps: bool = False
    ) -> None:
        top.mkdir(parents=True, exist_ok=True)
        point.mkdir(parents=True, exist_ok=True)
        self.top, self.point = top, point
        self._words = ["--silent"] if silent else []
        self.keeps = keeps

    def __enter__(self) -> Served:
        self._server = subprocess.Popen(
            [sys.executable, "-I", _SERVER, self.top, self.point, *self._words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._await(b"ready\n")
        return self

    def _await(self, line: bytes) -> None:
        assert self._server.stdout is not None
        assert select.select([self._server.stdout], [], [], PATIENCE)[0]
        assert self._server.stdout.readline() == line

    def _tell(self, line: bytes) -> None:
        assert self._server.stdin is not None
        os.write(self._server.stdin.fileno(), line)
        self._await(line)

    def __exit__(self, *_: object) -> None:
        self._server.kill()  # whoever waits is told that it has gone, stopped or not
        self._server.communicate()
        ctypes.CDLL(None).umount2(os.fsencode(self.point), MNT_DETACH)

    def stop(self) -> None:
        """Have it answer nothing from now on."""
        if self.keeps:
            self._tell(b"keep\n")
        else:
            self._server.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self._server.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        """Have it answer again."""
        if self.keeps:
            self._tell(b"go on\n")
        else:
            self._server.send_signal(signal.SIGCONT)
