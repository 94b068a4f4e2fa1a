"""The line by which an editor finds the schema of a file that we make: taplo's directive."""

from __future__ import annotations

import os

PLACES = ("/usr/local/share/chroot-tool", "/usr/share/chroot-tool")
"""Where an administrator and the Debian package put the schemas, as NAME.schema.json."""


def header(name: str) -> bytes:
    """Return the line for the file *name*.

    Empty where no schema is on this machine: editors complain of one that leads nowhere.
    """
    paths = (f"{place}/{name}.schema.json" for place in PLACES)
    path = next(filter(os.path.exists, paths), "")
    return f"#:schema file://{path}\n".encode() if path else b""


def is_header_alone(data: bytes, name: str) -> bool:
    """Return whether *data* is that line, of wherever the schema was when it was made."""
    return data.strip() in {
        f"#:schema file://{place}/{name}.schema.json".encode() for place in PLACES
    }
