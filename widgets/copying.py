"""What every pane asks with the key that copies."""

from __future__ import annotations

from .light_message import Telling


class CopyRequested(Telling):
    """These lines are to be copied; they are unsafe as they are."""

    lines: tuple[str, ...]
