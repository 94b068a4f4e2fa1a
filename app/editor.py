"""The user's own editor."""

from __future__ import annotations

import os
import shlex

_EDITORS = ("sensible-editor", "nano", "vi")


def command() -> list[str]:
    """Return it as a command: VISUAL, EDITOR, or what there is."""
    from ..core.programs import find

    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if chosen:
        return shlex.split(chosen)
    path = os.environ.get("PATH", os.defpath)
    return [next((name for name in _EDITORS if find(name, path)), "vi")]
