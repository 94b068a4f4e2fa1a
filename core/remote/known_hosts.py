"""The names of machines that the user's ssh knows: for completion, no more.

Read are the Host lines of ssh_config(5), with what it includes, and the known_hosts files
(sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"); hashed names are nobody's to read.
"""

from __future__ import annotations

import glob
import os

from ..errors import UsageError
from ..kernel import small_file
from .address import checked

_CONFIGS = ("~/.ssh/config", "/etc/ssh/ssh_config")
_KNOWN = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
_DEPTH = 4
_MOST = 10_000


def names() -> tuple[str, ...]:
    """Return the names, sorted: at most 10,000. What cannot be read is passed over."""
    found: set[str] = set()
    for path in _CONFIGS:
        _of_config(os.path.expanduser(path), found, _DEPTH)
    for path in _KNOWN:
        for line in _lines(os.path.expanduser(path)):
            words = line.split()
            if words and words[0].startswith("@"):
                del words[0]
            if len(words) > 2 and not words[0].startswith(("|", "#")):
                found.update(words[0].split(","))
    return tuple(sorted(name for name in found if _is_plain(name)))[:_MOST]


def _of_config(path: str, found: set[str], depth: int) -> None:
    for line in _lines(path):
        key, *rest = line.replace("=", " ", 1).split() or [""]
        if key.casefold() == "host":
            found.update(word.strip('"') for word in rest)
        elif key.casefold() == "include" and depth:
            for pattern in rest:
                base = os.path.join(os.path.dirname(path), os.path.expanduser(pattern.strip('"')))
                for one in sorted(glob.glob(base)):
                    _of_config(one, found, depth - 1)


def _lines(path: str) -> list[str]:
    try:
        return small_file.read(path).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def _is_plain(name: str) -> bool:
    try:
        # With a bracket it is one of known_hosts with its port, for which ssh has no such word.
        return not set("*?![") & set(name) and checked(name) == name
    except UsageError:
        return False
