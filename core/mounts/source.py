"""What a bind's source is. Pure."""

from __future__ import annotations

from ..value import Value


class Source(Value):
    """The place in a file system that mountinfo will show of a bind of it."""

    device: str
    """"" where its mount is not in the table: see `Observer.look_at`."""
    root: str
    file: bool
    flags: tuple[str, ...]
    shared: bool
    inner: tuple[tuple[str, str], ...]
    """(device, root) of what is mounted below it."""
    path: str = ""
    """Where it really is, from this process's root."""
