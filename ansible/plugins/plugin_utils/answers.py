"""What `chroot-tool list --json` of another machine answers, taken for what it is: foreign.

Nothing of it becomes a name, a path or a group here that was not looked at. Pure.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

MOST_BYTES = 32 << 20
"""So much is read of an answer: a thousand chroots with all their mounts and processes."""
_MOST_CHROOTS = 10_000
_LONGEST = 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\Z")
"""What can be part of the name of an Ansible host: no pattern, no range, no template."""
_STATE = re.compile(r"[a-z]{1,20}\Z")
_SUITE = re.compile(r"\(([a-z]+)\)\s*\Z|\b([a-z]+)/sid\b")
"""In PRETTY_NAME of os-release(5): `Debian GNU/Linux 12 (bookworm)`, `… trixie/sid`."""


class Found(NamedTuple):
    """A chroot of a host. All texts are printable, `path` is absolute."""

    name: str
    path: str
    state: str
    os: str

    @property
    def suite(self) -> str:
        """The code name of its release, "" where it is unknown."""
        match = _SUITE.search(self.os)
        return next(filter(None, match.groups()), "") if match else ""


class Answer(NamedTuple):
    """The chroots of a host, and for each that can be no Ansible host, why."""

    chroots: list[Found]
    refused: list[str]


class NoAnswerError(Exception):
    """What a host said is no list of chroots, or it said nothing."""


def read(data: bytes) -> Answer:
    """Return what *data* says. Raises NoAnswerError.

    The list is its last line: a host's shell may say something before, to everybody who comes.
    """
    try:
        listed = json.loads(data.rstrip().rpartition(b"\n")[2])
    except (ValueError, RecursionError) as error:
        raise NoAnswerError(f"no JSON: {printable(str(error))}") from None
    if not isinstance(listed, list) or len(listed) > _MOST_CHROOTS:
        raise NoAnswerError("no list of chroots")
    answer = Answer([], [])
    names: set[str] = set()
    for one in listed:
        found = _read_one(one)
        if isinstance(found, str):
            answer.refused.append(found)
        elif found.name not in names:
            names.add(found.name)
            answer.chroots.append(found)
    return answer


def _read_one(one: Any) -> Found | str:
    """Return a chroot, or why it is none that can be worked with."""
    if not isinstance(one, dict):
        return "an entry that is no object"
    name, path, state, system = (one.get(field) for field in ("name", "path", "state", "os"))
    if not isinstance(name, str) or len(name) > _LONGEST or not _NAME.match(name):
        return f"its name cannot be that of an Ansible host: {printable(name)}"
    if not isinstance(path, str) or not path.startswith("/") or path != printable(path):
        return f"the path of {name} cannot be used: {printable(path)}"
    if not isinstance(state, str) or not _STATE.match(state):
        return f"{name} is in a state that is none: {printable(state)}"
    return Found(name, path, state, printable(system) if isinstance(system, str) else "")


def printable(value: Any) -> str:
    """Return a foreign value as text that can be shown: one line, of a bounded length."""
    text = value if isinstance(value, str) else repr(value)[: 2 * _LONGEST]
    return "".join(c if c.isprintable() else "?" for c in text[:_LONGEST])
