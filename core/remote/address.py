"""What names a machine, and a path on it: HOST and HOST:PATH, as scp has them. Pure."""

from __future__ import annotations

from ..errors import UsageError

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@[]%:")


def split(text: str) -> tuple[str, str]:
    """Return the host and the path of `HOST:PATH`, which may be "": no slash before the colon.

    The host is "" for a path of this machine, and so it is for `./with:colon`. Raises UsageError.
    """
    end = text.find("]:") + 1 if text.startswith("[") else text.find(":")
    host = text[:end] if end > 0 else ""
    if not host or "/" in host:
        return "", text
    return checked(host), text[end + 1 :]


def joined(host: str, path: str) -> str:
    """Return *path* of *host* in one; "" is this machine."""
    return f"{host}:{path}" if host else path


def checked(host: str) -> str:
    """Return *host*. Raises UsageError where it can be no name for ssh."""
    if not host or host.startswith("-") or not _NAME.issuperset(host):
        raise UsageError(f"{host!r} is no name of a host", "a name of ssh_config, or USER@HOST")
    return host
