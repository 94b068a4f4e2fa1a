"""Names: whether the resolv.conf that counts names a server, and one that answers."""

from __future__ import annotations

import os
import socket
import threading

from ..errors import ChrootError
from ..host.mount_points import RESOLV_CONF, host_facts
from .check import CHROOT, HOST, Check
from .finding import note, ok, problem, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Finding
    from .subject import Subject

_LIMIT = 1 << 16
_SECONDS = 3.0
_LONGEST = 64
"""Characters of an address, with its scope."""
_MOST = 3
"""glibc asks as many: resolv.conf(5)."""
_QUESTION = b"\x01\x00\x00\x01" + bytes(6) + b"\x00\x00\x02\x00\x01"
"""Who serves the root? RFC 1035; before it go two bytes that the answer has, too."""


def dns(subject: Subject, port: int = 53) -> Iterator[Finding]:
    """Read the resolv.conf that a program would, and ask the servers that it names."""
    try:
        text, where = _text(subject)
    except (OSError, ChrootError) as error:
        said = getattr(error, "strerror", "") or str(error)
        yield problem(
            f"{RESOLV_CONF} {'inside ' if subject.path else ''}can't be read: {said}",
            "no name is found: apt, git and all else that downloads fails",
            _mend(subject),
        )
        return
    servers = _servers(text)
    if not servers:
        yield problem(
            f"{where} names no server",
            "no name is found, unless one runs on this very host",
            _mend(subject),
        )
        return
    silent = _silent(servers, port)
    if not silent:
        yield ok(f"{', '.join(servers)} {'answer' if len(servers) > 1 else 'answers'}")
    elif len(silent) < len(servers):
        yield warning(
            f"{', '.join(silent)} does not answer",
            "every look-up may take seconds",
            f"take it out of {where}",
        )
    elif subject.proxies.for_address("http://mirror.example/"):
        yield note(
            f"{', '.join(silent)} does not answer; a proxy is set, which finds names itself",
            "what goes past the proxy finds none",
        )
    else:
        yield problem(
            f"no answer from {', '.join(silent)}",
            "no name is found: apt, git and all else that downloads fails",
            "see whether the network is up; " + _mend(subject),
        )


def _text(subject: Subject) -> tuple[str, str]:
    """Return what counts, and where it stands. Raises OSError, ChrootError."""
    if subject.path:
        seen = subject.seen
        bound = [one for one in seen.wanted if one.bind.target == RESOLV_CONF and one.active]
        if not bound or seen.table.at(seen.root + bound[0].target):
            with subject.open() as root:
                text = root.read(RESOLV_CONF, _LIMIT).decode("utf-8", "replace")
            return text, f"{RESOLV_CONF} inside"
    path = host_facts().resolv or RESOLV_CONF  # which `on` binds
    with open(path, "rb") as file:
        return file.read(_LIMIT).decode("utf-8", "replace"), RESOLV_CONF


def _servers(text: str) -> list[str]:
    lines = (line.split() for line in text.splitlines())
    found = [words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1]
    return [address[:_LONGEST] for address in found[:_MOST]]


def _mend(subject: Subject) -> str:
    if subject.path:
        return "take the entry for /etc/resolv.conf out of its configuration, then on again"
    return "write `nameserver ADDRESS` into /etc/resolv.conf"


def _silent(servers: list[str], port: int) -> list[str]:
    """Return those that do not answer; all are asked at once."""
    answered: set[str] = set()

    def ask(server: str) -> None:
        if _answers(server, port):
            answered.add(server)

    asking = [threading.Thread(target=ask, args=(one,), daemon=True) for one in servers]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(_SECONDS + 1)
    return [one for one in servers if one not in answered]


def _answers(server: str, port: int) -> bool:
    mark = os.urandom(2)
    try:
        flags = socket.AI_NUMERICHOST
        family, kind, protocol, _, address = socket.getaddrinfo(
            server, port, type=socket.SOCK_DGRAM, flags=flags
        )[0]
        with socket.socket(family, kind, protocol) as asking:
            asking.settimeout(_SECONDS)
            asking.connect(address)
            asking.send(mark + _QUESTION)
            return asking.recv(4096)[:2] == mark
    except (OSError, UnicodeError):
        return False


CHECKS = (
    Check("dns", "the `resolv.conf` that counts inside: read, and its servers asked", dns,
          (HOST, CHROOT)),
)  # fmt: skip
