"""A JSON object of the user's that is kept between sessions (XDG_STATE_HOME), and is no setting."""

from __future__ import annotations

import errno
import os
from typing import Any

from ..core import json_values
from ..core.errors import ChrootError
from ..core.kernel import answering, small_file
from ..core.kernel.rootpath import Root


def read(path: str, largest: int) -> dict[str, Any]:
    """Return what is kept at *path*; {} where it can't be read or is larger than *largest* bytes.

    Nothing depends on it, so nothing is raised.
    """
    try:
        data = answering.look(
            path, lambda: small_file.read(path, limit=largest), seconds=answering.LOOK
        )
        return json_values.document(data)
    except (OSError, ValueError):
        return {}


def write(path: str, document: dict[str, Any]) -> None:
    """Keep *document* at *path*, in one step. Raises OSError."""
    import json

    def put() -> None:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with Root("/") as root:
            root.write(path, json.dumps(document).encode(), 0o600, is_synced=False)

    try:
        answering.look(path, put, seconds=answering.LOOK)
    except ChrootError as error:  # it leads to /dev/null, say
        raise OSError(errno.EINVAL, error.message, path) from error
