"""What tests of `create` share: a run of it followed stage by stage, a proxy that counts."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from . import PATIENCE, Cli

MARKER = ".chroot-tool-create"
LIMIT = 1800.0
"""Seconds that a whole one may take."""


def inside(root: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["chroot", root, *argv], capture_output=True, text=True, check=False)


def text(root: Path, name: str) -> str:
    return (root / name).read_text()


class Create:
    """A running `create --json` and the events that it has printed."""

    def __init__(
        self, cli: Cli, *args: str | Path, verb: Sequence[str] = ("create",), **options: Any
    ) -> None:
        self.process = cli.start(
            *verb, "--json", *args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options
        )
        self.events: list[dict[str, Any]] = []
        self._limit = threading.Timer(LIMIT, self.process.kill)  # then it says no more
        self._limit.daemon = True
        self._limit.start()

    def _lines(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            yield self.events[-1]

    def until(self, stage: str) -> None:
        """Read on until *stage* is reached."""
        for event in self._lines():
            if event.get("stage") == stage:
                return
        raise AssertionError(f"never came to {stage!r}: {self.events[-3:]}")

    def end(self) -> int:
        """Read to the end and return the exit code."""
        for _ in self._lines():
            pass
        self._limit.cancel()
        return self.process.wait(PATIENCE)

    def ended_by(self, number: int) -> int:
        self.process.send_signal(number)
        return self.end()

    @property
    def error(self) -> dict[str, Any]:
        return next(event for event in self.events if event["event"] == "error")

    @property
    def fractions(self) -> list[float]:
        return [event["fraction"] for event in self.events if event.get("fraction") is not None]


def processes_about(path: Path) -> list[str]:
    """The command lines of all processes that name *path*."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(path) in line:
            found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found


@contextmanager
def counting_proxy(refused: Sequence[str] = ()) -> Iterator[tuple[str, list[str]]]:
    """Give the address of a real forward proxy, and the list of what was asked of it.

    It answers 404 for addresses that hold one of *refused*.
    """
    asked: list[str] = []
    opener = build_opener(ProxyHandler({}))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            try:
                if any(word in self.path for word in refused):
                    raise HTTPError(self.path, 404, "Not Found", self.headers, None)
                with opener.open(self.path, timeout=60) as response:
                    data = response.read()
            except HTTPError as error:
                self.send_error(error.code)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):  # who was killed in the middle
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
