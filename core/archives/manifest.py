"""What an archive of ours says of itself, and what tar has no words for.

It is the comment of a global header (pax(1), "g") before the first member: every tar reads over
it, so that an archive of ours unpacks with plain tar and nothing of ours lies among the files. The
text is `chroot-tool ` and a JSON object. It is foreign text when it is read: an archive may come
from anybody, so every value is looked at before it is used.
"""

from __future__ import annotations

import json

from ..errors import ChrootError
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MARK = "chroot-tool "
_TEXTS = ("name", "os", "suite", "arch", "version", "date")
_LONGEST = 1000
"""Characters of a name, a suite …"""
LIMIT = 64 << 20
"""Bytes of one: about a million files that have a flag, which a directory hands on to all in it."""
FLAGS = frozenset("aid")
"""Those of chattr(1) that are kept: append only, immutable, no dump."""


class Socket(Value):
    """A socket in the file system, which tar leaves out: where a daemon listened."""

    path: str
    mode: int
    uid: int
    gid: int
    mtime: int
    """Nanoseconds."""


class Manifest(Value):
    """What an archive is, and what to do when its files are in place. Paths begin with no `/`."""

    name: str = ""
    os: str = ""
    suite: str = ""
    arch: str = ""
    version: str = ""
    """Of the chroot-tool that wrote it."""
    date: str = ""
    """When, as ISO 8601."""
    left_out: tuple[str, ...] = ()
    """Mount points and paths whose content is not in it."""
    flags: tuple[tuple[str, str], ...] = ()
    """Path and letters of `FLAGS`."""
    sockets: tuple[Socket, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    """Further names of fifos, devices and sockets, each with the first one."""


def encode(manifest: Manifest) -> bytes:
    """Return the header to put before the first member.

    Raises ChrootError where it would be too large to be read again.
    """
    from tarfile import TarInfo

    content: dict[str, Any] = {name: getattr(manifest, name) for name in _TEXTS}
    content["left_out"] = manifest.left_out
    content["flags"] = dict(manifest.flags)
    content["links"] = dict(manifest.links)
    content["sockets"] = [
        [getattr(one, name) for name in Socket._fields] for one in manifest.sockets
    ]
    text = _MARK + json.dumps({key: value for key, value in content.items() if value})
    if len(text) > LIMIT:
        what = f"{len(manifest.flags)} files with flags and {len(manifest.sockets)} sockets"
        raise ChrootError(
            f"an archive can't hold what is to be said of {what}",
            "mostly it is nodump, which directories hand on (lsattr): chattr -R -d takes it away",
        )
    return TarInfo.create_pax_global_header({"comment": text})


def parse(comment: str) -> Manifest | None:
    """Return the manifest that the comment of a global header is, None where it is none.

    Raises ChrootError where it begins as one and holds something else.
    """
    if not comment.startswith(_MARK):
        return None
    try:
        content = json.loads(comment[len(_MARK) :])
        return Manifest(
            **{name: _text(content.get(name, "")) for name in _TEXTS},
            left_out=tuple(_path(one) for one in content.get("left_out", ())),
            flags=tuple((_path(k), _letters(v)) for k, v in content.get("flags", {}).items()),
            sockets=tuple(_socket(one) for one in content.get("sockets", ())),
            links=tuple((_path(k), _path(v)) for k, v in content.get("links", {}).items()),
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ChrootError(
            f"the archive's manifest is wrong: {error}", "plain tar unpacks it without one"
        ) from None


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError("a text was expected")
    return value


def _path(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a path was expected")
    if value.startswith("/") or ".." in value.split("/"):
        raise ValueError(f"the path {value!r} leads out of the archive")
    value.encode("utf-8", "surrogateescape")  # JSON can hold halves of characters: no name has one
    return value


def _letters(value: object) -> str:
    if not isinstance(value, str) or not FLAGS.issuperset(value):
        raise ValueError(f"unknown flags {value!r}")
    return value


def _socket(value: object) -> Socket:
    if not isinstance(value, list) or len(value) != len(Socket._fields):
        raise ValueError("a socket has five values")
    path, *numbers = value
    if not all(type(one) is int and 0 <= one < 1 << 63 for one in numbers):
        raise ValueError("a socket's numbers are wrong")
    mode, uid, gid, mtime = numbers
    if mode > 0o7777 or max(uid, gid) >= 1 << 32:
        raise ValueError("a socket's mode or owner is wrong")
    return Socket(_path(path), mode, uid, gid, mtime)
