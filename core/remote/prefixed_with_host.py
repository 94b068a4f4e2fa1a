"""What a machine has said, with its paths as those of that machine: `HOST:/…`."""

from __future__ import annotations

import re
from typing import Any

from ..errors import ChrootError
from ..events import Event, Warned
from ..looking.status import ChrootStatus
from .address import joined

_COMMAND = re.compile(r"(chroot-tool [^,;]*?)(-d |--base )(?=/)")
"""A command line up to the path of its chroot, or of what that is in."""


def path_of(host: str, path: str) -> str:
    """Return *path*, which *host* has said, as one of it.

    Raises ChrootError for what is none: `other:/x` would be a place of another machine.
    """
    if not path.startswith("/"):
        raise ChrootError(f"{host}: its answer makes no sense: {path!r} is no path")
    return joined(host, path)


def hint_of(host: str, hint: str) -> str:
    """Return a *hint* of *host* with its command lines as they are to be typed here."""

    def named(found: re.Match[str]) -> str:
        before, option = found.groups()
        return f"{before}{option}{host}:" if option == "-d " else f"{before}-H {host} {option}"

    return _COMMAND.sub(named, hint)


def told_here(host: str, event: Event) -> Event:
    """Return an *event* of *host*, "" for this machine, with its hint as `hint_of` has it."""
    if not host or not isinstance(event, Warned):
        return event
    problem = event.problem
    return event.replace(problem=problem.replace(hint=hint_of(host, problem.hint)))


def of_host(host: str, value: Any) -> Any:
    """Return *value* with its paths as those of *host*. Raises ChrootError where one is none."""
    if not host:
        return value
    if isinstance(value, ChrootStatus):
        return value.replace(path=path_of(host, value.path), host=host)
    if isinstance(value, Event):
        return value.replace(chroot=joined(host, value.chroot)) if value.chroot else value
    if isinstance(value, tuple):
        return tuple(of_host(host, one) for one in value)
    path = getattr(value, "path", "")  # of Cloned, Packed; "-" is stdout
    return value.replace(path=path_of(host, path)) if path not in ("", "-") else value
