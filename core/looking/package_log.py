"""What was installed in a chroot and when: its var/log/dpkg.log, read from the end and bounded.

The file is the chroot's: whoever is root inside writes there what he likes. So it is only text, no
more of it than `_TAIL` is looked at, and a name is cut where no package has one that long.
"""

from __future__ import annotations

import os
import time

from ..errors import ChrootError
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..kernel.rootpath import Root

_LOG = "/var/log/dpkg.log"
_TAIL = 1 << 18
"""Bytes at the end of the log that are looked at: some thousand packages."""
_PAUSE = 60.0
"""Seconds without a word between two runs of apt or dpkg."""
_NAMES = 12
"""Packages that are named of a run."""
_LONGEST = 80
_STAMP = "%Y-%m-%d %H:%M:%S"
_DONE = {"install": 0, "upgrade": 1, "remove": 2, "purge": 2}
"""The actions that count, dpkg(1): what follows them are states."""


class PackageRun(Value):
    """What one run of apt or dpkg did."""

    started: float
    """Epoch seconds, as far as the clock of the chroot's time zone is the host's."""
    installed: int
    upgraded: int
    removed: int
    names: tuple[str, ...]
    """The first of the packages: foreign text."""


def package_runs(root: Root) -> tuple[PackageRun, ...]:
    """Return what was done of late, the oldest first; () where there is no log. Raises nothing."""
    runs: list[_Run] = []
    for line in _tail(root).split(b"\n"):
        stamp, action, name = _fields(line)
        if action not in _DONE or not stamp:
            continue
        if not runs or not runs[-1].last <= stamp <= runs[-1].last + _PAUSE:
            runs.append(_Run(stamp))
        runs[-1].add(stamp, action, name)
    return tuple(run.value() for run in runs)


def _tail(root: Root) -> bytes:
    try:
        fd = root.open_file(_LOG)
    except (OSError, ChrootError):
        return b""
    try:
        start = max(os.fstat(fd).st_size - _TAIL, 0)
        data = os.pread(fd, _TAIL, start)
    except OSError:
        return b""
    finally:
        os.close(fd)
    return data.partition(b"\n")[2] if start else data


def _fields(line: bytes) -> tuple[float, str, str]:
    """Return when, which action and on what; 0, "", "" for a line that is none of an action."""
    words = line.split(b" ", 4)
    if len(words) < 4 or len(words[0]) != 10 or len(words[1]) != 8:
        return 0.0, "", ""
    action = words[2].decode("ascii", "replace")
    if action not in _DONE:
        return 0.0, "", ""
    try:
        moment = time.strptime(f"{words[0].decode()} {words[1].decode()}", _STAMP)
        return time.mktime(moment), action, os.fsdecode(words[3][:_LONGEST])
    except (ValueError, OverflowError):
        return 0.0, "", ""


class _Run:
    """A run that is being read."""

    def __init__(self, started: float) -> None:
        self._started = self.last = started
        self._counts = [0, 0, 0]
        self._names: dict[str, None] = {}

    def add(self, stamp: float, action: str, name: str) -> None:
        self.last = stamp
        self._counts[_DONE[action]] += 1
        if len(self._names) < _NAMES:
            self._names[name.partition(":")[0]] = None

    def value(self) -> PackageRun:
        installed, upgraded, removed = self._counts
        return PackageRun(self._started, installed, upgraded, removed, tuple(self._names))
