"""The user's own editor."""

from __future__ import annotations

import os
import shlex

from ..core.errors import UsageError

_EDITORS = ("sensible-editor", "nano", "vi")


def command() -> list[str]:
    """Return it as a command: VISUAL, EDITOR, or what there is.

    Raises UsageError where one of these can't be split into words.
    """
    from ..core.programs import find

    for variable in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(os.environ.get(variable, ""))
        except ValueError as error:
            why = str(error).lower()
            raise UsageError(
                f"{variable} can't be split into words: {why}", "close the quote"
            ) from None
        if words and words[0]:
            return words
    path = os.environ.get("PATH", os.defpath)
    return [next((name for name in _EDITORS if find(name, path)), "vi")]
