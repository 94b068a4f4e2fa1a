"""A program started, and heard within bounds of time and of length."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, cast

from .answers import NoAnswerError, printable

_CHUNK = 1 << 16
_OF_ERRORS = 4096
"""Bytes of stderr that are kept, the last ones."""


def ask(argv: Sequence[str], *, seconds: float, most: int) -> bytes:
    """Return what *argv* prints. Raises NoAnswerError.

    It's ended where it takes more than *seconds* or prints more than *most* bytes.
    """
    try:
        program = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise NoAnswerError(f"{argv[0]}: {error.strerror}") from None
    with program:
        try:
            out, said = _hear(program, time.monotonic() + seconds, most)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
    if program.returncode != 0:
        raise NoAnswerError(_last_words(said) or f"it ended with code {program.returncode}")
    return out


def _hear(program: subprocess.Popen[bytes], end: float, most: int) -> tuple[bytes, bytes]:
    """Return stdout and the end of stderr, when the program has ended. Raises NoAnswerError."""
    out, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for pipe, buffer in ((program.stdout, out), (program.stderr, said)):
            assert pipe is not None
            selector.register(pipe, selectors.EVENT_READ, buffer)
        while selector.get_map():
            left = end - time.monotonic()
            ready = selector.select(left) if left > 0 else []
            if not ready:
                raise NoAnswerError("it did not answer in time")
            for key, _ in ready:
                chunk = os.read(cast("IO[bytes]", key.fileobj).fileno(), _CHUNK)
                if not chunk:
                    selector.unregister(key.fileobj)
                key.data.extend(chunk)
            if len(out) > most:
                raise NoAnswerError("it answers without end")
            del said[:-_OF_ERRORS]
    try:
        program.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise NoAnswerError("it did not end in time") from None
    return bytes(out), bytes(said)


def _last_words(said: bytes) -> str:
    lines = said.decode(errors="replace").splitlines()
    own = [line for line in lines if line.startswith("chroot-tool: ")]
    return printable((own or [line for line in lines if line.strip()] or [""])[-1])
