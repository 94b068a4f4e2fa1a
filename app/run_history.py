"""What was run in each chroot, kept between sessions (XDG_STATE_HOME), newest first, each once."""

from __future__ import annotations

import errno
import os
import threading

from . import state_file
from .paths import history_file, output_directory

_MOST = 200
_LARGEST = 64 << 20
"""Bytes: 200 lines for each of very many chroots."""


_changing = threading.Lock()
"""Jobs change it, each in its thread."""


def _read() -> dict[str, list[str]]:
    return {
        path: [line for line in lines if isinstance(line, str)]
        for path, lines in state_file.read(history_file(), _LARGEST).items()
        if isinstance(lines, list)
    }


def commands(*paths: str) -> tuple[str, ...]:
    """Return the command lines that were run in the chroots at *paths*, of each newest first."""
    everything = _read()
    return tuple(dict.fromkeys(line for path in paths for line in everything.get(path, [])))


def remember(line: str, *paths: str) -> None:
    """Put *line* first in the history of each of the chroots at *paths*. Raises OSError."""
    with _changing:
        everything = _read()
        for path in paths:
            before = [known for known in everything.get(path, []) if known != line]
            everything[path] = [line, *before][:_MOST]
        state_file.write(history_file(), everything)


def forget(path: str) -> None:
    """Forget what was run in the chroot at *path*, which is gone. Raises OSError."""
    with _changing:
        everything = _read()
        if everything.pop(path, None) is not None:
            state_file.write(history_file(), everything)


def move(path: str, new: str) -> None:
    """Let what was run in the chroot at *path* be that of *new*, as it is called now.

    Raises OSError.
    """
    with _changing:
        everything = _read()
        if path in everything:
            everything[new] = everything.pop(path)
            state_file.write(history_file(), everything)


def save_output(name: str, text: str) -> str:
    """Write the output of a panel into a new file; return its path. Raises OSError."""
    import time

    folder = output_directory()
    os.makedirs(folder, mode=0o700, exist_ok=True)
    plain = "".join(c if c.isalnum() or c in "-._" else "_" for c in name)[:80]
    stem = os.path.join(folder, f"{plain}-{time.strftime('%Y%m%d-%H%M%S')}")
    for path in (f"{stem}{more}.txt" for more in ("", *(f"-{n}" for n in range(2, 100)))):
        try:
            fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with open(fd, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        return path
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), stem)
