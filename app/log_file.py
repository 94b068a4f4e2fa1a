"""What happened to each chroot, kept between sessions (XDG_STATE_HOME): a line each, bounded.

Lines are added at the end, so that several UIs may do so at once and one that is killed loses what
it has not added yet and nothing else. When the file has become too large, the newer half is kept.
"""

from __future__ import annotations

import os
import stat

from ..core import json_values
from ..core.kernel import answering
from ..core.kernel.rootpath import Root
from ..core.looking.happenings import Happening
from .paths import log_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 1 << 20
"""Bytes from which on the older half is dropped."""
_LONGEST = 4096
"""Characters of a line; one that would be longer is none of ours."""
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


def load() -> dict[str, list[Happening]]:
    """Return what is kept, by the path of the chroot, the oldest first. Raises nothing.

    Lines that are none of ours are passed over: nothing depends on them.
    """
    path = log_file()
    try:
        data = answering.look(path, lambda: _end(path), seconds=answering.LOOK)
    except OSError:
        return {}
    found: dict[str, list[Happening]] = {}
    for line in data.split(b"\n"):
        try:
            said = json_values.document(line)
            where = json_values.text(said, "path")
            one = Happening(
                json_values.number(said, "time"), json_values.text(said, "kind"),
                json_values.text(said, "text", ""),
            )  # fmt: skip
        except ValueError:
            continue
        found.setdefault(where, []).append(one)
    return found


def add(news: Iterable[tuple[str, Happening]]) -> None:
    """Add what has happened, each with the path of its chroot. Raises OSError."""
    import json

    lines = [
        json.dumps({"path": where, "time": round(one.time, 3), "kind": one.kind, "text": one.text})
        for where, one in news
    ]
    data = "".join(f"{line}\n" for line in lines if len(line) <= _LONGEST).encode()
    path = log_file()
    answering.look(path, lambda: _add(path, data), seconds=answering.LOOK)


def _add(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _FLAGS, 0o600)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(22, "no regular file", path)
        os.write(fd, data)  # at once: what another UI adds stands before or behind it
    finally:
        os.close(fd)
    if status.st_size + len(data) > _MOST:
        with Root("/") as root:
            root.write(path, _end(path, _MOST // 2), 0o600, is_synced=False)


def _end(path: str, most: int = _MOST) -> bytes:
    """Return the last *most* bytes, from the beginning of a line on."""
    fd = os.open(path, os.O_RDONLY | _FLAGS)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(22, "no regular file", path)
        start = max(status.st_size - most, 0)
        data = os.pread(fd, most, start)
    finally:
        os.close(fd)
    return data.partition(b"\n")[2] if start else data
